"""SAM's mask decoder on any grid, with prompts of different length in one batch, and the masks of all tokens."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.sam2.configuration_sam2 import Sam2MaskDecoderConfig
from transformers.models.sam2.modeling_sam2 import Sam2MaskDecoder

from converseg_ros.network.config import DecoderConfig
from converseg_ros.network.features import Decoded, ImageFeatures, Prompts

OUTPUT_TOKENS = 2  # the object score and IoU tokens before the mask tokens


class GridEncoding(nn.Module):
    """Random Fourier features of a grid's cell centres (Tancik et al. 2020, as in SAM); any number of rows, columns."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer('gaussian', torch.randn(2, channels // 2))
        self.gaussian: Tensor

    def forward(self, rows: int, columns: int) -> Tensor:
        """Return (1, C, rows, columns); computed in float32, because the angles are large."""
        device = self.gaussian.device
        y = (torch.arange(rows, device=device, dtype=torch.float32) + 0.5) / rows
        x = (torch.arange(columns, device=device, dtype=torch.float32) + 0.5) / columns
        xy = torch.stack([x[None].expand(rows, -1), y[:, None].expand(-1, columns)], -1)
        angle = 2 * torch.pi * ((2 * xy - 1) @ self.gaussian.float())
        return torch.cat([angle.sin(), angle.cos()], -1).permute(2, 0, 1)[None]


class MaskDecoder(nn.Module):
    """transformers' Sam2MaskDecoder with masked padding, computing only the requested masks."""

    def __init__(self, channels: int, config: DecoderConfig) -> None:
        super().__init__()
        settings = Sam2MaskDecoderConfig(
            hidden_size=channels,
            mlp_dim=config.mlp_dim,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            attention_downsample_rate=config.attention_downsample,
            num_multimask_outputs=config.multimask_outputs,
            iou_head_depth=config.iou_head_depth,
            iou_head_hidden_dim=config.iou_head_dim,
        )
        settings._attn_implementation = 'sdpa'
        self.sam = Sam2MaskDecoder(settings)
        self.grid = GridEncoding(channels)
        # These belong to the encoder, which projects its own high-resolution maps (see Sam2ImageEncoder).
        del self.sam.conv_s0, self.sam.conv_s1

    def forward(self, image: ImageFeatures, prompts: Prompts, tokens: tuple[int, ...]) -> Decoded:
        """Decode K prompts; `image` has one row each, or one for all; `tokens`: which masks, in a row."""
        sam = self.sam
        count, _, rows, columns = (prompts.sparse.shape[0], *image.embedding.shape[1:])
        output = torch.cat([sam.obj_score_token.weight, sam.iou_token.weight, sam.mask_tokens.weight])
        queries = torch.cat([output.expand(count, -1, -1), prompts.sparse], 1)[:, None]
        keys = (image.embedding + prompts.dense[:, :, None, None]).flatten(2).transpose(1, 2)[:, None]
        position = self.grid(rows, columns).to(keys.dtype).flatten(2).transpose(1, 2)[:, None]
        queries, keys = self._attend(queries, keys, position, _bias(prompts.mask, output.shape[0], queries))

        grid = keys[:, 0].transpose(1, 2).unflatten(2, (rows, columns))
        s0, s1 = image.high_res
        up = sam.activation(sam.upscale_layer_norm(sam.upscale_conv1(grid) + s1))
        up = sam.activation(sam.upscale_conv2(up) + s0)
        heads = [sam.output_hypernetworks_mlps[i](queries[:, 0, OUTPUT_TOKENS + i]) for i in tokens]
        masks = (torch.stack(heads, 1) @ up.flatten(2)).unflatten(2, up.shape[2:])
        iou = sam.iou_prediction_head(queries[:, 0, 1])[:, tokens[0] : tokens[-1] + 1]
        return Decoded(masks, iou, sam.pred_obj_score_head(queries[:, 0, 0])[:, 0])

    def _attend(self, queries: Tensor, keys: Tensor, position: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """Run the two-way transformer (Kirillov et al. 2023, figure 14); `bias` masks padded tokens as keys."""
        point = queries
        layers: Any = self.sam.transformer.layers
        for layer in layers:
            if layer.skip_first_layer_pe:
                queries = layer.self_attn(queries, queries, queries, attention_similarity=bias)[0]
            else:
                query = queries + point
                queries = queries + layer.self_attn(query, query, queries, attention_similarity=bias)[0]
            queries = layer.layer_norm1(queries)
            key = keys + position
            queries = layer.layer_norm2(queries + layer.cross_attn_token_to_image(queries + point, key, keys)[0])
            queries = layer.layer_norm3(queries + layer.mlp(queries))
            back = layer.cross_attn_image_to_token(key, queries + point, queries, attention_similarity=bias)[0]
            keys = layer.layer_norm4(keys + back)
        final = self.sam.transformer
        answer = final.final_attn_token_to_image(queries + point, keys + position, keys)[0]
        return final.layer_norm_final_attn(queries + answer), keys


def _bias(mask: Tensor | None, outputs: int, like: Tensor) -> Tensor | None:
    """Return (K, 1, 1, outputs + T), 0 for valid keys and -inf for padded ones; None if nothing is padded."""
    if mask is None:
        return None
    live = torch.cat([mask.new_ones(mask.shape[0], outputs), mask], 1)
    return like.new_zeros(live.shape).masked_fill(~live, float('-inf'))[:, None, None]
