"""Networks with fused convolutions see the same as with separate layers."""

import pytest
import torch
from torch import Tensor, nn

from converseg_ros.network.encoders.fused import FusedConv2d, can_fuse, fuse
from converseg_ros.network.encoders.nanodet import NanoDet
from converseg_ros.network.segments.boundary import GEOMETRY, NECK, TRUNK, BackboneFeatures, BoundaryNet

pytestmark = pytest.mark.skipif(
    not can_fuse(torch.device('cpu'), torch.float32), reason='oneDNN has no fused convolutions on this processor'
)


def _trained(network: nn.Module) -> nn.Module:
    """Return the network with statistics in its batch norms as if it had been trained."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in (
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 2.0),
                (module.weight, 0.5, 1.5),
                (module.bias, -0.5, 0.5),
            ):
                assert values is not None
                nn.init.uniform_(values, low, high)
    return network.eval().requires_grad_(False)


def _separate(network: nn.Module) -> list[nn.Module]:
    """Return the convolutions and batch norms that are not fused."""
    return [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))]


def test_a_fused_boundary_network_sees_the_same() -> None:
    torch.manual_seed(0)
    network = _trained(BoundaryNet())
    trunk = tuple(torch.randn(1, c, 64 // s, 96 // s) for c, s in zip(TRUNK, (2, 4, 8, 16, 32)))
    neck = tuple(torch.randn(1, NECK, 48 // s, 72 // s) for s in (8, 16, 32))
    geometry = torch.randn(1, GEOMETRY + 1, 32, 48)
    before: tuple[Tensor, ...] = network(BackboneFeatures(trunk, neck), geometry)
    fuse(network, torch.float32)
    assert not _separate(network)
    after: tuple[Tensor, ...] = network(BackboneFeatures(trunk, neck), geometry)
    for old, new in zip(before, after, strict=True):
        torch.testing.assert_close(new, old, atol=1e-4, rtol=1e-4)


def test_a_fused_detector_sees_the_same() -> None:
    torch.manual_seed(0)
    network = _trained(NanoDet())
    pixels = torch.randn(1, 3, 64, 96)
    before = network(pixels)
    fuse(network, torch.float32)
    assert not _separate(network)
    for old, new in zip(before, network(pixels), strict=True):
        for a, b in zip(old, new, strict=True):
            torch.testing.assert_close(b, a, atol=1e-4, rtol=1e-4)


def test_what_follows_a_convolution_without_being_an_activation_stays() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.MaxPool2d(2), nn.Conv2d(4, 4, 1), nn.ReLU(), nn.Sigmoid())
    network = network.eval().requires_grad_(False)
    pixels = torch.randn(1, 3, 15, 13)
    before = network(pixels)
    fuse(network, torch.float32)
    assert [type(m) for m in network] == [FusedConv2d, nn.MaxPool2d, FusedConv2d, nn.Sigmoid]
    torch.testing.assert_close(network(pixels), before, atol=1e-5, rtol=1e-4)
