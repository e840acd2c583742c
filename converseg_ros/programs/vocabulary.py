"""The closed sets of values of program nodes; tags come from `knowledge`, nouns are free."""

from typing import Literal

COLOURS = (
    'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'black', 'grey', 'white', 'beige', 'cyan',
    'silver', 'gold', 'dark', 'light', 'colourful',
)  # fmt: skip

MATERIALS = (
    'metal', 'wood', 'plastic', 'glass', 'ceramic', 'paper', 'cardboard', 'fabric', 'leather', 'rubber', 'stone',
    'food', 'plant', 'transparent',
)  # fmt: skip

STATES = (
    'open', 'closed', 'full', 'empty', 'lit', 'lying', 'upright', 'hidden', 'visible', 'stacked', 'used', 'unused',
)  # fmt: skip

PHYSICS = ('tips', 'stable', 'removable', 'bears_load', 'rolls', 'heavy', 'light_weight')

TAGS_WITH_PHYSICS = {'heavy': 'heavy', 'light_weight': 'light_weight', 'rolls': 'rolls', 'tippy': 'tips'}
"""Tags that a filter by physics replaces, because it also uses shape and size: 'what would roll away'."""

SAID_BY_FILTERS = {tag: f'physics.{value}' for tag, value in TAGS_WITH_PHYSICS.items()} | {
    'transparent': 'material.transparent'
}
"""Tags with the meaning of another filter, written KIND.VALUE."""

REGIONS = ('left', 'right', 'top', 'bottom', 'centre', 'corner', 'near', 'far')

RANK_KEYS = ('height', 'size', 'width', 'length', 'weight', 'x', 'y', 'elevation', 'depth', 'distance_to')
"""height: vertical extent. size: volume, or area without depth. x, y: image column and row. elevation: height of the
top above the support. depth: distance from the camera. distance_to: distance to the node's anchor."""

RELATIONS = (
    'on', 'in', 'under', 'above', 'below', 'next_to', 'between', 'in_front_of', 'behind', 'left_of', 'right_of',
    'own_left_of', 'own_right_of', 'touching', 'part_of', 'supports', 'contains', 'covers', 'falls_without', 'hides',
    'hidden_by', 'near', 'far_from', 'facing', 'taller_than', 'shorter_than', 'larger_than', 'smaller_than',
)  # fmt: skip
"""`of` RELATION `anchor`: 'supports' gives what the anchor rests on, 'on' what rests on the anchor, 'falls_without'
what moves or falls when the anchor is taken away, 'hides' what stands between the camera and the anchor."""

ACTS = (
    'holding', 'using', 'cutting', 'pouring', 'sitting', 'facing', 'reaching', 'carrying', 'riding', 'wearing',
    'falling', 'plugging', 'watching', 'stirring', 'eating', 'drinking', 'writing', 'cleaning',
)  # fmt: skip

ROLES = ('agent', 'patient', 'instrument', 'uninvolved')

IMPLIED_NOUNS = ('grip', 'person', 'hand', 'gripper', 'table', 'floor', 'handle', 'animal')
"""Nouns that an instruction may imply: "who" is a person, "where do I hold it" means a grip."""

NEVER_COPIED = ('grip',)
"""Implied nouns that are never copied from the instruction, even if it contains the word."""

ADJECTIVES = {
    **{word: ('colour', word) for word in COLOURS if word not in ('orange', 'silver', 'gold', 'dark', 'light')},
    **{word: ('state', word) for word in STATES},
    'gray': ('colour', 'grey'),
    'wooden': ('material', 'wood'),
    'metallic': ('material', 'metal'),
}
"""Words that are adjectives only, with the filter that they mean; 'orange' and 'glass' also begin compounds."""

POSITIONS: dict[str, tuple[str, Literal['min', 'max']]] = {
    'top': ('y', 'min'),
    'upper': ('y', 'min'),
    'bottom': ('y', 'max'),
    'lower': ('y', 'max'),
}
"""Words before a noun that mean an extreme of an order, if one thing is asked for: 'top drawer'."""

YOUNG = ('baby', 'young')
"""Words before the noun of an animal that mean the smallest one."""

FIXED_PARTS = ('handle', 'leg', 'spout', 'rim', 'neck', 'stem', 'armrest', 'backrest')
"""Nouns that name a part if they follow the noun of a whole: 'cupboard handle'."""

LONGEST_SPAN = 12
"""Maximum number of words of a noun, a free text or a length."""
