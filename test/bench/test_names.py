"""The measure of tags in the benchmark of the namer."""

import numpy as np
import pytest

from converseg_ros.bench.names import tag_areas, tag_weights
from converseg_ros.knowledge import tags
from converseg_ros.knowledge.vocabulary import vocabulary


def test_the_area_of_a_tag_leaves_out_labels_that_opinions_differ_about() -> None:
    """Ten knives above ten of twenty cups; forks may be sharp, and do not count."""
    index = vocabulary().index
    labels = ['knife'] * 10 + ['cup'] * 20 + ['fork'] * 10
    columns = {f'tag {tag}': np.zeros(len(labels)) for tag in tags()}
    columns['label'] = np.array([index[noun] for noun in labels], float)
    columns['tag sharp'] = np.array([0.5] * 10 + [0.1] * 10 + [0.9] * 10 + [1.0] * 10)
    assert tag_areas(columns)['sharp'] == pytest.approx(0.5)
    assert tag_areas(columns)['drink'] == pytest.approx(0.5)
    assert 'brush_teeth' not in tag_areas(columns)


def test_weights_of_tags_are_those_of_knowledge() -> None:
    sharp = tag_weights(('knife', 'fork', 'cup'))[:, list(tags()).index('sharp')]
    assert sharp.tolist() == [1.0, 0.5, 0.0]
