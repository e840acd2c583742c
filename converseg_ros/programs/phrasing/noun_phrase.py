"""Noun phrases of nodes: a head noun with adjectives before it, and phrases and clauses after it."""

from dataclasses import replace
from functools import partial
import re

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import plural
from converseg_ros.programs.nodes import (
    Act,
    Everything,
    Except,
    Filter,
    FreeSpace,
    Like,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Things,
    Union,
)
from converseg_ros.programs.phrasing.amounts import length
from converseg_ros.programs.phrasing.pieces import Pieces, determine
from converseg_ros.programs.phrasing.predicates import add_like, behind, lacking, lacking_both, thing_phrase, word_for
from converseg_ros.programs.phrasing.properties import (
    PLACE,
    PLACES,
    WITH_ANY,
    corner,
    entry,
    is_bare,
    is_of_people,
    is_person,
    split,
)
from converseg_ros.programs.phrasing.superlatives import add_place, extreme
from converseg_ros.programs.phrasing.talk import ANCHOR, Talk, agreement, which_is
from converseg_ros.programs.phrasing.templates import lists
from converseg_ros.programs.phrasing.words import is_mass, is_plural_only, is_somebody

LINKS = (*(' and ',) * 10, ', ', ', ', ', ', ' and also ', ', and ', ' ', ' ', ' ')
"""Words between two conditions after a noun."""
_THAT = re.compile(r'^(?:that|which)(?= |\'s\b)')


def values(talk: Talk, node: Node, many: bool, adjective: bool = False) -> dict[str, str]:
    """Return the values for the slots of the templates of a property."""
    out = dict(agreement(many))
    if isinstance(node, Filter):
        if node.by in ('colour', 'material'):
            out['c'] = word_for(talk, node, adjective)
        elif node.by == 'name':
            out['c'] = node.value
    elif isinstance(node, Relate) or (isinstance(node, Rank) and node.anchor is not None):
        anchor = node.anchor
        assert anchor is not None
        two = isinstance(node, Relate) and node.relation == 'between' and node.other is None
        out['a'], several = anchor_phrase(talk, anchor, two=two)
        out |= ANCHOR[several]
        if isinstance(node, Relate) and node.other is not None:
            out['b'] = anchor_phrase(talk, node.other)[0]
    elif isinstance(node, Act) and node.other is not None:
        any_one = node.role == 'agent' and node.kind in WITH_ANY and node.other not in talk.known
        if any_one and talk.chance(0.5):  # "wearing a hat"
            mass = isinstance(node.other, Filter) and is_mass(node.other.value) and talk.chance(0.6)
            out['a'], several = phrase(talk, node.other, False, 'none' if mass else 'a'), False
        else:
            out['a'], several = anchor_phrase(talk, node.other)
        out |= ANCHOR[several]
    return out


def anchor_phrase(talk: Talk, node: Node, two: bool = False) -> tuple[str, bool]:
    """Return the noun phrase of an anchor, and whether it is a plural."""
    if node in talk.known:
        return talk.known[node], False
    if two:
        return f'the {talk.choose(("two ", "two ", ""))}{pieces(talk, node, True).text()}', True
    if isinstance(node, Select):
        many = node.quantity not in ('one', 1)
        return phrase(talk, node.of, many, 'the' if not isinstance(node.quantity, int) else node.quantity), many
    if isinstance(node, Union):
        return phrase(talk, node, True, 'the'), True
    base = split(node)[0]
    if isinstance(base, Filter) and is_plural_only(base.value):
        return phrase(talk, node, True, 'the'), True
    if isinstance(base, Filter) and is_mass(base.value):
        return phrase(talk, node, False, 'the'), False
    ranked = isinstance(node, Rank)
    if isinstance(node, Rank) and node.count > 1:
        return phrase(talk, node, True, node.count), True
    if not ranked and not isinstance(base, Parts) and talk.chance(0.07):
        return phrase(talk, node, True, talk.choose(('the', 'all the', 'the', 'those'))), True
    if is_bare(base) and not ranked and not isinstance(node, Filter):
        return phrase(talk, node, False, talk.choose(('a', 'the', 'the'))), False
    if isinstance(base, Parts):
        return phrase(talk, node, False, 'the'), False
    options = ('the',) * 12 + (() if ranked else ('a', 'a', 'this', 'that', 'my', 'your', 'the', 'my'))
    return phrase(talk, node, False, talk.choose(options)), False


def noun(talk: Talk, base: Node, many: bool) -> tuple[str, bool, bool]:
    """Return the head of a phrase, whether it is a pronoun, and whether it is a plural."""
    if isinstance(base, Filter):
        if is_plural_only(base.value):
            return base.value, False, True
        if is_mass(base.value):
            return base.value, False, False
        return (plural(base.value) if many else base.value), False, many
    if isinstance(base, Things | Everything):
        word = talk.choose(('thing', 'thing', 'one', 'object', 'item', 'thing', 'one'))
        return (word + 's' if many else word), True, many
    if isinstance(base, Parts):
        return _part(talk, base, many)
    if isinstance(base, Select | Rank):  # a choice among some: "one of the two tallest mugs"
        if isinstance(base, Select):
            among = phrase(talk, base.of, True, base.quantity if isinstance(base.quantity, int) else 'the')
        else:
            among = phrase(talk, base, True, base.count if base.count > 1 else 'the')
        link = talk.choose(('of', 'of', 'of', 'out of', 'among'))
        return f'{"ones" if many else "one"} {link} {among}', False, many
    if isinstance(base, Union):
        inner = [phrase(talk, x.of if isinstance(x, Select) else x, many, 'none') for x in base.of]
        joint = talk.choose((' and ', ' or ')) if many else ' or '
        return ', '.join(inner[:-1]) + joint + inner[-1], False, many
    if isinstance(base, FreeSpace):
        return free_space(talk, base), False, False
    raise InputError(f'{base.op} cannot be named', where='phrasing')


def _part(talk: Talk, base: Parts, many: bool) -> tuple[str, bool, bool]:
    owner, several = anchor_phrase(talk, base.of)
    if base.noun == 'grip':
        text = talk.fill(lists('parts')['grip_noun'], {'a': owner, **ANCHOR[several]})
        return text, False, False
    plural_only = is_plural_only(base.noun)
    name = plural(base.noun) if many and not plural_only else base.noun
    if not several and talk.chance(0.3) and ' ' not in owner.split(' ', 1)[-1] and owner.startswith(('the ', 'my ')):
        possessive = owner.split(' ', 1)[1]
        end = "'" if possessive.endswith('s') else "'s"
        return f'{possessive}{end} {name}', False, many or plural_only
    if not several and talk.chance(0.15) and isinstance(base.of, Filter) and base.of.by == 'name':
        return f'{base.of.value} {name}', False, many or plural_only
    link = talk.choose((*('of',) * 9, 'on', 'belonging to', 'that belongs to'))
    return f'{name} {link} {owner}', False, many or plural_only


def free_space(talk: Talk, node: FreeSpace) -> str:
    """Return a noun phrase for free space, without a determiner."""
    out: dict[str, str] = {}
    key = 'noun'
    if node.on is not None:
        out['a'] = anchor_phrase(talk, node.on)[0]
        key += '.on'
    if node.thing:
        out['t'] = thing_phrase(talk, node.thing)
        key += '.thing'
    if node.size:
        out['m'] = length(talk, node.size)
        key += '.size'
    return talk.fill(lists('free_space')[key], out)


def pieces(talk: Talk, node: Node, many: bool) -> Pieces:
    """Return the pieces of the noun phrase of a node."""
    base, modifiers = split(node)
    name, bare, many = noun(talk, base, many)
    out = Pieces(name, bare, many, links=tuple(talk.choose(LINKS) for _ in modifiers))
    if (
        bare
        and talk.chance(0.3)
        and any(isinstance(m, Filter) and m.by == 'tag' and m.value in PLACES for m in modifiers)
    ):
        out.noun = talk.choose(('places', 'spots') if many else ('place', 'spot'))
        out.bare = False
    if bare and any(isinstance(m, Act) and m.role == 'agent' and m.kind != 'plugging' for m in modifiers):
        out.noun, out.who = ('ones' if many else 'one'), True
    if is_person(base) and len(modifiers) == 1 and is_of_people(modifiers[0]) and talk.chance(0.35):
        out.noun, out.bare, out.who = ('people' if many else 'one'), True, True  # "somebody riding a bike"
    if (place := corner(modifiers)) is not None:
        if talk.chance(0.25):
            out.before.append((PLACE['region'], talk.fill(lists('corners')[f'{place}.before'], {})))
        else:
            out.after.append(talk.fill(lists('corners')[place], {}))
        del modifiers[-2:]
    for i, modifier in enumerate(modifiers):
        add(talk, out, modifier, base, room=len(out.before) < 2 and (i == len(modifiers) - 1 or not out.after))
    if (isinstance(base, Filter) and is_somebody(base.value)) or out.who:
        out.after = [_THAT.sub('who', words) if talk.chance(0.6) else words for words in out.after]
    return out


def add(talk: Talk, out: Pieces, node: Node, base: Node, room: bool) -> None:
    """Add one property to a noun phrase."""
    if isinstance(node, Rank):
        out.superlative = True
        table, _ = entry(node)
        add_place(talk, out, node, table, values(talk, node, out.many))
    elif isinstance(node, Like):
        add_like(talk, out, node, isinstance(base, Parts))
    elif isinstance(node, Except):
        _add_exception(talk, out, node)
    elif isinstance(node, Filter) and node.by == 'name':
        out.after.append(which_is(talk, out.many, plural(node.value) if out.many else f'a {node.value}'))
    else:
        table, kind = entry(node)
        plain_base = isinstance(base, Filter | Things | Everything)
        often = {'colour': 0.8, 'material': 0.75, 'state': 0.5, 'physics': 0.35, 'tag': 0.5, 'region': 0.3}
        if 'pre' in table and room and plain_base and talk.chance(often.get(kind, 0.5)):
            out.before.append((PLACE[kind], talk.fill(table['pre'], values(talk, node, out.many, adjective=True))))
        else:
            out.after.append(behind(talk, table, node, out.many, partial(values, talk, node, out.many), out.bare))


def _add_exception(talk: Talk, out: Pieces, node: Except) -> None:
    minus = node.minus
    own = getattr(minus, 'of', None) == node.of
    if own and isinstance(minus, Filter | Relate | Act | Like) and talk.chance(0.7):
        out.after.append(negated(talk, minus, out.many))
        return
    if isinstance(minus, Union):
        neither = lacking_both(talk, minus, node.of, out.many, lambda x: partial(values, talk, x, out.many))
        if neither is not None:
            out.after.append(neither)
            return
    link = lists('negation')['except.many' if out.many or out.bare else 'except.one']
    out.last = talk.fill(link, {'t': left_out(talk, node, out.many)})


def left_out(talk: Talk, node: Except, many: bool) -> str:
    """Return what a set leaves out, with its determiner: 'the red ones', 'the bowls'; `many`: of several."""
    minus = node.minus
    own = getattr(minus, 'of', None) == node.of
    if own and isinstance(minus, Filter | Relate | Act | Like | Rank):  # all mugs except the red ones
        many = many and not (isinstance(minus, Rank) and minus.count == 1)
        alone = pieces(talk, replace(minus, of=Things()), many)  # type: ignore[arg-type]
        alone.noun = 'ones' if many else 'one'
        return f'the {alone.text()}'
    if isinstance(minus, Union) and all(getattr(x, 'of', None) == node.of for x in minus.of):  # the red and blue ones
        words = [pieces(talk, replace(x, of=Things()), many) for x in minus.of]  # type: ignore[call-arg]
        for one in words:
            one.noun = 'ones' if many else 'one'
        return talk.choose((' and ', ' or ')).join(f'the {one.text()}' for one in words)
    many = talk.chance(0.5) if not isinstance(minus, Select) else minus.quantity != 'one'
    return phrase(talk, minus.of if isinstance(minus, Select) else minus, many, 'the')


def negated(talk: Talk, node: Node, many: bool) -> str:
    """Return a clause that negates a property."""
    if isinstance(node, Like):
        return f'not {node.text}'
    own = isinstance(node, Act) and node.role == 'agent' and node.kind in ('wearing', 'carrying', 'holding')
    if own and isinstance(node, Act) and node.other is not None and talk.chance(0.4):  # "people without hats"
        return f'without {phrase(talk, node.other, False, "a")}'
    slots = partial(values, talk, node, many)
    if (predicate := lacking(talk, node, many, slots)) is not None:
        be, _, rest = predicate.partition(' not ')
        if be in ('is', 'are') and rest and talk.chance(0.4):  # "the apples not in the bowl"
            return f'not {rest}'
        return f'{talk.choose(("that", "that", "which"))} {predicate}'
    return f'except {"those" if many else "the one"} {behind(talk, entry(node)[0], node, many, slots)}'


def phrase(talk: Talk, node: Node, many: bool, determiner: str | int) -> str:
    """Return a complete noun phrase."""
    if isinstance(node, Union):
        inner = [
            phrase(talk, x.of, x.quantity not in ('one', 1), x.quantity if isinstance(x.quantity, int) else 'the')
            if isinstance(x, Select)
            else phrase(talk, x, many, determiner)
            for x in node.of
        ]
        joint = ' or ' if not many else talk.choose((' and ', ' and ', ' and ', ' as well as ', ' and also '))
        return ', '.join(inner[:-1]) + joint + inner[-1]
    if isinstance(node, Rank) and determiner in ('the', 'a', node.count) and talk.chance(0.2):
        among = _among(talk, node)
        if among:
            return among
    return determine(talk, pieces(talk, node, many), determiner)


def _among(talk: Talk, node: Rank) -> str | None:
    """Return 'the tallest of the mugs', or None if this form does not apply."""
    table, _ = entry(node)
    base = split(node.of)[0]
    if isinstance(node.of, Select) and node.first == 1 and node.of.quantity == 2 and 'comp' in table:
        return f'the {talk.fill(table["comp"], {})} of {anchor_phrase(talk, node.of)[0]}'
    if 'pre' not in table or not isinstance(base, Filter | Things | Everything):
        return None
    superlative = extreme(talk, node, table, values(talk, node, node.count > 1))
    if 'comp' in table and node.first == node.count == 1 and not is_bare(base) and talk.chance(0.15):
        # "the bigger one of the boxes"
        superlative = f'{talk.fill(table["comp"], {})} {talk.choose(("one", "one", ""))}'
    if is_bare(base) and node.of is base:
        return f'the {superlative} {talk.fill(lists("determiners")["of_all"], {})}'
    link = talk.choose(('of', 'of', 'of', 'among', 'out of', 'of all'))
    return f'the {superlative} {link} {phrase(talk, node.of, True, "the")}'
