"""Measure a network compared with a baseline: transformers' forward passes, float32, eager, one prompt at a time.

converseg bench net --config micro --prompts 1,8 --resolution 640x480 --max-pixels native,63504 --json net.json

--config is the name or folder of a model, or one of converseg-net-3b[-t|-s|-b+|-l] and -7b, which without --weights
have random weights of the real sizes (speed does not depend on them). Printed are median and p95 of each stage,
dispatched operations, cache hits, memory, the ratio to the baseline (image file, float32 SAM, logits of the whole
vocabulary, no caches) in the same run, and the mask IoU with the baseline.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
import tempfile
from typing import TYPE_CHECKING, Any, cast

from converseg_ros.bench.timing import device_memory, device_name, reset_peak, summary, timed
from converseg_ros.core import InputError
from converseg_ros.core.files import write_json
from converseg_ros.core.image_files import write_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    import torch

    from converseg_ros.network.converseg.model import ConverSegNet
    from converseg_ros.network.converseg.predictor import Predictor
    from converseg_ros.network.options import Precision

WORDS = ('the object that is nearest to the edge of the table and could fall down when somebody walks by').split()  # noqa: SIM905


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--config', default='micro', help='model, folder or configuration (default: %(default)s)')
    parser.add_argument('--prompts', default='1,8', help='numbers of instructions (default: %(default)s)')
    parser.add_argument(
        '--resolution', default='640x480', help='of the camera, WIDTHxHEIGHT,... (default: %(default)s)'
    )
    parser.add_argument('--max-pixels', default='native', help='pixel limits of the language model: native,63504')
    parser.add_argument('--precision', choices=('auto', 'fp32', 'bf16'), default='auto')
    parser.add_argument('--device', help="'cpu' or 'cuda' (default: a GPU if there is one)")
    parser.add_argument('--repeat', type=int, default=20, help='timed repetitions (default: %(default)s)')
    parser.add_argument('--no-graphs', action='store_true', help='without CUDA graphs')
    parser.add_argument('--no-baseline', action='store_true', help='do not time the plain way')
    parser.add_argument('--image', type=Path, help='an image file (default: a drawn one)')
    parser.add_argument('--json', type=Path, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    import torch

    from converseg_ros.network.options import device_of

    device = device_of(args.device)
    image_of = _images(args)
    result: dict[str, Any] = {
        'config': args.config,
        'device': device_name(device),
        'threads': torch.get_num_threads(),
        'torch': torch.__version__,
        'command': args.command_line,
        'cases': [],
    }
    print(f'device {device} ({result["device"]})')
    for cap in args.max_pixels.split(','):
        reset_peak(device)
        max_pixels = None if cap == 'native' else int(cap)
        predictor = make_predictor(args, device, max_pixels)
        plain = None if args.no_baseline else make_network(args.config, device, 'fp32')
        result['precision'] = str(predictor.dtype).removeprefix('torch.')
        for size, rgb in image_of.items():
            predictor.warm_up((rgb.shape[:2],), [int(n) for n in args.prompts.split(',')])
            for count in (int(n) for n in args.prompts.split(',')):
                case = measure(predictor, plain, rgb, count, args.repeat, max_pixels)
                case = {'resolution': size, 'max_pixels': cap, 'prompts': count} | case
                result['cases'].append(case)
                _print(case)
        memory, plain = device_memory(device), None  # the baseline is released with the network
        predictor.close()
        result['memory_mib'] = memory | {'after_close': device_memory(device)['now']}
        print(f'memory in MiB {result["memory_mib"]}')
    if args.json is not None:
        write_json(args.json, result)
    return 0


def measure(
    predictor: 'Predictor',
    plain: 'ConverSegNet | None',
    rgb: 'NDArray[np.uint8]',
    count: int,
    repeat: int,
    cap: int | None,
) -> dict[str, Any]:
    """Return the numbers of one case: new images, the same image again, the baseline, operations, agreement."""
    import torch

    texts = [' '.join([*WORDS[: 6 + k % 6], str(k)]) for k in range(count)]
    stages: list[dict[str, float]] = []

    def new_image() -> None:
        predictor.set_image(rgb)
        stages.append(predictor.predict(texts)[0].stage_ms)

    new_image()
    stages.clear()
    predictor.counts.clear()
    device = torch.device(predictor.device)
    fresh = timed(new_image, repeat, device)
    predictor.set_image(rgb, key='kept')
    predictor.predict(texts)
    again = timed(lambda: (predictor.set_image(rgb, key='kept'), predictor.predict(texts)), repeat, device)
    numbers = iter(range(10**6))
    asked = timed(lambda: predictor.predict([f'{t} {next(numbers)}' for t in texts]), repeat, device)
    case: dict[str, Any] = {
        'total_ms': summary(fresh),
        'stages_ms': {s: summary([m.get(s, 0.0) for m in stages]) for s in stages[0]},
        'same_image_same_words_ms': summary(again),
        'same_image_new_words_ms': summary(asked),
        'counts': dict(predictor.counts),
        'graph_captures': predictor.graphs.captures,
        'operations': operations(lambda: (predictor.set_image(rgb), predictor.predict(texts))),
    }
    if plain is not None:
        case |= compare(predictor, plain, rgb, texts, min(repeat, 5), cap)
        case['ratio'] = round(case['plain_ms']['median'] / case['total_ms']['median'], 2)
    return case


def compare(
    predictor: 'Predictor',
    plain: 'ConverSegNet',
    rgb: 'NDArray[np.uint8]',
    texts: list[str],
    repeat: int,
    cap: int | None,
) -> dict[str, Any]:
    """Time the baseline on the same texts, and compare its masks."""
    import torch

    from converseg_ros.bench.baseline import answer

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'image.png'
        write_image(path, rgb)

        def one_by_one() -> list[Any]:
            return [answer(plain, path, text, max_pixels=cap)[0].cpu() > 0 for text in texts]

        masks = one_by_one()
        times = timed(one_by_one, repeat, torch.device(predictor.device))
        dispatched = operations(one_by_one)
    # the outline of the baseline
    usual, predictor.options = predictor.options, replace(predictor.options, outline='network')
    predictor.set_image(rgb)
    answers = predictor.predict(texts)
    predictor.options = usual
    ious = []
    for mask, p in zip(masks, answers):
        union = int((mask | torch.from_numpy(p.mask)).sum())
        ious.append(int((mask & torch.from_numpy(p.mask)).sum()) / union if union else 1.0)
    return {'plain_ms': summary(times), 'plain_operations': dispatched, 'iou_with_plain': round(min(ious), 5)}


def make_network(config: str, device: 'torch.device', precision: str) -> 'ConverSegNet':
    """Return a named model, or random weights with the real sizes of a configuration."""
    import torch

    from converseg_ros.network.precision import set_precision
    from converseg_ros.network.registry import find_model, installed
    from converseg_ros.network.weights.checkpoints import load_network
    from converseg_ros.network.weights.presets import preset, random_network

    dtype = torch.bfloat16 if precision == 'bf16' else torch.float32
    if config in installed() or Path(config).is_dir():
        network = load_network(find_model(config))
        set_precision(network, dtype)
        return network.to(device)
    return cast('ConverSegNet', random_network(preset(config), device=device, dtype=dtype))


def make_predictor(args: argparse.Namespace, device: 'torch.device', max_pixels: int | None) -> 'Predictor':
    """Return the predictor to measure."""
    import torch

    from converseg_ros.network.converseg.predictor import Predictor
    from converseg_ros.network.options import Options
    from converseg_ros.network.precision import precision_on

    low = precision_on(args.precision, device) == torch.bfloat16
    precision: Precision = 'bf16' if low else 'fp32'
    network = make_network(args.config, device, precision)
    options = Options(precision=precision, max_pixels=max_pixels, graphs=not args.no_graphs)
    return Predictor(network, device=device, options=options)


def operations(work: Callable[[], Any]) -> int:
    """Return the number of operations that PyTorch dispatches; a replayed graph counts none."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):
        """Counts dispatched operations."""

        total: int = 0

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            """Count one operation and run it."""
            self.total += 1
            return function(*args, **(kwargs or {}))

    with Count() as counter:
        work()
    return int(counter.total)


def _images(args: argparse.Namespace) -> dict[str, 'NDArray[np.uint8]']:
    """Return the test image at each camera resolution."""
    import cv2
    import numpy as np

    from converseg_ros.datasets.images import read_rgb

    if args.image is not None:
        base = read_rgb(args.image)
    else:
        rng = np.random.default_rng(0)
        small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        base = cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    sizes = {}
    for text in args.resolution.split(','):
        try:
            width, height = (int(n) for n in text.split('x'))
        except ValueError as error:
            raise InputError('not WIDTHxHEIGHT', where=f'--resolution {text}') from error
        sizes[text] = cv2.resize(base, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return sizes


def _print(case: dict[str, Any]) -> None:
    """Print one case."""
    print(f'{case["resolution"]}, language model at {case["max_pixels"]}, {case["prompts"]} prompts:')
    for name in ('total_ms', 'same_image_new_words_ms', 'same_image_same_words_ms', 'plain_ms'):
        if name in case:
            print(f'  {name:28} median {case[name]["median"]:9.2f}  p95 {case[name]["p95"]:9.2f}')
    for name, value in case['stages_ms'].items():
        print(f'    {name:26} median {value["median"]:9.2f}  p95 {value["p95"]:9.2f}')
    print(f'  operations {case["operations"]}, baseline {case.get("plain_operations", "-")}')
    print(f'  counts {case["counts"]}, graphs recorded {case["graph_captures"]}')
    if 'ratio' in case:
        print(f'  {case["ratio"]} times as fast as the baseline; lowest mask IoU with it {case["iou_with_plain"]}')
