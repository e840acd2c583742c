"""Queries: the class of a noun, classes with a property, classes that can be confused."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from converseg_ros.knowledge.entries import Appearance, Statement, Tag, Thing, Use
from converseg_ros.knowledge.inflector import plural, singular
from converseg_ros.knowledge.loader import knowledge

LOOSE = 0.5
"""The weight of a class for a loose name."""


@cache
def _by_name() -> tuple[dict[str, Thing], dict[str, Thing]]:
    """Return classes by their usual name, and by their other names, in lower case; the first class wins."""
    usual = {t.name.lower(): t for t in things().values()}
    further: dict[str, Thing] = {}
    for t in things().values():
        for name in t.names:
            further.setdefault(name.lower(), t)
    return usual, further


def things() -> Mapping[str, Thing]:
    """Return all classes by name, the labelled ones first."""
    return knowledge().things


@cache
def labelled() -> tuple[str, ...]:
    """Return the names of the classes that label sources use: those of COCO and of the rendered scenes."""
    return tuple(t.name for t in things().values() if t.labelled)


@cache
def thing(noun: str) -> Thing | None:
    """Return the class that a noun means, or None if it is unknown.

    The noun may be a plural, another name, or COCO's spelling. A longer name whose last word is known is a class of
    that kind: 'steak knife' is a knife with its own name.
    """
    if found := _named(noun):
        return found
    name = singular(knowledge().coco_names.get(noun, noun))
    before, _, head = name.rpartition(' ')
    base = things().get(head) if before else None
    return base and replace(base, name=name, names=(name, *base.names), labelled=False)


def _named(noun: str) -> Thing | None:
    """Return the class with this name, in the singular or the plural."""
    name = knowledge().coco_names.get(noun, noun)
    forms = [form.lower() for form in (name, singular(name), plural(name))]
    return next((table[form] for table in _by_name() for form in forms if form in table), None)


def is_known(noun: str) -> bool:
    """Return whether a noun is the name of a class, not only a longer name whose last word is one."""
    return _named(noun) is not None


@cache
def implies(noun: str, tag: str) -> bool:
    """Return whether every class that a noun may mean has a tag: all forks are to eat with."""
    return bool(denoted(noun)) and all(tag in things()[name].tags for name in denoted(noun))


def class_of(category: str) -> Thing:
    """Return the class of a label's category; an unknown category becomes a class with this name and no facts."""
    return thing(category) or Thing(category, (category,))


@cache
def meanings(noun: str) -> tuple[Thing, ...]:
    """Return all classes that a noun can mean, the most likely first: 'glasses' are spectacles or drinking glasses."""
    found = [thing(noun), thing(singular(noun))]
    form = singular(noun).lower()
    found += [t for t in things().values() if form in (n.lower() for n in t.names)]
    return tuple(dict.fromkeys(t for t in found if t is not None))


@cache
def _kinds_called() -> Mapping[str, tuple[str, ...]]:
    """Return wider kinds by each of their names in lower case: 'tableware' names dishes and cutlery."""
    found: dict[str, tuple[str, ...]] = {}
    for k in knowledge().kinds.values():
        for name in (k.name, k.one, *k.names):
            for form in {name.lower(), singular(name).lower()} - {''}:
                found[form] = (*found.get(form, ()), k.name)
        if k.many:
            found[k.many.lower()] = (k.name,)
    return found


def _wide(noun: str) -> tuple[str, ...]:
    return _kinds_called().get(noun.lower()) or _kinds_called().get(singular(noun).lower(), ())


def kind(noun: str) -> str | None:
    """Return the wider kind that a noun names ('tools', 'seats', 'piece of furniture'), or None."""
    return next(iter(_wide(noun)), None)


@cache
def _called() -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]:
    """Return the classes by their names, loose names (both in lower case) and kinds."""
    names, loose, of_kind = defaultdict(list), defaultdict(list), defaultdict(list)
    for t in things().values():
        for name in {n.lower() for n in t.names}:
            names[name].append(t.name)
        for name in {n.lower() for n in t.loose_names}:
            loose[name].append(t.name)
        for k in t.kinds:
            of_kind[k].append(t.name)
    return names, loose, of_kind


@cache
def denoted(noun: str) -> Mapping[str, float]:
    """Return the classes that a noun may mean: 1.0 by one of their names or kinds, 0.5 by a loose name.

    'knife' also denotes kitchen knives and bread knives; 'tools' denotes all classes of this kind.
    """
    own = thing(noun)
    forms = {singular(noun).lower(), noun.lower()} | ({own.name.lower()} if own else set())
    names, loose, of_kind = _called()
    found = {t: LOOSE for f in forms for t in loose.get(f, ())}
    found |= {t: 1.0 for f in forms for t in names.get(f, ())}
    return found | {t: 1.0 for k in _wide(noun) for t in of_kind.get(k, ())}


@cache
def senses(noun: str, tag: str) -> tuple[str, ...]:
    """Return the nouns that a noun stands for in a text about a thing with a tag, the noun itself first.

    If its usual class need not have the tag, these include the classes with the tag that it is a loose name of: a bench
    is a seat, but what things are set down on may also be a workbench.
    """
    own = thing(noun)
    if own is None or tag in own.tags:
        return (noun,)
    _, loose, _ = _called()
    return (noun, *(name for name in loose.get(noun.lower(), ()) if tag in things()[name].tags))


def nouns() -> tuple[str, ...]:
    """Return the usual names of all classes."""
    return tuple(things())


def tags() -> Mapping[str, Tag]:
    """Return all tags by name."""
    return knowledge().tags


def kinds(noun: str) -> tuple[str, ...]:
    """Return the wider kinds of a noun, the nearest first; () if it is unknown."""
    found = thing(noun)
    return found.kinds if found else ()


@cache
def nouns_with(tag: str) -> Mapping[str, float]:
    """Return the classes that have a tag, with 1.0, and those that opinions differ about, with 0.5."""
    if tag not in tags():
        raise KeyError(tag)
    return {t.name: 1.0 if tag in t.tags else 0.5 for t in things().values() if tag in t.tags or tag in t.doubtful}


@cache
def nouns_of(material: str) -> Mapping[str, float]:
    """Return the classes that may be of a material: 1.0 for those that usually are, 1/2 for a second material, ..."""
    return {t.name: 1 / (1 + t.materials.index(material)) for t in things().values() if material in t.materials}


def footprint(noun: str) -> float | None:
    """Return the typical length in metres of the longer side of the footprint of a thing, or None."""
    found = thing(noun)
    return found.size[0] if found and found.size else None


@cache
def tags_decided_by_class() -> frozenset[str]:
    """Return the tags that depend on the class of a thing alone."""
    return frozenset(t.name for t in tags().values() if t.decided_by_class)


def use_phrases() -> Mapping[str, Use]:
    """Return the phrases that ask for a use, by tag."""
    return {t.name: t.use for t in tags().values() if t.use}


def appearance(noun: str) -> Appearance | None:
    """Return what the things that a noun means look like, if a network is not expected to know them, or None."""
    found = knowledge().appearances
    return found.get(noun) or found.get(singular(noun))


def statements() -> tuple[Statement, ...]:
    """Return what is known of the uses and behaviour of classes beyond the tags, for free texts."""
    return knowledge().statements


def confusable(a: Thing, b: Thing) -> bool:
    """Return whether somebody could call an `a` by a name of `b`."""
    if b.name in _look_alikes(a.name) or a.name in b.kinds or b.name in a.kinds:
        return True
    mine, theirs = _names_and_words(a.names, a.loose_names), _names_and_words(b.names, b.loose_names)
    return not all(x.isdisjoint(y) for x, y in zip(mine, theirs))


@cache
def _look_alikes(name: str) -> frozenset[str]:
    """Return the classes that look like a class, itself included if there are any."""
    return frozenset().union(*(group for group in knowledge().look_alikes if name in group))


@cache
def _names_and_words(names: tuple[str, ...], loose: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Return all names of a class, and the words in them that have a meaning of their own."""
    words = frozenset(w for n in (*names, *loose) for w in n.lower().split())
    return frozenset((*names, *loose)), words - {'of', 'a', 'and'}


@cache
def cousins(category: str) -> tuple[str, ...]:
    """Return the labelled classes of the same kind that cannot be confused with `category`, the closest first."""
    mine = class_of(category)
    scored = []
    for name in labelled():
        other = things()[name]
        shared = len(set(mine.kinds) & set(other.kinds))
        if shared and other.name != mine.name and not confusable(mine, other):
            scored.append((-shared, -len(mine.tags & other.tags), other.name))
    return tuple(name for *_, name in sorted(scored))
