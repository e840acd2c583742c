"""The scripts `.ci/run` and `./run`, with scripted stand-ins for pytest and apt."""

from pathlib import Path
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
