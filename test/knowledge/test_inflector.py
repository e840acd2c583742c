"""Singular and plural of nouns and noun phrases."""

import pytest

from converseg_ros import knowledge
from converseg_ros.knowledge import article, plural, singular


@pytest.mark.parametrize(
    ('one', 'many'),
    [
        ('knife', 'knives'),
        ('box', 'boxes'),
        ('glass', 'glasses'),
        ('wine glass', 'wine glasses'),
        ('bus', 'buses'),
        ('dish', 'dishes'),
        ('person', 'people'),
        ('computer mouse', 'computer mice'),
        ('battery', 'batteries'),
        ('toy', 'toys'),
        ('loaf of bread', 'loaves of bread'),
        ('pair of scissors', 'pairs of scissors'),
        ('piece of cloth', 'pieces of cloth'),
        ('tomato', 'tomatoes'),
        ('shoe', 'shoes'),
        ('tie', 'ties'),
    ],
)
def test_both_ways(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one
    assert singular(one) == one
    assert plural(many) == many


@pytest.mark.parametrize('noun', ['scissors', 'kitchen scissors', 'pliers', 'sheep', 'trousers', 'sunglasses'])
def test_nouns_with_one_form_keep_it(noun: str) -> None:
    assert singular(noun) == noun == plural(noun)


def test_a_mass_noun_is_counted() -> None:
    assert plural('furniture') == 'pieces of furniture'
    assert singular('pieces of furniture') == 'piece of furniture'


def test_all_known_nouns_survive_both_ways() -> None:
    count = [t.name for t in knowledge.things().values() if not t.plural_only and not t.mass]
    assert len(count) > 1000
    assert not [n for n in count if singular(n) != n]
    assert not [(n, plural(n)) for n in count if singular(plural(n)) != n]


@pytest.mark.parametrize(
    ('noun', 'phrase'), [('apple', 'an'), ('mug', 'a'), ('umbrella', 'an'), ('uniform', 'a'), ('hourglass', 'an')]
)
def test_article(noun: str, phrase: str) -> None:
    assert article(noun) == phrase
