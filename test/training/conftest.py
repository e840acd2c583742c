"""A toy world: coloured squares and discs on grey, asked for by name; small enough to learn in seconds."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from converseg_ros.core import Item, encode_rle

COLORS = {'red': (200, 30, 30), 'green': (30, 180, 30), 'blue': (30, 30, 210)}


def draw(rng: np.random.Generator, size=(96, 128)) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return an image with one to two coloured squares, and their masks by name."""
    rgb = np.full((*size, 3), 120, np.uint8)
    rgb += rng.integers(0, 12, rgb.shape, dtype=np.uint8)
    masks = {}
    for name in rng.permutation(list(COLORS))[: int(rng.integers(1, 3))]:
        side = int(rng.integers(24, 40))
        y, x = int(rng.integers(0, size[0] - side)), int(rng.integers(0, size[1] - side))
        mask = np.zeros(size, bool)
        mask[y : y + side, x : x + side] = True
        for other in masks:
            masks[other] &= ~mask
        rgb[mask] = COLORS[name]
        masks[name] = mask
    return rgb, masks


@pytest.fixture(scope='session')
def toy(tmp_path_factory) -> Path:
    """Write a small items.jsonl: train and val images, positives and negatives, both phases."""
    folder = tmp_path_factory.mktemp('toy')
    rng = np.random.default_rng(0)
    lines = []
    for number in range(24):
        rgb, masks = draw(rng)
        name = f'image{number:02d}.png'
        cv2.imwrite(str(folder / name), rgb[..., ::-1])
        for color in COLORS:
            mask = masks.get(color, np.zeros(rgb.shape[:2], bool))
            for phase, text in (('literal', f'the {color} square'), ('conversational', f'hand me something {color}')):
                item = Item(
                    f'{number}-{color}-{phase}',
                    name,
                    text,
                    encode_rle(mask),
                    'entities',  # type: ignore[arg-type]
                    phase=phase,  # type: ignore[arg-type]
                    split='val' if number >= 20 else 'train',
                    image_id=name,
                )
                lines.append(json.dumps(item.to_json()))
    (folder / 'items.jsonl').write_text('\n'.join(lines) + '\n')
    return folder


@pytest.fixture(scope='session')
def start(tmp_path_factory) -> Path:
    """Write a tiny start folder (SAM 2 and MiniLM) with random weights and a tokenizer of words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    import torch

    from converseg_ros.network.config import DecoderConfig, MiniLMConfig, NetworkConfig, Sam2ImageConfig
    from converseg_ros.network.converseg.model import ConverSegNet
    from converseg_ros.network.weights.checkpoints import save_network

    folder = tmp_path_factory.mktemp('start')
    words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'the', 'red', 'green', 'blue', 'square', 'hand', 'me', 'something']
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token='[UNK]'))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / 'tokenizer.json'))
    image = Sam2ImageConfig(
        image_size=(96, 128),
        channels=32,
        trunk_dim=8,
        blocks_per_stage=(1, 1, 2, 1),
        global_attention_blocks=(3,),
    )
    config = NetworkConfig(
        name='toy',
        image=image,
        language=MiniLMConfig(
            hidden_size=24, max_tokens=16, options={'vocab_size': 32, 'layers': 1, 'heads': 2, 'mlp_dim': 32}
        ),
        decoder=DecoderConfig(layers=1, heads=4, mlp_dim=32, multimask_outputs=0, iou_head_dim=16),
    )
    torch.manual_seed(0)
    save_network(folder, config, ConverSegNet(config).state_dict(), folder)
    return folder


@pytest.fixture
def settings(toy, start, tmp_path) -> Path:
    """Write a training configuration on the toy world."""
    path = tmp_path / 'toy.yaml'
    path.write_text(f"""
name: toy
out: {tmp_path}/run
start: {start}
steps: 6
threads: 1
trainable: [adapters, decoder, image_encoder]
cache: {tmp_path}/cache
train: [{{path: {toy}}}]
val: [{{path: {toy}}}]
phases: [{{until: 2, literal: 1.0}}, {{until: 100, literal: 0.5}}]
batch: {{images: 2, prompts: 3}}
optim: {{lr: 3.0e-3, ema: 0.9}}
checkpoint_every: 2
validate_every: 3
panels: 2
""")
    return path
