"""A cache of the features of a frozen text encoder, in memory and on disk, also for later runs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from converseg_ros.core.files import atomic_path
from converseg_ros.network.features import LanguageFeatures

BATCH = 64  # texts of similar length that are encoded together


class TextCache:
    """Features by text; float16 on disk and in memory, so that a resumed run uses exactly the same numbers."""

    def __init__(self, path: Path | None = None) -> None:
        """Create a cache; `path`: its file, None = memory only; the name of the file should identify the encoder."""
        self.path, self.rows, self.saved = path, {}, 0  # type: tuple[Path | None, dict[str, Any], int]
        if path is not None and path.is_file():
            data = torch.load(path, map_location='cpu', weights_only=True)
            parts = data['tokens'].split(data['lengths'].tolist())
            self.rows = dict(zip(data['texts'], zip(parts, data['pooled']), strict=True))
            self.saved = len(self.rows)

    @torch.no_grad()
    def add(self, texts: Iterable[str], network: Any) -> None:
        """Encode new texts."""
        missing = sorted(set(texts) - self.rows.keys(), key=lambda t: (len(t), t))
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            encoded = network.encode_text(part)
            for row, text in enumerate(part):
                live = int(encoded.mask[row].sum())
                tokens = encoded.tokens[row, :live].to(torch.float16).cpu().clone()
                self.rows[text] = (tokens, encoded.pooled[row].to(torch.float16).cpu().clone())

    def get(self, texts: Sequence[str], device: torch.device) -> LanguageFeatures:
        """Return the features of texts that were added, float32 on `device`."""
        rows = [self.rows[t] for t in texts]
        tokens = nn.utils.rnn.pad_sequence([t.float() for t, _ in rows], batch_first=True)
        lengths = torch.tensor([len(t) for t, _ in rows])
        mask = torch.arange(tokens.shape[1]) < lengths[:, None]
        pooled = torch.stack([p.float() for _, p in rows])
        return LanguageFeatures(tokens.to(device), mask.to(device), pooled.to(device))

    def save(self) -> None:
        """Write the file, if there is a new text."""
        if self.path is None or len(self.rows) == self.saved:
            return
        data = {
            'texts': list(self.rows),
            'tokens': torch.cat([t for t, _ in self.rows.values()]),
            'lengths': torch.tensor([len(t) for t, _ in self.rows.values()]),
            'pooled': torch.stack([p for _, p in self.rows.values()]),
        }
        with atomic_path(self.path) as temporary:
            torch.save(data, temporary)
        self.saved = len(self.rows)
