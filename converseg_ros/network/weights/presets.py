"""Named configurations, and networks with random weights: for tests, benchmarks and new trainings."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
import torch
from torch import nn

from converseg_ros.core import InputError
from converseg_ros.network.config import (
    AdapterConfig,
    DecoderConfig,
    NetworkConfig,
    QwenConfig,
    Sam2ImageConfig,
)
from converseg_ros.network.encoders.qwen_chat import SPECIAL

HIERA = {
    't': {'trunk_dim': 96, 'trunk_heads': 1, 'blocks_per_stage': (1, 2, 7, 2), 'global_attention_blocks': (5, 7, 9)},
    's': {'trunk_dim': 96, 'trunk_heads': 1, 'blocks_per_stage': (1, 2, 11, 2), 'global_attention_blocks': (7, 10, 13)},
    'b+': {
        'trunk_dim': 112,
        'trunk_heads': 2,
        'blocks_per_stage': (2, 3, 16, 3),
        'global_attention_blocks': (12, 16, 20),
        'background_size': (14, 14),
    },
    'l': {
        'trunk_dim': 144,
        'trunk_heads': 2,
        'blocks_per_stage': (2, 6, 36, 4),
        'global_attention_blocks': (23, 33, 43),
        'window_sizes': (8, 4, 16, 8),
    },
}


def qwen_settings(size: str) -> dict[str, Any]:
    """Return the published sizes of Qwen2.5-VL 3B or 7B (arXiv 2502.13923, table 1), or those of the micro model."""
    text = {'max_position_embeddings': 128000, 'rms_norm_eps': 1e-6, 'rope_theta': 1e6, 'use_sliding_window': False}
    rope = {'type': 'mrope', 'mrope_section': [16, 24, 24]}
    vision = {'hidden_size': 1280, 'intermediate_size': 3420, 'depth': 32, 'num_heads': 16, 'window_size': 112}
    tokens = {'vocab_size': 151936, 'bos_token_id': 151643, 'eos_token_id': 151645}
    layers = {'num_attention_heads': 16, 'num_key_value_heads': 2, 'num_hidden_layers': 36}
    width = {'hidden_size': 2048, 'intermediate_size': 11008}
    whole = [7, 15, 23, 31]
    ids = {'image_token_id': 151655, 'video_token_id': 151656, 'vision_start_token_id': 151652}
    if size == '7b':
        layers = {'num_attention_heads': 28, 'num_key_value_heads': 4, 'num_hidden_layers': 28}
        width, tokens = {'hidden_size': 3584, 'intermediate_size': 18944}, tokens | {'vocab_size': 152064}
    if size == 'micro':
        layers = {'num_attention_heads': 4, 'num_key_value_heads': 2, 'num_hidden_layers': 2}
        width, rope = {'hidden_size': 48, 'intermediate_size': 64}, rope | {'mrope_section': [2, 2, 2]}
        tokens = {'vocab_size': 262, 'bos_token_id': 257, 'eos_token_id': 258}
        vision = {'hidden_size': 16, 'intermediate_size': 24, 'depth': 2, 'num_heads': 2, 'window_size': 112}
        whole, ids = [1], {'image_token_id': 261, 'video_token_id': 261, 'vision_start_token_id': 259}
    return {
        'model_type': 'qwen2_5_vl',
        **ids,
        'text_config': {**text, **tokens, **width, **layers, 'rope_scaling': rope},
        'vision_config': {**vision, 'out_hidden_size': width['hidden_size'], 'fullatt_block_indexes': whole},
    }


def preset(name: str) -> NetworkConfig:
    """Return a configuration: micro, converseg-net-3b, converseg-net-7b; with -t, -s, -b+ or -l another Hiera."""
    if name == 'micro':
        image = Sam2ImageConfig(
            image_size=(256, 256),
            channels=32,
            trunk_dim=8,
            blocks_per_stage=(1, 1, 2, 1),
            global_attention_blocks=(3,),
        )
        return NetworkConfig(
            name='micro',
            image=image,
            language=QwenConfig(hidden_size=48, source='', max_pixels=112 * 112 * 4, settings=qwen_settings('micro')),
            adapter=AdapterConfig(hidden_size=48),
            decoder=DecoderConfig(heads=4, mlp_dim=64, iou_head_dim=32),
            licences={'weights': 'Apache-2.0 (random numbers, made by this package)'},
        )
    base, _, hiera = name.removeprefix('converseg-net-').partition('-')
    if not name.startswith('converseg-net-') or base not in ('3b', '7b') or (hiera or 'l') not in HIERA:
        raise InputError('there is no such configuration', where=name, do='use micro, converseg-net-3b or -7b')
    settings = qwen_settings(base)
    return NetworkConfig(
        name=name,
        image=Sam2ImageConfig(**HIERA[hiera or 'l']),  # type: ignore[arg-type]
        language=QwenConfig(
            hidden_size=settings['text_config']['hidden_size'],
            source=f'Qwen/Qwen2.5-VL-{base.upper()}-Instruct',
            settings=settings,
        ),
        select='best',
    )


def byte_tokenizer() -> Tokenizer:
    """Return a tokenizer of single bytes and Qwen's chat tokens, which needs no file."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ('<|endoftext|>', *SPECIAL)])
    return tokenizer


def random_network(
    config: NetworkConfig, *, seed: int = 0, device: str | torch.device = 'cpu', dtype: torch.dtype = torch.float32
) -> nn.Module:
    """Return a network with reproducible random weights and the byte tokenizer, created on `device`."""
    from converseg_ros.network.converseg.model import ConverSegNet
    from converseg_ros.network.precision import set_precision

    with torch.device('meta'):
        network = ConverSegNet(config, tokenizer=byte_tokenizer())
    set_precision(network, dtype)
    network = network.to_empty(device=device)
    if isinstance(config.language, QwenConfig):
        network.language_encoder.materialise()
    randomise(network, seed)
    return network.to(device).eval()


@torch.no_grad()
def randomise(network: nn.Module, seed: int = 0) -> None:
    """Fill every weight: matrices that preserve the scale of a signal, norms near 1, biases near 0."""
    generators: dict[torch.device, torch.Generator] = {}
    for name, tensor in sorted(network.state_dict().items()):
        if not tensor.is_floating_point():
            continue
        if tensor.device not in generators:
            generators[tensor.device] = torch.Generator(tensor.device).manual_seed(seed)
        tensor.normal_(generator=generators[tensor.device])
        if tensor.ndim < 2:
            one = name.endswith(('weight', 'scale', 'temp'))
            tensor.mul_(0.02).add_(float(one))
        elif not any(part in name for part in ('embed', 'token', 'gaussian')):
            # Full-sized random attention in the decoder is chaotic: it would amplify rounding errors of its input.
            tensor.mul_(tensor[0].numel() ** -0.5 * (0.4 if 'decoder.sam.transformer' in name else 1.0))


def write_micro(folder: Path, seed: int = 0) -> None:
    """Write the micro model: small enough for the repository, with every part of the large one."""
    from converseg_ros.network.weights.checkpoints import save_network

    made_by = f'converseg_ros.network.weights.presets.write_micro, seed {seed}'
    config = replace(preset('micro'), provenance={'made by': made_by})
    folder.mkdir(parents=True, exist_ok=True)
    byte_tokenizer().save(str(folder / 'tokenizer.json'))
    network = random_network(config, seed=seed)
    state = {k: v.to(torch.bfloat16) for k, v in network.state_dict().items()}
    save_network(folder, config, state, folder)
