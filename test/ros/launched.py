"""Run this source tree's launch files by the real `ros2 launch`, as an installed package would be launched."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ('rclpy', 'converseg_ros.msg', 'launch_ros', 'ros2launch.command.launch', 'composition_interfaces.srv')
ROS2 = f'#!{sys.executable}\nimport sys\n\nfrom ros2cli.cli import main\n\nsys.exit(main())\n'
BAG = f"""#!{sys.executable}
import sys

sys.path.insert(0, {str(Path(__file__).parent)!r})
if sys.argv[1] == 'bag':
    from bag_commands import main
else:
    from ros2cli.cli import main
sys.exit(main())
"""


def skip_without_launch() -> None:
    """Skip the module where launch and the command line of ROS 2 are not on the path (see CONTRIBUTING.md)."""
    for name in NEEDED:
        pytest.importorskip(name, reason=f'no {name}: launch, launch_ros and ros2cli are not installed')


def installed(folder: Path) -> dict[str, str]:
    """Lay the source tree out as an installed package; return the environment in which ROS 2 finds it."""
    share, programs = folder / 'share' / 'converseg_ros', folder / 'lib' / 'converseg_ros'
    index = folder / 'share' / 'ament_index' / 'resource_index' / 'packages'
    for path in (share, programs, index, folder / 'bin'):
        path.mkdir(parents=True)
    (index / 'converseg_ros').touch()
    for name in ('launch', 'config', 'rviz', 'demo'):
        shutil.copytree(ROOT / name, share / name)
    shutil.copy(ROOT / 'package.xml', share)
    modules = {p.stem: f'converseg_ros.nodes.{p.stem}' for p in (ROOT / 'converseg_ros' / 'nodes').glob('*_node.py')}
    for name, module in (modules | {'converseg': 'converseg_ros.cli'}).items():
        text = f'#!{sys.executable}\nimport sys\n\nfrom {module} import main\n\nsys.exit(main())\n'
        _program(programs / name, text)
    real = shutil.which('ros2') is not None and _importable('ros2bag', 'rosbag2_py')
    _program(folder / 'bin' / 'ros2', ROS2 if real else BAG)
    before = os.environ.get('AMENT_PREFIX_PATH', '')
    return {
        **os.environ,
        'AMENT_PREFIX_PATH': f'{folder}{os.pathsep}{before}' if before else str(folder),
        'PYTHONPATH': os.pathsep.join([str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])]),
        'PATH': f'{folder / "bin"}{os.pathsep}{os.environ["PATH"]}',
        'OMP_NUM_THREADS': '1',
        'PYTHONUNBUFFERED': '1',
        'ROS_LOG_DIR': str(folder / 'log'),
    }


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _importable(*names: str) -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in names)


class Launched:
    """A running `ros2 launch`."""

    def __init__(self, process: 'subprocess.Popen[bytes]', log: Path) -> None:
        self.process, self._log = process, log
        self._seen: dict[int, psutil.Process] = {}

    @property
    def log(self) -> str:
        return self._log.read_text(errors='replace')

    def children(self) -> list[psutil.Process]:
        """Return the processes that it started and that live."""
        if self.process.poll() is None:
            self._seen |= {p.pid: p for p in psutil.Process(self.process.pid).children(recursive=True)}
        return [p for p in self._seen.values() if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    def until(self, done: Callable[[], Any], seconds: float = 120) -> Any:
        """Wait; fail with the log where it takes too long or the launch ends before; return what `done` returns."""
        end = time.monotonic() + seconds
        while not (value := done()):
            assert time.monotonic() < end and self.process.poll() is None, self.log
            self.children()
            time.sleep(0.05)
        return value

    def says(self, words: str, seconds: float = 120) -> None:
        self.until(lambda: words in self.log, seconds)

    def wait(self, seconds: float = 120) -> int:
        """Return the exit status; nothing that it started may be left."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, self.log
            self.children()
            time.sleep(0.05)
        assert not self.children(), self.log
        return self.process.returncode

    def interrupt(self) -> int:
        """Press Ctrl-C as a shell does it, for the launch alone; return the exit status."""
        self.children()
        self.process.send_signal(signal.SIGINT)
        return self.wait(30)

    def kill(self) -> None:
        for process in self.children():
            process.kill()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def launched(
    environment: dict[str, str], log: Path, *arguments: str, inside: tuple[str, ...] = ()
) -> Iterator[Launched]:
    """Start `ros2 launch ARGUMENTS`, by the command `inside` if one is given; end it with the block."""
    with log.open('wb') as out:
        process = subprocess.Popen(
            [*inside, shutil.which('ros2', path=environment['PATH']) or 'ros2', 'launch', *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=log.parent,
            start_new_session=True,
        )
    run = Launched(process, log)
    try:
        yield run
    finally:
        run.kill()
