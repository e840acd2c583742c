"""The sub-concepts of the five families of concepts, in one table."""

from typing import NamedTuple

from converseg_ros.core.families import Family


class SubConcept(NamedTuple):
    """One kind of question within a family."""

    name: str
    family: Family
    description: str


_TABLE = {
    Family.ENTITIES: {
        'instance': 'one thing or all things of a class, by the usual name or a synonym',
        'kind': 'all things of a wider kind (dishes, furniture, electronics, animals)',
        'agent': 'people, hands, grippers and animals: whatever can act',
        'surface': 'stuff and surfaces: floor, wall, counter, grass, water',
        'part': 'a part of a thing: handle, rim, lid, blade, seat',
        'material': 'what a thing is made of',
        'color': 'the colour of a thing',
        'state': 'an articulated or other state: open, closed, lit, lying, full',
        'group': 'several things of one kind that belong together: a stack, a row, a pair',
        'anomaly': 'the thing that does not belong to the others of its group',
        'attribute': 'a visible or known property: electric, soft, transparent, living',
    },
    Family.SPATIAL: {
        'containment': 'what is inside a container',
        'viewer_left': 'to the left or right of something, as the viewer sees it',
        'object_left': "on an object's own left or right side",
        'vertical': 'above or below something in the image',
        'support': 'what stands on something',
        'next_to': 'nearest to a named thing',
        'between': 'between two named things',
        'camera_distance': 'nearest to or farthest from the viewer',
        'in_front': 'in front of or behind a named thing',
        'occlusion': 'partly hidden, or hiding something else',
        'side_order': 'leftmost, rightmost, second from the left',
        'size_order': 'largest, smallest, tallest, second tallest',
        'image_region': 'a region of the image',
        'follow_up': 'a follow-up that refers to an earlier answer: the one behind it',
    },
    Family.RELATIONS: {
        'holding': 'held by a hand, a gripper or a person',
        'using': 'in use: cut, poured from, sat on, plugged in',
        'cutting': 'a blade in what it cuts',
        'pouring': 'a vessel tilted over another',
        'sitting': 'a person seated on something',
        'facing': 'turned towards something',
        'reaching': 'reached for by a hand',
        'in_transit': 'carried or rolled from one place to another',
        'about_to': 'in the middle of falling, or about to be touched, filled, covered',
        'covering': 'a lid or cover over something',
        'connecting': 'plugged into, or touching',
        'riding': 'on top of a vehicle, animal or board',
        'accompanying': 'a person with a thing they carry or wear',
        'uninvolved': 'the similar thing that takes no part in the interaction',
    },
    Family.AFFORDANCES: {
        'grasp': 'what a hand or gripper can pick up, and where to hold it',
        'sit': 'what one can sit or lie on',
        'cut': 'what one can cut or slice with',
        'pour': 'what one can pour from',
        'drink': 'what one can drink from',
        'contain': 'what can hold liquid or store things',
        'support_use': 'what things can be put on',
        'open': 'what can be opened',
        'stir': 'what one can stir, scoop or eat with',
        'clean': 'what one can clean, wash or dry with',
        'work': 'what one can hammer, screw, write or measure with',
        'operate': 'what one can switch on, watch, type on, call with, listen to',
        'light': 'what gives light',
        'consume': 'what one can eat',
        'wear': 'what one can put on',
        'travel': 'what one can ride or travel with',
        'play': 'what one can play with or do sport with',
        'substitute': 'a tool that can substitute the proper one',
    },
    Family.PHYSICS: {
        'free_space': 'where something can be set down: the free part of a surface',
        'stability': 'what would tip over at a small push, or is stable',
        'load_bearing': 'what supports the weight of something else',
        'falls_if_removed': 'what would move or fall if something were taken away',
        'removable': 'what can be taken without disturbing anything',
        'hot': 'what is hot, burns or gets hot in use',
        'sharp': 'what could cut or prick somebody',
        'fragile': 'what breaks when it is dropped',
        'spill': 'what could be spilled',
        'child_reach': 'what a small child must not reach or could choke on',
        'fire': 'what burns easily or could set something alight',
        'electric': 'what runs on electricity and must not get wet',
        'toxic': 'what must not be swallowed',
        'weight': 'what is too heavy for one hand',
        'rolling': 'what could roll away',
        'movable': 'what moves by itself and must be kept clear of',
    },
}

SUB_CONCEPTS: dict[str, SubConcept] = {
    name: SubConcept(name, family, description) for family, rows in _TABLE.items() for name, description in rows.items()
}


def family_of(sub_concept: str) -> Family:
    """Return the family a sub-concept belongs to; raise KeyError for a name that is not in the table."""
    return SUB_CONCEPTS[sub_concept].family
