"""Views change the picture and the words together, and never make the truth wrong."""

import numpy as np
import pytest

from converseg_ros.core import Family, Item, encode_rle
from converseg_ros.training.converseg.augment import (
    View,
    draw_view,
    mirror_text,
    plain_view,
    see_image,
    see_mask,
    seen_prompt,
    valid_cells,
    worsen,
)
from converseg_ros.training.converseg.config import AugmentConfig


def test_mirror_swaps_words_not_parts_of_words():
    assert mirror_text('the leftmost cup, left of the Right-hand plate') == (
        'the rightmost cup, right of the Left-hand plate'
    )
    assert mirror_text('what is left over, right now') == 'what is left over, right now'
    assert mirror_text('the cleft in the bright copyright') == 'the cleft in the bright copyright'


def test_image_and_mask_move_together():
    rng = np.random.default_rng(1)
    rgb = np.zeros((120, 200, 3), np.uint8)
    mask = np.zeros((120, 200), bool)
    mask[30:90, 40:120] = True
    rgb[mask] = 255
    for _ in range(20):
        view = draw_view((120, 200), AugmentConfig(), rng)
        seen = see_image(rgb, view, (96, 128))[..., 0] / 255
        target = see_mask(mask, view, (96, 128), (24, 32)) / 255
        pooled = seen.reshape(24, 4, 32, 4).mean((1, 3))
        assert np.abs(pooled - target).mean() < 0.02


def test_padding_is_not_valid():
    view = plain_view((50, 100))
    valid = valid_cells((50, 100), view, (128, 128), (32, 32))
    assert valid.sum() == 32 * 16
    assert not valid[:8].any() and not valid[-8:].any()
    assert see_image(np.full((50, 100, 3), 9, np.uint8), view, (128, 128))[0].sum() == 0


@pytest.mark.parametrize(
    'family, phase, covered, expected',
    [
        (Family.ENTITIES, 'literal', 1.0, True),
        (Family.ENTITIES, 'literal', 0.7, True),
        (Family.ENTITIES, 'literal', 0.2, None),
        (Family.ENTITIES, 'literal', 0.0, False),
        (Family.AFFORDANCES, 'conversational', 0.0, None),
        (Family.SPATIAL, 'conversational', 0.9, None),  # 'the leftmost' may be another one now
        (Family.SPATIAL, 'conversational', 1.0, True),
    ],
)
def test_crops_keep_only_certain_truths(family, phase, covered, expected):
    mask = np.ones((10, 10), bool)
    item = Item('a', 'a.png', 'the cup on the left', encode_rle(mask), family, phase=phase)
    seen = seen_prompt(item, View((0, 0, 10, 10), mirrored=True), covered)
    assert seen == (None if expected is None else ('the cup on the right', expected))


def test_worsening_is_reproducible_and_bounded():
    rgb = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    config = AugmentConfig(blur=1, noise=1, jpeg=1)
    one, two = (worsen(rgb, config, np.random.default_rng(5)) for _ in range(2))
    assert one.shape == rgb.shape and one.dtype == np.uint8
    assert (one == two).all() and (one != rgb).any()
