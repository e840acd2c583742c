"""The nouns that a namer can tell apart."""

import numpy as np

from converseg_ros import knowledge
from converseg_ros.knowledge.vocabulary import imagenet_nouns, vocabulary

NO_NOUN = {916}  # a web site is nothing that stands on a table


def test_every_imagenet_class_has_a_noun_or_is_known_to_have_none() -> None:
    nouns = imagenet_nouns()
    assert {i for i, noun in enumerate(nouns) if not noun} == NO_NOUN
    words = vocabulary()
    assert len(words.names) >= 1200
    assert (words.imagenet >= 0).sum() == 1000 - len(NO_NOUN)
    assert len(set(nouns)) > 550


def test_everyday_words_stand_for_the_classes_of_imagenet() -> None:
    nouns = imagenet_nouns()
    said = {504: 'mug', 207: 'dog', 281: 'cat', 740: 'drill', 999: 'toilet paper', 968: 'cup', 587: 'hammer'}
    assert {i: nouns[i] for i in said} == said


def test_the_index_finds_what_knowledge_says_that_a_noun_denotes() -> None:
    words = vocabulary()
    for noun in ('cup', 'tools', 'ball', 'wrench', 'piece of furniture', 'food', 'glasses', 'sofa', 'flumadiddle'):
        assert {words.names[i]: share for i, share in words.denoted(noun).items()} == dict(knowledge.denoted(noun))


def test_members_say_how_far_each_noun_counts() -> None:
    words = vocabulary()
    table = words.members(['cup', 'mug'])
    assert table.shape == (2, len(words.names))
    assert table[0, words.index['mug']] == 1
    assert 0 < table[1, words.index['cup']] < 1
    assert not np.any(table[:, words.index['hammer']])


def test_plurals_and_further_names_find_their_noun() -> None:
    words = vocabulary()
    assert words.find('coffee mugs') == words.index['mug']
    assert words.find('spanner') == words.index['wrench']
    assert words.find('flumadiddle') is None
