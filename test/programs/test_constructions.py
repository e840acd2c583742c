"""Constructions around a request keep what it asks for, and say it in the order that they stand for."""

import random
import re

import pytest

from converseg_ros.programs.nodes import Except, Filter, FreeSpace, Node, Parts, Relate, Select, Things
from converseg_ros.programs.phrasing.constructions import CONSTRUCTIONS, DEEPEST, constructed, needs
from converseg_ros.programs.phrasing.sentence import request
from converseg_ros.programs.phrasing.talk import Talk

MUG = Filter('name', 'mug')
IN_BOX = Relate('in', MUG, Filter('name', 'box'))
ON_TABLE = Relate('on', Things(), Filter('name', 'table'))
CASES: dict[str, tuple[Node, str]] = {
    'place': (Select('all', IN_BOX), r'\bbox(?:es)?\b'),
    'exception': (Select('all', Except(ON_TABLE, Filter('name', 'plate'))), r'\btables?\b'),
    'introduction': (Select('one', IN_BOX), r'\bmugs?\b'),
    'the one': (Select('one', IN_BOX), r'\bone\b'),
    'correction': (Select('one', MUG), r'\bmug\b'),
    'reason': (Select('one', Filter('name', 'blanket')), r'\bblankets?\b'),
    'delivery': (Select('one', MUG), r'\bmug\b'),
}


def _texts(name: str, node: Node) -> list[str]:
    texts = [CONSTRUCTIONS[name](Talk(random.Random(seed)), node, request) for seed in range(200)]
    return [t for t in texts if t is not None]


@pytest.mark.parametrize('name', CONSTRUCTIONS)
def test_a_construction_gives_many_texts_that_name_what_is_asked_for(name: str) -> None:
    node, words = CASES[name]
    texts = _texts(name, node)
    assert len(set(texts)) >= 40
    assert all(re.search(words, t) for t in texts), texts


def test_a_program_that_does_not_fit_has_no_construction() -> None:
    alone = Select('one', MUG)
    assert not any(_texts(name, alone) for name in ('place', 'exception', 'introduction', 'the one'))


def test_a_place_is_said_first_or_last_and_not_with_the_noun() -> None:
    for text in _texts('place', Select('all', IN_BOX)):
        assert not re.search(r'mugs? (?:that are |which are )?in(?:side)?(?: of)? (?:the|a) box', text) or ', ' in text


def test_an_introduced_object_is_called_again_by_a_pronoun_or_its_noun() -> None:
    node = Select('one', Parts('handle', MUG))
    for text in _texts('introduction', node):
        assert re.search(r'\bits?\b|\b(?:the|that) mug|mug.*\bmug', text), text
        assert "it's handle" not in text


def test_free_space_can_be_asked_for_after_its_surface() -> None:
    texts = _texts('introduction', FreeSpace(Filter('name', 'table'), 'plate'))
    assert texts and all('table' in t and 'plate' in t for t in texts)


def test_constructions_are_nested_at_most_so_often() -> None:
    talk = Talk(random.Random(0))
    deepest = 0

    def inner(talk: Talk, node: Node) -> str:
        nonlocal deepest
        deepest = max(deepest, len(talk.constructions))
        return constructed(talk, node, inner) or 'words'

    for _ in range(2000):
        constructed(talk, Select('all', Except(IN_BOX, Filter('name', 'cup'))), inner)
    assert deepest == DEEPEST and not talk.constructions and not talk.known


def test_reasons_are_statements() -> None:
    texts = [t.text for templates in needs().values() for t in templates.all]
    assert len(texts) >= 60
    assert not [t for t in texts if re.search(r'\?|\b(?:what|where|which|who)\b', t)]
