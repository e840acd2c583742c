"""The small images that motion is measured on, and the motion between two of them."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from converseg_ros.core import Frame, Intrinsics
from converseg_ros.core.depth import in_metres
from converseg_ros.core.frame import StoredDepth
from converseg_ros.perception.motion import flow_back, grid_of, low_frame

H, W = 240, 330
K = Intrinsics(300.0, 300.0, W / 2, H / 2, W, H)
RANDOM = np.random.default_rng(0)


def picture(height: int, width: int) -> np.ndarray:
    noise = RANDOM.integers(0, 256, (height, width)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


@pytest.mark.parametrize('raw', [True, False])
def test_depth_at_a_point_is_that_of_the_small_image(raw):
    stored = RANDOM.integers(0, 3000, (H, W)).astype(np.uint16)
    stored[RANDOM.random((H, W)) < 0.2] = 0  # unknown
    depth = StoredDepth(stored, in_metres) if raw else in_metres(stored)
    low = low_frame(Frame(np.zeros((H, W, 3), np.uint8), depth, K), None, 128)
    h, w = low.gray.shape
    columns, rows = RANDOM.uniform(-8, w + 8, (2, 512)), RANDOM.uniform(-8, h + 8, (2, 512))
    found = low.depth_at(np.stack([columns, rows], -1).astype(np.float32))
    x, y = np.rint(columns).astype(int).ravel(), np.rint(rows).astype(int).ravel()
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    assert 100 < np.count_nonzero(inside) < 1000
    assert np.array_equal(found[inside], low.depth[y[inside], x[inside]], equal_nan=True)
    assert np.isnan(found[~inside]).all() and np.isfinite(found[inside]).any()


def test_depth_without_intrinsics_is_none():
    low = low_frame(Frame(np.zeros((H, W, 3), np.uint8), np.ones((H, W), np.float32)), None, 128)
    assert low.source is None and low.depth is None and low.intrinsics is None


def test_flow_does_not_depend_on_the_images_before():
    """OpenCV's object is kept, buffers and all, while cameras of several sizes take turns."""

    def anew(*args):
        with ThreadPoolExecutor(1) as fresh:  # a thread has an object of its own
            return fresh.submit(flow_back, *args).result()

    for n in range(60):
        height, width = ((96, 128), (72, 128), (32, 128), (128, 96))[n // 2 % 4]
        key = picture(height, width)
        current = np.roll(key, int(RANDOM.integers(-4, 5)), 1)
        guess = None if n % 3 else (grid_of(height, width) + RANDOM.normal(0, 1, (height, width, 2))).astype(np.float32)
        assert np.array_equal(flow_back(current, key, guess), anew(current, key, guess))
