"""Measure a network of kind things: time of each stage, for one and more instructions on a new view.

converseg bench things --model compact --image color.png --threads 2 --json things.json

Depth and camera are found in the folder of the image (docs/formats.md); without an image, a synthetic table with boxes
and depth is used. Texts are parsed again each time (`text`), and once more with cached texts. Both precisions are
measured in the same run, because the faster one depends on the processor; bf16 is left out on a processor without it.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converseg_ros.bench.timing import device_memory, device_name, reset_peak, summary, timed
from converseg_ros.core import Frame, InputError, Intrinsics
from converseg_ros.core.files import write_json

if TYPE_CHECKING:
    import torch

    from converseg_ros.network.things.things_network import ThingsNetwork

TEXTS = (
    'the tallest thing on the table',
    'what could I drink from',
    'the red box behind the can',
    'where can I put down a plate',
    'the mug closest to the drill',
    'everything except the bowls',
    'which of these would break if it fell',
    'the handle of the white cup',
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--model', default='compact', help='name or folder of kind things (default: %(default)s)')
    parser.add_argument('--namer', default='', help='another model that names regions (docs/models.md)')
    parser.add_argument('--segments', default='', help='another model that finds regions (docs/models.md)')
    parser.add_argument('--prompts', default='1,8', help='numbers of instructions (default: %(default)s)')
    parser.add_argument('--image', type=Path, help='an image file, with depth and camera in the same folder')
    parser.add_argument('--device', help="'cpu' or 'cuda' (default: a GPU if there is one)")
    parser.add_argument('--threads', type=int, default=0, help='threads of PyTorch (default: chosen by PyTorch)')
    parser.add_argument('--repeat', type=int, default=20, help='timed repetitions (default: %(default)s)')
    parser.add_argument('--json', type=Path, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    import torch

    from converseg_ros import network
    from converseg_ros.datasets.views import read_view
    from converseg_ros.evaluation.report import peak_memory_mb
    from converseg_ros.network.options import device_of
    from converseg_ros.network.precision import has_bfloat16
    from converseg_ros.network.things.things_network import ThingsNetwork

    device = device_of(args.device)
    if args.threads:
        torch.set_num_threads(args.threads)
    view = read_view(args.image) if args.image else drawn_view()
    result: dict[str, Any] = {
        'model': str(args.model),
        'namer': args.namer,
        'segments': args.segments,
        'device': device_name(device),
        'threads': torch.get_num_threads(),
        'torch': torch.__version__,
        'depth': view.depth is not None,
        'size': [view.width, view.height],
        'command': args.command_line,
        'cases': [],
        'memory_mib': {},
    }
    print(f'device {device} ({result["device"]})')
    slow = device.type == 'cpu' and not has_bfloat16()
    if slow:
        print('bf16 is not measured: this processor computes it several times as slowly as fp32')
    for precision in ('fp32',) if slow else ('bf16', 'fp32'):
        reset_peak(device)
        loaded: Any = network.load(
            args.model, device=str(device), precision=precision, namer=args.namer, segments=args.segments
        )
        if not isinstance(loaded, ThingsNetwork):
            raise InputError('not a model of kind things', where=str(args.model), do='use converseg bench net')
        for count in (int(n) for n in args.prompts.split(',')):
            case: dict[str, Any] = {'precision': precision, 'prompts': count} | measure(
                loaded, view, count, args.repeat, device
            )
            result['cases'].append(case)
            stages = ', '.join(f'{name} {values["median"]:.0f}' for name, values in case['stages_ms'].items())
            print(f'{precision}, {count} instruction(s): {case["total_ms"]["median"]:.0f} ms ({stages})')
        memory = device_memory(device)
        loaded.close()
        result['memory_mib'][precision] = memory | {'after_close': device_memory(device)['now']}
        print(f'{precision}: memory in MiB {result["memory_mib"][precision]}')
    result['peak_memory_mb'] = peak_memory_mb()
    print(f'peak memory of the process {result["peak_memory_mb"]:.0f} MB')
    if args.json is not None:
        write_json(args.json, result)
    return 0


def measure(network: 'ThingsNetwork', view: Frame, count: int, repeat: int, device: 'torch.device') -> dict[str, Any]:
    """Return the times of `count` instructions on a new view, with newly parsed and with cached texts."""
    stages: list[dict[str, float]] = []
    numbers = iter(range(10**6))

    def new_view(texts: list[str]) -> None:
        network.set_image(replace(view))  # a copy, because some results are kept for the same object
        stages.append(network.predict(texts)[0].stage_ms)

    def fresh() -> None:
        new_view([f'{TEXTS[k % len(TEXTS)]} number {next(numbers)}' for k in range(count)])

    known = [TEXTS[k % len(TEXTS)] for k in range(count)]
    for _ in range(2):  # warm-up: kernels are selected, texts are cached
        fresh()
        new_view(known)
    stages.clear()
    anew = timed(fresh, repeat, device)
    by_stage = {s: summary([m.get(s, 0.0) for m in stages]) for s in stages[0]}
    return {
        'total_ms': summary(anew),
        'stages_ms': by_stage,
        'known_texts_ms': summary(timed(lambda: new_view(known), repeat, device)),
    }


def drawn_view() -> Frame:
    """Return a 640x480 view of a table with boxes of several colours and sizes, with depth."""
    import cv2
    import numpy as np

    rows = np.arange(480, dtype=np.float32)[:, None] / 480
    depth = np.repeat(1.6 - 0.9 * rows, 640, 1)
    rgb = np.empty((480, 640, 3), np.uint8)
    rgb[:] = (150 + 40 * rows)[..., None].astype(np.uint8)
    generator = np.random.default_rng(0)
    for k in range(12):
        x, y = 40 + 150 * (k % 4), 60 + 140 * (k // 4)
        w, h = (int(v) for v in generator.integers(40, 100, 2))
        cv2.rectangle(rgb, (x, y), (x + w, y + h), tuple(int(v) for v in generator.integers(20, 235, 3)), -1)
        depth[y : y + h, x : x + w] = depth[min(y + h, 479), x] - 0.02
    return Frame(rgb, np.asarray(depth, np.float32), Intrinsics(600, 600, 320, 240, 640, 480))
