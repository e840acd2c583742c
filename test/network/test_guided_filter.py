"""Outlines that follow the image's edges."""

from typing import Any

import numpy as np
import pytest

cv2 = pytest.importorskip('cv2')

from converseg_ros.core import Role
from converseg_ros.core.segmentation import Query
from converseg_ros.network import load
from converseg_ros.network.guided_filter import at_full_size, follow_image, without_specks


def box(shape: tuple[int, int] = (240, 320)) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture of a bright box and its mask."""
    mask = np.zeros(shape, bool)
    mask[61:158, 83:231] = True
    rgb = np.where(mask[..., None], np.uint8(200), np.uint8(60)).repeat(3, 2)
    return np.ascontiguousarray(rgb), mask


def coarse(mask: np.ndarray, cell: int) -> np.ndarray:
    """Return the probability that a network of such cells gives at best: averaged areas, blown up again."""
    size = mask.shape[::-1]
    small = cv2.resize(mask.astype(np.float32), (size[0] // cell, size[1] // cell), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(cv2.resize(small, size), (0, 0), cell)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize('cell', [5, 8])
def test_an_outline_that_is_off_finds_the_edge(cell: int) -> None:
    rgb, truth = box()
    shifted = np.roll(coarse(truth, cell), cell, axis=(0, 1))
    found = follow_image(shifted[None], rgb, cell)[0]
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 1
    assert iou(found > 0.5, truth) > iou(shifted > 0.5, truth) + 0.05
    assert iou(found > 0.5, truth) > 0.95


def test_without_an_edge_the_mask_stays() -> None:
    rgb, truth = box()
    grey = np.full_like(rgb, 90)
    probability = coarse(truth, 5)
    assert iou(follow_image(probability[None], grey, 5)[0] > 0.5, probability > 0.5) > 0.95


@pytest.mark.parametrize('value', [0.0, 1.0])
def test_nothing_and_everything_stay(value: float) -> None:
    rgb, _ = box()
    found = follow_image(np.full((1, *rgb.shape[:2]), value, np.float32), rgb, 5)
    assert np.abs(found - value).max() < 1e-3


def test_specks_go_and_parts_of_a_size_stay() -> None:
    mask = np.zeros((100, 100), bool)
    mask[10:40, 10:40] = mask[60:80, 60:80] = True
    speckled = mask.copy()
    speckled[90:93, 5:9] = speckled[12:14, 90] = True
    assert (without_specks(speckled) == mask).all()
    assert not without_specks(np.zeros_like(mask)).any() and without_specks(np.ones_like(mask)).all()


def test_the_choice_reaches_the_masks_and_safety_keeps_every_part(picture: Any) -> None:
    answers = {}
    for outline in ('network', 'image'):
        predictor = load('micro', device='cpu', outline=outline, calibration=False)
        predictor.set_image(picture(0))
        answers[outline] = predictor.predict(['a cup', Query('a cup', role=Role.SAFETY)])
        predictor.close()
    plain, guard = answers['image']
    assert (plain.mask <= guard.mask).all()
    assert (without_specks(guard.mask) == plain.mask).all()
    assert (answers['network'][0].mask != plain.mask).any()


@pytest.mark.parametrize('size', [(240, 320), (192, 256), (150, 213)])
def test_a_mask_at_the_size_of_the_image_is_the_filter_of_the_whole_image(size: tuple[int, int]) -> None:
    """The surroundings of a mask are enough, wherever it is, and for any ratio of the sizes."""
    rows, columns = size
    rgb = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    for y, x in ((0, 0), (rows // 2, columns // 3), (rows - 9, columns - 9)):
        mask = np.zeros(size, bool)
        mask[y : y + 20, x : x + 31] = True
        large = cv2.resize(mask.astype(np.float32), (640, 480), interpolation=cv2.INTER_LINEAR)
        whole = follow_image(large[None], rgb, max(480 / rows, 640 / columns))[0] > 0.5
        assert whole.any() and (at_full_size([mask], rgb)[0] == whole).all()
