"""segments.safetensors holds two or three networks, and a file that does not fit is refused."""

from pathlib import Path

import pytest
import torch

from converseg_ros.core.errors import InputError
from converseg_ros.network.segments.agents import AgentNet
from converseg_ros.network.segments.boundary import BoundaryNet
from converseg_ros.network.segments.quality import QualityNet
from converseg_ros.network.segments.weights import SegmentNets, load_segments, save_segments


@pytest.mark.parametrize('agents', [None, AgentNet()], ids=['without agents', 'with agents'])
def test_networks_are_read_as_they_were_written(agents: AgentNet | None, tmp_path: Path) -> None:
    written = SegmentNets(BoundaryNet(), QualityNet(), agents)
    save_segments(tmp_path / 'segments.safetensors', written)
    read = load_segments(tmp_path / 'segments.safetensors')
    assert (read.agents is None) == (agents is None)
    for one, two in zip(written, read, strict=True):
        if one is not None and two is not None:
            assert not two.training
            state = two.state_dict()
            assert all(torch.equal(value, state[name]) for name, value in one.state_dict().items())


def test_a_file_with_half_a_network_is_refused(tmp_path: Path) -> None:
    broken = AgentNet()
    del broken.mask
    save_segments(tmp_path / 'segments.safetensors', SegmentNets(BoundaryNet(), QualityNet(), broken))
    with pytest.raises(InputError, match='not the weights of segments'):
        load_segments(tmp_path / 'segments.safetensors')
