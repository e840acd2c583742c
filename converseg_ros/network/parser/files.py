"""Files of tensors with a format and values in their metadata, as the parser and the intent reader have them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from converseg_ros.core.errors import InputError


@contextmanager
def opened(path: Path, *, again: str) -> Iterator[Any]:
    """Open a file of tensors; raise InputError if it is missing or truncated. again: how to get a valid file."""
    try:
        with safe_open(path, framework='pt') as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise InputError(f'the file is truncated or no safetensors ({error})', where=str(path), do=again) from error


def read_tensors(path: Path, form: str, *, again: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file, as float32, and its metadata; raise InputError for another format than `form`.

    again: how to get a valid file.
    """
    with opened(path, again=again) as f:
        metadata = f.metadata() or {}
        state = {name: f.get_tensor(name).float() for name in f.keys()}  # noqa: SIM118 - not a mapping
    if metadata.get('format') != form:
        raise InputError(f'format is {metadata.get("format")}, this package reads {form}', where=str(path), do=again)
    return state, metadata
