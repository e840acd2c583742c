"""Views for training: cached and live ones are the same, and joined sources give every view that is picked."""

import hashlib

import numpy as np
import pytest

from converseg_ros.core import Item, encode_rle
from converseg_ros.network.weights.presets import preset
from converseg_ros.training.batches import JoinedSource, LiveSource, PromptSelection
from converseg_ros.training.cache import see_views
from converseg_ros.training.config import AugmentConfig
from converseg_ros.training.records import Record
from converseg_ros.training.views import make_view

SHAPE = (96, 128)


def record(name: str, level: int) -> Record:
    masks = {'whole': np.ones(SHAPE, bool), 'none': np.zeros(SHAPE, bool), 'speck': np.zeros(SHAPE, bool)}
    masks['speck'][40, 60] = True
    items = tuple(Item(f'{name}-{k}', f'{name}.png', f'the {k}', encode_rle(m)) for k, m in masks.items())
    return Record(name, items, lambda: np.full((*SHAPE, 3), level, np.uint8))


@pytest.mark.parametrize('variant', [0, 1])
def test_cached_and_live_views_are_made_by_one_rule(variant):
    """A target under half a cell was dropped from cached views alone."""
    one, augment, size = record('a', 90), AugmentConfig(), (64, 64)
    ((pixels, valid, index, rows),) = see_views([(variant, one)], size, augment, 3)
    number = int.from_bytes(hashlib.sha256(b'a').digest()[:4], 'big')
    live = make_view(one, size, augment if variant else None, np.random.default_rng([3, variant, number]))
    assert np.array_equal(live.pixels, pixels) and np.array_equal(live.valid, valid)
    assert [a.id for a in live.asks] == [e['id'] for e in index['entries']] == ['a-whole', 'a-none']
    assert [a.positive for a in live.asks] == [e['row'] >= 0 for e in index['entries']] == [True, False]
    assert np.array_equal(live.asks[0].target, rows[0])


def test_joined_sources_give_every_pick():
    config = preset('micro')
    sources = [LiveSource([record(f'{s}{n}', 10 * s + n) for n in range(3)], config, None) for s in (1, 2)]
    both = JoinedSource(sources)
    assert len(both) == 6
    picks = [(i, np.random.default_rng(i)) for i in (4, 0, 5, 2)]
    batch = both.make(picks, PromptSelection(0, 0.5, 0.5))
    assert batch.pixels is not None and batch.pixels.shape[0] == 4
    assert {i.split('-')[0] for i in batch.ids} == {'10', '12', '21', '22'}
    for place, item in zip(batch.image_of.tolist(), batch.ids):
        assert int(batch.pixels[place].max()) == int(item[0]) * 10 + int(item[1])
    with pytest.raises(IndexError):
        both.make([(6, np.random.default_rng(0))], PromptSelection(0, 0.5, 0.5))
