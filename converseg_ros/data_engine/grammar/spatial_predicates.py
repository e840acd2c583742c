"""Spatial predicates: every condition is true, false, or unclear (None)."""

import numpy as np

from converseg_ros.data_engine.world.world import Entity, World
from converseg_ros.facts.relations import PERSON_REACH


def left_of(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Return whether `e` is left of `anchor` in the image: its centre beyond the anchor's edge, no shared columns."""
    margin = 0.015 * world.width
    if e.cx < anchor.box.x0 - margin and e.box.x1 < anchor.cx:
        return True
    return False if e.cx >= anchor.cx else None


def right_of(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Return whether `e` is right of `anchor` in the image."""
    margin = 0.015 * world.width
    if e.cx > anchor.box.x1 + margin and e.box.x0 > anchor.cx:
        return True
    return False if e.cx <= anchor.cx else None


def above(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Return whether `e` is above `anchor` in the image, in its columns."""
    overlap = min(e.box.x1, anchor.box.x1) - max(e.box.x0, anchor.box.x0)
    known = e.up is not None and anchor.up is not None and e.size is not None
    if known and e.up - e.size[2] < anchor.up - 0.02:  # type: ignore[index, operator]
        # higher in the image, but not above in the room
        return False if e.cy >= anchor.cy and e.up <= anchor.up else None  # type: ignore[operator]
    if e.cy >= anchor.cy:
        return False
    aligned = overlap >= 0.5 * min(e.box.x1 - e.box.x0, anchor.box.x1 - anchor.box.x0)
    return True if e.box.y1 <= anchor.box.y0 + 0.01 * world.height and aligned else None


def below(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Return whether `e` is below `anchor` in the image, in its columns."""
    if above(anchor, e, world):
        return True
    higher = e.up is not None and anchor.up is not None and e.up < anchor.up
    return False if e.cy <= anchor.cy and not higher else None


def behind(e: Entity, anchor: Entity) -> bool | None:
    """Return whether `e` is behind `anchor` from the camera: farther away, and in line with it."""
    if e.position is None or anchor.position is None or e.size is None or anchor.size is None:
        return None
    along = e.position[2] - anchor.position[2]
    if along < 0.02:
        return False
    reach = 0.5 * (max(anchor.size[:2]) + max(e.size[:2]))
    if np.linalg.norm(e.position - anchor.position) > 4 * reach + 0.6:
        return None
    return True if along > 0.06 and abs(e.position[0] - anchor.position[0]) < 0.7 * reach else None


def in_front_of(e: Entity, anchor: Entity) -> bool | None:
    """Return whether `e` is in front of `anchor` from the camera."""
    if e.position is None or anchor.position is None:
        return None
    if e.position[2] - anchor.position[2] > -0.02:
        return False
    return True if behind(anchor, e) else None


def gap(a: Entity, b: Entity) -> float:
    """Return the distance of two objects: of their centres in metres if known, else between boxes in pixels."""
    if a.position is not None and b.position is not None:
        return float(np.linalg.norm(a.position - b.position))
    dx = max(a.box.x0 - b.box.x1, b.box.x0 - a.box.x1, 0)
    dy = max(a.box.y0 - b.box.y1, b.box.y0 - a.box.y1, 0)
    return float(np.hypot(dx, dy)) + 5.0


def on_top(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Return whether `e` stands directly on `anchor`; None if through another object."""
    if e.support == anchor.key:
        return True
    if 'graph' not in world.facts:
        return None if anchor.key in e.contacts or _overlap(e, anchor) else False
    return None if anchor.key in carriers(e, world) else False


def is_in(e: Entity, anchor: Entity) -> bool:
    """Return whether `e` is directly in the container `anchor`."""
    return e.inside == anchor.key


def _overlap(e: Entity, anchor: Entity) -> bool:
    a, b = e.box, anchor.box
    return min(a.x1, b.x1) > max(a.x0, b.x0) and min(a.y1, b.y1) + 8 > max(a.y0, b.y0)


def shared(e: Entity, other: Entity) -> float:
    """Return the share of the smaller of two boxes inside the other."""
    a, b = e.box, other.box
    both = max(min(a.x1, b.x1) - max(a.x0, b.x0), 0) * max(min(a.y1, b.y1) - max(a.y0, b.y0), 0)
    return both / max(1, min((a.x1 - a.x0) * (a.y1 - a.y0), (b.x1 - b.x0) * (b.y1 - b.y0)))


def carriers(e: Entity, world: World) -> set[str]:
    """Return everything that supports or contains `e`, directly or not."""
    seen: set[str] = set()
    stack = [e]
    while stack:
        current = stack.pop()
        for key in (current.support, current.inside):
            if key in world.entities and key not in seen:
                seen.add(key)
                stack.append(world.entities[key])
    return seen


def own_left_of(e: Entity, anchor: Entity) -> bool | None:
    """Return whether `e` is on somebody's own left: their front is their -y axis, their left +x."""
    if e.position is None or anchor.position is None or anchor.axes is None:
        return None
    offset = e.position - anchor.position
    left, ahead = float(offset @ anchor.axes[:, 0]), float(-offset @ anchor.axes[:, 1])
    if left < -0.05:
        return False
    near = np.hypot(left, ahead) < PERSON_REACH
    return True if left > 0.15 and left > 0.6 * abs(ahead) and near else None


def own_right_of(e: Entity, anchor: Entity) -> bool | None:
    """Return whether `e` is on somebody's own right."""
    if e.position is None or anchor.position is None or anchor.axes is None:
        return None
    offset = e.position - anchor.position
    right, ahead = -float(offset @ anchor.axes[:, 0]), float(-offset @ anchor.axes[:, 1])
    if right < -0.05:
        return False
    near = np.hypot(right, ahead) < PERSON_REACH
    return True if right > 0.15 and right > 0.6 * abs(ahead) and near else None


def between(e: Entity, a: Entity, b: Entity) -> bool | None:
    """Return whether `e` is between two objects in the image, near their line and apart from both."""
    ab = np.array([b.cx - a.cx, b.cy - a.cy])
    length = float(np.hypot(*ab)) + 1e-6
    along = float(np.dot([e.cx - a.cx, e.cy - a.cy], ab)) / length**2
    off = abs(float(ab[0] * (e.cy - a.cy) - ab[1] * (e.cx - a.cx))) / length**2
    if 0.2 < along < 0.8 and off < 0.2 and e.box.x1 - e.box.x0 < length and max(shared(e, a), shared(e, b)) < 0.2:
        return True
    return False if along < -0.02 or along > 1.02 or off > 0.6 else None


def on_side(e: Entity, word: str, width: int) -> bool | None:
    """Return whether an object is in one half of the image, not in its middle."""
    left, right = e.box.x1 < 0.48 * width, e.box.x0 > 0.52 * width
    if not left and not right:
        return None
    return left == (word == 'left')


def partly_hidden(e: Entity) -> bool | None:
    """Return whether something else hides a large part of an object."""
    if 0.25 < e.visible < 0.75 and e.hidden_by:
        return True
    return False if e.visible > 0.93 else None
