"""Texts with other nouns mean the programs with these nouns."""

from pathlib import Path
import random

import pytest

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import plural
from converseg_ros.programs.canonical import canonical
from converseg_ros.programs.exclusion import said_plainly
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.nodes import Filter, FreeSpace, Like, Node, Parts, Relate, Select, Things
from converseg_ros.programs.phrasing.words import countable
from converseg_ros.programs.spans import split
from converseg_ros.training.parser.source import read
from converseg_ros.training.parser.swaps import named, renamed, replaceable, reworded, varied

PEOPLE = Path(__file__).resolve().parents[3] / 'converseg_ros/programs/phrasing/data/written.jsonl'


def name(noun: str) -> Filter:
    return Filter('name', noun)


def swapped(text: str, program: Node, others: dict[str, str]) -> tuple[str, Node]:
    return reworded(text, replaceable(text, program), others), renamed(program, others)


@pytest.mark.parametrize(
    ('text', 'others', 'expected'),
    [
        ('a mug and the knives', {'mug': 'apple', 'knife': 'box'}, 'an apple and the boxes'),
        ('An orange mug, a mug', {'mug': 'apple'}, 'An orange apple, an apple'),
        ('an onion next to knives', {'onion': 'uniform'}, 'a uniform next to knives'),
        ('An onion', {'onion': 'mug'}, 'A mug'),
        ('Mugs near the MUG', {'mug': 'leaf'}, 'leaves near the leaf'),
        ('the mug-holder of the mug', {'mug': 'leaf'}, 'the mug-holder of the leaf'),
        ("the mug's lid in a smug way", {'mug': 'leaf'}, "the leaf's lid in a smug way"),
        ('the coffee mug and a mug', {'mug': 'onion'}, 'the coffee mug and an onion'),
        ('the coffee mugs and a mug', {'coffee mug': 'axe', 'mug': 'coffee mug'}, 'the axes and a coffee mug'),
    ],
)
def test_nouns_are_replaced_in_their_number_with_the_right_article(text: str, others: dict[str, str], expected) -> None:
    assert reworded(text, ['coffee mug', 'onion', 'knife', 'mug'], others) == expected


def test_a_program_gets_the_nouns_of_its_text() -> None:
    on = Relate('on', FreeSpace(name('desk'), thing='knife'), name('desk'))
    text, program = swapped('room for a knife on the desk', Select('one', on), {'knife': 'oar', 'desk': 'bed'})
    assert text == 'room for an oar on the bed'
    assert program == Select('one', Relate('on', FreeSpace(name('bed'), thing='oar'), name('bed')))


def test_copied_words_and_implied_nouns_stay() -> None:
    behind = Relate('next_to', name('person'), name('person'))
    assert replaceable('who is next to the person', Select('one', behind)) == []
    assert replaceable('the person next to the other person', Select('one', behind)) == ['person']
    like = Like('with a mug on it', name('shirt'))
    assert replaceable('the mug by the shirt with a mug on it', Relate('next_to', name('mug'), like)) == ['shirt']
    assert replaceable('the handle of the pan', Parts('handle', name('pan'))) == ['pan']
    assert replaceable('something red', Filter('colour', 'red', Things())) == []
    behind = Relate('behind', name('spool of filament'), Filter('colour', 'black', name('spool')))
    assert replaceable('the spool of filament behind the black one', behind) == []
    assert replaceable('the spool of filament behind the black spool', behind) == ['spool of filament', 'spool']


def test_the_nouns_of_programs_are_those_of_the_varied_texts() -> None:
    """Every program that the words of a text can write is still written by the words of the varied text."""
    grammar, rng = Grammar(tuple(knowledge.tags())), random.Random(0)
    rows = read(str(PEOPLE))
    changed = 0
    for text, program in rng.sample(rows, 500):
        said, other = varied(rng, text, program)
        assert (said == text) == (other == program)
        changed += said != text
        new = {named(node) for node in other.walk()} - {named(node) for node in program.walk()}
        assert all(any(form in said.lower() for form in (noun, plural(noun))) for noun in new), (text, said)
        if writable(grammar, text, program):
            assert writable(grammar, said, other), (text, said)
    assert 150 < changed < 400


def writable(grammar: Grammar, text: str, program: Node) -> bool:
    try:
        grammar.write(canonical(program), split(said_plainly(text)))
    except InputError:
        return False
    return True


def test_the_same_random_numbers_give_the_same_texts() -> None:
    program = Select('one', Relate('next_to', name('mug'), name('plate')))
    made = [[varied(random.Random(seed), 'the mug by the plate', program) for seed in range(30)] for _ in range(2)]
    assert made[0] == made[1] and len({text for text, _ in made[0]}) > 15
    assert ('the mug by the plate', program) in made[0]  # some stay as they were written


def test_new_nouns_can_be_counted() -> None:
    assert {'mug', 'apple'} <= set(countable()) and not {'water', 'scissors', 'rice'} & set(countable())
    assert len(countable()) > 2000
