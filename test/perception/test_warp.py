"""Masks move by their outlines and stay what they are."""

import numpy as np
import pytest

from converseg_ros.core import mask_box
from converseg_ros.perception.motion import HIDDEN, forward, grid_of
from converseg_ros.perception.warp import Outlines

H, W, h, w = 240, 320, 60, 80
STILL = grid_of(h, w)


def ring() -> np.ndarray:
    """Return a ring with an island in its hole, a single pixel and a thin line at the edge."""
    rows, columns = np.mgrid[:H, :W]
    far = np.hypot(rows - 120, columns - 160)
    mask = ((far > 30) & (far < 60)) | (far < 10)
    mask[20, 20] = mask[200:, 0] = True
    return mask


def small(mask) -> np.ndarray:
    """Return a mask at the motion's size, all that it touches."""
    return mask.reshape(h, H // h, w, W // w).any((1, 3)).astype(np.uint8)


def shifted(mask, dx, dy) -> np.ndarray:
    return np.pad(mask, 400)[400 - dy : 400 - dy + H, 400 - dx : 400 - dx + W]


def carried(masks, smalls, back) -> list[np.ndarray]:
    """Return the moved masks; what is said to be their box must be theirs."""
    outlines = Outlines(masks, (h, w))
    found = outlines.moved(smalls, forward(outlines.points, back))
    assert [box for _, box in found] == [mask_box(mask) for mask, _ in found]
    return [mask for mask, _ in found]


def iou(a, b) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def test_without_motion_every_pixel_stays():
    noise = np.random.default_rng(0).random((H, W)) < 0.3
    masks = [ring(), np.zeros((H, W), bool), np.ones((H, W), bool), noise]
    for mask, moved in zip(masks, carried(masks, [small(m) for m in masks], STILL)):
        assert moved.dtype == np.bool_ and np.array_equal(moved, mask)
    assert carried([], [], STILL) == []


@pytest.mark.parametrize(('dx', 'dy'), [(12, 8), (-40, 4), (150, 0), (400, 0)])
def test_a_shift_moves_it_and_what_leaves_the_image_is_gone(dx, dy):
    back = STILL - np.float32([dx * w / W, dy * h / H])
    goal = shifted(ring(), dx, dy)
    (moved,) = carried([ring()], [small(goal)], back)
    assert np.count_nonzero(moved ^ goal) <= 0.002 * goal.size
    assert moved.any() == goal.any()


def test_a_thing_that_comes_nearer_grows():
    rows, columns = np.mgrid[:H, :W]
    disc, larger = (np.hypot(rows - 119.5, columns - 159.5) < r for r in (40, 50))
    centre = np.float32([(w - 1) / 2, (h - 1) / 2])
    (moved,) = carried([disc], [small(larger)], (STILL - centre) / np.float32(1.25) + centre)
    assert iou(moved, larger) > 0.98


def test_what_comes_before_it_is_no_part_of_it():
    table = np.zeros((H, W), bool)
    table[40:200, 40:280] = True
    hand = np.zeros((H, W), bool)
    hand[80:160, 120:200] = True
    back = STILL.copy()
    back[small(hand) > 0] -= (60, 0)  # was to the left of the image
    (moved,) = carried([table], [small(table & ~hand)], back)
    assert not moved[90:150, 130:190].any() and iou(moved, table & ~hand) > 0.9


def test_where_the_other_image_could_not_see_its_surroundings_tell_the_motion():
    table = np.zeros((H, W), bool)
    table[40:200, 40:240] = True
    goal = shifted(table, 20, 0)
    back = STILL - np.float32([20 * w / W, 0])
    back[:, :12] = HIDDEN  # the left edge of the table has come to lie there
    seen = small(goal)
    seen[:, :12] = 0
    (moved,) = carried([table], [seen], back)
    assert not moved[:, :40].any() and iou(moved[:, 52:], goal[:, 52:]) > 0.97
