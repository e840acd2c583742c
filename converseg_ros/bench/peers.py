"""Compare compact with other methods on the same machine, in one run: ratios of time for one new view.

converseg bench peers --threads 2 --json peers.json

The peers have the sizes of the released models and random weights, on which speed does not depend, so that nothing is
downloaded: Grounding DINO tiny with SAM 2.1 tiny (one pass for the boxes of all phrases, three masks for a box of each
instruction), and CLIPSeg (one image pass, one decoder pass for each instruction). They stop at masks; compact also
parses, names and decides. The measurements of the models alternate, so that ratios hold on a machine of varying speed.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from converseg_ros.bench.things import TEXTS, drawn_view
from converseg_ros.bench.timing import device_name, finish
from converseg_ros.core import InputError
from converseg_ros.core.files import write_json

TOKENS = 4  # of the text of one instruction's noun phrase
OURS = 'compact'
Answer = Callable[[int], None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--model', default=OURS, help='name or folder of kind things (default: %(default)s)')
    parser.add_argument('--device', help="'cpu' or 'cuda' (default: a GPU if there is one)")
    parser.add_argument('--threads', type=int, default=0, help="threads of PyTorch (default: PyTorch's own choice)")
    parser.add_argument('--repeat', type=int, default=3, help='timed repetitions (default: %(default)s)')
    parser.add_argument('--prompts', default='1,8', help='numbers of instructions (default: %(default)s)')
    parser.add_argument('--peers', default='grounding-dino+sam2,clipseg', help='which of them (default: %(default)s)')
    parser.add_argument('--json', type=Path, help='output file')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    import torch

    from converseg_ros.network.options import device_of

    if args.repeat < 1:
        raise InputError(f'{args.repeat} repetitions', where='--repeat', do='give 1 or more')
    if args.threads:
        torch.set_num_threads(args.threads)
    device = device_of(args.device)
    makers = {'grounding-dino+sam2': dino_and_sam2, 'clipseg': clipseg}
    chosen = [name for name in args.peers.split(',') if name]
    if unknown := [name for name in chosen if name not in makers]:
        raise InputError(f'{unknown[0]!r} is no peer', where='--peers', do=f'choose among {", ".join(makers)}')
    answers = {OURS: ours(args.model, device)} | {name: makers[name](device) for name in chosen}
    cases = []
    for count in (int(n) for n in args.prompts.split(',')):
        times = measure(answers, count, args.repeat, device)
        for name, values in times.items():
            ratio = median(values) / median(times[OURS])
            cases.append({'name': name, 'instructions': count, 'seconds': values, 'ratio': ratio})
            print(f'{name}, {count} instruction(s): {median(values):.2f} s, {ratio:.1f} times {OURS}')
    result = {
        'device': device_name(device),
        'threads': torch.get_num_threads(),
        'torch': torch.__version__,
        'size': [640, 480],
        'command': args.command_line,
        'cases': cases,
    }
    if args.json is not None:
        write_json(args.json, result)
    return 0


def measure(answers: dict[str, Answer], count: int, repeat: int, device: Any) -> dict[str, list[float]]:
    """Return seconds of each repetition by name, after one that is not timed; the models take turns."""
    times: dict[str, list[float]] = {name: [] for name in answers}
    for turn in range(repeat + 1):
        for name, answer in answers.items():
            finish(device)
            start = perf_counter()
            answer(count)
            finish(device)
            if turn:
                times[name].append(perf_counter() - start)
    return times


def ours(model: str, device: Any) -> Answer:
    """Return a function that answers `count` instructions on a new view with the model."""
    from converseg_ros import network

    loaded, view = network.load(model, device=str(device)), drawn_view()

    def answer(count: int) -> None:
        loaded.set_image(replace(view))  # a copy, because some results are kept for the same object
        loaded.predict([TEXTS[k % len(TEXTS)] for k in range(count)])

    return answer


def dino_and_sam2(device: Any) -> Answer:
    """Return a function that runs Grounding DINO tiny and SAM 2.1 tiny of the real sizes with random weights."""
    import torch
    from transformers import (
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        Sam2Config,
        Sam2Model,
    )

    from converseg_ros.network.encoders.pretrained import resized
    from converseg_ros.network.grounded.detector import sides
    from converseg_ros.network.segments.sam2 import Sam2Network

    detector = GroundingDinoForObjectDetection(GroundingDinoConfig()).to(device).eval()
    sam2 = Sam2Network(Sam2Model(Sam2Config()).to(device), 'sam2')
    rgb = drawn_view().rgb
    generator = np.random.default_rng(0)

    def answer(count: int) -> None:
        pixels = resized(rgb, sides(rgb.shape[0], rgb.shape[1], 800, 1333), 'bilinear')[None].to(device) / 255
        words = generator.integers(1000, 20000, count * TOKENS)
        text = torch.from_numpy(np.concatenate([[101], words, [102]]))[None].to(device)
        whole = {'attention_mask': torch.ones_like(text), 'token_type_ids': torch.zeros_like(text)}
        with torch.inference_mode():
            detector(pixel_values=pixels, input_ids=text, **whole)
        sam2.set_image(rgb)
        corner = generator.uniform(0, 300, (count, 2))
        sam2.from_boxes(np.concatenate([corner, corner + 100], 1).astype(np.float32))

    return answer


def clipseg(device: Any) -> Answer:
    """Return a function that runs CLIPSeg rd64 of the real size with random weights."""
    import torch
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation

    from converseg_ros.network.encoders.pretrained import resized

    settings = {'patch_size': 16, 'image_size': 224}
    config = CLIPSegConfig(vision_config=settings, use_complex_transposed_convolution=True)  # as rd64-refined
    model: Any = CLIPSegForImageSegmentation(config).to(device).eval()
    rgb = drawn_view().rgb

    def answer(count: int) -> None:
        pixels = resized(rgb, (352, 352), 'bilinear')[None].to(device) / 255
        tokens = torch.randint(1000, 20000, (count, TOKENS + 2), device=device)
        with torch.inference_mode():
            seen = model.clip.get_image_features(
                pixel_values=pixels, interpolate_pos_encoding=True, output_hidden_states=True
            )
            activations = tuple(seen.hidden_states[i + 1] for i in model.extract_layers)
            for row in tokens:
                condition = model.get_conditional_embeddings(1, input_ids=row[None])
                model.decoder(activations, condition)

    return answer
