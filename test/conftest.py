"""Fixtures for every test; those that need ROS or the development data skip with a reason where it is absent."""

import os
from pathlib import Path

# Before rclpy is imported: a domain of this run's own, on this machine only, with checked messages.
# Workers of pytest-xdist inherit the environment, and each moves on to a domain of its own.
first = int(os.environ.setdefault('CONVERSEG_TEST_DOMAIN', str(os.getpid() % 40)))
worker = int(os.environ.get('PYTEST_XDIST_WORKER', 'gw-1').removeprefix('gw')) + 1
os.environ['ROS_DOMAIN_ID'] = str(1 + (2 * first + worker) % 100)  # 0..101 stay below the ephemeral ports
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
os.environ['ROS_PYTHON_CHECK_FIELDS'] = '1'

from hypothesis import HealthCheck, settings
import pytest

# No test depends on how fast the machine is.
settings.register_profile('converseg', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('converseg')

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def shared() -> Path:
    """Return the folder of the development data (real bags, images, parity files), or skip."""
    folder = Path(os.environ.get('CONVERSEG_SHARED', ROOT.parent / 'shared'))
    if not (folder / 'data').is_dir():
        pytest.skip(f'no development data in {folder} (set CONVERSEG_SHARED)')
    return folder


@pytest.fixture
def few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave some statements of `knowledge`; the text encoder needs long for all of them when a folder is assembled."""
    from converseg_ros import knowledge

    few = knowledge.statements()[:20]
    monkeypatch.setattr(knowledge, 'statements', lambda: few)
