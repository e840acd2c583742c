"""Intents: names of programs with a single property."""

from converseg_ros.programs.intents import OTHER, condition, intent_of, intents
from converseg_ros.programs.nodes import Everything, Filter, Rank, Select, Things, Union


def test_each_intent_is_a_program_of_that_intent() -> None:
    assert len(set(intents())) == len(intents())
    for intent in intents():
        if intent != OTHER:
            assert intent_of(Select('all', condition(intent))) == intent


def test_tags_with_the_words_of_another_intent_are_that_intent() -> None:
    assert intent_of(Select('all', Filter('tag', 'tippy'))) == 'physics.tips'
    assert intent_of(Select('one', Filter('tag', 'transparent', Things()))) == 'material.transparent'
    assert intent_of(Select('all', Filter('tag', 'sit'))) == 'sittable'


def test_programs_with_more_or_other_conditions_are_other() -> None:
    edible = Filter('tag', 'edible', Everything())
    for program in (
        Select('one', Filter('tag', 'edible', Filter('name', 'apple'))),
        Select('all', Filter('colour', 'red', Things())),
        Select('all', Filter('colour', 'red', edible)),
        Rank('size', 'max', edible),
        Select('all', Union((edible, Filter('tag', 'drinkable')))),
    ):
        assert intent_of(program) == OTHER
