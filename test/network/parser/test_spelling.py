"""Typing errors in nouns are corrected; words that are right, rare or ambiguous stay as they are."""

import pytest

from converseg_ros.network.parser.pieces import Pieces
from converseg_ros.network.parser.spelling import Spelling
from converseg_ros.network.registry import find_model


@pytest.fixture(scope='module')
def spelling() -> Spelling:
    return Spelling(Pieces.load(find_model('compact')).vocabulary())


@pytest.mark.parametrize(
    ('typed', 'meant'),
    [
        ('kinfe', 'knife'),
        ('scisors', 'scissors'),
        ('bannana', 'banana'),
        ('screwdrivr', 'screwdriver'),
        ('tabel', 'table'),
        ('botle', 'bottle'),
    ],
)
def test_slips_in_nouns_are_corrected(spelling: Spelling, typed: str, meant: str) -> None:
    assert spelling.correct(typed) == meant


@pytest.mark.parametrize(
    'word',
    [
        'knife',
        'knives',
        'screwdrivers',
        'blck',
        'mgu',
        '20cm',
        "'s",
        'tallest',
        'please',
        'naïvé',
        'quagwiffle',
        'unlit',
    ],
)
def test_other_words_stay(spelling: Spelling, word: str) -> None:
    assert spelling.correct(word) == word
