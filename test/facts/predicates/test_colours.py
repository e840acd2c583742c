"""Colour words of regions with the muted colours that cameras record."""

import numpy as np
import pytest

from converseg_ros import knowledge
from converseg_ros.facts.predicates.colours import TRACE, colour_words
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
    image, mask = np.full((20, 20, 3), 240, np.uint8), np.zeros((1, 20, 20), bool)
    image[:16], mask[:, :16] = rgb, True
    found = dict(zip(COLOURS, colour_words(image, mask)[0]))
    basic = {name: p for name, p in found.items() if name in knowledge.colour_samples()}
    assert max(basic, key=lambda name: basic[name]) == word and basic[word] > 0.7


def test_the_only_colour_of_a_view_is_not_taken_for_that_of_the_light() -> None:
    for rgb, word in (((175, 23, 48), 'red'), ((25, 24, 26), 'black'), ((60, 120, 70), 'green')):
        image = np.full((20, 20, 3), rgb, np.uint8)
        assert colour_words(image, np.ones((1, 20, 20), bool))[0, COLOURS.index(word)] > 0.7


@pytest.mark.parametrize('light', [(1.0, 0.86, 0.72), (0.7, 0.65, 0.6), (0.75, 0.85, 1.0)], ids=['warm', 'dim', 'cold'])
def test_white_and_grey_are_told_apart_in_coloured_light(light: tuple[float, float, float]) -> None:
    """A white cup, a grey box and a red apple on a brown table."""
    image = np.full((40, 40, 3), (150, 110, 75), np.uint8)
    image[:10, :10], image[:10, 20:30], image[20:30, :10] = (238, 236, 232), (128, 128, 130), (190, 30, 35)
    lit = np.clip(image * light, 0, 255).astype(np.uint8)
    masks = np.zeros((3, 40, 40), bool)
    masks[0, :10, :10], masks[1, :10, 20:30], masks[2, 20:30, :10] = True, True, True
    white, grey, red = ([COLOURS.index(word)] for word in ('white', 'grey', 'red'))
    found = colour_words(lit, masks)
    assert found[0, white] > max(found[1, white], 0.2) and found[1, grey] > 0.2 and found[2, red] > 0.5


def test_a_cover_of_many_hues_is_colourful() -> None:
    image = np.full((30, 30, 3), 230, np.uint8)
    image[:8], image[8:20, :15], image[8:20, 15:] = (200, 60, 60), (70, 130, 200), (90, 170, 80)
    words = dict(zip(COLOURS, colour_words(image, np.ones((1, 30, 30), bool))[0]))
    assert words['colourful'] == 1 and words['white'] > 0.1


def test_every_basic_term_of_the_programs_has_samples() -> None:
    assert set(knowledge.colour_samples()) == set(COLOURS) - {'silver', 'gold', 'dark', 'light', 'colourful'}


def test_a_trace_is_the_colour_of_a_part() -> None:
    """A twentieth of a black region is yellow: it is not called yellow, but a part of it is."""
    image = np.full((40, 40, 3), 20, np.uint8)
    image[:2] = 240, 210, 40
    mask = np.ones((1, 40, 40), bool)
    yellow, red = COLOURS.index('yellow'), COLOURS.index('red')
    assert colour_words(image, mask)[0, yellow] < 0.1
    assert colour_words(image, mask, TRACE)[0, yellow] > 0.4
    assert colour_words(image, mask, TRACE)[0, red] < 0.2


@pytest.mark.parametrize(
    ('rgb', 'word', 'other'),
    [
        ((240, 110, 30), 'orange', 'red'),
        ((200, 20, 20), 'red', 'orange'),
        ((235, 236, 233), 'white', 'pink'),
        ((240, 160, 185), 'pink', 'white'),
        ((150, 95, 55), 'brown', 'orange'),
        ((30, 90, 170), 'blue', 'purple'),
        ((25, 24, 26), 'black', 'brown'),
    ],
)
def test_a_plain_colour_is_not_called_by_a_similar_term(rgb: tuple[int, int, int], word: str, other: str) -> None:
    image, mask = np.full((20, 20, 3), 240, np.uint8), np.zeros((1, 20, 20), bool)
    image[:16], mask[:, :16] = rgb, True
    found = dict(zip(COLOURS, colour_words(image, mask)[0]))
    assert found[word] > 0.7 and found[other] < 0.2


def test_a_part_is_dark_or_light_by_its_own_pixels() -> None:
    """A white box with a dark display, which is a third of it, is light and has a dark part."""
    image = np.full((40, 40, 3), 235, np.uint8)
    image[5:18, 5:35] = 25
    mask = np.ones((1, 40, 40), bool)
    dark, light = COLOURS.index('dark'), COLOURS.index('light')
    whole, part = colour_words(image, mask)[0], colour_words(image, mask, TRACE)[0]
    assert whole[dark] < 0.1 and part[dark] > 0.7 and part[light] > 0.7
    plain = colour_words(np.full((40, 40, 3), 235, np.uint8), mask, TRACE)[0]
    assert plain[dark] == 0
