"""The convolutions of the image trunk pad as the published weights expect."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F

from converseg_ros.network.encoders.efficientnet import SameConv2d


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
