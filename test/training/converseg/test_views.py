"""Views for training: what they ask for is in them, and joined sources give every view that is picked."""

import numpy as np
import pytest

from converseg_ros.core import Item, encode_rle
from converseg_ros.network.weights.presets import preset
from converseg_ros.training.converseg.batches import JoinedSource, PromptSelection, ViewSource
from converseg_ros.training.converseg.config import AugmentConfig
from converseg_ros.training.converseg.records import Record
from converseg_ros.training.converseg.views import make_view

SHAPE = (96, 128)


def record(name: str, level: int) -> Record:
    masks = {'whole': np.ones(SHAPE, bool), 'none': np.zeros(SHAPE, bool), 'speck': np.zeros(SHAPE, bool)}
    masks['speck'][40, 60] = True
    items = tuple(Item(f'{name}-{k}', f'{name}.png', f'the {k}', encode_rle(m)) for k, m in masks.items())
    return Record(name, items, lambda: np.full((*SHAPE, 3), level, np.uint8))


@pytest.mark.parametrize('augment', [None, AugmentConfig()])
def test_a_target_smaller_than_half_a_cell_is_not_asked_for(augment):
    view = make_view(record('a', 90), (64, 64), augment, np.random.default_rng(3))
    assert [a.id for a in view.asks] == ['a-whole', 'a-none']
    assert [a.positive for a in view.asks] == [True, False]


def test_joined_sources_give_every_pick():
    config = preset('micro')
    sources = [ViewSource([record(f'{s}{n}', 10 * s + n) for n in range(3)], config, None) for s in (1, 2)]
    both = JoinedSource(sources)
    assert len(both) == 6
    picks = [(i, np.random.default_rng(i)) for i in (4, 0, 5, 2)]
    batch = both.make(picks, PromptSelection(0, 0.5, 0.5))
    assert batch.pixels.shape[0] == 4
    assert {i.split('-')[0] for i in batch.ids} == {'10', '12', '21', '22'}
    for place, item in zip(batch.image_of.tolist(), batch.ids):
        assert int(batch.pixels[place].max()) == int(item[0]) * 10 + int(item[1])
    with pytest.raises(IndexError):
        both.make([(6, np.random.default_rng(0))], PromptSelection(0, 0.5, 0.5))
