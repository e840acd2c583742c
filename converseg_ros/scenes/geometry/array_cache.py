"""A cache of arrays that are expensive to compute: object models, textures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
import zipfile

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.files import atomic_path

Arrays = dict[str, NDArray[Any]]


def kept(path: Path, make: Callable[[], Arrays]) -> Arrays:
    """Return the arrays in the .npz file `path`; if it cannot be read, call `make` and write them.

    The name of the file must contain everything that the arrays depend on.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        arrays = make()
    with atomic_path(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    return arrays
