"""Phrases for places in an order: before the noun, after it, counted from one side, or by a plain adjective."""

from converseg_ros.core.errors import InputError
from converseg_ros.programs.nodes import Rank, Select
from converseg_ros.programs.phrasing.amounts import number, ordinal
from converseg_ros.programs.phrasing.pieces import Pieces
from converseg_ros.programs.phrasing.talk import Talk, which_is
from converseg_ros.programs.phrasing.templates import Entry

BEFORE = {'pre': 3.0, 'plain': 2.0, 'comp': 3.0, 'middle': 3.0}
"""Slots with words before the noun, and their frequencies."""
BEHIND = {'sup': 2.5, 'post': 1.5, 'verb': 0.7, 'nth': 1.0, 'from': 4.0, 'around': 1.0, 'apart': 1.5}


def slots(node: Rank, table: Entry, noun: bool) -> list[tuple[float, str]]:
    """Return the slots that can express this place, with weights; `noun` says whether there is a singular noun."""
    found = {s for s in (*BEFORE, *BEHIND) if s in table} - {'middle'}
    of_two = isinstance(node.of, Select) and node.of.quantity == 2
    if node.first > 1:
        found &= {'pre', 'sup', 'nth', 'from', 'apart'}
    if node.count > 1:
        found -= {'nth', 'verb', 'around', 'from'}
    if node.count > 1 or not noun:
        found.discard('plain')
    if not of_two:
        found.discard('comp')
    if isinstance(node.of, Select) and node.of.quantity == 3 and node.first == 2 and 'middle' in table:
        return [(5.0, 'middle'), (1.0, 'from')]
    weights = BEFORE | BEHIND | ({'nth': 0.2, 'from': 0.3} if node.first == 1 else {})
    return [(weights[s], s) for s in sorted(found)]


def add_place(talk: Talk, out: Pieces, node: Rank, table: Entry, filled: dict[str, str]) -> None:
    """Add a place in an order to a noun phrase."""
    options = slots(node, table, not out.bare and not out.many)
    if out.after and node.key not in ('distance_to', 'depth'):  # "the tallest mug here" has no place for more
        options = [o for o in options if o[1] != 'apart']
    if not options:
        raise InputError('there are no phrases for this place', where=f'ranks.yaml: {node.key}.{node.order}')
    slot = talk.weighted(options)
    place = ordinal(talk, node.first) if node.first > 1 else ''
    filled['nth'] = place or talk.choose(('first', '1st'))
    text = talk.fill(table[slot], filled)
    count = number(talk, node.count) if node.count > 1 else ''
    if slot == 'middle':
        place = ''
    if slot in BEFORE:
        if place == 'second' and talk.chance(0.1):
            place = talk.choose(('next', 'second-', 'next-to-'))
        words = f'{place} {text}'.replace('- ', '-') if place else text
        if count:
            words = f'{count} {words}' if talk.chance(0.7) else f'{words} {count}'
        out.before.append((0, words.strip()))
        return
    if slot == 'from':
        text = f'{filled["nth"]} ~ {text}'
    if slot == 'apart':
        text = ' '.join(filter(None, (count, place, text)))
    if slot in ('from', 'around', 'apart'):
        before, _, after = text.partition(' ~ ')
        out.before.append((0, before))
        out.after.append(after)
        return
    if count:
        out.before.append((0, count))
    if slot == 'verb':
        text = f'that {text}'
    elif slot == 'sup':
        text = f'{place} {text}' if place else text
        text = which_is(talk, out.many, text) if talk.chance(0.4) else text
    elif talk.chance(0.25):
        text = which_is(talk, out.many, text)
    if (
        out.after and out.after[-1].startswith('that ') and talk.chance(0.25)
    ):  # "the cup nearest the sink that is empty"
        out.after[-1] = f'{text} {out.after[-1]}'
        return
    out.after.append(text)


def extreme(talk: Talk, node: Rank, table: Entry, filled: dict[str, str]) -> str:
    """Return the superlative alone, as in 'the second tallest of the mugs'."""
    words = talk.fill(table['pre'], filled)
    if node.first > 1:
        words = f'{ordinal(talk, node.first)} {words}'
    return f'{number(talk, node.count)} {words}' if node.count > 1 else words
