"""Log-odds of phrases from probabilities of nouns."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from converseg_ros.core import InputError
from converseg_ros.knowledge.vocabulary import vocabulary
from converseg_ros.network.names.head import NameHead, NounSources
from converseg_ros.network.names.scores import Encoder, Phrases
from converseg_ros.network.names.weights import NameWeights, load_names
from converseg_ros.network.registry import find_model
from test.network.names.conftest import NOUNS, sources


def phrases(weights: NameWeights, encode: Encoder | None = None) -> Phrases:
    return Phrases(weights.head.sources.nouns, weights.scaling, weights.meanings, vocabulary(), encode)


def rows(**p: float) -> np.ndarray:
    return np.array([[p.get(noun, 0.0) for noun in NOUNS]], np.float32)


def odds(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_a_wider_noun_sums_its_narrower_ones(weights: NameWeights) -> None:
    found = phrases(weights).scores(rows(mug=0.5, cup=0.3), ('cup', 'mug', 'tool'))
    assert found.known.all()
    assert found.log_odds[0, 0] == pytest.approx(odds(0.8) * 0.5, abs=0.01)
    assert found.log_odds[0, 1] > 0  # a mug, and half of what is called a cup
    assert found.log_odds[0, 2] < -3


def test_a_noun_of_its_own_calibration_has_its_own_factor(weights: NameWeights) -> None:
    p = rows(mug=0.9)
    found = phrases(weights).scores(p, ('mug', 'coffee mugs', 'hammer'))
    assert found.log_odds[0, 0] == pytest.approx(2 * odds(0.9), abs=0.01)


def test_the_posterior_is_flatter_by_the_shared_factor_and_leaves_the_rest_to_none_of_the_nouns(
    weights: NameWeights,
) -> None:
    found = phrases(weights).posterior(rows(mug=0.64, cup=0.16))
    p = dict(zip(found.nouns, found.p[0], strict=True))
    assert p['mug'] / p['cup'] == pytest.approx(4**weights.scaling.shared, rel=1e-3)
    assert sum(p.values()) == pytest.approx(1 - p['cup'] * (0.2 / 0.16) ** weights.scaling.shared, rel=1e-3)


def test_a_phrase_that_nothing_speaks_for_is_scored_by_similar_nouns(weights: NameWeights) -> None:
    found = phrases(weights).scores(rows(mug=0.9), ('beaker', 'pogo stick'))
    assert not found.known.any()
    assert found.log_odds[0, 0] > found.log_odds[0, 1]
    assert found.log_odds[0, 0] < 0  # discounted: less likely than not


def test_free_text_is_encoded_once(weights: NameWeights) -> None:
    asked: list[str] = []

    def encode(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return np.eye(8, dtype=np.float32)[2:3]

    reader = phrases(weights, encode)
    first = reader.scores(rows(hammer=0.9), ('whatchamacallit',))
    reader.scores(rows(mug=0.9), ('whatchamacallit', 'mug'))
    assert asked == ['whatchamacallit']
    assert not first.known[0]
    assert first.log_odds[0, 0] > phrases(weights).scores(rows(hammer=0.9), ('whatchamacallit',)).log_odds[0, 0]


def test_the_name_that_a_person_would_say_backs_off_to_a_kind(weights: NameWeights) -> None:
    reader = phrases(weights)
    said = reader.scores(np.concatenate([rows(mug=0.8), rows(hammer=0.35, screwdriver=0.4), rows(mug=0.1)]), ()).best
    assert said[0][0] == 'mug' and said[0][1] > 0
    assert 'tool' in said[1][0] and said[1][1] > 0
    assert said[2][0] == 'thing' and said[2][1] < 0


def test_evidence_of_imagenet_and_the_detector_raises_what_it_speaks_for() -> None:
    head = NameHead(sources()).eval()
    pooled, evidence = torch.zeros(3, 1280), torch.zeros(3, 160)
    logits = torch.zeros(3, 1000)
    logits[1, 504] = 12
    evidence[2, 46] = 1
    with torch.inference_mode():
        p = head(pooled, head.by_class(logits), evidence).exp()
        blind = head.without_crop(evidence).exp()
    assert torch.allclose(p.sum(1), torch.ones(3), atol=1e-5)
    assert p[1, NOUNS.index('mug')] > p[0, NOUNS.index('mug')]
    assert p[2, NOUNS.index('banana')] > p[0, NOUNS.index('banana')]
    assert blind[2, NOUNS.index('banana')] > blind[0, NOUNS.index('banana')]


def test_a_noun_that_nothing_speaks_for_is_refused() -> None:
    with pytest.raises(InputError, match='nothing speaks'):
        NounSources(('mug',), np.zeros(0, np.intp), np.full(1000, -1), np.zeros((80, 1), bool))


def test_a_phrase_that_is_not_known_whole_is_what_its_head_says(weights: NameWeights) -> None:
    found = phrases(weights).scores(rows(mug=0.9), ('grandmother mug', 'mug'))
    assert not found.known[0] and found.known[1]
    assert 0 < found.log_odds[0, 0] < found.log_odds[0, 1]


def test_a_class_that_nothing_speaks_for_is_told_by_its_look(weights: NameWeights) -> None:
    """What looks like a screwdriver may be a chisel, but that no chisel is there is not known."""
    found = phrases(weights).scores(rows(screwdriver=0.9), ('chisel', 'banana'))
    assert not found.known[0]
    assert found.log_odds[0, 1] < found.log_odds[0, 0] < odds(0.9)


def test_a_person_may_have_any_role_but_a_woman_is_no_man() -> None:
    """A waiter and a gentleman look like people; their roles are hardly visible."""
    names = load_names(find_model('compact') / 'names.safetensors')
    nouns = names.head.sources.nouns
    p = np.zeros((2, len(nouns)), np.float32)
    p[0, nouns.index('man')] = p[1, nouns.index('woman')] = 0.9
    asked = ('waiter', 'gentleman', 'lady', 'umpire', 'man', 'woman')
    found = Phrases(nouns, names.scaling, names.meanings, vocabulary(), None).scores(p, asked)
    man, woman = (dict(zip(asked, row, strict=True)) for row in found.log_odds)
    assert found.known.all()
    assert man['waiter'] > 0 and woman['waiter'] > 0 and man['umpire'] > 0 and woman['umpire'] > 0
    assert man['gentleman'] > 0 > woman['gentleman'] and woman['lady'] > 0 > man['lady']
    assert man['man'] > 0 > woman['man'] and woman['woman'] > 0 > man['woman']
    assert man['waiter'] < man['man']


def test_a_thing_without_training_images_is_scored_by_what_it_looks_like() -> None:
    weights = load_names(find_model('compact') / 'names.safetensors')
    meaning = phrases(weights).meaning
    nouns = weights.head.sources.nouns

    def best(phrase: str) -> set[str]:
        found = meaning(phrase)
        return {nouns[i] for i, weight in zip(found.places, found.weights) if weight == found.weights.max()}

    assert best('freezer') == {'refrigerator'}
    assert 'paper' in best('sheets of paper')
    assert 'conditioner' not in best('air conditioner')  # the last word alone would mean one for hair
    assert best('tree trunk').isdisjoint({'chest', 'suitcase'})
    assert not meaning('freezer').known


def test_a_container_or_a_measure_of_something_is_recognized_by_the_noun_that_is_seen() -> None:
    weights = load_names(find_model('compact') / 'names.safetensors')
    meaning = phrases(weights).meaning
    nouns = weights.head.sources.nouns
    assert 'bottle' in {nouns[i] for i in meaning('bottle of water').places}
    bananas = meaning('bunch of bananas')
    assert nouns[bananas.places[bananas.weights.argmax()]] == 'banana'


def test_what_is_called_by_a_wider_noun_may_be_a_narrower_one() -> None:
    """Labels of photographs are often wider than the names in a text, so that a child is called a person."""
    weights = load_names(find_model('compact') / 'names.safetensors')
    nouns = weights.head.sources.nouns
    p = np.zeros((1, len(nouns)), np.float32)
    p[0, nouns.index('person')], p[0, nouns.index('bottle')] = 0.5, 0.3
    asked = ('kid', 'water bottle', 'person', 'bottle', 'office chair')
    found = phrases(weights).scores(p, asked)
    kid, water_bottle, person, bottle, office_chair = found.log_odds[0]
    assert found.known.all()
    assert person > kid > office_chair and bottle > water_bottle > office_chair
