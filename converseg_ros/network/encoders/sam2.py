"""SAM 2's image encoder (Hiera trunk and feature pyramid) by transformers, without its prompt and memory parts."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import Sam2VisionModel
from transformers.models.sam2.configuration_sam2 import Sam2HieraDetConfig, Sam2VisionConfig

from converseg_ros.network.config import Sam2ImageConfig
from converseg_ros.network.encoders.hiera import position_embedding, run_trunk
from converseg_ros.network.features import ImageFeatures


def vision_config(config: Sam2ImageConfig) -> Sam2VisionConfig:
    """Return transformers' configuration of the encoder."""
    dims = [config.trunk_dim * 2**i for i in range(len(config.blocks_per_stage))]
    trunk = Sam2HieraDetConfig(
        hidden_size=config.trunk_dim,
        num_attention_heads=config.trunk_heads,
        image_size=list(config.image_size),
        blocks_per_stage=list(config.blocks_per_stage),
        embed_dim_per_stage=dims,
        num_attention_heads_per_stage=[config.trunk_heads * 2**i for i in range(len(dims))],
        window_size_per_stage=list(config.window_sizes),
        global_attention_blocks=list(config.global_attention_blocks),
        window_positional_embedding_background_size=list(config.background_size),
    )
    rows, columns = config.image_size
    settings = Sam2VisionConfig(
        backbone_config=trunk,
        backbone_channel_list=dims[::-1],
        backbone_feature_sizes=[[rows // s, columns // s] for s in (4, 8, 16)],
        fpn_hidden_size=config.channels,
    )
    settings._attn_implementation = 'sdpa'
    return settings


class Sam2ImageEncoder(nn.Module):
    """Pixels -> embedding at stride 16 and the two projected high-resolution maps the mask decoder adds."""

    def __init__(self, config: Sam2ImageConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = Sam2VisionModel(vision_config(config))
        self.no_memory = nn.Parameter(torch.zeros(config.channels))
        self.conv_s0 = nn.Conv2d(config.channels, config.channels // 8, 1)
        self.conv_s1 = nn.Conv2d(config.channels, config.channels // 4, 1)
        self.register_buffer('position', None, persistent=False)  # set by freeze
        self.position: Tensor | None

    def freeze(self) -> None:
        """Compute, in float32, what depends on the weights alone; call this before lowering the precision."""
        rows, columns = self.config.image_size
        self.position = position_embedding(self.vision.backbone, (rows // 4, columns // 4)).detach()

    def forward(self, pixels: Tensor) -> ImageFeatures:
        """Encode (B, 3, H, W) normalized pixels."""
        trunk = self.vision.backbone
        position = self.position
        if position is None:
            position = position_embedding(trunk, (pixels.shape[2] // 4, pixels.shape[3] // 4))
        hidden = run_trunk(trunk, pixels, position)
        s0, s1, embedding = self._pyramid(hidden)
        embedding = embedding + self.no_memory[:, None, None]
        return ImageFeatures(embedding, (self.conv_s0(s0), self.conv_s1(s1)))

    def _pyramid(self, hidden: list[Tensor]) -> tuple[Tensor, ...]:
        """Run the neck without its unused position encodings and lowest level; (stride 4, 8, 16)."""
        neck: Any = self.vision.neck
        last = len(neck.convs) - 1
        levels: list[Tensor] = []
        above: Tensor | None = None
        for i in range(last, -1, -1):
            lateral = neck.convs[last - i](hidden[i].permute(0, 3, 1, 2))
            if above is not None and i in neck.fpn_top_down_levels:
                lateral = lateral + nn.functional.interpolate(above, scale_factor=2.0, mode='nearest')
            above = lateral
            levels.append(lateral)
        return tuple(levels[:0:-1])
