"""From a node to a noun phrase: a head noun, adjectives before it, and phrases and clauses behind it."""

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
from converseg_ros.programs.phrasing.pieces import Pieces, determine
from converseg_ros.programs.phrasing.talk import ANCHOR, Talk, agreement
from converseg_ros.programs.phrasing.templates import Entry, entries, lists, with_knowledge
from converseg_ros.programs.phrasing.words import NUMBERS, ORDINALS, is_mass, is_plural_only

MODIFIERS = (Filter, Relate, Act, Like, Except, Rank)
# Where an adjective stands among others: the smaller, the farther from the noun.
PLACE = {'rank': 0, 'region': 1, 'tag': 2, 'physics': 2, 'like': 2, 'state': 3, 'colour': 4, 'material': 5}


def split(node: Node) -> tuple[Node, list[Node]]:
    """Return what a node is about, and the properties it must have, the innermost first."""
    modifiers: list[Node] = []
    while isinstance(node, MODIFIERS):
        if isinstance(node, Filter) and node.by == 'name' and isinstance(node.of, Everything):
            break
        if modifiers and isinstance(node, Rank):
            break  # a superlative with something around it: "the red one of the two tallest mugs"
        modifiers.append(node)
        node = node.of
    return node, modifiers[::-1]


def is_bare(base: Node) -> bool:
    """Say whether a base has no noun of its own."""
    return isinstance(base, Things | Everything)


def entry(node: Node) -> tuple[Entry, str]:
    """Return the phrase table of a property, and the kind of adjective that it gives."""
    if isinstance(node, Filter):
        if node.by == 'tag':
            return _find('tags', node.value), 'tag'
        table = entries('properties')
        key = f'{node.by}.{node.value}'
        return (table[key] if key in table else _find('properties', node.by)), node.by
    if isinstance(node, Relate):
        two = node.relation == 'between' and node.other is None
        return _find('spatial', f'relate.{node.relation}{"_two" if two else ""}'), 'relate'
    if isinstance(node, Rank):
        return _find('ranks', f'{node.key}.{node.order}'), 'rank'
    if isinstance(node, Act):
        return _find('acts', f'{node.kind}.{node.role}{".with" if node.other else ""}'), 'act'
    raise InputError(f'{node.op} is no property', where='phrasing')


def _find(name: str, key: str) -> Entry:
    table = with_knowledge(name) if name == 'tags' else entries(name)
    if key not in table:
        raise InputError('there are no phrases for it', where=f'{name}.yaml: {key}', do='add a table')
    return table[key]


def values(talk: Talk, node: Node, many: bool, adjective: bool = False) -> dict[str, str]:
    """Return what the slots of a property's templates are filled with."""
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
        out['a'], several = anchor_phrase(talk, node.other)
        out |= ANCHOR[several]
    return out


def word_for(talk: Talk, node: Filter, adjective: bool) -> str:
    """Return a word for a colour or a material; some stand before a noun only."""
    key = f'{node.by}.{node.value}'
    if key not in lists('words'):
        return node.value
    word = talk.fill(lists('words')[key], {})
    if word.endswith('-'):
        return word[:-1] if adjective else node.value
    return word


def anchor_phrase(talk: Talk, node: Node, two: bool = False) -> tuple[str, bool]:
    """Return how an anchor is named, and whether in the plural."""
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
    if is_bare(base) and not ranked:
        return phrase(talk, node, False, talk.choose(('a', 'the', 'the'))), False
    options = ('the',) * 12 + (() if ranked else ('a', 'a', 'this', 'that', 'my', 'your', 'the', 'my'))
    return phrase(talk, node, False, talk.choose(options)), False


def noun(talk: Talk, base: Node, many: bool) -> tuple[str, bool, bool]:
    """Return the head of a phrase, whether it is bare, and whether it is in the plural."""
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
    link = talk.choose(('of', 'of', 'of', 'of', 'on', 'belonging to', 'that belongs to', 'from'))
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


def thing_phrase(talk: Talk, name: str) -> str:
    """Return a noun that is to be set down, with a determiner."""
    if is_mass(name) or is_plural_only(name):
        return f'{talk.choose(("the", "my", "some", "these" if is_plural_only(name) else "this"))} {name}'
    return f'{talk.choose(("the", "the", "a", "a", "my", "this", "another"))} {name}'


def length(talk: Talk, metres: float) -> str:
    """Return a length in words, in the unit that people would use."""
    cm = round(metres * 100)
    if metres >= 1 or (cm % 50 == 0 and talk.chance(0.3)):
        number = f'{metres:g}'
        if number == '1':
            return talk.choose(('one metre', 'a metre', '1 m', '1 meter', 'one meter'))
        if number == '0.5':
            return talk.choose(('half a metre', 'half a meter', '0.5 m', '50 cm'))
        return f'{number} {talk.choose(("m", "metres", "meters"))}'
    unit = talk.choose((' cm', 'cm', ' centimetres', ' centimeters'))
    return talk.choose((f'{cm}{unit}', f'{cm}{unit}', f'{cm * 10} mm', f'{metres:g} m', f'{metres:g} metres'))


def pieces(talk: Talk, node: Node, many: bool) -> Pieces:
    """Return the parts of the noun phrase of a node."""
    base, modifiers = split(node)
    name, bare, many = noun(talk, base, many)
    out = Pieces(name, bare, many)
    for i, modifier in enumerate(modifiers):
        add(talk, out, modifier, base, room=len(out.before) < 2 and (i == len(modifiers) - 1 or not out.after))
    return out


def add(talk: Talk, out: Pieces, node: Node, base: Node, room: bool) -> None:
    """Add one property to a noun phrase."""
    if isinstance(node, Rank):
        out.superlative = True
        _add_rank(talk, out, node)
    elif isinstance(node, Like):
        _add_like(talk, out, node)
    elif isinstance(node, Except):
        _add_exception(talk, out, node)
    elif isinstance(node, Filter) and node.by == 'name':
        out.after.append(_which_is(talk, out.many, plural(node.value) if out.many else f'a {node.value}'))
    else:
        table, kind = entry(node)
        plain_base = isinstance(base, Filter | Things | Everything)
        often = {'colour': 0.8, 'material': 0.75, 'state': 0.5, 'physics': 0.35, 'tag': 0.5, 'region': 0.3}
        if 'pre' in table and room and plain_base and talk.chance(often.get(kind, 0.5)):
            out.before.append((PLACE[kind], talk.fill(table['pre'], values(talk, node, out.many, adjective=True))))
        else:
            out.after.append(behind(talk, table, node, out.many))


def _which_is(talk: Talk, many: bool, text: str) -> str:
    """Return a relative clause with 'be', or the text alone."""
    be = talk.choose(('that are', 'which are') if many else ("that's", 'that is', 'which is', "that's"))
    return f'{be} {text}'


def behind(talk: Talk, table: Entry, node: Node, many: bool) -> str:
    """Return a property as it follows a noun."""
    options = [(w, s) for s, w in (('be', 4.0), ('verb', 1.2), ('post', 1.0), ('rel', 1.5), ('use', 3.0)) if s in table]
    if 'be_one' in table and not many:
        options = [(1.0, 'be_one')]
    if not options:
        options = [(1.0, 'pre')]
    slot = talk.weighted(options)
    filled = values(talk, node, many)
    if slot == 'use':
        return talk.fill(lists('uses')['post'], {'v': talk.fill(table['use'], filled)})
    text = talk.fill(table[slot], filled)
    if slot in ('be', 'be_one', 'pre'):
        adjective = slot == 'pre' or (isinstance(node, Filter) and node.by in ('colour', 'state', 'physics', 'tag'))
        return _which_is(talk, many, text) if adjective or talk.chance(0.4) else text
    if slot == 'verb':
        return f'{talk.choose(("that", "that", "which"))} {text}'
    if slot == 'rel':
        return text if text.startswith(('where ', 'on which')) else f'{talk.choose(("that ", "", "which ", ""))}{text}'
    return text


def _add_rank(talk: Talk, out: Pieces, node: Rank) -> None:
    table, _ = entry(node)
    filled = values(talk, node, out.many)
    number = f'{NUMBERS[node.count] if node.count <= 10 else node.count} ' if node.count > 1 else ''
    options: list[tuple[float, str]] = []
    if 'pre' in table:
        options.append((3.0, 'pre'))
    if 'sup' in table:
        options.append((2.5, 'sup'))
    if node.first == 1 and 'post' in table:
        options.append((1.5, 'post'))
    if node.first == 1 and node.count == 1 and 'verb' in table:
        options.append((0.7, 'verb'))
    if node.first == 1 and node.count == 1 and 'plain' in table and not out.bare and not out.many:
        options.append((2.0, 'plain'))
    if node.count == 1 and 'nth' in table and (node.first > 1 or talk.chance(0.1)):
        options.append((4.0, 'nth'))
    if node.first > 1:
        options = [o for o in options if o[1] in ('pre', 'sup', 'nth')]
    if isinstance(node.of, Select) and node.first == 1 and 'comp' in table and node.of.quantity == 2:
        options = [(3.0, 'comp'), *options]
    if not options:
        raise InputError('there are no phrases for this place', where=f'ranks.yaml: {node.key}.{node.order}')
    slot = talk.weighted(options)
    ordinal = _ordinal(talk, node.first)
    filled['nth'] = ordinal or talk.choose(('first', '1st'))
    text = talk.fill(table[slot], filled)
    if slot in ('pre', 'plain', 'comp'):
        words = f'{ordinal} {text}' if ordinal else text
        if number:
            words = f'{number}{words}' if talk.chance(0.7) else f'{words} {number}'
        out.before.append((0, words.strip()))
        return
    if number:
        out.before.append((0, number.strip()))
    if slot == 'verb':
        text = f'that {text}'
    elif slot == 'sup':
        text = f'{ordinal} {text}' if ordinal else text
        if talk.chance(0.4):
            text = _which_is(talk, out.many, text)
    elif talk.chance(0.25):
        text = _which_is(talk, out.many, text)
    out.after.append(text)


def _ordinal(talk: Talk, first: int) -> str:
    if first == 1:
        return ''
    if first < len(ORDINALS) and not talk.chance(0.12):
        return ORDINALS[first]
    end = 'th' if first % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(first % 10, 'th')
    return f'{first}{end}'


def _add_like(talk: Talk, out: Pieces, node: Like) -> None:
    """Add free text: an adjective before the noun, or what it is behind it."""
    text = node.text
    first = text.split()[0]
    if ' ' not in text:
        out.before.append((PLACE['like'], text))
    elif first in ('with', 'without', 'for', 'from', 'of', 'like', 'in', 'on', 'as'):
        out.after.append(text)
    elif first.endswith('ing') or first.endswith('ed'):
        out.after.append(text if talk.chance(0.6) else _which_is(talk, out.many, text))
    else:
        out.after.append(f'{talk.choose(("that", "that", "which"))} {text}')


def _add_exception(talk: Talk, out: Pieces, node: Except) -> None:
    minus = node.minus
    if getattr(minus, 'of', None) == node.of and isinstance(minus, Filter | Relate | Act | Like):
        out.after.append(negated(talk, minus, out.many))
        return
    many = talk.chance(0.5) if not isinstance(minus, Select) else minus.quantity != 'one'
    of = minus.of if isinstance(minus, Select) else minus
    but = talk.choose(('but', 'except', 'except for', 'other than', 'apart from', 'besides', 'excluding', 'and not'))
    if but in ('but', 'and not') and not out.many:
        but = 'other than'
    out.last = f'{but} {phrase(talk, of, many, "the")}'


def negated(talk: Talk, node: Node, many: bool) -> str:
    """Return the clause that a property does not hold."""
    if isinstance(node, Like):
        return f'not {node.text}'
    be = talk.choose(
        ('that are not', "that aren't", 'which are not') if many else ("that isn't", 'that is not', "that's not")
    )
    if isinstance(node, Filter) and node.by == 'name':
        return f'{be} {plural(node.value) if many else "a " + node.value}'
    table, _ = entry(node)
    for slot in ('be', 'pre'):
        if slot in table:
            text = talk.fill(table[slot], values(talk, node, many))
            for _ in range(4):
                if 'not' not in text.split():
                    break
                text = talk.fill(table[slot], values(talk, node, many))
            return f'{be} {text}'
    text = behind(talk, table, node, many)
    return f'except {"those" if many else "the one"} {text}'


def phrase(talk: Talk, node: Node, many: bool, determiner: str | int) -> str:
    """Return a whole noun phrase."""
    if isinstance(node, Union):
        inner = [
            phrase(talk, x.of, x.quantity not in ('one', 1), x.quantity if isinstance(x.quantity, int) else 'the')
            if isinstance(x, Select)
            else phrase(talk, x, many, determiner)
            for x in node.of
        ]
        joint = ' or ' if not many else talk.choose((' and ', ' and ', ' and ', ' as well as ', ' and also '))
        return ', '.join(inner[:-1]) + joint + inner[-1]
    return determine(talk, pieces(talk, node, many), determiner)
