"""Constructions of whole requests around another request.

A place or an exception is given first ("in the toolbox, find ...", "apart from the plates, what is ..."), an object is
introduced before something is asked about it ("there is a vise on the bench. what is right of it?"), a noun is followed
by the one that is meant ("I need a mug, the one on the coaster"), or the speaker corrects a noun ("the fork, sorry, the
spoon").
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
import re
from typing import Any

from converseg_ros.knowledge import thing
from converseg_ros.programs.nodes import Act, Except, Filter, FreeSpace, Like, Node, Parts, Rank, Relate, Select
from converseg_ros.programs.phrasing.noun_phrase import anchor_phrase, left_out, phrase, pieces
from converseg_ros.programs.phrasing.pieces import determine
from converseg_ros.programs.phrasing.properties import PLACES, entry, is_bare, split
from converseg_ros.programs.phrasing.questions import BEFORE_WHICH
from converseg_ros.programs.phrasing.talk import Talk
from converseg_ros.programs.phrasing.templates import Templates, lists, with_knowledge
from converseg_ros.programs.phrasing.words import draw_noun, group, is_mass, is_plural_only, is_somebody
from converseg_ros.programs.vocabulary import COLOURS

Say = Callable[[Talk, Node], str]
Construction = Callable[[Talk, Node, Say], str | None]

OFTEN = 0.2
"""Share of requests for which a construction is tried."""
DEEPEST = 2
"""The most constructions around one request."""
SIDES = frozenset({'left', 'right', 'top', 'bottom'})
"""Places in the image that are a place in an order for one thing: "the mug on the left"."""
_OWNED = re.compile(
    r"\bit's (?=(?:left|right|own|nearest|lefthand|righthand|hands?|grip|grasp|gripper|fingers?|head|feet|back|body|"
    r'face|point|perspective|palm|fist|claw|paw|lips)\b)'
)


_TOLD = re.compile(r'^(?:I\b|my\b|the\b|there\b|it\b|we\b|this\b|these\b|our\b|somebody\b|\((?:the|my|I|this|it|we)\b)')
_ASKED = re.compile(
    r'\b(?:what|which|who|where|how|any|anything|something|find|show|give|feed|please|get rid|area)\b|[?{]',
    re.IGNORECASE,
)


def constructed(talk: Talk, node: Node, say: Say) -> str | None:
    """Return a request in one of the constructions, or None; `say` gives the request inside of it."""
    if len(talk.constructions) >= DEEPEST or not talk.chance(OFTEN):
        return None
    forms = [name for name in CONSTRUCTIONS if name not in talk.constructions]
    talk.rng.shuffle(forms)
    for name in forms:
        talk.constructions.add(name)
        text = CONSTRUCTIONS[name](talk, node, say)
        talk.constructions.remove(name)
        if text is not None:
            return text
    return None


def _chain(node: Node) -> Iterator[Node]:
    """Yield the selections and conditions of a program from the outermost to its base."""
    while isinstance(node, Select | Rank | Filter | Relate | Act | Like | Except):
        yield node
        if isinstance(node, Filter) and node.by == 'name':
            return
        if isinstance(node, Except) and getattr(node.minus, 'of', None) == node.of:
            return  # what is left out repeats the conditions below
        node = node.of


def _without(node: Any, condition: Node) -> Node:
    """Return a program without one of the conditions of its chain."""
    rest: Node = node.of
    return rest if node is condition else replace(node, of=_without(rest, condition))


def _place_first(talk: Talk, node: Node, say: Say) -> str | None:
    """Return 'in the toolbox, find me the longest screw'."""
    if isinstance(node, FreeSpace):
        if node.on is None:
            return None
        filled = {'w': f'on {anchor_phrase(talk, node.on)[0]}', 's': say(talk, replace(node, on=None))}
        return talk.fill(lists('constructions')['place_first_free'], filled)
    one = isinstance(node, Select) and node.quantity != 'all'
    places = [n for n in _chain(node) if _place_key(n, one)]
    if not places:
        return None
    place = talk.choose(places)
    rest = _without(node, place)
    if is_bare(rest.of if isinstance(rest, Select) else rest):
        return None
    filled = {}
    if isinstance(place, Relate):
        filled['a'] = anchor_phrase(talk, place.anchor)[0]
        if place.other is not None:
            filled['b'] = anchor_phrase(talk, place.other)[0]
    where = talk.fill(lists('constructions')[_place_key(place, one)], filled)
    return talk.fill(lists('constructions')['place_first'], {'w': where, 's': say(talk, rest)})


def _place_key(node: Node, one: bool) -> str:
    """Return the list of phrases for a place that may stand before a request, or ''."""
    if isinstance(node, Relate) and (node.relation != 'between' or node.other is not None):
        key = f'place.{node.relation}'
    elif isinstance(node, Filter) and node.by == 'region' and not (one and node.value in SIDES):
        key = f'place.{"region_near" if node.value == "near" else node.value}'
    else:
        return ''
    return key if key in lists('constructions') else ''


def _exception_aside(talk: Talk, node: Node, say: Say) -> str | None:
    """Return 'apart from the plates, what else is on the table?' or 'bring me a mug. just not the red one'."""
    found = next((n for n in _chain(node) if isinstance(n, Except)), None)
    if not isinstance(found, Except):
        return None
    many = not isinstance(node, Select) or node.quantity != 'one' or isinstance(node.of, Rank)
    out, request = left_out(talk, found, many), say(talk, _without(node, found))
    if talk.chance(0.5):
        if talk.chance(0.4):
            request = re.sub(r'^(what|who|which things|anything|something)\b', r'\1 else', request, flags=re.IGNORECASE)
        return talk.fill(lists('constructions')['exception_first'], {'t': out, 's': request})
    filled = {'t': out, 's': request.rstrip('?.! ')}
    used = [n for n in _chain(found.of) if isinstance(n, Filter) and n.by == 'tag' and n.value in PLACES]
    if used and 'use' in (table := entry(used[0])[0]) and talk.chance(0.5):
        preposition = talk.fill(table['use'], {}).split()[-1]
        if preposition in BEFORE_WHICH:  # "I want to sit down, but not on the sofa"
            return talk.fill(lists('constructions')['exception_place'], {**filled, 't': f'{preposition} {out}'})
    return talk.fill(lists('constructions')['exception_last'], filled)


def _introduced(talk: Talk, node: Node, say: Say) -> str | None:
    """Return 'there is a vise on the bench. what is right of it?'."""
    anchors = [a for a in _anchors(node) if _can_introduce(a)]
    if not anchors or talk.known:
        return None
    anchor = talk.choose(anchors)
    base = split(anchor)[0]
    noun = base.value if isinstance(base, Filter) else ''
    ranked = any(isinstance(n, Rank) for n in _chain(anchor))
    np = phrase(talk, anchor, False, 'the' if ranked else talk.choose(('a', 'a', 'the')))
    named = (f'the {noun}', f'that {noun}')
    talk.known[anchor] = talk.choose(named if is_somebody(noun) else ('it', 'it', 'it', *named))
    request = say(talk, node)
    del talk.known[anchor]
    request = _OWNED.sub('its ', request)
    for part in (n.noun for n in node.walk() if isinstance(n, Parts)):
        request = re.sub(rf"\bit's (?={re.escape(part)})", 'its ', request)
    return talk.fill(lists('constructions')['introduced'], {'np': np, 's': request})


def _anchors(node: Node) -> Iterator[Node]:
    """Yield what a request relates to: the anchors of its relations, and what its parts or its free space belong to."""
    base = node
    for n in _chain(node):
        base = n.of  # type: ignore[attr-defined]
        found = n.anchor if isinstance(n, Relate | Rank) else n.other if isinstance(n, Act) else None
        if found is not None and getattr(n, 'relation', '') != 'between':
            yield found
    if isinstance(base, Parts):
        yield base.of
    elif isinstance(base, FreeSpace) and base.on is not None:
        yield base.on


def _can_introduce(anchor: Node) -> bool:
    """Return whether an object can be introduced with its noun, so that 'it' means it afterwards."""
    base = split(anchor)[0]
    named = isinstance(base, Filter) and base.by == 'name'
    return named and not (is_mass(base.value) or is_plural_only(base.value))  # type: ignore[attr-defined]


def _the_one(talk: Talk, node: Node, say: Say) -> str | None:
    """Return 'I need a mug, the one on the coaster'."""
    if not isinstance(node, Select) or node.quantity not in ('one', 'all'):
        return None
    base, modifiers = split(node.of)
    last, many = node.of, node.quantity == 'all'
    if not _can_introduce(base) or not modifiers or isinstance(last, Except):
        return None
    rest = last.of  # type: ignore[attr-defined]
    if isinstance(rest, Select):
        return None
    alone = pieces(talk, replace(last, of=base), many)  # type: ignore[call-arg]
    alone.noun = 'ones' if many else 'one'
    head = pieces(talk, rest, many).text()
    key = 'the_ones' if many else 'the_one'
    return talk.fill(lists('constructions')[key], {'h': head, 'one': determine(talk, alone, 'the')})


def _corrected(talk: Talk, node: Node, say: Say) -> str | None:
    """Return 'the fork, sorry, the spoon on the plate'."""
    if not isinstance(node, Select) or node.quantity not in ('one', 'all') or not talk.chance(0.3):
        return None
    base, _ = split(node.of)
    if not _can_introduce(base):
        return None
    many, noun = node.quantity == 'all', draw_noun(talk.rng)
    if is_mass(noun) or is_plural_only(noun) or noun == getattr(base, 'value', ''):
        return None
    wrong, np = (phrase(talk, x, many, 'the') for x in (Filter('name', noun), node.of))
    return talk.fill(lists('constructions')['corrected'], {'x': wrong, 'np': np})


def _delivered(talk: Talk, node: Node, say: Say) -> str | None:
    """Return 'hand the scissors to the woman in the blue shirt'."""
    if not isinstance(node, Select) or node.quantity not in ('one', 'all') or not talk.chance(0.4):
        return None
    base = split(node.of)[0]
    if not _can_introduce(base) or is_somebody(getattr(base, 'value', '')):
        return None
    person: Node = Filter('name', talk.choose(group('people')))
    if is_plural_only(person.value):  # type: ignore[attr-defined]
        return None
    at = talk.rng.random()
    if at < 0.25:
        clothes = Filter('name', talk.choose(group('clothes')))
        colour = Filter('colour', talk.choose(COLOURS), clothes) if talk.chance(0.6) else clothes
        person = Act('wearing', 'agent', person, colour)
    elif at < 0.5:
        person = Relate(talk.choose(('next_to', 'behind', 'on', 'near', 'in_front_of')), person, _some(talk))
    elif at < 0.6:
        person = Act('holding', 'agent', person, _some(talk))
    many = node.quantity == 'all'
    filled = {'np': phrase(talk, node.of, many, 'the'), 'who': phrase(talk, person, False, 'the')}
    return talk.fill(lists('constructions')['delivered_many' if many else 'delivered'], filled)


def _some(talk: Talk) -> Node:
    return Filter('name', draw_noun(talk.rng))


def _with_reason(talk: Talk, node: Node, say: Say) -> str | None:
    """Return 'it is cold in here. is there a blanket?': a need, and the request that somebody derives from it."""
    base, modifiers = split(node.of if isinstance(node, Select) else node)
    used = [m.value for m in modifiers if isinstance(m, Filter) and m.by == 'tag']
    if used and is_bare(base):
        tag = used[0]
    elif isinstance(base, Filter) and not used:
        known = thing(base.value)
        own = sorted(known.tags & needs().keys()) if known else []
        tag = talk.choose(own if own and talk.chance(0.7) else sorted(needs()))
    else:
        return None
    if tag not in needs() or not talk.chance(0.7):
        return None
    return talk.fill(lists('constructions')['with_reason'], {'n': talk.fill(needs()[tag], {}), 's': say(talk, node)})


@cache
def needs() -> dict[str, Templates]:
    """Return the needs that are stated without a question, for each tag: 'it is cold in here'."""
    out = {}
    for tag, table in with_knowledge('tags').items():
        texts = [t.text for t in table['ask'].all] if 'ask' in table else []
        told = [t for t in texts if _TOLD.match(t) and not _ASKED.search(t)]
        if told:
            out[tag] = Templates(f'needs.{tag}', told)
    return out


CONSTRUCTIONS: dict[str, Construction] = {
    'place': _place_first,
    'exception': _exception_aside,
    'introduction': _introduced,
    'the one': _the_one,
    'correction': _corrected,
    'reason': _with_reason,
    'delivery': _delivered,
}
