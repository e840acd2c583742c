# ruff: noqa: E501 - tables of phrases read best one entry a line
"""What is known of the classes of everyday things: names, wider kinds, properties and uses."""

from dataclasses import dataclass, field
from functools import cache

from converseg_ros.data_engine.world.knowledge_table import COCO_NAMES, ROWS

IRREGULAR = {
    'knife': 'knives',
    'shelf': 'shelves',
    'person': 'people',
    'man': 'men',
    'woman': 'women',
    'child': 'children',
    'mouse': 'mice',
    'aircraft': 'aircraft',
    'computer mouse': 'computer mice',
    'bookshelf': 'bookshelves',
    'cutlery': 'pieces of cutlery',
    'furniture': 'pieces of furniture',
    'seating': 'seats',
    'clothing': 'pieces of clothing',
    'food': 'pieces of food',
    'storage': 'pieces of storage furniture',
    'electronics': 'electronic devices',
    'sports equipment': 'pieces of sports equipment',
    'stationery': 'pieces of stationery',
    'drinkware': 'drinking vessels',
    'reading material': 'things to read',
    'cookware': 'pots and pans',
    'headwear': 'pieces of headwear',
    'footwear': 'pieces of footwear',
    'street furniture': 'pieces of street furniture',
    'loaf of bread': 'loaves of bread',
    'broccoli': 'pieces of broccoli',
}
MASS_KINDS = {
    'furniture': 'piece of furniture',
    'seating': 'seat',
    'cutlery': 'piece of cutlery',
    'clothing': 'piece of clothing',
    'food': 'piece of food',
    'storage': 'piece of storage furniture',
    'electronics': 'electronic device',
    'sports equipment': 'piece of sports equipment',
    'stationery': 'piece of stationery',
    'drinkware': 'drinking vessel',
    'reading material': 'thing to read',
    'cookware': 'piece of cookware',
    'headwear': 'piece of headwear',
    'footwear': 'piece of footwear',
    'street furniture': 'piece of street furniture',
    'linen': 'household textile',
    'flooring': 'floor covering',
    'plumbing': 'plumbing fixture',
}


@dataclass(frozen=True, slots=True)
class Thing:
    """A class of things. names: what people call it, the usual name first; loose: what only some would call it."""

    name: str
    names: tuple[str, ...]
    loose: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: frozenset[str] = field(default_factory=frozenset)
    maybe: frozenset[str] = field(default_factory=frozenset)
    mass: bool = False
    plural_only: bool = False

    @property
    def words(self) -> frozenset[str]:
        """Everything it may be called."""
        return frozenset((*self.names, *self.loose, *self.kinds))


def _parse(row: str) -> Thing:
    name, names, kinds, tags = (part.strip() for part in row.split('|'))
    mass, plural_only = name.startswith('*'), name.startswith('+')
    name = name.lstrip('*+')
    others = [n.strip() for n in names.split(',') if n.strip()]
    tag_list = tags.split()
    return Thing(
        name,
        (name, *(n for n in others if not n.startswith('~'))),
        tuple(n[1:] for n in others if n.startswith('~')),
        tuple(k.strip() for k in kinds.split(',') if k.strip()),
        frozenset(t for t in tag_list if not t.startswith('?')),
        frozenset(t[1:] for t in tag_list if t.startswith('?')),
        mass,
        plural_only,
    )


THINGS: dict[str, Thing] = {t.name: t for t in map(_parse, (r for r in ROWS.strip().splitlines() if r.strip()))}


@cache
def thing(category: str) -> Thing:
    """Return what is known of a category as COCO or a scene spells it; an unknown one has its own name only."""
    name = COCO_NAMES.get(category, category)
    if name in THINGS:
        return THINGS[name]
    for candidate in THINGS.values():
        if name.lower() in (n.lower() for n in candidate.names):
            return candidate
    head = name.split()[-1]
    if head != name and head in THINGS:  # 'bread knife': a knife by another name
        base = THINGS[head]
        names = (name, *base.names)
        return Thing(name, names, base.loose, base.kinds, base.tags, base.maybe, base.mass, base.plural_only)
    return Thing(name, (name,))


def plural(noun: str) -> str:
    """Return the plural of a noun phrase's head; `piece of x` and `pair of x` change their first word."""
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if noun.endswith(('scissors', 'trousers', 'glasses', 'shoes', 'stairs', 'steps', 'clothes', 'keys', 'pants')):
        return noun
    head, of, rest = noun.partition(' of ')
    if of:
        return f'{plural(head)} of {rest}'
    words = noun.split()
    if len(words) > 1:
        return ' '.join((*words[:-1], plural(words[-1])))
    if noun.endswith('y') and noun[-2:-1] not in 'aeiou':
        return noun[:-1] + 'ies'
    if noun.endswith(('s', 'x', 'ch', 'sh')):
        return noun + 'es'
    if noun in ('tomato', 'potato'):
        return noun + 'es'
    return noun + 's'


def article(phrase: str) -> str:
    """Return `a` or `an` for what follows, by sound."""
    word = phrase.split()[0].lower()
    if word.startswith(('uni', 'use', 'usu', 'uten', 'eu', 'one')):
        return 'an' if word.startswith(('unin', 'unim')) else 'a'
    return 'an' if word[0] in 'aeiou' or word.startswith('hour') else 'a'


# Classes that look so alike, or mean so nearly the same, that one must not be asked for as absent where the other is.
LOOK_ALIKE = (
    {'table', 'dining table', 'coffee table', 'desk', 'counter', 'kitchen island', 'workbench', 'bedside table', 'TV stand'},
    {'cabinet', 'wall cabinet', 'shelf', 'bookcase', 'dresser', 'wardrobe', 'TV stand', 'drawer', 'filing cabinet', 'locker', 'chest'},
    {'sea', 'river', 'water'},
    {'dirt', 'sand', 'gravel', 'playing field', 'grass', 'road'},
    {'road', 'sidewalk', 'platform', 'floor', 'wooden floor', 'gravel', 'dirt', 'snow'},
    {'chair', 'armchair', 'office chair', 'high chair', 'beach chair', 'bar stool', 'stool', 'ottoman', 'bench', 'wheelchair'},
    {'couch', 'armchair', 'bed', 'ottoman', 'mattress'},
    {'oven', 'stove', 'microwave', 'cooktop', 'toaster'},
    {'TV', 'monitor', 'laptop', 'tablet', 'computer'},
    {'truck', 'van', 'bus', 'car', 'train'},
    {'building', 'house', 'wall', 'brick wall', 'stone wall', 'roof', 'bridge', 'tent'},
    {'bottle', 'vase', 'wine bottle', 'beer bottle', 'flask', 'jar', 'carton', 'spray bottle', 'medicine bottle', 'detergent', 'bleach'},
    {'flower', 'potted plant', 'tree', 'bush', 'hedge', 'cactus', 'flower pot', 'vase'},
    {'light', 'lamp', 'desk lamp', 'floor lamp', 'ceiling lamp', 'vase lamp', 'lantern', 'street lamp', 'traffic light'},
    {'cup', 'mug', 'glass', 'wine glass', 'plastic cup', 'coffee cup', 'beer glass', 'cocktail glass', 'bowl', 'pot', 'vase'},
    {'plate', 'oval plate', 'saucer', 'tray', 'bowl', 'lid', 'pan'},
    {'rug', 'bath mat', 'blanket', 'towel', 'curtain', 'clothing', 'pillow', 'banner', 'bed'},
    {'backpack', 'handbag', 'suitcase', 'briefcase'},
    {'box', 'cardboard box', 'crate', 'carton', 'chest', 'gift', 'drawer', 'cardboard', 'suitcase', 'bread box', 'speaker'},
    {'mountain', 'rock'},
    {'cake', 'donut', 'cupcake', 'sandwich', 'bread', 'pizza', 'hot dog', 'hamburger', 'food'},
    {'fence', 'net'},
    {'book', 'notebook', 'magazine', 'newspaper', 'paper', 'calendar'},
    {'pen', 'pencil', 'marker', 'screwdriver'},
    {'window', 'mirror', 'picture frame', 'window blind', 'curtain', 'door'},
    {'pot', 'pan', 'kettle', 'teapot', 'pitcher', 'creamer', 'coffee press', 'watering can', 'bucket'},
    {'apple', 'orange', 'lemon', 'tomato', 'onion', 'potato', 'pear', 'sports ball', 'basketball', 'soccer ball', 'bath sponge'},
    {'pitcher', 'lidded jug', 'teapot', 'mug', 'cup', 'coffee cup', 'soup cup', 'beer glass', 'kettle', 'coffee maker', 'moka pot'},
    {'jar', 'clay pot', 'pot', 'vase', 'flower pot', 'bowl', 'cup', 'perfume bottle', 'pen holder', 'utensil pot'},
    {'keyboard', 'piano keyboard', 'piano', 'xylophone'},
    {'brush', 'hairbrush', 'comb', 'toothbrush', 'toilet brush'},
    {'candle', 'candle holder', 'lantern', 'lamp'},
    {'drying rack', 'ironing rack', 'coat rack'},
    {'man', 'woman', 'boy', 'girl', 'child', 'person', 'mannequin', 'doll'},
    {'trash can', 'recycling bin', 'bucket', 'basket', 'clothes basket', 'barrel', 'crate'},
)  # fmt: skip


def confusable(a: Thing, b: Thing) -> bool:
    """Say whether somebody could call an `a` by a name of `b`."""
    if any(a.name in group and b.name in group for group in LOOK_ALIKE):
        return True
    mine, theirs = {*a.names, *a.loose}, {*b.names, *b.loose}
    if mine & theirs or a.name in b.kinds or b.name in a.kinds:
        return True
    tokens = {w for n in mine for w in n.lower().split()} & {w for n in theirs for w in n.lower().split()}
    return bool(tokens - {'of', 'a', 'and'})


@cache
def cousins(category: str) -> tuple[str, ...]:
    """Return the classes of the same kind that nobody would mix up with `category`, nearest kin first."""
    mine = thing(category)
    scored = []
    for other in THINGS.values():
        shared = len(set(mine.kinds) & set(other.kinds))
        if shared and other.name != mine.name and not confusable(mine, other):
            scored.append((-shared, -len(mine.tags & other.tags), other.name))
    return tuple(name for *_, name in sorted(scored))
