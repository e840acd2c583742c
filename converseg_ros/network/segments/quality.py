"""The quality network: predicts the IoU of a candidate region from its features."""

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor, nn

NUMBERS = 40  # features of a candidate, see nodes.py
HIDDEN = 64


class QualityNet(nn.Module):
    """Predicts the best IoU with any whole region, and the best IoU with any part of an object."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('mean', torch.zeros(NUMBERS))
        self.register_buffer('scale', torch.ones(NUMBERS))
        self.mean: Tensor
        self.scale: Tensor
        self.layers = nn.Sequential(
            nn.Linear(NUMBERS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)
        )

    def forward(self, numbers: Tensor) -> Tensor:
        """Return (N, 2) logits of (N, NUMBERS)."""
        out: Tensor = self.layers((numbers - self.mean) / self.scale)
        return out

    @torch.no_grad()
    def score(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, 2) predicted IoUs: as a whole region, as a part."""
        return np.asarray(self(torch.from_numpy(numbers)).sigmoid().numpy(), np.float32)
