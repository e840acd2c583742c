"""What a GPU would record, run on tensors without numbers: it needs no GPU.

A CUDA graph may not wait for the device, upload numbers or touch a tensor on the CPU; recording one that does fails.
torch's `meta` device stands for the GPU: reading a number off it raises, and it mixes with no other device. Each
recorded function runs once to warm up, as the recorder does, and once under watch.
"""

from typing import Any

import pytest

torch = pytest.importorskip('torch')

from torch.utils._pytree import tree_map_only
from watched_graphs import DEVICE, WatchedGraphs

from converseg_ros.network import load
from converseg_ros.network.features import Prompts


def on_device(value: Any) -> Any:
    """Return the like of a tensor, or of a structure of them, on the device."""
    return tree_map_only(torch.Tensor, lambda t: torch.empty_like(t, device=DEVICE), value)


def rows(network: Any, lengths: list[int], dtype: Any) -> list[Prompts]:
    """Return prompts of these lengths."""
    channels = network.config.image.channels
    new: dict[str, Any] = {'device': DEVICE, 'dtype': dtype}
    dense = torch.empty(1, channels, **new)
    return [Prompts(torch.empty(1, n, channels, **new), None, dense) for n in lengths]


@pytest.mark.parametrize('precision', ['bf16', 'fp32'])
@torch.no_grad()
def test_image_and_masks_can_be_recorded(precision: str) -> None:
    predictor = load('micro', device='cpu', precision=precision)
    network, dtype = predictor.network.to(DEVICE), predictor.dtype
    watched = predictor.graphs = WatchedGraphs()
    pixels = torch.empty(1, 3, *network.config.image.image_size, dtype=dtype, device=DEVICE)
    features = watched.run(network.encode_image, 'image', pixels)
    for lengths in ([4], [16], [16, 16], [3, 12, 7]):  # alone, exactly a bucket, of different length
        decoded = predictor.decode_batch(features, rows(network, lengths, dtype))
        assert decoded.masks.dtype == dtype and decoded.masks.device == DEVICE
    assert watched.watched == {'image', 'decode'}


@pytest.mark.parametrize('precision', ['bf16', 'fp32'])
@torch.no_grad()
def test_the_language_can_be_recorded(precision: str, picture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = load('micro', device='cpu', precision=precision)
    encoder = predictor.network.language_encoder
    cut = encoder.prepare_image(picture(0)).patches
    text = on_device(encoder.pack(['a cup', 'the hot plate on the left'], cut)[:3])
    known = on_device(encoder.constants(cut.rows, cut.columns, torch.device('cpu')))
    encoder.to(DEVICE)
    monkeypatch.setattr(encoder, 'constants', lambda *grid: known)  # they are computed before anything is recorded
    watched = WatchedGraphs()
    hidden, _, *keys = watched.run(encoder.first_of(cut.rows, cut.columns), 'first', *text, on_device(cut.pixels))
    again = watched.run(encoder.more, 'more', *text, *keys)
    assert hidden.shape == again.shape == (len(text[0]), encoder.config.hidden_size)
    assert hidden.dtype == again.dtype == predictor.dtype
