"""Classes of things that a free text describes: "squeeze for juice" describes lemons and oranges.

`knowledge` lists what things do, are used for, suffer and endanger, each in some wordings. The vectors of the wordings
by MiniLM are stored in the model folder, so that only the text itself is encoded for an instruction.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_bytes
from converseg_ros.knowledge import Statement
from converseg_ros.network.names.scores import Encoder

FAR, NEAR = 0.45, 0.75  # cosine at which the best statement has no weight, and full weight
SHARP = 20.0  # of the softmax over the statements' cosines
LEAST = 0.01  # share of the softmax below which a statement is ignored
AT_ONCE = 512  # wordings that are encoded at once
NOTHING: Final[Mapping[str, float]] = MappingProxyType({})


class Statements:
    """Compares texts with the wordings of statements; recent texts are cached by the encoder."""

    def __init__(self, statements: Sequence[Statement], vectors: NDArray[np.float32], encode: Encoder) -> None:
        """Index the statements. vectors: (W, D) unit vectors of all wordings, one after the other."""
        self._statements, self._vectors, self._encode = tuple(statements), vectors, encode
        self._first = np.cumsum([0, *(len(s.wordings) for s in self._statements)])[:-1]

    def classes(self, text: str) -> Mapping[str, float]:
        """Return the classes that a text describes, each with a weight in 0 to 1; empty if no statement is similar."""
        if not self._statements:
            return NOTHING
        cosine = self._vectors @ self._encode([text])[0]
        best = np.maximum.reduceat(cosine, self._first)
        top = float(best.max())
        trust = float(np.clip((top - FAR) / (NEAR - FAR), 0, 1))
        if trust == 0:
            return NOTHING
        share = np.exp(SHARP * (best - top))
        share /= share.sum()
        found: dict[str, float] = {}
        for i in np.flatnonzero(share > LEAST):
            for name in self._statements[i].classes:
                found[name] = found.get(name, 0.0) + float(share[i])
        most = max(found.values(), default=1.0)
        return {name: trust * weight / most for name, weight in found.items()}


def save_statements(path: Path, encode: Encoder) -> None:
    """Write the vectors of the wordings of `knowledge` atomically, in int8."""
    wordings = _wordings(knowledge.statements())
    vectors = np.concatenate([encode(wordings[i : i + AT_ONCE]) for i in range(0, len(wordings), AT_ONCE)])
    vectors = np.round(vectors * 127).astype(np.int8)
    write_bytes(path, save({'vectors': vectors}, {'wordings': '\n'.join(wordings)}))


def load_statements(path: Path, encode: Encoder) -> Statements:
    """Return the statements of `knowledge` with the vectors of a file; wordings that it does not have are encoded.

    Without the file nothing is described, since encoding all wordings takes seconds. Raises InputError for an invalid
    file.
    """
    if not path.is_file():
        return Statements((), np.zeros((0, 1), np.float32), encode)
    known = _read(path)
    found = knowledge.statements()
    wordings = _wordings(found)
    if new := [w for w in wordings if w not in known]:
        known |= zip(new, encode(new))
    return Statements(found, np.array([known[w] for w in wordings], np.float32), encode)


def missing_wordings(path: Path) -> tuple[str, ...]:
    """Return the wordings of `knowledge` that a file does not have; raise InputError for an invalid file."""
    known = _read(path)
    return tuple(w for w in _wordings(knowledge.statements()) if w not in known)


def _read(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the vectors of a file by their wordings."""
    try:
        with safe_open(path, 'numpy') as file:
            vectors = np.asarray(file.get_tensor('vectors'), np.float32) / 127
            return dict(zip((file.metadata() or {})['wordings'].split('\n'), vectors, strict=True))
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(
            f'not vectors of statements ({error})', where=str(path), do='fetch or assemble the folder again'
        ) from error


def _wordings(statements: Sequence[Statement]) -> list[str]:
    return [w for s in statements for w in s.wordings]
