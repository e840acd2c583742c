"""What other packages ask about classes of things."""

import pytest

from converseg_ros import knowledge


@pytest.mark.parametrize(
    ('noun', 'name'),
    [
        ('knives', 'knife'),
        ('Mug', 'mug'),
        ('sofa', 'couch'),
        ('tv', 'TV'),
        ('mirror-stuff', 'mirror'),
        ('pairs of scissors', 'scissors'),
        ('shoe', 'shoes'),
        ('key', 'keys'),
        ('wine glasses', 'wine glass'),
        ('people', 'person'),
        ('smartphones', 'cell phone'),
    ],
)
def test_a_noun_finds_its_class(noun: str, name: str) -> None:
    found = knowledge.thing(noun)
    assert found is not None and found.name == name


def test_an_unknown_noun_is_nothing() -> None:
    assert knowledge.thing('flumadiddle') is None
    assert knowledge.footprint('flumadiddle') is None
    assert knowledge.kinds('flumadiddle') == ()
    assert knowledge.class_of('flumadiddle').names == ('flumadiddle',)


def test_a_longer_name_is_a_class_of_its_last_word() -> None:
    found = knowledge.thing('flumadiddle knives')
    assert found is not None and found.name == 'flumadiddle knife'
    assert 'sharp' in found.tags and 'knife' in found.names


def test_an_ambiguous_noun_has_all_its_meanings() -> None:
    assert {m.name for m in knowledge.meanings('glasses')} >= {'glasses', 'glass'}
    assert knowledge.meanings('mug')[0].name == 'mug'


def test_doubtful_classes_count_half() -> None:
    sharp = knowledge.nouns_with('sharp')
    assert sharp['knife'] == 1.0 and sharp['screwdriver'] == 0.5 and 'pillow' not in sharp
    with pytest.raises(KeyError):
        knowledge.nouns_with('flumadiddle')


@pytest.mark.parametrize(
    ('tag', 'has', 'lacks'),
    [
        ('wearable', ('trousers', 'skirt', 'hat'), ('knife', 'chair')),
        ('openable', ('dishwasher', 'freezer', 'wall cabinet'), ('plate', 'apple')),
        ('edible', ('apple', 'pizza'), ('plate', 'soap')),
        ('drink', ('mug', 'glass'), ('plate', 'bucket')),
        ('electric', ('toaster', 'laptop'), ('mug', 'book')),
        ('alive', ('dog', 'potted plant'), ('teddy bear', 'hammer')),
        ('hang', ('coat rack', 'wardrobe'), ('table', 'mug')),
    ],
)
def test_common_knowledge(tag: str, has: tuple[str, ...], lacks: tuple[str, ...]) -> None:
    found = knowledge.nouns_with(tag)
    assert all(found.get(n) == 1.0 for n in has)
    assert not [n for n in lacks if n in found]


def test_cousins_are_labelled_classes_that_nobody_mixes_up() -> None:
    cousins = knowledge.cousins('mug')
    assert 'cup' not in cousins and 'glass' not in cousins
    assert cousins and set(cousins) <= set(knowledge.labelled())


def test_every_use_has_phrases_of_a_known_tag() -> None:
    assert set(knowledge.use_phrases()) <= set(knowledge.tags())
    assert all(use.verbs or use.sayings for use in knowledge.use_phrases().values())


@pytest.mark.parametrize(
    ('noun', 'names'),
    [
        ('water pump pliers', {'pipe wrench'}),
        ('pliers', {'pipe wrench', 'wire cutter', 'needle-nose pliers'}),
        ('side cutters', {'wire cutter'}),
        ('cutters', {'wire cutter', 'bolt cutter'}),
        ('power tools', {'cordless drill', 'jigsaw'}),
    ],
)
def test_tools_have_several_names(noun: str, names: set[str]) -> None:
    assert names <= knowledge.denoted(noun).keys()


def test_a_noun_denotes_its_hyponyms_and_a_kind_its_members() -> None:
    knives = knowledge.denoted('knives')
    assert knives['knife'] == knives['kitchen knife'] == knives['bread knife'] == 1.0
    assert 'fork' not in knives
    assert knowledge.denoted('tools')['hammer'] == 1.0
    assert knowledge.denoted('container')['mug'] == 0.5
    assert knowledge.denoted('kitten')['cat'] == knowledge.denoted('puppy')['dog'] == 0.5
    assert knowledge.denoted('flumadiddle') == {}


def test_a_bench_that_carries_things_may_be_a_workbench() -> None:
    assert knowledge.senses('bench', 'supports') == ('bench', 'workbench')
    assert knowledge.senses('bench', 'sittable') == ('bench',)
    assert knowledge.senses('table', 'supports') == ('table',)  # although a desk may be called a table
    assert knowledge.senses('flumadiddle', 'supports') == ('flumadiddle',)


@pytest.mark.parametrize(
    ('noun', 'kind'), [('tools', 'tool'), ('seat', 'seating'), ('pieces of furniture', 'furniture'), ('food', 'food')]
)
def test_a_noun_may_name_a_kind(noun: str, kind: str) -> None:
    assert knowledge.kind(noun) == kind
    assert knowledge.kind('flumadiddle') is None


def test_sizes_are_plausible_for_setting_things_down() -> None:
    plate, mug, table = (knowledge.footprint(n) for n in ('plate', 'mug', 'dining table'))
    assert plate and mug and table
    assert 0.08 <= mug <= 0.15 < 0.2 <= plate <= 0.32 < 1.2 <= table
    assert sum(t.size is not None for t in knowledge.things().values()) >= 1000


def test_there_are_enough_nouns_and_each_has_a_kind_or_tags() -> None:
    assert len(knowledge.nouns()) >= 1200
    bare = [t.name for t in knowledge.things().values() if not t.kinds and not t.tags and not t.labelled]
    assert not bare


def test_classes_of_a_material_have_the_weight_of_its_place() -> None:
    weights = knowledge.nouns_of('metal')
    assert weights['tin can'] == 1.0 and weights['table'] == 0.5 and 'paper' not in weights
