"""Programs in words: "the tallest of the things on the table".

The words are equal for equal programs and differ for different ones. Brackets group conditions that would otherwise be
ambiguous.
"""

from dataclasses import dataclass, replace
from typing import Final

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import article, plural, use_phrases
from converseg_ros.knowledge.number_words import CARDINALS, ORDINALS
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

NUMBERS: Final = ('no', *CARDINALS[1:])

SUPERLATIVES: Final = {
    ('height', 'max'): 'tallest', ('height', 'min'): 'shortest', ('size', 'max'): 'largest',
    ('size', 'min'): 'smallest',
    ('width', 'max'): 'widest', ('width', 'min'): 'narrowest', ('length', 'max'): 'longest',
    ('length', 'min'): 'least long', ('weight', 'max'): 'heaviest', ('weight', 'min'): 'lightest',
    ('x', 'min'): 'leftmost', ('x', 'max'): 'rightmost', ('y', 'min'): 'topmost', ('y', 'max'): 'bottommost',
    ('elevation', 'max'): 'highest', ('elevation', 'min'): 'lowest', ('depth', 'min'): 'nearest',
    ('depth', 'max'): 'farthest', ('distance_to', 'min'): 'nearest', ('distance_to', 'max'): 'farthest',
}  # fmt: skip
# {s} ends a verb in the singular, {are} is "is" or "are".
_RELATIONS: Final = {
    'supports': 'that support{s}', 'contains': 'that contain{s}', 'covers': 'that cover{s}',
    'falls_without': 'that would fall without', 'hides': 'that hide{s}', 'part_of': 'that {are} part of',
    'own_left_of': 'on the own left of', 'own_right_of': 'on the own right of',
}  # fmt: skip
_PHYSICS: Final = {
    'tips': 'that could tip over', 'stable': 'that stand{s} firmly', 'bears_load': 'that bear{s} a load',
    'removable': 'that can be taken without disturbing anything', 'rolls': 'that could roll away',
    'heavy': 'that {are} heavy', 'light_weight': 'that weigh{s} little',
}  # fmt: skip
# Tags that no verb phrase describes.
_TAGS: Final = {
    'signal': 'that tell{s} drivers what to do', 'sharp': 'that {are} sharp', 'hot': 'that {are} hot',
    'gets_hot': 'that get{s} hot in use', 'fragile': 'that {are} fragile', 'flammable': 'that {are} flammable',
    'flame': 'that could start a fire', 'toxic': 'that {are} poisonous', 'spills': 'that could be spilled',
    'heavy': 'that {are} too heavy for one hand', 'choking': 'that a child could choke on',
    'electric': 'that {are} electric', 'shock': 'that could give an electric shock', 'rolls': 'that could roll',
    'wheels': 'on wheels', 'moves': 'that could start to move', 'absorbs': 'that soak{s} up water',
    'alive': 'that {are} alive', 'cold': 'that {are} cold', 'contain_small': 'for small things',
    'covers': 'that can cover something', 'draw_line': 'that can guide a straight line', 'floats': 'that float{s}',
    'graspable': 'that one hand can pick up', 'heavy_tool': 'that could drive in a nail',
    'light_weight': 'that a draught could move', 'metal_tool': 'of rigid metal', 'plant': 'that {are} plants',
    'ready_food': 'that can be eaten without preparation', 'season': 'that season{s} food',
    'shelter': 'that shelter{s} people', 'shiny': 'that {are} shiny', 'sit': 'that people may sit in',
    'soft': 'that {are} soft', 'tall_vessel': 'that could serve as a vase', 'tippy': 'that tip{s} over easily',
    'toy': 'that {are} toys', 'transparent': 'that one can see through', 'water_plants': 'that water{s} plants',
}  # fmt: skip
_PREPOSITIONS: Final = {'sitting': 'on', 'reaching': 'for', 'plugging': 'in'}
"""Of the acts that need one before their object."""
_REGIONS: Final = {
    'left': 'in the left of the picture', 'right': 'in the right of the picture', 'top': 'at the top of the picture',
    'bottom': 'at the bottom of the picture', 'centre': 'in the centre of the picture',
    'corner': 'in a corner of the picture', 'near': 'in the near part of the scene',
    'far': 'in the far part of the scene',
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase without its article. before: adjectives; after: conditions.

    definite: it needs neither an article nor another condition. article: its article when it is not in a list.
    """

    noun: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    definite: bool = False
    article: str = 'the '

    def __str__(self) -> str:
        """Return the text."""
        return ' '.join((*self.before, self.noun, *self.after))


def words(node: Node) -> str:
    """Return a program in words."""
    if not isinstance(node, Select):
        return _the(_phrase(node))
    many = node.quantity != 'one'
    phrase = _phrase(node.of, many)
    if node.quantity == 'one':
        return f'one of ({phrase})' if phrase.definite else f'{phrase.article}{phrase}'
    count = 'all' if node.quantity == 'all' else NUMBERS[int(node.quantity)]
    return f'{count} of ({phrase})' if phrase.definite else f'{count} {phrase}'


def _the(phrase: Phrase) -> str:
    return str(phrase) if phrase.definite else f'{phrase.article}{phrase}'


def _inner(node: Node, many: bool = False) -> str:
    """Return the text of a node inside of another one, in brackets if it ends with a condition or is a list.

    An anchor is in the singular if the program does not state its number.
    """
    if isinstance(node, Select):
        phrase, text = _phrase(node.of), words(node)
        if node.quantity == 'one' and not many and not phrase.definite:
            text = f'one {_phrase(node.of, many=False)}'
    else:
        phrase = _phrase(node, many)
        text = _the(phrase)
    return f'({text})' if phrase.definite or phrase.after else text


def _phrase(node: Node, many: bool = True) -> Phrase:
    """Return the noun phrase of a node, plural or singular."""
    match node:
        case Things():
            return Phrase('things' if many else 'thing')
        case Everything():
            return Phrase('regions' if many else 'region')
        case Filter():
            return _filtered(node, many)
        case Relate(relation, of, anchor, other):
            ends = _inner(anchor) if other is None else f'{_inner(anchor)} and {_inner(other)}'
            return _with(of, f'{_RELATIONS.get(relation, relation.replace("_", " "))} {ends}', many)
        case Act():
            return _with(node.of, _acting(node), many)
        case Like(text, of):
            return _with(of, f'like "{text}"', many)
        case Parts(noun, of):
            part = 'place to hold' if noun == 'grip' else f'{noun} of'
            name = part if not many else 'places to hold' if noun == 'grip' else f'{plural(noun)} of'
            return Phrase(f'{name} {_inner(of)}')
        case Rank():
            return Phrase(_ranked(node), definite=True)
        case FreeSpace(on, thing, size):
            where = 'any surface' if on is None else _inner(on)
            fits = f' where {article(thing)} {thing} fits' if thing else ''
            room = f' with {round(100 * size, 1):g} cm of room' if size else ''
            return Phrase(f'the free part of {where}{fits}{room}', definite=True)
        case Union(of):
            return Phrase(' and '.join(_inner(x, many=True) for x in of), definite=True)
        case Except(of, minus):
            return _with(of, f'except {_inner(minus, many=True)}', many)
        case Select():
            return Phrase(words(node), definite=True)
    raise InputError(f'{node.op} has no words', where='printer')


def _with(of: Node, condition: str, many: bool) -> Phrase:
    """Return the phrase of `of` followed by a condition."""
    phrase = _phrase(of, many)
    condition = _number(condition, many)
    if phrase.definite:
        return Phrase(f'{"those" if many else "one"} of ({phrase})', after=(condition,), article='')
    return replace(phrase, after=(*phrase.after, condition))


def _filtered(node: Filter, many: bool) -> Phrase:
    value = node.value
    match node.by:
        case 'name':
            noun = plural(value) if many else value
            return Phrase(noun) if isinstance(node.of, Everything) else _with(node.of, f'called "{value}"', many)
        case 'colour' | 'material':
            phrase = _phrase(node.of, many)
            if phrase.definite or phrase.after:
                return _with(node.of, f'that {{are}} {value}', many)
            return Phrase(phrase.noun, (value, *phrase.before))
        case 'tag':
            return _with(node.of, _tagged(value), many)
        case 'state':
            return _with(node.of, f'that {{are}} {value}', many)
        case 'physics':
            return _with(node.of, _PHYSICS[value], many)
    return _with(node.of, _REGIONS[value], many)


def _tagged(tag: str) -> str:
    use = use_phrases().get(tag)
    return f'to {use.verbs[0]}' if use and use.verbs else _TAGS[tag]


def tag_words(tag: str) -> str:
    """Return a tag as a condition on one thing: "to cut with", "that could be spilled"."""
    return _number(_tagged(tag), False)


def act_words(kind: str) -> str:
    """Return an act in words that precede its object: "holding", "sitting on"."""
    return f'{kind} {_PREPOSITIONS.get(kind, "")}'.rstrip()


def region_words(region: str) -> str:
    """Return a part of the picture as a condition: "at the top of the picture"."""
    return _REGIONS[region]


def _number(condition: str, many: bool) -> str:
    return condition.replace('{s}', '' if many else 's').replace('{are}', 'are' if many else 'is')


def _acting(node: Act) -> str:
    act = act_words(node.kind)
    other = '' if node.other is None else _inner(node.other)
    match node.role:
        case 'agent':
            return f'that {{are}} {act} {other or "something"}'
        case 'patient':
            return f'that {other or "somebody"} is {act}'
        case 'instrument':
            return f'used for {act} {other or "something"}'
    return f'without a part in {act} {other or "anything"}'


def _ranked(node: Rank) -> str:
    best = SUPERLATIVES[node.key, node.order]
    place = f'{ORDINALS[node.first - 1]} ' if node.first > 1 else ''
    count = f'{NUMBERS[node.count]} ' if node.count > 1 else ''
    anchor = '' if node.anchor is None else f' to {_inner(node.anchor)}'
    return f'the {count}{place}{best}{anchor} of {_the(_phrase(node.of))}'
