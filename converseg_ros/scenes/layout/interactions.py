"""Staged interactions with exact labels, each with a similar object that is not involved."""

from converseg_ros.scenes.layout import stages_room, stages_table
from converseg_ros.scenes.layout.builder import Builder, Surface
from converseg_ros.scenes.layout.staging import STAGES, pick

__all__ = ['BY_ROOM', 'STAGES', 'perform', 'stages_room', 'stages_table']

BY_ROOM = {
    'kitchen': (
        'holding',
        'holding',
        'cutting',
        'cutting',
        'pouring',
        'covering',
        'covering',
        'reaching',
        'falling',
        'carrying',
        'facing',
    ),
    'dining': ('holding', 'cutting', 'pouring', 'pouring', 'reaching', 'falling', 'sitting', 'facing', 'carrying'),
    'office': ('holding', 'writing', 'plugging', 'plugging', 'reaching', 'falling', 'sitting', 'facing', 'writing'),
    'workshop': ('holding', 'plugging', 'reaching', 'falling', 'carrying', 'plugging'),
    'nursery': ('holding', 'reaching', 'falling', 'facing'),
    'living': ('holding', 'pouring', 'reaching', 'falling', 'sitting', 'facing', 'plugging'),
}
ANYWHERE = ('holding', 'holding', 'reaching', 'pouring', 'falling', 'carrying', 'plugging', 'facing')


GRIPPED = frozenset({'holding', 'writing', 'covering'})


def conflict(name: str, other: str) -> bool:
    """Return whether two interactions in one scene would make a prompt ambiguous."""
    return name == other or {name, other} <= GRIPPED


def perform(b: Builder, surface: Surface, floor: Surface, share: float = 0.6) -> None:
    """Stage an interaction in a share of the scenes, sometimes two."""
    count = 0 if b.rng.random() > share else 2 if b.rng.random() < 0.2 else 1
    names = BY_ROOM.get(b.scene.room, ANYWHERE)
    for _ in range(count):
        for _ in range(4):
            name = pick(b, names)
            if any(conflict(name, done.type) for done in b.scene.interactions):
                continue
            if surface.clear < 0.6 and name not in ('holding', 'reaching', 'falling'):
                continue
            if surface.z < 0.1 and name in ('falling', 'carrying'):
                continue
            done = STAGES[name](b, surface, floor)
            if done:
                b.scene.interactions.append(done)
                break
