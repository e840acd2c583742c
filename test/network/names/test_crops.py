"""Crops show what a segment shows."""

import numpy as np
import pytest

from converseg_ros.network.names.crops import FADED, GREY, MASKED, PLAIN, cut, cut_with, window


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A red rectangle on blue, and its mask."""
    rgb = np.zeros((120, 160, 3), np.uint8)
    rgb[..., 2] = 200
    mask = np.zeros((120, 160), bool)
    mask[40:80, 60:120] = True
    rgb[mask] = (200, 0, 0)
    return rgb, mask


def test_the_window_is_a_square_around_the_segment() -> None:
    where = window(scene()[1])
    assert (where.x, where.y) == (90, 60)
    assert where.side == pytest.approx(75)


def test_a_plain_crop_shows_segment_and_surroundings() -> None:
    rgb, mask = scene()
    crop = cut(rgb, mask[None], PLAIN)[0]
    assert crop.shape == (128, 128, 3)
    assert np.array_equal(crop[64, 64], (200, 0, 0))
    assert np.array_equal(crop[5, 64], (0, 0, 200))


def test_a_masked_crop_has_grey_where_the_segment_is_not() -> None:
    rgb, mask = scene()
    crop = cut(rgb, mask[None], MASKED)[0]
    assert np.array_equal(crop[64, 64], (200, 0, 0))
    assert np.abs(crop[5, 64].astype(int) - GREY).max() <= 1


def test_masks_of_half_the_resolution_give_the_same_crops() -> None:
    rgb, mask = scene()
    small = cut(rgb, mask[None, ::2, ::2], MASKED)[0].astype(int)
    assert np.abs(small - cut(rgb, mask[None], MASKED)[0]).mean() < 6


def test_segments_at_the_border_and_tiny_ones_have_crops() -> None:
    rgb, _ = scene()
    masks = np.zeros((3, 120, 160), bool)
    masks[0, :30, :30] = True
    masks[1, 60, 80] = True
    crops = cut(rgb, masks)
    assert crops.shape == (3, 128, 128, 3)
    assert crops[:2].any()


def test_a_large_segment_is_averaged_and_not_sampled() -> None:
    fine = np.zeros((1024, 1024, 3), np.uint8)
    fine[:, ::2] = 255
    crop = cut(fine, np.ones((1, 1024, 1024), bool))[0]
    assert crop[30:98, 30:98].std() < 30


def test_crops_with_several_backgrounds_are_those_with_one_each() -> None:
    rgb, mask = scene()
    masks = np.stack([mask, ~mask])
    crops = cut_with(rgb, masks, (PLAIN, FADED, MASKED))
    for found, background in zip(crops, (PLAIN, FADED, MASKED), strict=True):
        assert np.array_equal(found, cut(rgb, masks, background))
