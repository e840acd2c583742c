"""Small image-text towers and tokenizers of transformers with random weights, made on the spot."""

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
