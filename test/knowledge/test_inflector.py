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
        ('furniture', 'pieces of furniture'),
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


def test_a_counted_mass_noun_is_the_noun() -> None:
    assert singular('piece of furniture') == 'furniture'


def test_all_known_nouns_survive_both_ways() -> None:
    count = [t for t in knowledge.things().values() if not t.plural_only and not t.mass]
    assert not [t.name for t in count if singular(t.name) != t.name]
    assert not [(t.name, plural(t.name)) for t in count if singular(plural(t.name)) != t.name]


@pytest.mark.parametrize(
    ('noun', 'phrase'), [('apple', 'an'), ('mug', 'a'), ('umbrella', 'an'), ('uniform', 'a'), ('hourglass', 'an')]
)
def test_article(noun: str, phrase: str) -> None:
    assert article(noun) == phrase
