"""The true facts of a world, and the answers that programs have on them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.status import Status
from converseg_ros.data_engine.world.appearance import OPPOSITE, has_state, is_color, is_made_of, partly_hidden
from converseg_ros.data_engine.world.companions import RIDES, SEATS, WORN, companions, rides
from converseg_ros.data_engine.world.model_overrides import NAMELESS, part_name
from converseg_ros.data_engine.world.relations import stated_relations
from converseg_ros.data_engine.world.world import Entity, World
from converseg_ros.facts.execution.executor import Executor
from converseg_ros.facts.geometry.gravity import upright_axes
from converseg_ros.facts.table import Facts
from converseg_ros.facts.truth import TrueEvent, TrueThing, true_facts
from converseg_ros.knowledge import class_of, counted, plural, singular, tags
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.nodes import Node

KINDS = {'object': 'object', 'agent': 'agent', 'surface': 'surface', 'structure': 'structure', 'part': 'object'}
"""Kind of an entity -> kind of core.segments.KINDS; stuff is structure."""
COLOURS = {'gray': 'grey'}
"""American spellings of the scene graphs and the grammar -> values of programs."""
IN_USE = frozenset({'holding', 'cutting', 'pouring', 'sitting', 'carrying', 'plugging', 'covering'})
"""Events in which both actor and target are in use."""
Property = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Truth:
    """A world with its true facts, on which programs are executed."""

    world: World
    _answers: dict[Node, tuple[str, ...] | None] = field(default_factory=dict, repr=False)

    @cached_property
    def facts(self) -> Facts:
        """Return the facts of the world; raise InputError if it is empty."""
        return world_facts(self.world)

    @cached_property
    def _executor(self) -> Executor:
        return Executor(self.facts)

    @cached_property
    def listed(self) -> list[Entity]:
        """Return the entities in the order of the regions of the facts."""
        return _listed(self.world)

    def answer(self, program: Node) -> tuple[str, ...] | None:
        """Return the keys of the answer of a program, sorted; None if facts do not decide it.

        The keys are those of entities, or of free areas (`free:KEY`). An answer is decided if the executor would state
        it without reservation: also a program for one thing that two things fulfil is not.
        """
        try:
            return self._answers[program]
        except KeyError:
            found = self._answers[program] = self._execute(program) if self.listed else ()
            return found

    def _execute(self, program: Node) -> tuple[str, ...] | None:
        decision = self._executor.decide(program)
        if decision.status not in (Status.OK, Status.NO_TARGET):
            return None
        if decision.area is None:
            return tuple(sorted(self.listed[i].key for i in decision.chosen))
        mask = decision.mask(self.facts)
        free = self.world.free.items()
        found = tuple(sorted(f'free:{k}' for k, m in free if m.any() and not (m & ~mask).any()))
        return found if np.array_equal(self.world.union(found), mask) else None


def world_facts(world: World) -> Facts:
    """Return the facts of a world; what opinions could differ about is undecided. Raise InputError for an empty one."""
    listed = _listed(world)
    if not listed:
        raise InputError('nothing is labelled', where=f'image {world.key}', do='leave it out')
    scene = 'graph' in world.facts
    loose = set() if not scene else {e.key for e in loose_things(world)}
    axes = None if world.up is None else upright_axes(world.up)
    facts = true_facts(
        [_thing(e, world, e.key in loose, axes) for e in listed],
        events=_events(world),
        up=world.up,
        free={k: m for k, m in world.free.items() if m.any() and not is_low(world.entities[k])},
        vocabulary=None if world.vocabulary is None else _forms(w for c in world.vocabulary for w in class_of(c).words),
        tells=frozenset({'material', 'state'} | ({'colour'} if 'color' in world.facts else set()))
        if scene
        else frozenset(),
        graph=scene,
    )
    return replace(
        facts, given=replace(facts.given, relations={**facts.given.relations, **stated_relations(listed, world)})
    )


def _listed(world: World) -> list[Entity]:
    return [e for e in world.entities.values() if e.area and e.kind != 'free']


def _forms(words: Iterable[str]) -> frozenset[str]:
    """Return names with the forms that programs use: singular and counted."""
    return frozenset[str]().union(*map(_forms_of, words))


@cache
def _forms_of(word: str) -> frozenset[str]:
    return frozenset({word, singular(word), singular(plural(word)), singular(counted(word))})


def _thing(e: Entity, world: World, loose: bool, axes: NDArray[np.float64] | None) -> TrueThing:
    known = e.thing
    scene = 'graph' in world.facts
    if e.kind == 'part':
        names = _forms((e.category, part_name(world.entities[e.owner].category, e.category)))
        return TrueThing(e.key, e.mask, 'object', names, owner=e.owner)
    named = e.category != NAMELESS
    sure, unsure = _properties(e, world)
    return TrueThing(
        e.key,
        e.mask,
        KINDS.get(e.kind, 'structure'),
        _forms((*known.names, *known.kinds)) if named else frozenset(),
        _forms(known.loose_names) if named else frozenset(),
        e.tags,
        e.maybe,
        sure,
        unsure,
        '',
        e.support,
        e.inside,
        _touching(e, world),
        e.hidden_by,
        e.falls_with,
        (e.tips if loose else False) if scene else None,
        e.position,
        _upright_size(e, axes),
        e.up,
        None if e.axes is None else -e.axes[:, 1],
    )


def _upright_size(e: Entity, axes: NDArray[np.float64] | None) -> tuple[float, float, float] | None:
    """Return the extents of the box of an object along the upright axes (3, 3) of the view."""
    if e.extent is None or e.axes is None or axes is None:
        return e.size
    x, y, z = np.abs(axes @ e.axes) @ np.asarray(e.extent)
    return float(x), float(y), float(z)


def _touching(e: Entity, world: World) -> frozenset[str]:
    """Return what is in contact with an object, except its support, its container and its contents."""
    if e.kind not in ('object', 'agent'):
        return frozenset()
    others = [world.entities[k] for k in e.contacts if k in world.entities]
    return frozenset(
        o.key
        for o in others
        if o.kind in ('object', 'agent') and not {o.support, o.inside} & {e.key} and o.key not in (e.support, e.inside)
    )


def _properties(e: Entity, world: World) -> tuple[frozenset[Property], frozenset[Property]]:
    """Return the certain properties of an entity, and those that opinions differ about."""
    tagged = {t: True if t in e.tags else None if t in e.maybe else False for t in v.PHYSICS if t in tags()}
    verdicts: dict[Property, bool | None] = {('physics', t): holds for t, holds in tagged.items()}
    if 'color' in world.facts:
        back = {value: word for word, value in COLOURS.items()}
        verdicts |= {('colour', c): is_color(e, back.get(c, c)) for c in v.COLOURS}
    if 'graph' in world.facts:
        verdicts |= {('material', m): is_made_of(e, m) for m in v.MATERIALS}
        verdicts |= {('state', s): has_state(e, s) for s in v.STATES if s in OPPOSITE}
        verdicts['state', 'stacked'] = e.stack > 0
        used = any(e.key in (x.actor, x.target) for x in world.events if x.type in IN_USE)
        verdicts |= {('state', 'used'): used, ('state', 'unused'): not used}
        verdicts['state', 'hidden'] = partly_hidden(e)
        carries = any(e.key in (o.support, o.inside) for o in world.things)
        verdicts['physics', 'removable'] = e.kind == 'object' and not carries
    elif e.category in SEATS:
        people = [p for p in world.things if p.category == 'person' and p.key in e.contacts]
        verdicts['state', 'empty'] = not people or (None if not any(rides(p, e) for p in people) else False)
    return (
        frozenset(p for p, holds in verdicts.items() if holds),
        frozenset(p for p, holds in verdicts.items() if holds is None),
    )


def _events(world: World) -> list[TrueEvent]:
    events = [TrueEvent(e.type, e.actor, e.target) for e in world.events if e.type in v.ACTS]
    events += [TrueEvent('using', e.actor, e.target) for e in world.events if e.type in IN_USE]
    if 'graph' not in world.facts:
        for category, pairs in companions(world)[0].items():
            kinds = ('riding',) if category in RIDES else ('wearing',) if category == WORN else ('carrying', 'holding')
            events += [TrueEvent(kind, person.key, thing.key) for kind in kinds for person, thing in pairs]
    return events


def loose_things(world: World) -> list[Entity]:
    """Return what could tip over: objects on a support, without furniture and appliances."""
    return [
        e
        for e in world.things
        if e.kind == 'object' and (e.support or e.tips) and not {'furniture', 'appliance'} & set(e.thing.kinds)
    ]


def is_low(entity: Entity) -> bool:
    """Return whether a surface is the floor or a rug, where nobody sets down a plate."""
    return entity.category in ('floor', 'rug', 'wooden floor') or (entity.up is not None and entity.up < 0.25)
