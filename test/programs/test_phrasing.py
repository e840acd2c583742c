"""Programs are said in many well-formed ways, the same for the same seed, and what is quoted stands in the text."""

from collections import Counter
import random
import re

import pytest

from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import tags
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.canonical import equal
from converseg_ros.programs.nodes import (
    NODES,
    Act,
    Everything,
    Except,
    Filter,
    FreeSpace,
    Like,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Things,
    Union,
    program_from_json,
    program_to_json,
)
from converseg_ros.programs.phrasing import draw, sample, say
from converseg_ros.programs.phrasing.forms import count, forms
from converseg_ros.programs.phrasing.free_text import free_text, kind_of
from converseg_ros.programs.phrasing.properties import rearranged
from converseg_ros.programs.phrasing.templates import Template, Templates, entries, tidy
from converseg_ros.programs.spans import find_span, split

MUG = Filter('name', 'mug')
PLATE = Filter('name', 'plate')
EXAMPLES: dict[str, Node] = {
    'name': Select('one', MUG),
    'things': Select('all', Filter('colour', 'red', Things())),
    'everything': Select('all', Filter('tag', 'cuts')),
    'colour': Select('all', Filter('colour', 'blue', MUG)),
    'material': Select('one', Filter('material', 'wood', Filter('name', 'spoon'))),
    'state': Select('all', Filter('state', 'open', Filter('name', 'drawer'))),
    'physics': Select('all', Filter('physics', 'tips', Things())),
    'region': Select('all', Filter('region', 'left', MUG)),
    'relate': Select('all', Relate('on', Things(), Filter('name', 'table'))),
    'rank': Select('one', Rank('height', 'max', Things())),
    'distance': Select('one', Rank('distance_to', 'min', MUG, anchor=PLATE)),
    'act': Select('all', Act('holding', 'patient', other=Filter('name', 'man'))),
    'parts': Select('one', Parts('handle', MUG)),
    'grip': Select('one', Parts('grip', MUG)),
    'free': FreeSpace(Filter('name', 'table'), 'plate'),
    'union': Union((Select('one', MUG), Select('one', PLATE))),
    'except': Select('all', Except(Things(), MUG)),
    'select': Select(2, MUG),
    'of_two': Select('one', Rank('x', 'min', Select(2, Filter('name', 'bowl')))),
    'like': Select('one', Like('with a cat printed on it', MUG)),
}


@pytest.mark.parametrize('name', EXAMPLES)
def test_each_form_is_said_in_many_ways(name: str) -> None:
    rng = random.Random(0)
    assert len({say(EXAMPLES[name], rng) for _ in range(300)}) >= 60


def test_the_examples_cover_all_operations() -> None:
    assert {n.op for root in EXAMPLES.values() for n in root.walk()} == set(NODES)


@pytest.mark.parametrize('name', SUB_CONCEPTS)
def test_each_sub_concept_has_a_form_with_many_phrases(name: str) -> None:
    assert sum(count(form) for form in forms()[name]) >= 15


def test_the_vocabulary_can_be_said() -> None:
    """Every closed value is said, so that the parser can learn it."""
    properties, spatial, ranks, acts = (entries(f) for f in ('properties', 'spatial', 'ranks', 'acts'))
    assert {f'state.{x}' for x in v.STATES} | {f'physics.{x}' for x in v.PHYSICS} <= properties.keys()
    assert {f'region.{x}' for x in v.REGIONS} <= properties.keys()
    assert {f'relate.{x}' for x in v.RELATIONS} <= spatial.keys()
    assert {f'{k}.{o}' for k in v.RANK_KEYS for o in ('max', 'min')} <= ranks.keys()
    assert {key.split('.')[0] for key in acts} == set(v.ACTS)
    assert entries('tags').keys() | v.SAID_BY_FILTERS.keys() >= tags().keys()


def test_tables_know_only_what_exists() -> None:
    assert entries('tags').keys() <= tags().keys()


@pytest.mark.parametrize('part', ['train', 'held_out'])
def test_samples_are_valid_programs_and_well_formed_texts(part: str) -> None:
    for seed in range(3000):
        text, node = sample(random.Random(seed), part)
        assert program_from_json(program_to_json(node)) == node
        assert text == ' '.join(text.split()) and text[0] not in ',;.?'
        assert not re.search(r'[{}()\[\]|~]', text), text
        assert len(text) > 2


def test_samples_are_the_same_for_the_same_seed() -> None:
    assert [sample(random.Random(7)) for _ in range(3)] == [sample(random.Random(7))] * 3


def test_samples_reach_every_operation_and_closed_value() -> None:
    rng = random.Random(1)
    seen: Counter[str] = Counter()
    for _ in range(20000):
        for node in draw(rng).walk():
            seen[node.op] += 1
            if isinstance(node, Filter):
                seen[f'{node.by}.{node.value}'] += 1
            elif isinstance(node, Relate):
                seen[node.relation] += 1
            elif isinstance(node, Rank):
                seen[f'{node.key}.{node.order}'] += 1
            elif isinstance(node, Act):
                seen[node.kind] += 1
    wanted = {*NODES, *v.RELATIONS, *v.ACTS, *(f'colour.{c}' for c in v.COLOURS), *(f'state.{c}' for c in v.STATES)}
    wanted |= {f'material.{m}' for m in v.MATERIALS} | {f'physics.{p}' for p in v.PHYSICS}
    assert {w for w in wanted if seen[w] < 5} == set()


def test_what_a_program_quotes_stands_in_the_text() -> None:
    """Nouns and free text are copied from the text, so that they must be found there."""
    missing = []
    for seed in range(2000):
        text, root = sample(random.Random(seed))
        words = split(text)
        for node in root.walk():
            slot, value = 'noun', ''
            if isinstance(node, Filter) and node.by == 'name':
                value = node.value
            elif isinstance(node, Parts) and node.noun != 'grip':
                value = node.noun
            elif isinstance(node, FreeSpace):
                value = node.thing
            elif isinstance(node, Like):
                slot, value = 'text', node.text
            if value and value not in v.IMPLIED_NOUNS and find_span(slot, value, words) is None:
                missing.append((value, text))
    assert len(missing) <= 4, missing


def test_a_noun_phrase_has_no_frame() -> None:
    rng = random.Random(3)
    texts = {say(EXAMPLES['relate'], rng, style='phrase') for _ in range(100)}
    assert all(t.startswith(('every', 'anything', 'each ', 'all the ')) for t in texts), texts


@pytest.mark.parametrize(
    ('node', 'text'),
    [
        (Select('one', Rank('height', 'max', Relate('on', Things(), Filter('name', 'table')))), '(tall|high|height)'),
        (Select('one', Rank('x', 'min', Filter('name', 'book'), first=3)), '(third|3rd)'),
        (
            Select('all', Except(MUG, Filter('colour', 'red', MUG))),
            r"(not|n't|but|except|other|apart|aside|without|minus|besides|counting|leaving|save|excluding)\b",
        ),
    ],
)
def test_words_follow_from_the_program(node: Node, text: str) -> None:
    rng = random.Random(5)
    assert sum(bool(re.search(text, say(node, rng))) for _ in range(50)) >= 20


def test_conditions_are_said_in_any_order_without_a_change_of_meaning() -> None:
    rng = random.Random(2)
    programs = [draw(rng) for _ in range(2000)]
    others = [rearranged(p, rng) for p in programs]
    assert all(equal(a, b) for a, b in zip(programs, others, strict=True))
    assert sum(a != b for a, b in zip(programs, others, strict=True)) > 50


@pytest.mark.parametrize('kind', ['deed', 'doing'])
def test_bare_verb_phrases_are_known_again(kind: str) -> None:
    rng = random.Random(4)
    assert all(kind_of(free_text(rng, kind)) for _ in range(300))
    others = [free_text(rng, other) for other in ('behind', 'adjective', 'superlative') for _ in range(100)]
    assert not any(kind_of(text) for text in others)


def test_held_out_templates_are_never_trained_on() -> None:
    table = Templates('t', [f'phrase {i}' for i in range(200)])
    rng = random.Random(0)
    trained = {table.pick(rng, 'train').text for _ in range(4000)}
    held = {t.text for t in table.held}
    assert 5 <= len(held) <= 40 and not trained & held
    assert {table.pick(rng, 'held_out').text for _ in range(2000)} >= held


def test_templates_have_alternatives_and_slots() -> None:
    template = Template('t', '[please] (show|find) {np}')
    rng = random.Random(0)
    assert {tidy(template.fill(rng, {'np': 'a owl'})) for _ in range(60)} == {
        'please show an owl', 'please find an owl', 'show an owl', 'find an owl',
    }  # fmt: skip
    for text in ('(show|find', 'show] it', '(show]'):
        with pytest.raises(InputError, match='not balanced'):
            Template('t', text)


def test_a_form_without_phrases_is_an_error() -> None:
    assert count('tags.of_no_kind') == 0
    with pytest.raises(InputError, match='no phrases'):
        say(Select('all', Filter('tag', 'of_no_kind', Everything())), random.Random(0))
