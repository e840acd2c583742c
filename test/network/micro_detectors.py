"""Small detectors and a vision-language model of transformers with random weights, made on the spot."""

from pathlib import Path

import torch
import transformers
from transformers_micro import SMALL, clip_tokenizer

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
