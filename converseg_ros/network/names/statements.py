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
from scipy.sparse import csr_array
from scipy.special import softmax

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_bytes
from converseg_ros.knowledge import Statement
from converseg_ros.network.names.scores import Encoder

FAR, NEAR = 0.45, 0.75  # cosine at which the most similar wording has no weight, and full weight
WEAK = 2.0  # exponent of the weight between the two: texts that no statement means are similar to many a little
SHARP = 15.0  # of the softmax over the similarities of the statements
TYPICAL = 0.5  # the member at place k of a statement, counted from one, has weight k ** -TYPICAL
LEAST = 0.01  # share of the largest weight below which a class is left out
AT_ONCE = 512  # wordings that are encoded at once
NOTHING: Final[Mapping[str, float]] = MappingProxyType({})


class Statements:
    """Compares texts with the wordings of statements; recent texts are cached by the encoder.

    The similarity of a statement is the mean of two cosines: of its most similar wording, and of the mean of its
    wordings, which is steadier. A softmax over the statements gives their shares, which are added up for each class.
    """

    def __init__(self, statements: Sequence[Statement], vectors: NDArray[np.float32], encode: Encoder) -> None:
        """Index the statements. vectors: (W, D) unit vectors of all wordings, one after the other."""
        self._vectors, self._encode = vectors, encode
        self._first = np.cumsum([0, *(len(s.wordings) for s in statements)])[:-1]
        self._names = tuple(dict.fromkeys(c for s in statements for c in s.classes))
        place = {name: i for i, name in enumerate(self._names)}
        members = [(i, place[c], k**-TYPICAL) for i, s in enumerate(statements) for k, c in enumerate(s.classes, 1)]
        row, column, weight = np.array(members).reshape(-1, 3).T
        shape = len(statements), len(self._names)
        self._members = csr_array((weight, (row.astype(int), column.astype(int))), shape=shape)
        sums = np.add.reduceat(vectors, self._first) if statements else vectors
        self._means = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)

    def classes(self, text: str) -> Mapping[str, float]:
        """Return the classes that a text describes, each with a weight in 0 to 1; empty if no statement is similar."""
        if not self._names:
            return NOTHING
        vector = self._encode([text])[0]
        best = np.maximum.reduceat(self._vectors @ vector, self._first)
        trust = float(np.clip((best.max() - FAR) / (NEAR - FAR), 0, 1)) ** WEAK
        if trust == 0:
            return NOTHING
        weights = softmax(SHARP * (best + self._means @ vector) / 2) @ self._members
        relative = weights / weights.max()
        return {self._names[i]: trust * float(relative[i]) for i in np.flatnonzero(relative >= LEAST)}

    def similarity(self, text: str) -> float:
        """Return the cosine of the wording that is the most similar to a text."""
        return float((self._vectors @ self._encode([text])[0]).max())


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
