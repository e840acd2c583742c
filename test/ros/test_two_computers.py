"""A launched node is seen from another computer, and large images arrive there and come from there.

Two network namespaces with a cable between them are two computers for everything that the middleware knows.
"""

from collections.abc import Iterator
import json
from pathlib import Path
import shutil
import subprocess
import sys
from uuid import uuid4

from launched import ROOT, installed, launched, skip_without_launch
import pytest

skip_without_launch()
pytestmark = pytest.mark.ros
ALONE = ('ROS_AUTOMATIC_DISCOVERY_RANGE', 'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def ip(*words: str) -> None:
    done = subprocess.run(['ip', *words], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f'no network namespaces here: ip {" ".join(words)}: {done.stderr.strip()}')


@pytest.fixture(scope='module')
def computers() -> Iterator[tuple[str, str]]:
    if shutil.which('ip') is None:
        pytest.skip('no network namespaces here: there is no `ip` (iproute2)')
    mark = uuid4().hex[:6]
    names = f'converseg_{mark}_a', f'converseg_{mark}_b'
    ends = f'va{mark}', f'vb{mark}'
    try:
        for name in names:
            ip('netns', 'add', name)
        ip('link', 'add', ends[0], 'netns', names[0], 'type', 'veth', 'peer', 'name', ends[1], 'netns', names[1])
        for number, (name, end) in enumerate(zip(names, ends), 1):
            ip('-n', name, 'addr', 'add', f'10.213.7.{number}/24', 'dev', end)
            ip('-n', name, 'link', 'set', 'lo', 'up')
            ip('-n', name, 'link', 'set', end, 'up')
        yield names
    finally:
        for name in names:
            subprocess.run(['ip', 'netns', 'del', name], capture_output=True)


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_a_launched_node_and_large_images_are_seen_from_another_computer(
    computers: tuple[str, str], tmp_path: Path, reliability: str
) -> None:
    environment = {k: v for k, v in installed(tmp_path / 'install').items() if k not in ALONE}
    here, there = (('ip', 'netns', 'exec', name) for name in computers)
    # a computer of its own has a shared memory of its own
    there = (*there, 'unshare', '--mount', '--', 'sh', '-c', 'mount -t tmpfs tmpfs /dev/shm && exec "$@"', 'sh')
    given = tmp_path / 'given.yaml'
    given.write_text('/**:\n  ros__parameters: {instruction_ttl: 0.0, max_age: 100.0, depth: "off", threads: 1}\n')
    arguments = ('converseg_ros', 'segmenter.launch.py', 'model:=micro', f'params_file:={given}')
    with launched(environment, tmp_path / 'log.txt', *arguments, inside=here) as launch:
        launch.says('active;')
        script = Path(__file__).parent / 'remote_camera.py'
        done = subprocess.run(
            [*there, sys.executable, str(script), reliability, '120'],
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        got = json.loads(done.stdout.splitlines()[-1])
        assert got['acknowledged'], 'the node is not seen from the other computer'
        assert got['regions'] >= 3 and got['masks'] >= 3, (got, launch.log)
        assert launch.interrupt() == 0
