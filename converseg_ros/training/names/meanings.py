"""What nouns mean to the text encoder of a model folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
import torch.nn.functional as F

from converseg_ros.network.weights.checkpoints import load_network

BATCH = 64


def text_encoder(folder: Path) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Return a function from texts to unit vectors (B, D), by the folder's language encoder."""
    network = load_network(folder).eval()

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        rows = []
        with torch.inference_mode():
            for start in range(0, len(texts), BATCH):
                pooled = network.language_encoder(list(texts[start : start + BATCH])).pooled
                rows.append(F.normalize(pooled.float(), dim=1).numpy())
        return np.concatenate(rows)

    return encode
