"""What the appearance of an entity shows: colour, material, state, occlusion; None where opinions could differ."""

from converseg_ros.data_engine.world.world import Entity

HARD = frozenset({'ceramic', 'plastic', 'metal', 'stone', 'glass', 'paper', 'wax'})  # they look alike under paint
CLOSE_COLORS = {
    frozenset(pair)
    for pair in (
        ('red', 'orange'), ('red', 'brown'), ('red', 'pink'), ('red', 'purple'), ('orange', 'yellow'),
        ('orange', 'brown'), ('yellow', 'brown'), ('yellow', 'white'), ('yellow', 'green'), ('yellow', 'beige'),
        ('brown', 'beige'), ('brown', 'black'), ('white', 'beige'), ('white', 'gray'), ('gray', 'black'),
        ('gray', 'blue'), ('blue', 'purple'), ('purple', 'pink'), ('pink', 'beige'), ('green', 'blue'),
        ('gray', 'green'), ('gray', 'brown'), ('gray', 'beige'), ('orange', 'beige'), ('orange', 'pink'),
        ('black', 'blue'), ('pink', 'white'), ('gray', 'silver'), ('white', 'silver'), ('cyan', 'blue'),
        ('cyan', 'green'), ('turquoise', 'blue'), ('turquoise', 'green'), ('black', 'purple'),
        ('yellow', 'gold'), ('brown', 'gold'), ('orange', 'gold'),
    )
}  # fmt: skip
OPPOSITE = {'open': 'closed', 'lit': 'unlit', 'full': 'empty', 'lying': 'upright', 'on': 'off'}
OPPOSITE |= {b: a for a, b in OPPOSITE.items()}
"""State of scenes.graph -> the state that excludes it."""


def color_word(entity: Entity) -> str:
    """Return the usual word for an entity's colour, '' if it is mixed."""
    return {'grey': 'gray'}.get(entity.color, entity.color)


def is_color(entity: Entity, color: str) -> bool | None:
    """Return whether an entity has a colour; None if its paint or its pixels are close to it."""
    own = color_word(entity)
    if not own or frozenset((own, color)) in CLOSE_COLORS:
        return None
    if entity.looks and entity.looks != own:
        apart = frozenset((own, entity.looks)) not in CLOSE_COLORS
        if color == entity.looks or frozenset((entity.looks, color)) in CLOSE_COLORS or (apart and color == own):
            return None
    return own == color


def is_made_of(entity: Entity, material: str) -> bool | None:
    """Return whether an entity is made of a material; None if paint could hide it."""
    if entity.material == material:
        return True
    painted = {entity.material, material} <= HARD and not (material == 'glass' and 'transparent' not in entity.tags)
    return False if entity.material and not painted else None


def has_state(entity: Entity, state: str) -> bool | None:
    """Return whether an entity is in a state; None if neither it nor its opposite is stated."""
    if entity.state == state:
        return True
    return False if OPPOSITE.get(entity.state) == state else None


def partly_hidden(entity: Entity) -> bool | None:
    """Return whether something else hides a large part of an entity."""
    if 0.25 < entity.visible < 0.75 and entity.hidden_by:
        return True
    return False if entity.visible > 0.93 else None
