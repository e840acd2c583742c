"""Check this machine for the requirements of converseg, and print what to do about missing ones.

converseg doctor
converseg doctor --json doctor.json
converseg doctor --bag BAG      # also check a recording of the camera
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import sys
from typing import Literal

Level = Literal['ok', 'note', 'missing']
SIGN = {'ok': '+', 'note': '~', 'missing': '!'}
BIG_SEGMENT = 'config/fastdds.xml'


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `do` says how to correct it."""

    what: str
    level: Level
    found: str
    do: str = ''


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--json', type=Path, help='write the findings here')
    parser.add_argument('--bag', type=Path, help='also check the topics and the depth of this rosbag2')


def run(args: argparse.Namespace) -> int:
    """Print all findings; return 1 if a requirement of the default model is missing."""
    from converseg_ros.core.files import write_json

    findings = [f for check in CHECKS for f in check()]
    if args.bag:
        findings += check_bag(args.bag)
    for f in findings:
        print(f'{SIGN[f.level]} {f.what}: {f.found}' + (f'\n    -> {f.do}' if f.do else ''))
    if args.json:
        write_json(args.json, [asdict(f) for f in findings])
    return 1 if any(f.level == 'missing' for f in findings) else 0


def _version(*names: str) -> str:
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return 'installed'


def check_python() -> Iterator[Finding]:
    """Check the interpreter and the libraries that every command needs."""
    v = sys.version_info
    good = (3, 11) <= v[:2] <= (3, 14)
    yield Finding('Python', 'ok' if good else 'missing', sys.version.split()[0], '' if good else 'use 3.11 to 3.14')
    libraries = {'numpy': 'numpy', 'torch': 'torch', 'cv2': 'opencv-python-headless', 'transformers': 'transformers'}
    for module, package in libraries.items():
        if find_spec(module) is None:
            yield Finding(package, 'missing', 'not installed', f'pip install {package}, or ./run setup')
        else:
            yield Finding(package, 'ok', _version(package, f'{package}-contrib', 'opencv-python'))


def check_ros() -> Iterator[Finding]:
    """Check ROS 2, the interfaces and optional packages."""
    if find_spec('rclpy') is None:
        yield Finding(
            'ROS 2', 'missing', 'rclpy is not importable', 'source /opt/ros/<distro>/setup.bash, or ./run setup'
        )
        return
    from converseg_ros.ros.environment import middleware

    distro = os.environ.get('ROS_DISTRO', '')
    yield Finding('ROS 2', 'ok', f'{distro or "from wheels"}, rclpy {_version("ros-jazzy-rclpy", "rclpy")}')
    try:
        from converseg_ros.msg import RegionArray  # noqa: F401

        yield Finding('interfaces', 'ok', 'converseg_ros/msg, srv, action')
    except ImportError as error:
        yield Finding(
            'interfaces', 'missing', str(error), 'pip install . or colcon build, then source install/setup.bash'
        )
    for name, use in {'launch_ros': 'launch files', 'cv_bridge': 'rarer image encodings'}.items():
        here = find_spec(name) is not None
        do = '' if here else f'optional ({use}); on ROS 2: apt install ros-$ROS_DISTRO-{name.replace("_", "-")}'
        yield Finding(name, 'ok' if here else 'note', 'installed' if here else 'not installed', do)
    yield Finding('middleware', 'ok', middleware())


def check_transport() -> Iterator[Finding]:
    """Check the middleware settings for large images."""
    yield Finding('ROS_DOMAIN_ID', 'ok', os.environ.get('ROS_DOMAIN_ID', '0 (default)'))
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET (default)')
    yield Finding('discovery range', 'ok', reach)
    names = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
    chosen = next((os.environ[n] for n in names if os.environ.get(n)), '')
    if not chosen:
        profile = f'{names[0]}=<share>/converseg_ros/{BIG_SEGMENT}'
        do = f'for best-effort cameras export {profile} for camera and node'
        yield Finding('Fast DDS profile', 'note', 'default: large best-effort images are dropped', do)
    elif not Path(chosen).is_file():
        yield Finding('Fast DDS profile', 'missing', f'{chosen} is not a file', 'correct or unset the variable')
    else:
        yield Finding('Fast DDS profile', 'ok', chosen)
    if Path('/dev/shm').is_dir():
        free = shutil.disk_usage('/dev/shm').free / 1e6
        enough = free > 128
        do = '' if enough else 'increase it: docker run --shm-size=1g'
        yield Finding('/dev/shm', 'ok' if enough else 'note', f'{free:.0f} MB free for shared memory', do)


def check_models() -> Iterator[Finding]:
    """Check the GPU and the models, and recommend one."""
    from converseg_ros.network.registry import installed
    from converseg_ros.network.weights.choice import Machine, recommend

    memory_gb = 0.0
    if find_spec('torch') is not None:
        import torch

        if torch.cuda.is_available():
            gpu = torch.cuda.get_device_properties(0)
            memory_gb = gpu.total_memory / 1e9
            yield Finding('GPU', 'ok', f'{gpu.name}, {memory_gb:.0f} GB')
        else:
            do = 'compact needs none; converseg weights list shows which models do'
            yield Finding('GPU', 'note', f'none that torch {torch.__version__} can use', do)

    models = installed()
    for name, folder in models.items():
        calibrated = (folder / 'calibration.json').is_file()
        yield Finding(f'model {name}', 'ok', f'{folder}{"" if calibrated else " (not calibrated)"}')
    if 'compact' not in models:
        yield Finding('model compact', 'missing', 'not in the package', 'install the package as it was released')
    for n, choice in enumerate(recommend(Machine(memory_gb))):
        missing = [name for name in choice.fetch if name not in models]
        do = '; '.join(f'converseg weights fetch {name}' for name in missing)
        level: Level = 'note' if missing else 'ok'
        yield Finding('or' if n else 'recommended here', level, f'{choice.options}: {choice.reason}', do)


def check_sound() -> Iterator[Finding]:
    """Check for a microphone, and for the library with which the speech node uses it."""
    cards = Path('/proc/asound/pcm')
    recording = [line for line in cards.read_text().splitlines() if 'capture' in line] if cards.is_file() else []
    if recording:
        yield Finding('microphone', 'ok', '; '.join(line.split(':')[1].strip() for line in recording))
    else:
        yield Finding('microphone', 'note', 'no recording device', 'speech can also come on the `audio` topic')
    try:
        import sounddevice  # noqa: F401  # loads PortAudio
    except ImportError:
        yield Finding('PortAudio', 'note', 'the package sounddevice is missing', "pip install '.[speech]' in the clone")
    except OSError:
        yield Finding('PortAudio', 'note', 'no library for microphones', 'sudo apt install libportaudio2')


def check_bag(path: Path) -> Iterator[Finding]:
    """Check the topics of a recording, and whether its depth is registered to its images."""
    from converseg_ros.evaluation.bag.reader import Bag

    with Bag(path) as bag:
        for line in bag.notes:
            yield Finding('bag', 'ok', line)
        measured = bag.depth_alignment()
    if measured is None:
        yield Finding('depth registration', 'note', 'not measured: fewer than three images with depth and its outlines')
        return
    found = f'colour edges at depth edges are {measured.given:.2f} times as strong as by chance'
    offset, best = measured.offset, f'{measured.best:.2f} with the best offset'
    values = f'depth_offset.focal {offset.focal:g}, depth_offset.x {offset.x:g}, depth_offset.y {offset.y:g}'
    flags = f'converseg eval ... --depth-offset {offset.focal:g} {offset.x:g} {offset.y:g}'
    if measured.registered:
        yield Finding('depth registration', 'ok', f'{found} ({best}): registered')
    elif measured.registered is None:
        do = 'compare an overlay of depth with the image'
        yield Finding('depth registration', 'note', f'{found} ({best}): not certain', do)
    else:
        do = f'register it in the driver, or set the parameters {values} of the node ({flags})'
        yield Finding('depth registration', 'note', f'{found} ({best}): not registered', do)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_python,
    check_ros,
    check_transport,
    check_models,
    check_sound,
)
