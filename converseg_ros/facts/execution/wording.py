"""Text for the conditions of a program and for the reasons of uncertain answers."""

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import article, plural
from converseg_ros.knowledge.number_words import CARDINALS
from converseg_ros.programs.nodes import (
    Act,
    Except,
    Filter,
    FreeSpace,
    Like,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Union,
)
from converseg_ros.programs.printer import act_words, region_words, tag_words, words

NUMBERS = ('no', *CARDINALS[1:13])
ADJECTIVES = {
    ('height', 'max'): 'tall', ('height', 'min'): 'short', ('size', 'max'): 'large', ('size', 'min'): 'small',
    ('width', 'max'): 'wide', ('width', 'min'): 'narrow', ('length', 'max'): 'long', ('length', 'min'): 'short',
    ('weight', 'max'): 'heavy', ('weight', 'min'): 'light', ('x', 'min'): 'far to the left',
    ('x', 'max'): 'far to the right', ('y', 'min'): 'far up', ('y', 'max'): 'far down', ('elevation', 'max'): 'high up',
    ('elevation', 'min'): 'low', ('depth', 'min'): 'near', ('depth', 'max'): 'far away',
    ('distance_to', 'min'): 'near', ('distance_to', 'max'): 'far away',
}  # fmt: skip
RELATIONS = {
    'in': 'in', 'falls_without': 'resting on', 'supports': 'carrying', 'contains': 'containing', 'covers': 'covering',
    'hides': 'hiding', 'far_from': 'far from', 'part_of': 'being part of', 'own_left_of': 'on the own left of',
    'own_right_of': 'on the own right of',
}  # fmt: skip


def number(count: int) -> str:
    """Return a number in words up to twelve."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def counted(count: int, noun: str) -> str:
    """Return 'no mug', 'one mug', 'two mugs'."""
    return f'{number(count)} {noun if count < 2 else plural(noun)}'


def seen(count: int, noun: str) -> str:
    """Return 'one mug is seen', 'two mugs are seen'."""
    return f'{counted(count, noun)} {"is" if count < 2 else "are"} seen'


def a(noun: str) -> str:
    """Return a noun with its indefinite article."""
    return f'{article(noun)} {noun}'


def any_of(node: Node) -> str:
    """Return 'a red mug on the table', or 'anything to cut with' for a program without a noun.

    Whether there is a tallest mug is whether there is a mug.
    """
    inner = node.of if isinstance(node, Select) else node
    if isinstance(inner, Rank):
        return any_of(inner.of)
    if isinstance(inner, Union):
        return ' or '.join(any_of(x) for x in inner.of)
    if isinstance(inner, FreeSpace):
        return f'a free place for {a(inner.thing)}' if inner.thing else 'a free place'
    text = words(Select('one', inner))
    for start in ('the region', 'the thing'):
        if text.startswith(start):
            return f'anything{text.removeprefix(start)}'
    return a(text.removeprefix('the ')) if text.startswith('the ') else a(noun_of(node))


def none_of(node: Node) -> str:
    """Return 'no red mug', or 'nothing to cut with' for a program without a noun."""
    inner = node.of if isinstance(node, Select) else node
    if isinstance(inner, Union):
        return ' and '.join(none_of(x) for x in inner.of)
    text = any_of(node)
    start, _, rest = text.partition(' ')
    return f'nothing {rest}'.rstrip() if start == 'anything' else f'no {rest}'


def noun_of(node: Node) -> str:
    """Return the singular noun of a node with its adjectives: 'red mug'; 'thing' if it has none."""
    match node:
        case Filter(by, value, of):
            if by == 'name':
                return ' '.join((*_adjectives(of), value))
            inner = noun_of(of)
            if by in ('colour', 'material', 'state') and not inner.startswith(value):
                return f'{value} {inner}'
            return inner
        case Relate(of=of) | Act(of=of) | Rank(of=of) | Like(of=of) | Select(of=of) | Except(of=of):
            return noun_of(of)
        case Parts(noun=noun):
            return 'place to hold' if noun == 'grip' else noun
        case FreeSpace():
            return 'free place'
        case Union(of=of):
            return noun_of(of[0])
    return 'thing'


def _adjectives(node: Node) -> tuple[str, ...]:
    if isinstance(node, Filter) and node.by in ('colour', 'material', 'state'):
        return (node.value, *_adjectives(node.of))
    return ()


def condition(node: Node) -> str:
    """Return the condition of a node in words: 'red', 'on the table', 'among the tallest'."""
    match node:
        case Filter('region', value):
            return region_words(value)
        case Filter(by, value):
            return value.replace('_', ' ') if by != 'tag' else tag_words(value)
        case Relate(relation=relation, anchor=anchor, other=other):
            how = RELATIONS.get(relation, relation.replace('_', ' '))
            rest = f' and the {noun_of(other)}' if other is not None else ''
            return f'{how} the {noun_of(anchor)}{rest}'
        case Act(kind=kind, role=role, other=other):
            doing = act_words(kind)
            whom = f' the {noun_of(other)}' if other is not None else ''
            return {
                'agent': f'{doing}{whom or " something"}',
                'patient': f'that{whom or " somebody"} is {doing}',
                'instrument': f'used for {doing}{whom}',
                'uninvolved': f'without a part in {doing}{whom}',
            }[role]
        case Rank(key=key, order=order):
            return f'the most {ADJECTIVES[key, order]}'
        case Like(text=text):
            return f'like "{text}"'
        case Parts(noun=noun):
            return f'called {noun}'
    raise InputError(f'{node.op} is no condition', where='executor')
