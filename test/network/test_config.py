"""The configuration of a network: what is read decides something."""

from dataclasses import fields

import pytest

from converseg_ros.core import InputError
from converseg_ros.network.config import AdapterConfig, NetworkConfig


def written(family: str = 'sam2', **adapter: object) -> dict[str, object]:
    return {'name': 'x', 'image': {'family': family}, 'language': {'family': 'minilm'}, 'adapter': adapter}


def test_a_key_of_earlier_versions_that_has_no_effect_is_left_out() -> None:
    config = NetworkConfig.from_json(written(alignment_heads=0))
    assert config == NetworkConfig.from_json(written())
    assert 'alignment_heads' not in {f.name for f in fields(AdapterConfig)}


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(InputError, match='unknown keys'):
        NetworkConfig.from_json(written(norm_epz=1.0))


def test_a_network_of_a_retired_family_is_refused() -> None:
    with pytest.raises(InputError, match=r"'efficientnet', not one of sam2"):
        NetworkConfig.from_json(written('efficientnet'))
