"""Cached vectors of texts by a text tower; those of the vocabulary are stored on disk."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
import json
from pathlib import Path
import sys
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from converseg_ros.core.files import atomic_path

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
REMEMBERED = 1024  # cached texts outside of the vocabulary
PIECE = 32  # texts after which the total time is estimated and reported
LONG = 2.0  # seconds of encoding from which the time is reported


class TextBank:
    """Encodes texts, each once."""

    def __init__(self, embed: Embed, path: Path | None = None) -> None:
        """Create a bank for a tower. path: file of the vocabulary's vectors for these weights; None: no file."""
        self._embed, self._path = embed, path
        self._recent: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def vocabulary(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (K, D) of a fixed list; from the file if it contains exactly these texts, else encoded and stored."""
        known = self._read(texts)
        if known is not None:
            return known
        start = perf_counter()
        parts = [self._embed(texts[:PIECE])]
        expected = (perf_counter() - start) * len(texts) / PIECE
        if expected > LONG:
            print(f'encoding {len(texts)} nouns, once for these weights: about {expected:.0f} s', file=sys.stderr)
        parts += [self._embed(texts[i : i + PIECE]) for i in range(PIECE, len(texts), PIECE)]
        found = np.concatenate(parts)
        if self._path is not None:
            with atomic_path(self._path) as temporary:
                save_file({'vectors': found}, temporary, {'texts': json.dumps(list(texts))})
        return found

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (K, D) of any texts; recent ones are cached."""
        new = [t for t in dict.fromkeys(texts) if t not in self._recent]
        if new:
            self._recent.update(zip(new, self._embed(new)))
        found = np.stack([self._recent[t] for t in texts])
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        return found

    def _read(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        if self._path is None or not self._path.is_file():
            return None
        try:
            with safe_open(self._path, 'np') as file:
                if json.loads((file.metadata() or {})['texts']) != list(texts):
                    return None
                found: NDArray[np.float32] = file.get_tensor('vectors')
                return found
        except (SafetensorError, OSError, ValueError, KeyError):
            return None  # an incomplete file is written again
