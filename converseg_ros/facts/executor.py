"""Execution of a program on facts: each node gives a degree for every region, or an area of the view."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.facts import wording
from converseg_ros.facts.answer import Answer, Literal, Options
from converseg_ros.facts.areas import Area, Meaning, beside, outermost, within
from converseg_ros.facts.decision import decide, with_reasons
from converseg_ros.facts.degrees import Degree, related
from converseg_ros.facts.free_space import free_space
from converseg_ros.facts.parts import BY_SHAPE, grip, protrusion
from converseg_ros.facts.ranking import ranked
from converseg_ros.facts.table import Facts
from converseg_ros.knowledge import thing
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

MAX_ROOM = 0.4  # metres: objects with a larger footprint stand on the floor
NOT_MEANT = 0.1  # degree of a condition that the text may not mean: what fulfils it remains the first choice
PART_SEEN = 0.25  # degree of the best part region below which the part is derived from the outline


def execute(program: Node, facts: Facts, options: Options | None = None) -> Answer:
    """Return the meaning of a program in the view of the facts."""
    options = options or Options()
    run = Execution(facts, options.recall, options.trust if _named(program) else 1.0)
    meaning = run.evaluate(program.of if isinstance(program, Select) else program, main=True)
    answer = decide(program, facts, meaning, tuple(run.literals), frozenset(run.unknown_nouns), options)
    return with_reasons(answer, program, options)


@dataclass(eq=False)
class Execution:
    """One execution of a program; literals are collected in the order of evaluation.

    safe: whether nothing is free that is not seen to be free. trust: as in Options.
    """

    facts: Facts
    safe: bool = False
    trust: float = 1.0
    literals: list[Literal] = field(default_factory=list)
    unknown_nouns: set[str] = field(default_factory=set)

    def evaluate(self, node: Node, main: bool) -> Meaning:
        """Return the meaning of a node. main: whether it is the target, not an anchor."""
        match node:
            case Things():
                return Meaning(self.facts.things)
            case Everything():
                return Meaning(self.facts.flat)
            case Filter():
                return self._filter(node, main)
            case Relate():
                return self._relate(node, main)
            case Act():
                return self._act(node, main)
            case Rank():
                return self._rank(node, main)
            case Like(text, of):
                alike = self.facts.like(text, alone=isinstance(of, Things))
                return self._conjunction(node, self.evaluate(of, main), alike, main)
            case Parts():
                return self._parts(node, main)
            case FreeSpace():
                return self._free(node)
            case Union(of):
                return self._union([self.evaluate(x, main) for x in of])
            case Except(of, minus):
                return self._except(self.evaluate(of, main), self.evaluate(minus, False))
            case Select(quantity, of):
                meaning = self.evaluate(of, main)
                return replace(meaning, degree=narrowed(meaning.degree, quantity))
        raise InputError(f'{node.op} cannot be executed', where='executor', do='give it a rule in Execution.evaluate')

    def _note(self, node: Node, condition: Degree, reached: Degree, main: bool) -> None:
        noun = node.value if isinstance(node, Filter) and node.by == 'name' else ''
        best, now = (float(p.max(initial=0.0)) for p in (condition.p * self.facts.flat.p, reached.p))
        if isinstance(node, Parts):
            best = now
        self.literals.append(Literal(wording.condition(node), best, now, condition.p, main, noun))

    def _conjunction(self, node: Node, of: Meaning, condition: Degree, main: bool) -> Meaning:
        named = isinstance(node, Filter) and node.by == 'name'
        degree = of.degree & (condition.doubted(self.trust, NOT_MEANT) if main and not named else condition)
        self._note(node, condition, degree, main)
        return replace(of, degree=degree)

    def _filter(self, node: Filter, main: bool) -> Meaning:
        of = self.evaluate(node.of, main)
        if of.area is not None and node.by == 'region':
            return replace(of, area=within(of.area, node.value))
        if node.by == 'name' and not self.facts.knows(node.value):
            self.unknown_nouns.add(node.value)
        return self._conjunction(node, of, self.facts.filter(node.by, node.value), main)

    def _relate(self, node: Relate, main: bool) -> Meaning:
        if node.relation == 'part_of' and isinstance(node.of, Everything):
            of = Meaning(Degree.known((self.facts.segments.parent >= 0).astype(np.float64)))
        else:
            of = self.evaluate(node.of, main)
        anchor = self.evaluate(node.anchor, False).degree
        if of.area is not None:
            mask = self._mask_of_best(anchor)
            return replace(of, area=beside(of.area, node.relation, mask, self.facts.geometry))
        if node.relation == 'between':
            other = anchor if node.other is None else self.evaluate(node.other, False).degree
            condition = self._between(anchor, other)
        else:
            condition = related(self.facts.relation(node.relation), anchor)
        return self._conjunction(node, of, condition, main)

    def _between(self, first: Degree, second: Degree) -> Degree:
        middle = self.facts.between()
        a = Degree(first.p[None, :, None], first.low[None, :, None], first.high[None, :, None], first.notes)
        b = Degree(second.p[None, None], second.low[None, None], second.high[None, None], second.notes)
        return (middle & a & b).any(2).any(1)

    def _act(self, node: Act, main: bool) -> Meaning:
        of = self.evaluate(node.of, main)
        pairs = self.facts.act(node.kind)
        if node.role in ('patient', 'uninvolved'):
            pairs = pairs.T
        elif node.role == 'instrument':
            pairs = self._instruments(node.kind)
        if node.other is not None:
            other = self.evaluate(node.other, False).degree
            condition = related(pairs, other)
        else:
            condition = pairs.any(1)
        if node.role == 'uninvolved':
            condition = ~(condition | self.facts.act(node.kind).any(1))
        return self._conjunction(node, of, condition, main)

    def _instruments(self, kind: str) -> Degree:
        """Return (S, S): region i is the instrument of an act on j: it acts itself, or an agent holds it."""
        pairs = self.facts.act(kind)
        held = self.facts.act('holding').T.any(1)
        by_hand = pairs.any(0) & held  # of the pair of a person and their knife, the knife
        itself = pairs.scaled(np.repeat(1 - self.facts.kinds[:, 3:], len(self.facts), 1))
        p, low, high = (np.repeat(x[:, None], len(self.facts), 1) for x in (by_hand.p, by_hand.low, by_hand.high))
        return itself | Degree(p, low, high, by_hand.notes)

    def _rank(self, node: Rank, main: bool) -> Meaning:
        of = self.evaluate(node.of, main)
        anchor = self.evaluate(node.anchor, False).degree if node.anchor is not None else None
        if of.area is not None:
            return replace(of, area=outermost(of.area, node.key, node.order))
        scale = self.facts.scale(node.key, anchor)
        members = of.degree
        if anchor is not None:  # the anchor of distances is excluded
            members = members.scaled(np.isfinite(scale.value))
        degree = ranked(members, scale, node.order, node.first, node.count)
        self._note(node, degree, degree, main)
        return replace(of, degree=degree)

    def _parts(self, node: Parts, main: bool) -> Meaning:
        wholes = self.evaluate(node.of, main).degree
        parent = self.facts.segments.parent
        named = self.facts.part('handle' if node.noun == 'grip' else node.noun)
        owner = _at(wholes, parent)
        degree = named & owner
        self._note(node, named, degree, main)
        if float(degree.p.max(initial=0.0)) >= PART_SEEN or (self.facts.exact and node.noun != 'grip'):
            return Meaning(degree)
        if node.noun == 'grip':
            return self._grips(wholes, grip)
        return self._grips(wholes, protrusion) if node.noun in ('handle', 'grip', 'spout') else Meaning(degree)

    def _grips(self, wholes: Degree, shape: Callable[[NDArray[np.bool_]], NDArray[np.bool_]]) -> Meaning:
        """Return an area: the part of the outline of each plausible member that `shape` finds."""
        best = float(wholes.p.max(initial=0.0))
        mask = np.zeros(self.facts.segments.masks.shape[1:], bool)
        for i in np.flatnonzero(wholes.p >= max(0.5 * best, 1e-6)):
            mask |= shape(self.facts.segments.masks[i])
        nobody = Degree.known(np.zeros(len(self.facts)))
        return Meaning(nobody, Area(mask, 0.6 * best if mask.any() else 0.0, False, frozenset({BY_SHAPE})))

    def _free(self, node: FreeSpace) -> Meaning:
        on = None if node.on is None else self.evaluate(node.on, False).degree
        sides = (node.size, node.size) if node.size else _footprint(node.thing)
        if not node.thing or sides[1] <= MAX_ROOM:
            area = free_space(self.facts, on, sides, safe=self.safe)
        else:  # a wardrobe
            floor = self.facts.filter('name', 'floor')
            area = free_space(self.facts, floor if on is None else on, sides, safe=self.safe)
            stands = f'{wording.a(node.thing)} stands on the floor'
            if on is None and not area.mask.any():
                area = replace(area, notes=frozenset({f'{stands}, where no free place of {sides[1]:g} m is seen'}))
            elif on is not None and float((on & floor).p.max(initial=0.0)) < 0.5 * float(on.p.max(initial=0.0)):
                area = replace(area, decided=False, notes=area.notes | {f'{stands}, not on other things'})
        return Meaning(Degree.known(np.zeros(len(self.facts))), area)

    def _union(self, members: list[Meaning]) -> Meaning:
        degree = members[0].degree
        for m in members[1:]:
            degree = degree | m.degree
        areas = [m.area for m in members if m.area is not None]
        if not areas:
            return Meaning(degree)
        area = areas[0]
        for a in areas[1:]:
            area = Area(
                area.mask | a.mask,
                max(area.sure, a.sure),
                area.decided and a.decided,
                area.notes | a.notes,
                area.measured or a.measured,
            )
        return Meaning(degree, area)

    def _except(self, of: Meaning, minus: Meaning) -> Meaning:
        degree = of.degree & ~minus.degree
        if of.area is None:
            return Meaning(degree, None, minus.degree if of.minus is None else of.minus | minus.degree)
        gone = self._mask_of_best(minus.degree)
        if minus.area is not None:
            gone = gone | minus.area.mask
        return Meaning(degree, of.area & ~gone)

    def _mask_of_best(self, degree: Degree) -> NDArray[np.bool_]:
        """Return (h, w) the pixels of the plausible members of a degree."""
        chosen = degree.p >= max(0.5 * float(degree.p.max(initial=0.0)), 0.1)
        masks = self.facts.segments.masks
        return np.asarray(masks[chosen].any(0)) if chosen.any() else np.zeros(masks.shape[1:], bool)


def _named(program: Node) -> bool:
    """Return whether the target has a name, not only properties."""
    node: object = program
    while node is not None and not isinstance(node, tuple):
        if isinstance(node, Filter) and node.by == 'name':
            return True
        node = getattr(node, 'of', None)
    return isinstance(node, tuple) and any(_named(member) for member in node)


def _footprint(noun: str) -> tuple[float, float]:
    """Return the longer and the shorter side in metres of the usual footprint of an object, 0 if it is not known."""
    known = thing(noun) if noun else None
    return known.size[:2] if known and known.size else (0.0, 0.0)


def narrowed(degree: Degree, quantity: str | int) -> Degree:
    """Return the most certain members of a nested selection; others keep a degree relative to the last selected one.

    Equally certain ones are all kept: further conditions may decide which of two mugs "the mug" means.
    """
    if quantity == 'all' or not len(degree.p):
        return degree
    count = min(1 if quantity == 'one' else int(quantity), len(degree.p))
    last = np.sort(degree.p)[-count]
    if last <= 0:
        return degree
    factor = np.clip(degree.p / last, 0, 1)
    return Degree(degree.p * factor, degree.low * factor, degree.high * np.maximum(factor, degree.doubt), degree.notes)


def _at(degree: Degree, index: NDArray[np.intp]) -> Degree:
    """Return a degree (S,) looked up at indices; negative indices mean none."""
    there = (index >= 0).astype(np.float64)
    return Degree(degree.p[index] * there, degree.low[index] * there, degree.high[index] * there, degree.notes)
