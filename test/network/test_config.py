"""The configuration of a network: what is read decides something."""

from dataclasses import fields

import pytest

from converseg_ros.core import InputError
from converseg_ros.network.config import EfficientNetImageConfig, NetworkConfig


def written(**image: object) -> dict[str, object]:
    return {'name': 'x', 'image': {'family': 'efficientnet', **image}, 'language': {'family': 'minilm'}}


def test_a_key_of_earlier_versions_that_had_no_effect_is_left_out() -> None:
    config = NetworkConfig.from_json(written(variant='lite0'))
    assert config == NetworkConfig.from_json(written())
    assert 'variant' not in {f.name for f in fields(EfficientNetImageConfig)}


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(InputError, match='unknown keys'):
        NetworkConfig.from_json(written(varient='lite4'))
