"""Cached features are those of the trunk, are made once, and again when what they depend on changes."""

from dataclasses import replace

import torch

from converseg_ros.network.preprocess import normalise
from converseg_ros.network.weights.checkpoints import load_network
from converseg_ros.training.augment import plain_view, see_image
from converseg_ros.training.cache import build_cache
from converseg_ros.training.config import AugmentConfig, SourceConfig
from converseg_ros.training.records import read_records
from converseg_ros.training.texts import TextCache


def test_features_targets_and_reuse(toy, start, tmp_path):
    encoder = load_network(start).image_encoder
    records = read_records(SourceConfig(str(toy)), 'train')[:3]
    made = []
    arguments = {'variants': 2, 'augment': AugmentConfig(), 'pictures': True}
    report = lambda *a: made.append(a)  # noqa: E731
    cache = build_cache(tmp_path / 'c', records, encoder, report=report, **arguments)
    assert len(cache) == 6 and len(made) == 1
    view = cache.views[0]
    pixels = see_image(records[0].load(), plain_view((96, 128)), (96, 128))
    settings = encoder.config
    image = normalise(torch.from_numpy(pixels).permute(2, 0, 1)[None], settings.mean, settings.std, torch.float32)
    with torch.no_grad():
        expected = encoder.trunk_output(image)
    for name, value in cache.trunk([view])._asdict().items():
        torch.testing.assert_close(value, getattr(expected, name), atol=2e-3, rtol=2e-3, msg=name)
    assert (cache.picture(view) == pixels).all()
    positive = next(e for e in view.entries if e.positive)
    item = next(i for i in records[0].items if i.id == positive.id)
    truth = item.mask().reshape(24, 4, 32, 4).mean((1, 3))
    torch.testing.assert_close(
        torch.from_numpy(cache.target(view, positive)).double(), torch.from_numpy(truth), atol=5e-3, rtol=0
    )

    build_cache(tmp_path / 'c', records, encoder, report=report, **arguments)
    assert len(made) == 1  # nothing changed: nothing made
    build_cache(tmp_path / 'c', records, encoder, report=report, **{**arguments, 'augment': AugmentConfig(blur=0.9)})
    assert len(made) == 2
    changed = replace(records[0], items=records[0].items[:-1])
    build_cache(
        tmp_path / 'c',
        [changed, *records[1:]],
        encoder,
        report=report,
        **{**arguments, 'augment': AugmentConfig(blur=0.9)},
    )
    assert len(made) == 3


def test_texts_are_encoded_once_and_kept(start, tmp_path):
    network = load_network(start)
    texts = ['the red square', 'hand me something blue']
    cache = TextCache(tmp_path / 'texts.pt')
    cache.add(texts, network)
    cache.save()
    again = TextCache(tmp_path / 'texts.pt')
    again.add(texts, None)  # would fail if it had to encode
    one, two = (c.get(texts, torch.device('cpu')) for c in (cache, again))
    assert torch.equal(one.tokens, two.tokens) and torch.equal(one.mask, two.mask)
    with torch.no_grad():
        expected = network.encode_text(texts)
    torch.testing.assert_close(one.pooled, expected.pooled, atol=2e-3, rtol=2e-3)
    assert torch.equal(one.mask, expected.mask)
