"""Texts that leave something out are said in one way, and a program that asks for what a text leaves out is told."""

import pytest

from converseg_ros.programs.exclusion import contradiction, left_out, said_plainly
from converseg_ros.programs.nodes import Except, Filter, FreeSpace, Parts, Select, Things


@pytest.mark.parametrize(
    'text',
    [
        'no bowls',
        'none of the bowls',
        'not the bowls',
        'everything but the bowls.',
        'all but the bowls',
        'all the things except for the bowls',
        'anything other than the bowls',
        'things other than the bowls?',
        'Everything apart from the bowls',
    ],
)
def test_an_exclusion_is_said_in_one_way(text):
    assert said_plainly(text) == 'everything except the bowls'


@pytest.mark.parametrize(
    ('text', 'plain'),
    [
        ('anything that is not a bowl', 'everything except bowl'),
        ("things that aren't mugs", 'everything except mugs'),
        ('nothing but the mug', 'only the mug'),
        ('the books, but not the purple one', 'the books except the purple one'),
        ('the things on the table, no mugs', 'the things on the table except the mugs'),
        ('the mug that is not red', 'the mug except the red one'),
    ],
)
def test_other_ways_to_exclude(text, plain):
    assert said_plainly(text) == plain


@pytest.mark.parametrize(
    'text',
    [
        'no entry sign',
        'the non-stick pan',
        'something not too heavy',
        'the cup with no handle',
        'not only the mug but also the bowl',
        'what must I not touch',
        "the thing that isn't plugged in",
        'all but one of the chairs',
        'the notebook',
        'the mug that is not on the table',
    ],
)
def test_what_excludes_no_known_thing_stays_as_it_is(text):
    assert said_plainly(text) == text


BOWLS = Select('all', Filter('name', 'bowl'))
OTHERS = Select('all', Except(Things(), Filter('name', 'bowl')))


@pytest.mark.parametrize('text', ['no bowls', 'not a bowl', 'not the big bowl', "I don't want the bowl"])
def test_a_program_that_asks_for_what_is_left_out_is_told(text):
    assert 'bowl' in contradiction(text, BOWLS)
    assert contradiction(text, OTHERS) == ''


@pytest.mark.parametrize(
    'text', ['the bowls', 'nothing but the bowls', 'not only the bowls', 'bowls that are not full', 'not the mugs']
)
def test_a_program_for_what_is_asked_is_not_told_of(text):
    assert contradiction(text, BOWLS) == ''


def test_other_parts_of_programs_are_looked_at():
    assert contradiction('where is there no free space', FreeSpace())
    assert contradiction('not the handle', Parts('handle', Filter('name', 'mug')))
    assert 'all but one' in contradiction('all but one of the bowls', BOWLS)
    assert left_out('the cup that is not full, on the table') == ('full',)
