"""The pipeline's options change what it answers."""

from collections.abc import Iterator
from itertools import pairwise
import time

import numpy as np
import pytest

from converseg_ros import network
from converseg_ros.core import Frame, Instruction, Intrinsics
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.core.status import GeometryStatus
from converseg_ros.perception.segmenter import Segmenter, SegmenterOptions

H, W = 120, 160
CAMERA = Intrinsics(150.0, 150.0, 79.5, 59.5, W, H)
PLATE = Instruction('the hot plate', id='plate')  # micro finds a seventh of the image


@pytest.fixture(scope='module')
def micro() -> Iterator[SegmentationNetwork]:
    loaded = network.load('micro', device='cpu')
    yield loaded
    loaded.close()


def view(depth: np.ndarray, ms: int) -> Frame:
    rows, columns = np.mgrid[0:H, 0:W]
    rgb = np.dstack([rows * 2 % 256, columns % 256, (rows + columns) % 256]).astype(np.uint8)
    rgb[40:80, 50:100] = (200, 30, 40)
    return Frame(rgb, stamp_ns=ms * 1_000_000, depth=depth, intrinsics=CAMERA)


@pytest.mark.parametrize('anew', [False, True])
def test_lift_carried_measures_anew_where_else_the_3d_is_moved(micro: SegmentationNetwork, anew: bool) -> None:
    """The next image has no depth on the thing: what was known of it stays, unless it is to be measured anew."""
    segmenter = Segmenter(micro, SegmenterOptions(lift_carried=anew))
    depth = (1.5 - 0.004 * np.mgrid[0:H, 0:W][0]).astype(np.float32)
    (seen,) = segmenter.segment(view(depth, 0), [PLATE], pose=np.eye(4))
    assert seen.geometry.status == GeometryStatus.OK and seen.geometry.centroid is not None
    gone = np.where(seen.prediction.mask, np.float32(np.nan), depth)
    (propagated,) = segmenter.propagate(view(gone, 33), [PLATE], np.eye(4))
    assert propagated.tracked and propagated.prediction.mask.any()
    if anew:
        assert propagated.geometry.status == GeometryStatus.NO_DEPTH
    else:
        assert propagated.geometry.status == GeometryStatus.OK
        assert propagated.geometry.centroid == pytest.approx(seen.geometry.centroid, abs=1e-6)


def test_the_time_in_the_network_is_told_while_it_runs_and_nothing_else_counts(micro: SegmentationNetwork) -> None:
    segmenter, told = Segmenter(micro), {}

    def burn(stage: str) -> None:
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass
        told[stage] = segmenter.network_cpu

    depth = np.full((H, W), 1.5, np.float32)
    segmenter.segment(view(depth, 0), [PLATE], checkpoint=burn)
    inside = [told[s] for s in told if s != 'lift']
    assert len(inside) > 1 and inside[0] >= 0.02 and all(b - a >= 0.02 for a, b in pairwise(inside))
    assert inside[-1] <= told['lift'] == segmenter.network_cpu
