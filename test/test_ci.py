"""The scripts `.ci/run` and `./run`, with scripted stand-ins for pytest and apt."""

import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
NODE = 'test/nodes/test_some.py::test_that_depends_on_the_clock'
# As `./run test` behaves: the first run fails and records what failed, the second one ends with the status asked for.
RUN = """#!/usr/bin/env bash
if [ -e ran ]; then exit {second}; fi
touch ran
mkdir -p .pytest_cache/v/cache
echo '{{"{node}": true}}' > .pytest_cache/v/cache/lastfailed
exit 1
"""


@pytest.mark.parametrize(
    ('listed', 'second', 'status'),
    [
        ('', 0, 1),  # unsteady, not listed
        (f'{NODE}  # the reason\n', 0, 0),  # unsteady, listed
        (f'{NODE}_too  # the reason\n', 0, 1),
        (f'{NODE}  # the reason\n', 1, 1),  # broken
    ],
)
def test_one_unsteady_test_that_is_not_listed_fails_ci(tmp_path: Path, listed: str, second: int, status: int) -> None:
    (tmp_path / '.ci').mkdir()
    (tmp_path / '.ci' / 'run').write_text((ROOT / '.ci' / 'run').read_text())
    (tmp_path / '.ci' / 'unsteady.txt').write_text('# the head of the list\n' + listed)
    (tmp_path / 'run').write_text(RUN.format(second=second, node=NODE))
    (tmp_path / 'run').chmod(0o755)
    (tmp_path / '.venv' / 'bin').mkdir(parents=True)
    (tmp_path / '.venv' / 'bin' / 'python').symlink_to(sys.executable)
    done = subprocess.run(['bash', '.ci/run', 'tests'], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    assert (NODE in done.stdout.splitlines()) == (second == 0 and status == 1)


def test_the_list_of_unsteady_tests_names_tests_that_exist_with_a_reason() -> None:
    for line in (ROOT / '.ci' / 'unsteady.txt').read_text().splitlines():
        node, _, reason = line.partition('#')
        if node.strip():
            file, _, name = node.strip().partition('::')
            assert reason.strip() and f'def {name.split("[")[0]}(' in (ROOT / file).read_text()


# --- ./run on a system that lacks packages ---

STUB = """#!/bin/bash
echo "$(basename "$0") $*" >> {log}
{then}
"""


class System:
    """A machine made of scripts: `has` are the libraries that its ldconfig knows, before and after apt-get."""

    def __init__(self, folder: Path, *, root: bool, complete: bool = False) -> None:
        self.folder, self.bin, self.log = folder, folder / 'bin', folder / 'log'
        self.bin.mkdir()
        self.log.touch()
        libraries = 'libusb-1.0.so.0 libEGL.so.1 libGL.so.1 libX11.so.6 libudev.so.1 libgomp.so.1'
        (folder / 'found').write_text(libraries if complete else '')
        self.program('ldconfig', f'cat {folder}/found')
        self.program('apt-get', f'[ "$1" = update ] || echo "{libraries}" > {folder}/found')
        self.program('sudo', 'exec "$@"')
        self.program('id', 'echo 0' if root else 'echo 1000')
        for name in ('cc', 'c++'):
            self.program(name, ':')
        (folder / 'run').write_text((ROOT / 'run').read_text())

    def program(self, name: str, then: str) -> None:
        (self.bin / name).write_text(STUB.format(log=self.log, then=then))
        (self.bin / name).chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> 'subprocess.CompletedProcess[str]':
        kept = {k: v for k, v in os.environ.items() if k not in ('CI', 'container', 'ROS_DISTRO')}
        env = {**kept, 'CONVERSEG_PYTHON': sys.executable, 'PATH': f'{self.bin}:{os.environ["PATH"]}', **environment}
        command = ['bash', str(self.folder / 'run'), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)

    @property
    def installed(self) -> bool:
        return 'apt-get install' in self.log.read_text()


def test_what_a_command_does_not_use_is_not_looked_for(tmp_path: Path) -> None:
    system = System(tmp_path, root=False)
    for command in ('demo', 'setup', 'converseg', 'docs'):
        assert system.run('system', command).returncode == 0, command
    assert not system.installed


def test_missing_packages_are_named_where_nobody_asked_to_install_them(tmp_path: Path) -> None:
    done = (system := System(tmp_path, root=False)).run('system', 'test', CI='true')
    assert done.returncode == 3 and not system.installed
    assert done.stdout.startswith('sudo apt-get install -y ') and 'libegl1' in done.stdout


@pytest.mark.skipif(Path('/.dockerenv').exists() or Path('/run/.containerenv').exists(), reason='this is a container')
def test_root_of_a_computer_is_asked_too(tmp_path: Path) -> None:
    done = (system := System(tmp_path, root=True)).run('system', 'test')
    assert done.returncode == 3 and not system.installed and done.stdout.startswith('apt-get install')


def test_root_in_ci_and_who_says_so_get_them_installed(tmp_path: Path) -> None:
    for number, (root, arguments, variable) in enumerate(
        [
            (True, ('system', 'test'), 'CI'),
            (True, ('system', 'test'), 'container'),
            (False, ('--system', 'system', 'test'), 'X'),
        ]
    ):
        (folder := tmp_path / str(number)).mkdir()
        done = (system := System(folder, root=root)).run(*arguments, **{variable: 'true'})
        assert done.returncode == 0, done.stderr
        assert system.installed and ('sudo' in system.log.read_text()) == (not root)
        assert 'libegl1' in done.stderr, 'it says what it installs'


def test_a_complete_system_is_left_alone(tmp_path: Path) -> None:
    system = System(tmp_path, root=True, complete=True)
    assert system.run('--system', 'system', 'test', CI='true').returncode == 0 and not system.installed


@pytest.mark.parametrize('threads', [{}, {'OMP_NUM_THREADS': '1'}])
def test_the_tests_get_a_worker_for_each_core(tmp_path: Path, threads: dict[str, str]) -> None:
    system = System(tmp_path, root=False, complete=True)
    system.program('nproc', 'echo "${OMP_NUM_THREADS:-3}"')  # a machine of three cores; nproc obeys OpenMP's variable
    for name in ('python', 'pip'):
        (tmp_path / '.venv' / 'bin').mkdir(parents=True, exist_ok=True)
        (tmp_path / '.venv' / 'bin' / name).symlink_to(system.bin / 'venv')
    system.program('venv', 'echo "threads=$OMP_NUM_THREADS $*"')
    system.program('find', ':')
    done = system.run('test', '-q', **threads)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()[-1]
    assert said.startswith('threads=1 ') and ' -n 3 ' in said and said.endswith(' -q'), said


def test_the_oldest_and_the_newest_python_are_the_same_everywhere() -> None:
    said = re.search(r"python_requires='>=3\.(\d+),<3\.(\d+)'", (ROOT / 'setup.py').read_text())
    assert said is not None
    low, high = int(said[1]), int(said[2]) - 1
    run = (ROOT / 'run').read_text()
    assert f'(3, {low}) <= sys.version_info[:2] <= (3, {high})' in run
    assert all(f'python3.{minor}' in run for minor in range(low, high + 1)) and high >= 14
