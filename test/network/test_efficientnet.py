"""The convolutions of the image trunk pad as the published weights expect."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F

from converseg_ros.network.encoders.efficientnet import EfficientNetLite0, SameConv2d
from converseg_ros.network.encoders.fused import FusedConv2d, can_fuse, fuse


@pytest.mark.parametrize(('kernel', 'stride', 'groups'), list(product((3, 5), (1, 2), (1, 4))))
@pytest.mark.parametrize('size', [(16, 12), (15, 12), (16, 13), (7, 9)])
def test_padding_is_that_of_tensorflow(kernel: int, stride: int, groups: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer, x = SameConv2d(4, 8, kernel, stride, groups=groups), torch.randn(2, 4, *size)
    (above, below), (left, right) = (
        (total // 2, total - total // 2)
        for total in (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in size)
    )
    padded = F.pad(x, (left, right, above, below))
    torch.testing.assert_close(layer(x), F.conv2d(padded, layer.weight, layer.bias, stride, groups=groups))


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_fused_trunk_sees_the_same(dtype: torch.dtype) -> None:
    if not can_fuse(torch.device('cpu'), dtype):
        pytest.skip(f'oneDNN has no fused convolutions in {dtype} on this processor')
    torch.manual_seed(0)
    trunk = EfficientNetLite0().eval().requires_grad_(False)
    pixels = torch.randn(2, 3, 64, 96)
    low = torch.autocast('cpu', torch.bfloat16, enabled=dtype == torch.bfloat16)
    with low:
        before = trunk.pooled(pixels).float()
    count = sum(isinstance(m, SameConv2d) for m in trunk.modules())
    fuse(trunk, dtype)
    assert count == sum(isinstance(m, FusedConv2d) for m in trunk.modules())
    with low:
        after = trunk.pooled(pixels).float()
    torch.testing.assert_close(after, before, atol=2e-2 if dtype == torch.bfloat16 else 1e-5, rtol=1e-2)


def test_a_fused_trunk_refuses_sizes_that_it_would_pad_differently() -> None:
    if not can_fuse(torch.device('cpu'), torch.float32):
        pytest.skip('oneDNN has no fused convolutions on this processor')
    trunk = EfficientNetLite0().eval()
    fuse(trunk, torch.float32)
    with pytest.raises(ValueError, match='even'):
        trunk.pooled(torch.zeros(1, 3, 33, 64))
