"""`ros2 param`, `ros2 lifecycle` and `ros2 node` on the segmenter, by the real command line of ROS 2."""

from collections.abc import Iterator
from pathlib import Path
import signal
import subprocess
import sys

from launched import ROOT, installed, skip_without_launch
import pytest
import yaml

skip_without_launch()
pytest.importorskip('ros2param.verb.load', reason='ros2param is not installed')
pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return installed(tmp_path_factory.mktemp('prefix') / 'install')


@pytest.fixture(scope='module')
def segmenter(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    log = tmp_path_factory.mktemp('node') / 'log.txt'
    command = [sys.executable, '-m', 'converseg_ros.nodes.segmenter_node', '--ros-args', '-p', 'model:=micro']
    with log.open('wb') as out:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    yield
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0, log.read_text()


def ros2(environment: dict[str, str], *arguments: str) -> str:
    """Run a command of ROS 2 that waits for discovery; return its output, once the node answers."""
    program = str(Path(environment['PATH'].split(':')[0]) / 'ros2')
    for _ in range(5):
        command = [program, *arguments[:2], '--no-daemon', '--spin-time', '3', *arguments[2:]]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode == 0 and 'not found' not in (done.stdout + done.stderr).lower():
            return done.stdout
    raise AssertionError(done.stdout + done.stderr)


def test_a_dump_of_all_parameters_can_be_loaded(environment: dict[str, str], segmenter: None, tmp_path: Path) -> None:
    dump = ros2(environment, 'param', 'dump', '/segmenter')
    values = yaml.safe_load(dump)['/segmenter']['ros__parameters']
    assert values['model'] == 'micro' and 'qos_overrides' in values
    (tmp_path / 'dump.yaml').write_text(dump)
    said = ros2(environment, 'param', 'load', '/segmenter', str(tmp_path / 'dump.yaml'))
    assert said.count('successful') > 50
    assert 'failed' not in said, [line for line in said.splitlines() if 'failed' in line]


def test_the_lifecycle_is_seen(environment: dict[str, str], segmenter: None) -> None:
    pytest.importorskip('ros2lifecycle.verb.get', reason='ros2lifecycle or a part of it is not installed')
    assert 'active' in ros2(environment, 'lifecycle', 'get', '/segmenter')
