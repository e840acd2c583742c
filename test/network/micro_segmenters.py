"""Small SAM, SAM 2 and SAM 3 models with random weights, made on the spot."""

import json
from pathlib import Path

import torch
import transformers
from transformers_micro import SMALL, clip_tokenizer, spread


def sam2_model() -> 'transformers.Sam2Model':
    """Return a SAM 2 with random weights."""
    torch.manual_seed(0)
    trunk = {
        'model_type': 'sam2_hiera_det_model',
        'hidden_size': 16,
        'num_attention_heads': 1,
        'blocks_per_stage': [1, 1, 2, 1],
        'embed_dim_per_stage': [16, 32, 64, 128],
        'num_attention_heads_per_stage': [1, 2, 4, 8],
        'image_size': [128, 128],
        'global_attention_blocks': [3],
        'window_positional_embedding_background_size': [2, 2],
    }
    config = transformers.Sam2Config(
        vision_config={
            'backbone_config': trunk,
            'backbone_channel_list': [128, 64, 32, 16],
            'backbone_feature_sizes': [[32, 32], [16, 16], [8, 8]],
            'fpn_hidden_size': 32,
        },
        prompt_encoder_config={'hidden_size': 32, 'image_size': 128, 'patch_size': 16},
        mask_decoder_config={
            'hidden_size': 32,
            'mlp_dim': 32,
            'num_attention_heads': 2,
            'iou_head_hidden_dim': 32,
        },
    )
    return transformers.Sam2Model(config)


def write_sam2(folder: Path) -> Path:
    """Write a SAM 2 model; its processor needs torchvision, and the package does not read it."""
    sam2_model().save_pretrained(folder)
    return folder


def write_sam3(folder: Path) -> Path:
    """Write a SAM 3 model with its tokenizer and the settings of its image processor, which needs torchvision."""
    torch.manual_seed(2)
    tokenizer = clip_tokenizer(32)
    detr = {'hidden_size': 32, 'num_layers': 1, 'num_attention_heads': 2, 'intermediate_size': 32}
    vision = {
        **SMALL,
        'model_type': 'sam3_vit_model',
        'image_size': 112,
        'pretrain_image_size': 56,
        'patch_size': 14,
        'window_size': 4,
        'global_attn_indexes': [1],
    }
    text = {**SMALL, 'vocab_size': len(tokenizer), 'max_position_embeddings': 32, 'projection_dim': 16}
    text |= {'bos_token_id': tokenizer.bos_token_id, 'eos_token_id': tokenizer.eos_token_id}
    config = transformers.Sam3Config(
        vision_config={
            'backbone_config': vision,
            'fpn_hidden_size': 32,
            'backbone_feature_sizes': [[32, 32], [16, 16], [8, 8]],
        },
        text_config=text,
        geometry_encoder_config=detr,
        detr_encoder_config=detr,
        detr_decoder_config={**detr, 'num_queries': 12},
        mask_decoder_config={'hidden_size': 32, 'num_attention_heads': 2},
    )
    model = spread(transformers.Sam3Model(config))
    for parameter in model.mask_decoder.mask_embedder.parameters():  # logits of clear sign, with an edge somewhere
        parameter.data.mul_(10)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    size = {'height': 112, 'width': 112}
    settings = {'size': size, 'image_mean': [0.5, 0.5, 0.5], 'image_std': [0.5, 0.5, 0.5], 'resample': 2}
    (folder / 'preprocessor_config.json').write_text(json.dumps(settings))
    return folder


def sam_model() -> torch.nn.Module:
    """Return a segment-anything model with random weights."""
    from converseg_ros.network.segments.sam import build_module

    torch.manual_seed(0)
    return build_module()._build_sam(
        encoder_embed_dim=16, encoder_depth=1, encoder_num_heads=1, encoder_global_attn_indexes=[]
    )


def repaired_torchvision() -> bool:
    """Make a torchvision whose compiled operators do not fit this torch importable; return whether there is one.

    transformers imports it for some models if it is installed.
    """
    import importlib.util
    import sys

    if importlib.util.find_spec('torchvision') is None:
        return False
    try:
        importlib.import_module('torchvision')
    except RuntimeError:  # its operators were built for another torch
        library = torch.library.Library('torchvision', 'DEF')
        library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
        library.define('qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
        repaired_torchvision.library = library  # type: ignore[attr-defined]
        for name in [n for n in sys.modules if n.partition('.')[0] == 'torchvision']:
            del sys.modules[name]
        importlib.import_module('torchvision')
    return True


def torchvision_without_cuda() -> None:
    """Skip the test without a torchvision; only transformers' own image processors need it, as the truth."""
    import pytest

    if not repaired_torchvision():
        pytest.skip("torchvision is not installed: transformers' own processor cannot be run")
