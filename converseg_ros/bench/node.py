"""Measure the segmenter node: CPU time without the network, backlog, memory, and the cost of image messages.

converseg bench node --json node.json
converseg bench node --seconds 20 --model compact

A camera process (turning_camera.py) publishes RGB-D at --rate. The node runs in a separate process with two
instructions that find regions in the image, and propagates their masks and geometry. This process subscribes to ~/mask
and ~/regions, then also to ~/points. The CPU time of the network is that of the one thread that runs it, inside its
calls: PyTorch uses one thread here, and OpenCV only the calling thread, so no part of the network runs elsewhere.
CPU time is higher on cores that are shared or wake from idle states: `machine_speed` is the speed of a plain loop in
the meantime, as a share of its best (pace.py).
"""

import argparse
import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
import os
from pathlib import Path
from statistics import median
import subprocess
import sys
import time
from typing import Any

import numpy as np

from converseg_ros.bench import turning_camera
from converseg_ros.bench.pace import Pace
from converseg_ros.bench.turning_camera import BASE
from converseg_ros.core.files import write_json
from converseg_ros.core.stamps import to_ns
from converseg_ros.ros.isolation import isolate

LIMIT_MS = 8.0
LIMIT_GROWTH = 0.01  # per minute
LIMIT_FASTER = 10.0
TEXTS = ('where can I set down a plate', 'the cereal box nearest to the camera')  # both have regions


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--json', type=Path, help='write the results here')
    parser.add_argument('--seconds', type=float, default=60.0, help='how long (default: %(default)s)')
    parser.add_argument('--rate', type=float, default=30.0, help='images a second (default: %(default)s)')
    parser.add_argument('--size', default='640x480', help='of the images (default: %(default)s)')
    parser.add_argument('--model', default='compact', help='the network (default: %(default)s)')
    parser.add_argument('--max-rate', type=float, default=0.0, help='images a second for the network; 0 = all it can')
    parser.add_argument(
        '--track',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='propagate masks between runs of the network, as the node does by default',
    )
    parser.add_argument(
        '--camera', type=float, default=0.0, help=argparse.SUPPRESS
    )  # act as the camera for so many seconds


def run(args: argparse.Namespace) -> int:
    """Measure, print, write; return 1 if a limit in docs/segmenter_node.md is exceeded."""
    width, height = (int(v) for v in args.size.split('x'))
    if args.camera:
        return turning_camera.run(width, height, args.rate, args.camera)
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    isolate()
    result: dict[str, Any] = {'messages': {}}
    for name, size in {'640x480': (640, 480), '1280x720': (1280, 720)}.items():
        result['messages'][name] = measure_messages(*size)
        print(f'Image {name}: {result["messages"][name]}')
    for name, topics in {'mask and regions': False, 'mask, regions and points': True}.items():
        seconds = args.seconds if not topics else min(args.seconds, 20.0)
        result[name] = measure_node(args, seconds, points=topics)
        print(f'{name}: {result[name]}')
    result['failed'] = failures(result)
    result['command'] = args.command_line
    for failure in result['failed']:
        print(f'LIMIT EXCEEDED: {failure}')
    if args.json:
        write_json(args.json, result)
    return 1 if result['failed'] else 0


def failures(result: dict[str, Any]) -> list[str]:
    """Return the limits that these numbers exceed."""
    out = []
    for size, numbers in result['messages'].items():
        for way in ('to_message_times_faster', 'from_message_times_faster'):
            if numbers[way] < LIMIT_FASTER:
                out.append(f'Image {size}: {way} {numbers[way]}, at least {LIMIT_FASTER:.0f}')
    live = result['mask and regions']
    if live['cpu_ms_per_frame_median'] > LIMIT_MS:
        out.append(f'{live["cpu_ms_per_frame_median"]} ms CPU a frame, at most {LIMIT_MS}')
    if live['memory_growth_per_minute'] is not None and live['memory_growth_per_minute'] >= LIMIT_GROWTH:
        out.append(f'memory grows by {live["memory_growth_per_minute"]:.2%} a minute, at most {LIMIT_GROWTH:.0%}')
    if live['regions_found'] < 0.5:
        out.append(f'only {live["regions_found"]:.0%} of the regions have a mask: propagating nothing costs little')
    if live['backlog_s'] > 1.0:
        out.append(f'the newest answer is {live["backlog_s"]} s later than the time of the network')
    return out


# --- images as messages -----------------------------------------------------------------------------------------------


def _milliseconds(call: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1e3 * min(times)


def measure_messages(width: int, height: int) -> dict[str, float]:
    """Return the time of array -> Image and Image -> array compared with an ndarray, bytes, and a list.

    Bytes are slow only where rclpy checks fields (ROS_PYTHON_CHECK_FIELDS=1, and always before Jazzy).
    """
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header

    from converseg_ros.ros.messages import conversion

    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    message = conversion.to_image(pixels, 'rgb8', Header())

    def plain() -> None:
        Image(height=height, width=width, encoding='rgb8', step=width * 3).data = pixels.ravel()

    def plain_bytes() -> None:
        Image(height=height, width=width, encoding='rgb8', step=width * 3).data = pixels.tobytes()

    def plain_back() -> None:
        np.array(list(message.data), np.uint8).reshape(height, width, 3)

    assert isinstance(message.data, array.array)
    assert np.array_equal(conversion.from_image(message), pixels)
    ours = _milliseconds(lambda: conversion.to_image(pixels, 'rgb8', Header()), 30)
    back = _milliseconds(lambda: conversion.from_image(message), 30)
    naive, from_bytes = _milliseconds(plain, 3), _milliseconds(plain_bytes, 10)
    naive_back = _milliseconds(plain_back, 3)
    return {
        'to_message_ms': round(ours, 3),
        'to_message_times_faster': round(naive / ours, 1),
        'to_message_times_faster_than_bytes': round(from_bytes / ours, 1),
        'from_message_ms': round(back, 4),
        'from_message_times_faster': round(naive_back / back, 1),
    }


# --- the node ---------------------------------------------------------------------------------------------------------


@contextmanager
def _process(*command: str, threads: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, **({'OMP_NUM_THREADS': str(threads)} if threads else {})}
    process = subprocess.Popen([sys.executable, *command], env=env, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def measure_node(args: argparse.Namespace, seconds: float, *, points: bool) -> dict[str, Any]:
    """Return CPU time per frame without the network, in windows of two seconds, and memory and backlog."""
    from diagnostic_msgs.msg import DiagnosticArray
    import rclpy
    from sensor_msgs.msg import Image, PointCloud2

    from converseg_ros.core import ConversegError
    from converseg_ros.msg import Instruction, RegionArray
    from converseg_ros.ros.camera.qos import reliable
    from converseg_ros.ros.handshake import Handshake
    from converseg_ros.srv import SetInstructions

    pace = Pace()
    rclpy.init()
    node = rclpy.create_node('bench')
    name = f'{BASE}/segmenter'
    samples: list[dict[str, float]] = []
    ages: list[float] = []
    found: list[bool] = []

    def on_diagnostics(message: Any) -> None:
        values = {v.key: v.value for s in message.status for v in s.values}
        if 'cpu of the network (s)' in values:
            samples.append({
                'time': time.monotonic(),
                'cpu': float(values['cpu of the process (s)']) - float(values['cpu of the network (s)']),
                'frames': float(values.get('sync matched', 0)),
                'answered': float(values.get('count answered', 0)),
                'carried': float(values.get('count tracked', 0)),
                'memory': float(values['memory (MB)']),
                'network_ms': float(values.get('latency segment (ms)', 0)),
            })  # fmt: skip

    def on_regions(message: Any) -> None:
        ages.append((time.time_ns() - to_ns(message.header.stamp)) * 1e-9)
        found.extend(region.area > 0 for region in message.regions)

    node.create_subscription(DiagnosticArray, '/diagnostics', on_diagnostics, 10)
    node.create_subscription(RegionArray, f'{name}/regions', on_regions, reliable(2))
    node.create_subscription(Image, f'{name}/mask', lambda _: None, reliable(2))
    if points:
        node.create_subscription(PointCloud2, f'{name}/points', lambda _: None, reliable(2))
    parameters = {
        'model': args.model, 'threads': 1, 'max_rate': args.max_rate, 'track': str(args.track).lower(),
        'diagnostics_rate': 0.5, 'world_frame': "''", 'level_frame': "''",
    }  # fmt: skip
    flags = [
        f for k, v in parameters.items() for f in ('-p', f'{k}:={str(v).lower() if v is True or v is False else v}')
    ]
    command = ('-m', 'converseg_ros.nodes.segmenter_node', '--ros-args', '-r', f'__ns:={BASE}', *flags)
    camera = ('-m', 'converseg_ros', 'bench', 'node', '--camera', str(seconds + 60), '--size', args.size)
    try:
        with _process(*command), _process(*camera, '--rate', str(args.rate)):
            client = node.create_client(SetInstructions, f'{name}/set_instructions')
            heard_by = Handshake(node, name)
            _spin(node, lambda: heard_by.done() and client.service_is_ready(), 90)
            if not (heard_by.done() and client.service_is_ready()):
                raise ConversegError('the node did not start', where='bench node')
            wanted = [Instruction(name=f'n{n}', text=t) for n, t in enumerate(TEXTS)]
            done = client.call_async(SetInstructions.Request(instructions=wanted))
            rclpy.spin_until_future_complete(node, done, timeout_sec=30)
            _spin(node, lambda: bool(ages), 120)
            _spin(node, lambda: False, 5)
            samples.clear()
            ages.clear()
            found.clear()
            with pace:
                _spin(node, lambda: False, seconds)
    finally:
        node.destroy_node()
        rclpy.shutdown()
    if len(samples) < 3:
        raise ConversegError('too few measurements', where='bench node', do='allow more --seconds')
    per_frame = [
        1e3 * (b['cpu'] - a['cpu']) / (b['frames'] - a['frames'])
        for a, b in pairwise(samples)
        if b['frames'] > a['frames']
    ]
    first, last = samples[0], samples[-1]
    late = [s for s in samples if s['time'] - first['time'] >= 10]
    growth = growth_per_minute([(s['time'], s['memory']) for s in late])
    network = median(s['network_ms'] for s in samples) / 1e3
    per_second = {k: (last[k] - first[k]) / (last['time'] - first['time']) for k in ('frames', 'answered', 'carried')}
    return {
        'cpu_ms_per_frame_median': round(median(per_frame), 2),
        'cpu_ms_per_frame_worst': round(max(per_frame), 2),
        'frames_per_second': round(per_second['frames'], 1),
        'answers_per_second': round(per_second['answered'], 2),
        'carried_per_second': round(per_second['carried'], 1),
        'regions_found': round(sum(found) / len(found), 3) if found else 0.0,
        'age_of_answers_s_median': round(median(ages), 3) if ages else None,
        'backlog_s': round(max(0.0, median(ages[-10:]) - 2 * network), 3) if ages else None,
        'memory_mb': last['memory'],
        'memory_change_mb': round(last['memory'] - late[0]['memory'], 1) if late else None,
        'memory_growth_per_minute': None if growth is None else round(growth, 4),
        'machine_speed': round(pace.speed, 2),
        'load': round(os.getloadavg()[0], 1),
        'seconds': seconds,
    }


def growth_per_minute(memory: Sequence[tuple[float, float]]) -> float | None:
    """Return the relative growth of memory per minute; None for less than a quarter of a minute.

    memory: seconds and megabytes. The largest step between two samples is excluded: a leak continues after it, but
    malloc allocates once at any time when the largest activation of the network (18 MB in compact) finds no free block.
    """
    if not memory or memory[-1][0] - memory[0][0] <= 15:
        return None
    steps = [b[1] - a[1] for a, b in pairwise(memory)]
    return 60 * (sum(steps) - max(0.0, *steps)) / (memory[-1][0] - memory[0][0]) / memory[0][1]


def _spin(node: Any, done: Callable[[], bool], seconds: float) -> None:
    import rclpy

    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
