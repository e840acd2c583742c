"""Tiny random models of transformers, made from their own configurations and saved the documented way."""

import json
from pathlib import Path

import torch
import transformers

SMALL = {'hidden_size': 16, 'intermediate_size': 24, 'num_hidden_layers': 2, 'num_attention_heads': 2}


def clip_tokenizer(longest: int = 16) -> 'transformers.CLIPTokenizer':
    """Return a tokenizer of letters."""
    letters = [chr(c) for c in range(97, 123)]
    pieces = [*letters, '.', *(c + '</w>' for c in (*letters, '.')), '<|startoftext|>', '<|endoftext|>']
    return transformers.CLIPTokenizer(vocab={t: i for i, t in enumerate(pieces)}, merges=[], model_max_length=longest)


def byte_tokenizer(longest: int = 24) -> 'transformers.PreTrainedTokenizerFast':
    """Return a tokenizer of bytes that gives ids only, as SigLIP's does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE({c: i for i, c in enumerate([*letters, '<pad>', '</s>'])}, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token='<pad>',
        eos_token='</s>',
        model_max_length=longest,
        model_input_names=['input_ids'],
    )


def spread(model: torch.nn.Module) -> torch.nn.Module:
    """Make a model's weights large enough that different inputs give clearly different outputs."""
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2 and 'embed' not in name:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    return model


def write_towers(kind: str, folder: Path) -> Path:
    """Write a CLIP, SigLIP or SigLIP 2 model with its processor."""
    torch.manual_seed(0)
    if kind == 'clip':
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        tokenizer = clip_tokenizer()
        text = {**SMALL, 'vocab_size': len(tokenizer), 'max_position_embeddings': 16}
        text |= {'bos_token_id': tokenizer.bos_token_id, 'eos_token_id': tokenizer.eos_token_id}
        config = transformers.CLIPConfig(
            text_config=text, vision_config={**SMALL, 'image_size': 32, 'patch_size': 8}, projection_dim=16
        )
        images = CLIPImageProcessorPil(size={'shortest_edge': 32}, crop_size={'height': 32, 'width': 32})
        model, processor = transformers.CLIPModel(config), transformers.CLIPProcessor(images, tokenizer)
    else:
        tokenizer = byte_tokenizer()
        text = {**SMALL, 'vocab_size': len(tokenizer), 'max_position_embeddings': 24}
        if kind == 'siglip':
            from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

            config = transformers.SiglipConfig(
                text_config=text, vision_config={**SMALL, 'image_size': 32, 'patch_size': 8}
            )
            images = SiglipImageProcessorPil(size={'height': 32, 'width': 32})
            model, processor = transformers.SiglipModel(config), transformers.SiglipProcessor(images, tokenizer)
        else:
            from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

            config = transformers.Siglip2Config(
                text_config=text, vision_config={**SMALL, 'num_patches': 16, 'patch_size': 8}
            )
            images = Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16)
            special = ['<pad>', '<eos>', '<bos>', '<unk>', '<mask>', '\u2581', '.']
            pieces = [*special, *(chr(c) for c in range(97, 123))]
            tokenizer = transformers.Siglip2Tokenizer(vocab={t: i for i, t in enumerate(pieces)}, model_max_length=24)
            model, processor = transformers.Siglip2Model(config), transformers.Siglip2Processor(images, tokenizer)
        torch.nn.init.constant_(model.logit_scale, 3.0)
        torch.nn.init.constant_(model.logit_bias, -2.0)
    spread(model).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def write_clipseg(folder: Path) -> Path:
    """Write a CLIPSeg model with its processor."""
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    torch.manual_seed(0)
    tokenizer = clip_tokenizer()
    text = {**SMALL, 'vocab_size': len(tokenizer), 'max_position_embeddings': 16}
    text |= {'bos_token_id': tokenizer.bos_token_id, 'eos_token_id': tokenizer.eos_token_id}
    config = transformers.CLIPSegConfig(
        text_config=text,
        vision_config={**SMALL, 'num_hidden_layers': 3, 'image_size': 32, 'patch_size': 8},
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    spread(transformers.CLIPSegForImageSegmentation(config)).save_pretrained(folder)
    images = ViTImageProcessorPil(
        size={'height': 64, 'width': 64}, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]
    )
    transformers.CLIPSegProcessor(images, tokenizer).save_pretrained(folder)
    return folder


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


WORDS = ('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '.', '?', 'the', 'red', 'blue', 'mug', 'a', 'plate', 'with')
SWIN = {
    'image_size': 32,
    'patch_size': 4,
    'window_size': 2,
    'embed_dim': 8,
    'depths': [1, 1, 1],
    'num_heads': [1, 2, 4],
}


def write_detector(kind: str, folder: Path) -> Path:
    """Write a zero-shot detector with its processor: owlvit, owlv2, grounding-dino, mm-grounding-dino, omdet-turbo."""
    torch.manual_seed(1)
    make = {'owlvit': _owl, 'owlv2': _owl, 'omdet-turbo': _omdet}.get(kind, _dino)
    model, *processors = make(kind)
    model.save_pretrained(folder)
    for processor in processors:
        processor.save_pretrained(folder)
    return folder


def _owl(kind: str) -> tuple[torch.nn.Module, object]:
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
    from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil

    tokenizer = clip_tokenizer()
    text = {**SMALL, 'num_hidden_layers': 1, 'vocab_size': len(tokenizer), 'max_position_embeddings': 16}
    vision = {**SMALL, 'num_hidden_layers': 1, 'image_size': 32, 'patch_size': 8}
    size = {'height': 32, 'width': 32}
    if kind == 'owlvit':
        config = transformers.OwlViTConfig(text_config=text, vision_config=vision, projection_dim=16)
        model = transformers.OwlViTForObjectDetection(config)
        processor = transformers.OwlViTProcessor(OwlViTImageProcessorPil(size=size, crop_size=size), tokenizer)
    else:
        config = transformers.Owlv2Config(text_config=text, vision_config=vision, projection_dim=16)
        model = transformers.Owlv2ForObjectDetection(config)
        processor = transformers.Owlv2Processor(Owlv2ImageProcessorPil(size=size), tokenizer)
    for parameter in model.box_head.parameters():  # random boxes near their patches, not lines along an edge
        parameter.data.mul_(0.01)
    return model, processor


def _dino(kind: str) -> tuple[torch.nn.Module, object]:
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    cls = 'MMGroundingDino' if kind.startswith('mm') else 'GroundingDino'
    settings = {
        'backbone_config': transformers.SwinConfig(**SWIN, out_features=['stage2', 'stage3']),
        'text_config': transformers.BertConfig(
            vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        ),
        'd_model': 32,
        'encoder_layers': 1,
        'decoder_layers': 2,
        'encoder_ffn_dim': 16,
        'decoder_ffn_dim': 16,
        'encoder_attention_heads': 2,
        'decoder_attention_heads': 2,
        'num_queries': 12,
        'num_feature_levels': 2,
        'encoder_n_points': 2,
        'decoder_n_points': 2,
        'max_text_len': 256,
    }
    model = getattr(transformers, f'{cls}ForObjectDetection')(getattr(transformers, f'{cls}Config')(**settings))
    tokenizer = transformers.BertTokenizer(vocab={w: i for i, w in enumerate(WORDS)})
    images = GroundingDinoImageProcessorPil(size={'shortest_edge': 32, 'longest_edge': 48})
    return model, transformers.GroundingDinoProcessor(images, tokenizer)


def _omdet(kind: str) -> tuple[torch.nn.Module, object, object]:
    """Return a model, its image processor and its tokenizer: the processor of both needs torchvision."""
    from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil

    tokenizer = clip_tokenizer(77)
    text = transformers.CLIPTextConfig(
        hidden_size=24,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        vocab_size=len(tokenizer),
        max_position_embeddings=77,
        projection_dim=24,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config = transformers.OmDetTurboConfig(
        text_config=text,
        backbone_config=transformers.SwinConfig(**SWIN, out_features=['stage1', 'stage2', 'stage3']),
        use_timm_backbone=False,
        backbone=None,
        apply_layernorm_after_vision_backbone=False,
        image_size=32,
        num_queries=12,
        vision_features_channels=[16, 16, 16],
        encoder_in_channels=[8, 16, 32],
        encoder_hidden_dim=16,
        encoder_dim_feedforward=16,
        class_embed_dim=24,
        text_projection_in_dim=24,
        text_projection_out_dim=24,
        task_encoder_hidden_dim=16,
        decoder_hidden_dim=16,
        decoder_num_heads=2,
        decoder_num_layers=2,
        decoder_dim_feedforward=16,
        decoder_num_points=2,
        encoder_attention_heads=2,
    )
    images = DetrImageProcessorPil(size={'height': 32, 'width': 32}, do_pad=False)
    return transformers.OmDetTurboForObjectDetection(config), images, tokenizer


SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|vision_start|>', '<|vision_end|>', '<|image_pad|>']
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    '{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}'
)


def write_qwen(folder: Path) -> Path:
    """Write a Qwen2.5-VL with random weights, with its image processor and a tokenizer of single bytes."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(s, special=True) for s in SPECIAL])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token='<|im_end|>', pad_token='<|endoftext|>')
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=28 * 28 * 6).save_pretrained(folder)
    ids = {s: tokenizer.token_to_id(s) for s in SPECIAL}
    config = Qwen2_5_VLConfig(
        text_config={
            'vocab_size': 264,
            'hidden_size': 32,
            'intermediate_size': 48,
            'num_hidden_layers': 1,
            'num_attention_heads': 2,
            'num_key_value_heads': 1,
            'rope_scaling': {'rope_type': 'default', 'mrope_section': [2, 3, 3]},
            'bos_token_id': None,
            'eos_token_id': ids['<|im_end|>'],
            'tie_word_embeddings': False,
        },
        vision_config={
            'depth': 1,
            'hidden_size': 16,
            'intermediate_size': 24,
            'num_heads': 1,
            'out_hidden_size': 32,
            'fullatt_block_indexes': [0],
        },
        image_token_id=ids['<|image_pad|>'],
        video_token_id=263,
        vision_start_token_id=ids['<|vision_start|>'],
        vision_end_token_id=ids['<|vision_end|>'],
    )
    torch.manual_seed(0)
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    return folder
