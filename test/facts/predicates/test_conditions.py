"""Parts of the picture, from where regions are in it."""

from dataclasses import replace

from facts_blocks import measures_of_boxes
import numpy as np
import pytest

from converseg_ros.facts.predicates.conditions import image_region


@pytest.mark.parametrize(
    ('across', 'down', 'there'),
    [(0.5, 0.5, True), (0.55, 0.25, True), (0.5, 0.03, False), (0.15, 0.5, False), (0.9, 0.9, False)],
)
def test_the_centre_is_wider_in_height(across: float, down: float, there: bool) -> None:
    """The middle one of three people is in the middle of the picture, although heads are in its upper half."""
    measures = measures_of_boxes((0.1, 0.1, 0.1))
    h, w = measures.grid
    found = image_region('centre', replace(measures, box=np.zeros((1, 4)), centroid=np.array([[across * w, down * h]])))
    assert (found.p[0] > 0.8) if there else (found.p[0] < 0.2)
