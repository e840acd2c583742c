"""The rooms of the tests of this folder, and a data set generated from them."""

from pathlib import Path

from engine_runs import run
import pytest
from small_rooms import rooms

__all__ = ['dataset', 'rooms']


@pytest.fixture(scope='session')
def dataset(rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data set of a run over the rooms; tests only read it."""
    out = tmp_path_factory.mktemp('dataset') / 'data'
    run([rooms], out)
    return out
