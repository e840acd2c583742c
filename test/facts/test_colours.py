"""Colour words of regions with the muted colours that cameras record."""

import numpy as np
import pytest

from converseg_ros import knowledge
from converseg_ros.facts.colours import colour_words
from converseg_ros.programs.vocabulary import COLOURS


@pytest.mark.parametrize(
    ('rgb', 'word'),
    [
        ((175, 23, 48), 'red'),
        ((180, 145, 193), 'purple'),  # the cover of a magazine under kitchen light
        ((88, 66, 115), 'purple'),
        ((67, 89, 118), 'blue'),
        ((216, 170, 180), 'pink'),
        ((120, 85, 60), 'brown'),
        ((60, 120, 70), 'green'),
        ((225, 200, 60), 'yellow'),
        ((128, 128, 130), 'grey'),
        ((235, 236, 233), 'white'),
        ((25, 24, 26), 'black'),
    ],
)
def test_a_plain_region_is_called_by_its_colour(rgb: tuple[int, int, int], word: str) -> None:
    image = np.full((20, 20, 3), rgb, np.uint8)
    found = dict(zip(COLOURS, colour_words(image, np.ones((1, 20, 20), bool))[0]))
    basic = {name: p for name, p in found.items() if name in knowledge.colour_samples()}
    assert max(basic, key=lambda name: basic[name]) == word and basic[word] > 0.7


def test_a_cover_of_many_hues_is_colourful() -> None:
    image = np.full((30, 30, 3), 230, np.uint8)
    image[:8], image[8:20, :15], image[8:20, 15:] = (200, 60, 60), (70, 130, 200), (90, 170, 80)
    words = dict(zip(COLOURS, colour_words(image, np.ones((1, 30, 30), bool))[0]))
    assert words['colourful'] == 1 and words['white'] > 0.1


def test_every_basic_term_of_the_programs_has_samples() -> None:
    assert set(knowledge.colour_samples()) == set(COLOURS) - {'silver', 'gold', 'dark', 'light', 'colourful'}
