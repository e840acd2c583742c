"""The features of texts by a frozen encoder are kept for later runs."""

import torch

from converseg_ros.network.weights.checkpoints import load_network
from converseg_ros.training.converseg.texts import TextCache


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
