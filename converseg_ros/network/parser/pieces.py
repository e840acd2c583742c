"""Word pieces of MiniLM and their frozen embeddings (Wang et al., arXiv 2002.10957)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors import safe_open
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.network.encoders.minilm import SCALE, load_tokenizer
from converseg_ros.network.file_names import LANGUAGE

_TABLE = 'bert.embeddings.word_embeddings.weight'


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text. ids: its word pieces. first: the index of the first piece of each word."""

    ids: tuple[int, ...]
    first: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inputs:
    """B padded texts: the arguments of ParserModel.encode, with ids instead of vectors."""

    ids: Tensor
    inner: Tensor
    lengths: Tensor
    first: Tensor
    words: Tensor


class Pieces:
    """A word-piece tokenizer with the embedding of each piece."""

    def __init__(self, tokenizer: Any, weight: Tensor, scale: Tensor | None) -> None:
        """Create from weight (V, E), int8 with a scale (V,) for each row, or floating point."""
        self.tokenizer, self.weight, self.scale = tokenizer, weight, scale
        self._cut: dict[str, tuple[int, ...]] = {}

    @classmethod
    def load(cls, folder: Path) -> 'Pieces':
        """Read the tokenizer and the embeddings of a MiniLM in a folder."""
        with safe_open(folder / LANGUAGE, framework='pt') as f:
            names = {n.removeprefix('language_encoder.'): n for n in f.keys()}  # noqa: SIM118 - not a mapping
            if _TABLE not in names:
                raise InputError('there are no word embeddings', where=str(folder / LANGUAGE))
            scale = names.get(_TABLE + SCALE)
            return cls(load_tokenizer(folder), f.get_tensor(names[_TABLE]), scale and f.get_tensor(scale))

    @cached_property
    def _unknown(self) -> int:
        return int(self.tokenizer.token_to_id('[UNK]'))

    def vocabulary(self) -> list[str]:
        """Return the pieces that are complete words, in the order of BERT's vocabulary: the most frequent first."""
        ranked = sorted(self.tokenizer.get_vocab().items(), key=lambda item: item[1])
        return [piece for piece, _ in ranked if not piece.startswith('##')]

    def cut(self, word: str) -> tuple[int, ...]:
        """Return the pieces of one word, at least one."""
        found = self._cut.get(word)
        if found is None:
            ids = self.tokenizer.encode(word[:40], add_special_tokens=False).ids
            found = tuple(ids) or (self._unknown,)
            if len(self._cut) < 200_000:
                self._cut[word] = found
        return found

    def encode(self, words: Sequence[str]) -> Encoded:
        """Return the pieces of a text."""
        ids: list[int] = []
        first = []
        for word in words:
            first.append(len(ids))
            ids.extend(self.cut(word))
        return Encoded(tuple(ids), tuple(first))

    def vectors(self, ids: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return the embeddings (..., E) of pieces (...)."""
        rows = F.embedding(ids, self.weight) if self.weight.is_floating_point() else self.weight[ids]
        rows = rows.to(dtype)
        return rows if self.scale is None else rows * self.scale[ids][..., None].to(dtype)


def collate(texts: Sequence[Encoded]) -> Inputs:
    """Return a padded batch."""
    size, words = max(len(t.ids) for t in texts), max(len(t.first) for t in texts)
    ids = torch.zeros(len(texts), size, dtype=torch.long)
    inner = torch.ones(len(texts), size, dtype=torch.long)
    first = torch.zeros(len(texts), words, dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, : len(text.ids)] = torch.tensor(text.ids)
        first[row, : len(text.first)] = torch.tensor(text.first)
        inner[row, first[row, : len(text.first)]] = 0
    lengths = torch.tensor([len(t.ids) for t in texts])
    return Inputs(ids, inner, lengths, first, torch.tensor([len(t.first) for t in texts]))
