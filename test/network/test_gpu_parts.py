"""Replacement parts on a GPU, and on a simulated one: bfloat16 and CUDA graphs."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from micro_detectors import write_detector
from micro_segmenters import sam2_model, write_sam3
from simulated_gpu import SimulatedGpu
from transformers_micro import write_clipseg, write_towers
from watched_graphs import DEVICE, WatchedGraphs

from converseg_ros.core.mask import iou
from converseg_ros.network.grounded.detector import ZeroShotDetector
from converseg_ros.network.grounded.sam3 import Sam3Finder
from converseg_ros.network.names.clipseg import ClipSeg
from converseg_ros.network.names.towers import CROPS, Towers
from converseg_ros.network.segments.sam2 import Sam2Network

CPU = torch.device('cpu')
RGB = np.ascontiguousarray(
    np.kron(np.random.default_rng(0).integers(0, 255, (6, 8, 3)), np.ones((20, 20, 1))).astype(np.uint8)
)
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA GPU')


@pytest.fixture(params=['simulated', pytest.param('real', marks=[pytest.mark.gpu, on_a_gpu])])
def cuda(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """The device of a GPU, and of a simulated one."""
    with SimulatedGpu() if request.param == 'simulated' else nullcontext():
        yield torch.device('cuda')


def crops(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize('kind', ['clip', 'siglip'])
def test_the_image_tower_can_be_recorded(kind: str, tmp_path: Path) -> None:
    """A CUDA graph may not wait for the device, upload numbers or touch a tensor on the CPU (see test_graphs)."""
    towers = Towers(write_towers(kind, tmp_path), CPU)
    towers.model.to(DEVICE)
    watched = WatchedGraphs()
    for count in CROPS[:2]:
        pixels = torch.empty(count, 3, towers.side, towers.side, device=DEVICE)
        with torch.inference_mode():
            found = watched.run(towers.encode, 'look', pixels)
        assert len(found) == count and found.device == DEVICE


@pytest.mark.parametrize('kind', ['clip', 'siglip', 'siglip2'])
def test_towers_in_bf16_agree_and_are_recorded_once_for_each_bucket(
    kind: str, tmp_path: Path, cuda: torch.device
) -> None:
    folder = write_towers(kind, tmp_path)
    exact = Towers(folder, CPU)
    fast = Towers(folder, cuda, torch.bfloat16)
    for count in (1, 8, 9, 3, 40):
        shown = crops(count, exact.side)
        cosines = (exact.images(shown) * fast.images(shown)).sum(1)
        assert len(cosines) == count and cosines.min() > 0.98
    assert fast.graphs.captures == (0 if kind == 'siglip2' else 3), 'buckets of 8, 16 and 48 crops'
    assert (exact.texts(['a mug']) * fast.texts(['a mug'])).sum() > 0.98


def test_clipseg_in_bf16_agrees(tmp_path: Path, cuda: torch.device) -> None:
    folder = write_clipseg(tmp_path)
    exact, fast = ClipSeg(folder, CPU), ClipSeg(folder, cuda, torch.bfloat16)
    for network in (exact, fast):
        network.set_image(RGB)
    a, b = exact.maps(['a mug']), fast.maps(['a mug']).cpu()
    assert float((a - b).abs().max()) < 0.1 * float(a.std()) + 0.05


def test_masks_of_sam2_in_bf16_agree(cuda: torch.device) -> None:
    boxes = np.array([[10, 10, 50, 60], [60, 20, 150, 110]], np.float32)
    found = []
    for device, dtype in ((CPU, torch.float32), (cuda, torch.bfloat16)):
        network = Sam2Network(sam2_model().to(device), 'micro', dtype)
        network.set_image(RGB)
        found.append(network.from_boxes(boxes)[0] > 0)
    assert min(iou(a, b) for a, b in zip(found[0].reshape(-1, 120, 160), found[1].reshape(-1, 120, 160))) > 0.8


@pytest.mark.parametrize('kind', ['grounding-dino', 'mm-grounding-dino', 'owlvit', 'owlv2', 'omdet-turbo', 'sam3'])
def test_finders_agree_on_a_gpu(kind: str, tmp_path: Path, cuda: torch.device) -> None:
    folder = write_sam3(tmp_path) if kind == 'sam3' else write_detector(kind, tmp_path)
    scores = []
    for device in (CPU, cuda):
        if kind == 'sam3':
            scores.append(Sam3Finder(folder, device=device, threshold=0.3).detect(RGB, 'red mug')[0].numpy())
        else:
            scores.append(ZeroShotDetector(folder, device=device).detect(RGB, ['the red mug', 'plate'])[0])
    np.testing.assert_allclose(np.sort(scores[0], -1), np.sort(scores[1], -1), atol=0.02)
