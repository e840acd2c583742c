"""What a detector's boxes and map say of segments."""

import numpy as np
import pytest

from converseg_ros.network.encoders.nanodet import NanoDet
from converseg_ros.network.names.detector import Detected, Evidence, match


def seen(box: list[float], kind: int, p: float) -> Detected:
    kinds = np.zeros((1, 80), np.float32)
    kinds[0, kind] = p
    return Detected(np.array([box], np.float32), kinds, np.zeros((80, 12, 16), np.float32))


def test_a_box_counts_as_far_as_it_fits_the_segment() -> None:
    masks = np.zeros((3, 48, 64), bool)
    masks[0, 12:36, 16:48] = True
    masks[1, 12:24, 16:48] = True
    masks[2, :6, :6] = True
    found = match(seen([0.25, 0.25, 0.75, 0.75], 41, 0.9), masks)
    assert found[0, 41] == pytest.approx(0.9)
    assert 0 < found[1, 41] < 0.9
    assert found[2].max() == 0


def test_the_map_is_averaged_over_the_segment() -> None:
    where = np.zeros((80, 48, 64), np.float32)
    where[7, :, 32:] = 0.8
    masks = np.zeros((2, 48, 64), bool)
    masks[0, 8:40, 40:60] = True
    masks[1, 8:40, 4:24] = True
    found = match(Detected(np.zeros((0, 4), np.float32), np.zeros((0, 80), np.float32), where), masks)
    assert found[0, 80 + 7] == pytest.approx(0.8, abs=0.02)
    assert found[1].max() == pytest.approx(0, abs=0.02)


def test_images_of_any_size_are_detected_in() -> None:
    evidence = Evidence(NanoDet().eval())
    for shape in ((40, 30), (480, 640), (333, 777)):
        rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
        found = evidence(rgb, np.ones((2, *shape), bool))
        assert found.shape == (2, 160)
        assert np.isfinite(found).all()
