"""The baseline for one instruction: the forward passes of transformers without caches and without sharing.

It is slow on purpose: the benchmark compares with it, and the tests use it as an independent implementation of the
predictor.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.datasets.images import read_rgb
from converseg_ros.network.config import Preprocess, Select
from converseg_ros.network.converseg import selection
from converseg_ros.network.converseg.model import ConverSegNet
from converseg_ros.network.converseg.preprocess import normalise, to_image, to_input
from converseg_ros.network.features import Decoded, ImageFeatures, LanguageFeatures, Prompts


@torch.no_grad()
def answer(
    network: ConverSegNet,
    path: Path,
    text: str,
    *,
    preprocess: Preprocess | None = None,
    select: Select | None = None,
    max_pixels: int | None = None,
) -> tuple[Tensor, float]:
    """Return (H, W) logits at image size and the object score logit; the image file is read again in every call."""
    rgb = read_rgb(path)
    config, mode = network.config, preprocess or network.config.preprocess
    select = select or config.select
    weight = network.adapters.to_sparse.weight
    pixels = to_input(rgb, config.image.image_size, mode).to(weight.device)
    features = _encode_image(network, normalise(pixels, config.image.mean, config.image.std, weight.dtype))
    if network.language_encoder.sees:
        language = _encode_text(network.language_encoder, rgb, text, max_pixels)
    else:
        language = network.encode_text([text])
    decoded = _decode(network, features, network.prompts(language), selection.tokens(select, 3))
    logits, _ = selection.choose(decoded, select)
    return to_image(logits, rgb.shape[:2], config.image.image_size, mode)[0], float(decoded.object_score[0])


def _encode_image(network: ConverSegNet, pixels: Tensor) -> ImageFeatures:
    """Run the encoder of SAM 2 as transformers does."""
    encoder = network.image_encoder
    s0, s1, embedding = encoder.vision(pixels).fpn_hidden_states
    return ImageFeatures(embedding + encoder.no_memory[:, None, None], (encoder.conv_s0(s0), encoder.conv_s1(s1)))


def _encode_text(encoder: Any, rgb: NDArray[np.uint8], text: str, max_pixels: int | None) -> LanguageFeatures:
    """Run Qwen2.5-VL as transformers does, including the logits of the whole vocabulary, which are not used."""
    kept = encoder.max_pixels
    encoder.max_pixels = max_pixels or kept
    cut = encoder.prepare_image(rgb).patches
    encoder.max_pixels = kept
    model, chat = encoder.model, encoder.chat
    device, image_token = model.language_model.embed_tokens.weight.device, model.config.image_token_id
    count = cut.grid[0] * cut.grid[1]
    ids = [*chat.prefix, *[image_token] * count, chat.vision_end, *chat.suffix(text)]
    tokens = torch.tensor([ids], device=device)
    output = model(
        input_ids=tokens,
        attention_mask=torch.ones_like(tokens),
        pixel_values=cut.pixels.to(device),
        image_grid_thw=torch.tensor([[1, cut.rows, cut.columns]], device=device),
        mm_token_type_ids=(tokens == image_token).int(),
        use_cache=False,
    )
    hidden = output.last_hidden_state[0]
    # the language head is tied to this matrix
    torch.nn.functional.linear(hidden, model.language_model.embed_tokens.weight)
    chat.tokenizer.encode_special_tokens = False
    special = {chat.tokenizer.token_to_id(t) for t in ('<|im_start|>', '<|im_end|>', '<|vision_start|>')}
    chat.tokenizer.encode_special_tokens = True
    special |= {chat.vision_end, image_token}
    live = torch.tensor([i not in special for i in ids], device=device)
    end = max(n for n, i in enumerate(ids) if i == chat.end[0])
    return LanguageFeatures(hidden[live][None], torch.ones_like(live[live])[None], hidden[end][None])


def _decode(network: ConverSegNet, image: ImageFeatures, prompts: Prompts, tokens: tuple[int, ...]) -> Decoded:
    """Run the mask decoder of SAM as transformers does."""
    sam, embedding = network.decoder.sam, image.embedding
    dense = prompts.dense[:, :, None, None].expand_as(embedding)
    position = network.decoder.grid(*embedding.shape[2:]).to(embedding.dtype)
    parts = []
    for multimask in (False, True):
        sam.dynamic_multimask_via_stability = False
        masks, iou, _, score = sam(embedding, position, prompts.sparse[:, None], dense, multimask, list(image.high_res))
        parts.append((masks[:, 0], iou[:, 0]))
    masks, iou = (torch.cat([p[i] for p in parts], 1) for i in (0, 1))
    return Decoded(masks[:, list(tokens)], iou[:, list(tokens)], score[:, 0, 0])
