"""Tags and materials are sums over the posterior of a namer, and measured sizes change it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from facts_blocks import BOOK, BOWL, BOX, RED_MUG, WHITE_MUG, measures_of_boxes
import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros import knowledge
from converseg_ros.core import Status
from converseg_ros.core.segments import NameScores, Posterior
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.naming import Seen, posterior_by_kind, posterior_by_size
from converseg_ros.facts.predicates.size_evidence import SizeEvidence
from converseg_ros.facts.predicates.surfaces import BY_CLASS
from converseg_ros.facts.table import MAX_LIKE, Facts
from converseg_ros.programs.nodes import Filter, Like, Select
from converseg_ros.programs.vocabulary import COLOURS

NOUNS = tuple(knowledge.labelled())


def seen(nouns: tuple[str, ...], p: NDArray[np.float64], score: float = 0.9) -> Seen:
    """Return the properties of regions with a posterior; every other noun has the same score."""

    def scores(asked: Sequence[str]) -> NameScores:
        odds = np.full((len(p), len(asked)), np.log(score / (1 - score)), np.float32)
        return NameScores(tuple(asked), odds, np.zeros(len(asked), bool))

    return Seen(scores, lambda: Posterior(nouns, p.astype(np.float32)), lambda: np.zeros((len(p), 1)))


def test_a_posterior_that_tells_nothing_makes_no_common_tag_likely() -> None:
    """Many classes run on electricity, but a region of which nothing is known is not likely to be one of them."""
    flat = np.full((1, len(NOUNS)), 1 / len(NOUNS))
    having = knowledge.nouns_with('electric')
    share = sum(having.get(noun, 0) for noun in NOUNS) / len(NOUNS)
    found = seen(NOUNS, flat).look_up('tag', 'electric')
    assert found is not None and found.p[0] == pytest.approx(share, rel=1e-4) and share < 0.3


def test_a_tag_adds_the_classes_that_have_it_and_halves_those_that_opinions_differ_about() -> None:
    p = np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]])
    found = seen(('knife', 'scissors', 'cup'), p).look_up('tag', 'sharp')
    assert found is not None and found.p == pytest.approx([0.8, 0.0])
    doubtful = seen(('fork', 'cup'), np.array([[0.6, 0.4]])).look_up('tag', 'sharp')
    assert doubtful is not None and doubtful.p == pytest.approx([0.3])


def test_a_material_has_the_weight_of_its_place_among_the_materials_of_a_class() -> None:
    first, second = knowledge.class_of('bread knife').materials[:2]
    region = seen(('bread knife',), np.ones((1, 1)))
    usual, rare = region.look_up('material', first), region.look_up('material', second)
    assert usual is not None and usual.p == pytest.approx([BY_CLASS])
    assert rare is not None and rare.p == pytest.approx([BY_CLASS / 2])


@pytest.mark.parametrize(('material', 'noun'), [('food', 'apple'), ('plant', 'fern'), ('transparent', 'wine glass')])
def test_materials_that_are_tags_of_classes(material: str, noun: str) -> None:
    found = seen((noun, 'hammer'), np.eye(2)).look_up('material', material)
    assert found is not None and found.p[0] >= 0.5 and found.p[1] == 0


def test_similar_nouns_replace_classes_that_the_namer_does_not_have() -> None:
    found = seen(('cup',), np.ones((1, 1))).look_up('tag', 'water_plants')
    assert found is not None and found.p == pytest.approx([0.45])


def test_a_measured_size_moves_the_posterior_and_keeps_its_sum() -> None:
    alike = Posterior(('mug', 'bucket', 'sky'), np.array([[0.4, 0.4, 0.1], [0.4, 0.4, 0.1]], np.float32))
    small, large = posterior_by_size(alike, SizeEvidence(measures_of_boxes((0.1, 0.08, 0.1), (0.32, 0.3, 0.33)))).p
    assert small[0] > 1.5 * small[1] and large[1] > 1.5 * large[0]
    assert (small.sum(), large.sum()) < (1, 1)


def test_nouns_that_do_not_fit_the_kind_of_a_region_count_less() -> None:
    """The crop of a floor may look like a cleaver, and that of a person like a handbag."""
    nouns = ('cleaver', 'grass', 'handbag', 'person')
    looks = Posterior(nouns, np.array([[0.4, 0.3, 0.1, 0.1], [0.1, 0.1, 0.5, 0.2]], np.float32))
    kinds = np.array([[0.1, 0.8, 0.1, 0], [0.1, 0, 0, 0.9]], np.float32)
    floor, person = posterior_by_kind(looks, kinds).p
    assert nouns[int(floor.argmax())] == 'grass' and nouns[int(person.argmax())] == 'person'
    assert (floor.sum(), person.sum()) == pytest.approx((0.9, 0.9), abs=1e-5)


def guessed(seen: Facts, described: Mapping[str, float] | None) -> Facts:
    """Return facts whose texts describe classes, and resemble the box most; None for what no statement describes."""
    alike = np.array([0.1, 0.1, 0.2, 0.1, 0.9, 0.1])
    assert isinstance(seen.properties, Seen)
    properties = replace(seen.properties, described=lambda text: described or {})
    return replace(seen, properties=properties, similarity=lambda text, alone: alike, _cache={})


def test_a_free_text_means_the_regions_of_the_classes_that_it_describes(seen: Facts) -> None:
    found = guessed(seen, {'bowl': 1.0, 'mug': 0.3}).like('serve the salad in', alone=True, named=False)
    assert found.p[BOWL] > 0.9 and found.p[BOWL] == found.p.max()
    assert found.p[[RED_MUG, WHITE_MUG]] == pytest.approx(0.3, abs=0.02)
    assert max(found.p[BOOK], found.p[BOX]) < 0.02
    answer = execute(Select('one', Like('serve the salad in')), guessed(seen, {'bowl': 1.0}))
    assert answer.status == Status.LOW_CONFIDENCE and (answer.mask == seen.segments.masks[BOWL]).all()


def test_what_a_noun_with_a_text_is_does_not_depend_on_the_classes_that_the_text_describes(seen: Facts) -> None:
    """The mug with flowers on it is a mug, although flowers are in a vase."""
    program = Select('one', Like('with flowers on it', Filter('name', 'mug')))
    plain, described = (execute(program, guessed(seen, classes)) for classes in (None, {'vase': 1.0, 'bowl': 0.5}))
    assert (plain.mask == described.mask).all() and plain.reason == described.reason
    with_name = guessed(seen, {'bowl': 1.0}).like('with flowers on it')
    assert with_name.p == pytest.approx(guessed(seen, None).like('with flowers on it').p)


def test_a_text_that_describes_no_class_is_compared_with_the_regions(seen: Facts) -> None:
    found = guessed(seen, None).like('what my uncle likes', alone=True, named=False)
    assert int(found.p.argmax()) == BOX and found.p[BOX] == pytest.approx(MAX_LIKE)
    silent = replace(guessed(seen, None), similarity=None).like('what my uncle likes', alone=True, named=False)
    assert (silent.high - silent.low == 1).all() and 'cannot be determined' in str(silent.notes)


def test_a_colour_in_a_free_text_tells_things_of_one_name_apart(seen: Facts) -> None:
    """The mug with the yellow rim, of two mugs; a colour that none has refuses; without one, the text leaves doubt."""
    traces = np.zeros((len(seen), len(COLOURS)))
    traces[WHITE_MUG, COLOURS.index('yellow')] = 0.9
    assert isinstance(seen.properties, Seen)
    facts = replace(seen, properties=replace(seen.properties, make_traces=lambda: traces), _cache={})
    mugs = Filter('name', 'mug')
    answer = execute(Select('one', Like('with the yellow rim', mugs)), facts)
    assert answer.status == Status.LOW_CONFIDENCE and (answer.mask == seen.segments.masks[WHITE_MUG]).all()
    dark = traces.copy()
    dark[RED_MUG, COLOURS.index('dark')] = 0.9
    darker = replace(seen, properties=replace(seen.properties, make_traces=lambda: dark), _cache={})
    assert execute(Select('one', Like('with the dark handle', mugs)), darker).chosen == (RED_MUG,)
    nobody = execute(Select('one', Like('with the pink handle', mugs)), facts, Options(present=0.3, absent=0.02))
    assert nobody.status != Status.OK and nobody.evidence.best < 0.02
    assert nobody.none == 'a mug is seen, but none like "with the pink handle"'
    unsaid = execute(Select('all', Like('with the chipped rim', mugs)), facts)
    assert (unsaid.mask == execute(Select('all', mugs), facts).mask).all()
    assert unsaid.status == Status.LOW_CONFIDENCE and 'chipped rim' in unsaid.reason
