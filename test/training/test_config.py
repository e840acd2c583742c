"""Configuration files are checked key by key."""

from pathlib import Path

import pytest

from converseg_ros.core import InputError
from converseg_ros.training.task import read_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('path', sorted((ROOT / 'config' / 'train').glob('*.yaml')), ids=lambda p: p.stem)
def test_shipped_configurations_are_read(path):
    config = read_config(path)
    assert config.steps > 0 and config.out


@pytest.mark.parametrize(
    'change, said',
    [
        ({'stepz': 3}, 'stepz'),
        ({'optim.lr': 'fast'}, 'lr'),
        ({'batch.images': 0}, 'batch'),
        ({'batch.negatives': 1.5}, 'negatives'),
        ({'train': [{'path': 'x', 'format': 'csv'}]}, 'csv'),
        ({'seed': 'a'}, 'seed'),
    ],
)
def test_what_is_wrong_is_named(settings, change, said):
    with pytest.raises(InputError, match=said):
        read_config(settings, change)


def test_overrides_and_curriculum(settings):
    config = read_config(settings, {'optim.lr': '2e-4', 'batch.prompts': 7})
    assert config.optim.lr == pytest.approx(2e-4)
    assert config.batch.prompts == 7
    assert [config.phase(s).literal for s in (0, 1, 2, 1000)] == [1.0, 1.0, 0.5, 0.5]
