"""The adapters of ConverSeg-Net (arXiv 2602.13195, section 4): language features -> SAM prompts."""

import torch
from torch import nn

from converseg_ros.network.features import LanguageFeatures, Prompts


class Adapters(nn.Module):
    """Sparse prompt tokens from all text tokens, and a dense bias from the pooled one; both after a shared LayerNorm.

    sparse = scale * to_sparse(norm(tokens)); dense = temp * to_dense(norm(pooled)), added to each cell of the image
    embedding. Parameter names are those of the released checkpoint.
    """

    def __init__(self, language_dim: int, channels: int, hidden: int = 0, eps: float = 1e-5) -> None:
        super().__init__()
        hidden = hidden or language_dim
        self.txt_norm = nn.LayerNorm(language_dim, eps=eps)
        self.to_sparse = nn.Linear(language_dim, channels)
        self.to_dense = nn.Sequential(nn.Linear(language_dim, hidden), nn.SiLU(), nn.Linear(hidden, channels))
        self.scale = nn.Parameter(torch.ones(()))
        self.temp = nn.Parameter(torch.ones(()))

    def forward(self, language: LanguageFeatures) -> Prompts:
        """Return the prompts of K texts."""
        # Padded slots become zero after the norm, as in the reference, whose training includes them.
        normed = self.txt_norm(language.tokens).masked_fill(~language.mask[..., None], 0)
        sparse = self.scale * self.to_sparse(normed)
        dense = self.temp * self.to_dense(self.txt_norm(language.pooled))
        return Prompts(sparse, language.mask, dense)
