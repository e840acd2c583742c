"""Execution of a program on facts: each node gives a degree for every region, or an area of the view."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.facts.degrees import Degree, narrowed, related
from converseg_ros.facts.execution import wording
from converseg_ros.facts.execution.answer import Answer, Literal, Options
from converseg_ros.facts.execution.areas import Area, Meaning, beside, outermost, union, within
from converseg_ros.facts.execution.decision import Decision, decide
from converseg_ros.facts.execution.explanation import explain
from converseg_ros.facts.execution.reading import Reading, has_name, selected
from converseg_ros.facts.execution.room import room_for
from converseg_ros.facts.execution.supports import best_flat
from converseg_ros.facts.predicates.parts import BY_SHAPE, grip, protrusion
from converseg_ros.facts.predicates.ranking import ranked, wholeness
from converseg_ros.facts.table import Facts
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
from converseg_ros.programs.senses import with_carriers

NOT_MEANT = 0.1  # degree of a condition that the text may not mean: what fulfils it remains the first choice
RECOGNIZED = 0.05  # degree of the best region for an anchor from which its place is known
FULFILLED = 0.05  # degree of a condition, of the most likely target that fulfils it, from which the image shows it
NOT_SHOWN = 0.02  # degree of a condition that the image shows of no likely target
DEFAULT = Options()
PART_SEEN = 0.25  # degree of the best part region below which the part is derived from the outline


def execute(program: Node, facts: Facts, options: Options | None = None) -> Answer:
    """Return the meaning of a program in the view of the facts; for several programs, an Executor is faster."""
    return Executor(facts).execute(program, options)


class Executor:
    """Executes programs on the facts of one view.

    The meaning of every node is cached, and the degree of every relation to an anchor, so that programs of one view
    share what they have in common.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._meanings: dict[tuple[Node, Reading], Meaning] = {}
        self._related: dict[Hashable, Degree] = {}

    def execute(self, program: Node, options: Options | None = None) -> Answer:
        """Return the answer of a program with its reasons."""
        options = options or DEFAULT
        decision = self.decide(program, options)
        literals = tuple(self._literals(self._selected(program), Reading.of(program, options), main=True))
        return explain(program, self.facts, decision, literals, options)

    def decide(self, program: Node, options: Options | None = None) -> Decision:
        """Return what a program selects, without reasons."""
        options = options or DEFAULT
        inner = self._selected(program)
        meaning = self._evaluate(inner, Reading.of(program, options))
        unknown = frozenset(noun for noun in inner.nouns if not self.facts.knows(noun))
        return decide(program, self.facts, meaning, unknown, options)

    def _selected(self, program: Node) -> Node:
        """Return what a program selects from; exact names are taken as they are."""
        return selected(program) if self.facts.exact else with_carriers(selected(program))

    def _evaluate(self, node: Node, how: Reading) -> Meaning:
        """Return the meaning of a node."""
        known = self._meanings.get((node, how))
        if known is None:
            known = self._meanings[node, how] = self._evaluated(node, how)
        return known

    def _anchor(self, node: Node, how: Reading) -> Meaning:
        """Return the meaning of a node that is not the target: its conditions are trusted."""
        return self._evaluate(node, Reading(how.safe))

    def _evaluated(self, node: Node, how: Reading) -> Meaning:
        match node:
            case Filter():
                return self._filter(node, how)
            case Relate():
                return self._relate(node, how)
            case Things():
                return Meaning(self.facts.things)
            case Everything():
                return Meaning(self.facts.flat)
            case Act():
                return self._act(node, how)
            case Rank():
                return self._rank(node, how)
            case Like():
                return self._like(node, how)
            case Parts():
                return self._parts(node, how)
            case FreeSpace(on):
                surface = None if on is None else self._anchor(on, how).degree
                area = room_for(node, surface, self.facts, safe=how.safe)
                return Meaning(Degree.known(np.zeros(len(self.facts))), area)
            case Union(of):
                return union([self._evaluate(x, how) for x in of])
            case Except(of, minus):
                return self._except(self._evaluate(of, how), self._anchor(minus, how))
            case Select(quantity, of):
                meaning = self._evaluate(of, how)
                return Meaning(narrowed(meaning.degree, quantity), meaning.area, meaning.minus)
        raise InputError(f'{node.op} cannot be executed', where='executor', do='give it a rule in Executor._evaluated')

    def _literals(self, node: Node, how: Reading, main: bool) -> Iterator[Literal]:
        """Yield the conditions of a node in the order of evaluation. main: whether it is the target, not an anchor."""
        meaning = self._evaluate(node, how)
        for name, child in node.named_children():
            if meaning.area is None or name != 'other':  # the place of an area has one anchor
                of = name == 'of'
                yield from self._literals(child, how if of else Reading(how.safe), main and of)
        if isinstance(node, FreeSpace) and node.on is None:  # a surface that is not named is a condition too
            yield from self._literals(Filter('name', 'surface'), Reading(how.safe), False)
        if meaning.condition is None:
            return
        condition, reached = meaning.condition.p, meaning.reached.p
        now = float(reached.max(initial=0.0))
        best = now if isinstance(node, Parts) else float((condition * self.facts.flat.p).max(initial=0.0))
        noun = node.value if isinstance(node, Filter) and node.by == 'name' else ''
        yield Literal(wording.condition(node), best, now, condition, main, noun)

    def _filter(self, node: Filter, how: Reading) -> Meaning:
        of = self._evaluate(node.of, how)
        if of.area is not None and node.by == 'region':
            return Meaning(of.degree, within(of.area, node.value), of.minus)
        found = self.facts.filter(node.by, node.value)
        return _and(node, how, of, self._shown(node, of, how, found) if node.by == 'physics' else found)

    def _like(self, node: Like, how: Reading) -> Meaning:
        """Return what a free text describes.

        Of something named, a text that says nothing here only leaves doubt. Otherwise nothing is proposed, instead of
        everything in view, but anything may be meant.
        """
        of, named = self._evaluate(node.of, how), bool(node.of.nouns)
        fit = self.facts.like(node.text, alone=isinstance(node.of, Things), named=named)
        if fit.uninformed and not named:
            return _and(node, how, of, replace(fit, p=np.zeros_like(fit.p)))
        if fit.uninformed:
            doubt = replace(fit, p=np.ones_like(fit.p))
            return Meaning(of.degree & doubt, of.area, of.minus)
        return _and(node, how, of, fit)

    def _relate(self, node: Relate, how: Reading) -> Meaning:
        if node.relation == 'part_of' and isinstance(node.of, Everything):
            of = Meaning(Degree.known((self.facts.segments.parent >= 0).astype(np.float64)))
        else:
            of = self._evaluate(node.of, how)
        if of.area is not None:
            mask = self._mask_of_best(self._anchor(node.anchor, how).degree)
            return Meaning(of.degree, beside(of.area, node.relation, mask, self.facts.geometry), of.minus)
        key = node.relation, node.anchor, node.other, how.safe
        condition = self._related.get(key)
        if condition is None:
            condition = self._related[key] = self._relation(node, how)
        return _and(node, how, of, self._shown(node, of, how, self._presupposed(node, node.anchor, how, condition)))

    def _shown(self, node: Filter | Relate | Act, of: Meaning, how: Reading, condition: Degree) -> Degree:
        """Return a condition on the place or the movement of `of`, doubted if the image shows it of no likely target.

        Without depth such conditions are estimated from outlines. If they exclude everything that the rest of the text
        describes, the estimate is probably wrong: "the dish that the dessert is in" is a dish, although the outlines
        do not show what is in it. The target must have a name, because "everything in the dish" could be anything then.
        With depth such conditions are measured; safety instructions doubt no condition.
        """
        if how.safe or self.facts.exact or not self.facts.depthless or not has_name(node.of):
            return condition
        likely, both = (float(x.p.max(initial=0.0)) for x in (of.degree, of.degree & condition))
        return condition.doubted(both / (FULFILLED * likely), NOT_SHOWN) if likely else condition

    def _presupposed(self, node: Relate | Act, anchor: Node, how: Reading, condition: Degree) -> Degree:
        """Return a condition on an anchor, doubted if nothing is likely to be the anchor.

        A text presupposes its anchor, which may be there without being recognized: "the towel on the rail" is a towel,
        wherever the rail is. "Everything on the rail" could be anything then, so that the condition is not doubted
        without a name. Safety instructions doubt no condition.
        """
        if how.safe or self.facts.exact or not has_name(node.of):
            return condition
        return condition.doubted(self._recognized(self._anchor(anchor, how).degree), NOT_MEANT)

    def _recognized(self, anchor: Degree) -> float:
        """Return how far the place of an anchor is known; 1 or more if it is recognized."""
        return best_flat(anchor, self.facts) / RECOGNIZED

    def _relation(self, node: Relate, how: Reading) -> Degree:
        """Return (S,) degrees for the relation of a node to one of its anchors."""
        anchor = self._anchor(node.anchor, how).degree
        if node.relation != 'between':
            return related(self.facts.relation(node.relation), anchor)
        other = anchor if node.other is None else self._anchor(node.other, how).degree
        first, second = anchor.possible, other.possible
        middle = self.facts.between()[:, first[:, None], second]
        return (middle & anchor[first][None, :, None] & other[second][None, None]).any(2).any(1)

    def _act(self, node: Act, how: Reading) -> Meaning:
        of = self._evaluate(node.of, how)
        pairs = self.facts.act(node.kind, node.role)
        if node.role in ('patient', 'uninvolved'):
            pairs = pairs.T
        elif node.role == 'instrument':
            pairs = self._instruments(node.kind)
        if node.other is not None:
            condition = related(pairs, self._anchor(node.other, how).degree)
            condition = self._presupposed(node, node.other, how, condition)
        else:
            condition = pairs.any(1)
        if node.role == 'uninvolved':
            condition = ~(condition | self.facts.act(node.kind).any(1))
        return _and(node, how, of, self._shown(node, of, how, condition))

    def _instruments(self, kind: str) -> Degree:
        """Return (S, S): region i is the instrument of an act on j: it acts itself, or an agent holds it."""
        pairs = self.facts.act(kind, 'instrument')
        held = self.facts.act('holding').T.any(1)
        by_hand = pairs.any(0) & held  # of the pair of a person and their knife, the knife
        itself = pairs.scaled(np.repeat(1 - self.facts.kinds[:, 3:], len(self.facts), 1))
        p, low, high = (np.repeat(x[:, None], len(self.facts), 1) for x in (by_hand.p, by_hand.low, by_hand.high))
        return itself | Degree(p, low, high, by_hand.notes)

    def _rank(self, node: Rank, how: Reading) -> Meaning:
        of = self._evaluate(node.of, how)
        anchor = self._anchor(node.anchor, how).degree if node.anchor is not None else None
        if of.area is not None:
            return Meaning(of.degree, outermost(of.area, node.key, node.order), of.minus)
        scale = self.facts.scale(node.key, anchor)
        # the anchor of distances is excluded
        members = of.degree if anchor is None else of.degree.scaled(np.isfinite(scale.value))
        seen, doubting = self.facts, not how.safe and not self.facts.exact
        whole = wholeness(seen.segments.quality, seen.measures.cut, node.key) if doubting else None
        degree = ranked(members, scale, node.order, node.first, node.count, whole)
        if anchor is not None and doubting:  # distances from what is not recognized
            degree = degree.doubted(self._recognized(anchor), NOT_MEANT * has_name(node.of) * of.degree.p)
        return Meaning(degree, of.area, of.minus, degree)

    def _parts(self, node: Parts, how: Reading) -> Meaning:
        wholes = self._evaluate(node.of, how).degree
        if node.noun == 'grip' and not has_name(node.of):  # one holds things, not tables and walls
            wholes = wholes & self.facts.things
        parent = self.facts.segments.parent
        named = self.facts.part('handle' if node.noun == 'grip' else node.noun)
        owner = wholes.looked_up(parent)
        degree = named & owner
        by_name = Meaning(degree, None, None, named)
        if float(degree.p.max(initial=0.0)) >= PART_SEEN or (self.facts.exact and node.noun != 'grip'):
            return by_name
        if node.noun not in ('handle', 'grip', 'spout'):
            return by_name
        area = self._grips(wholes, grip if node.noun == 'grip' else protrusion)
        return Meaning(Degree.known(np.zeros(len(self.facts))), area, None, named, degree)

    def _grips(self, wholes: Degree, shape: Callable[[NDArray[np.bool_]], NDArray[np.bool_]]) -> Area:
        """Return an area: the part of the outline of each plausible member that `shape` finds."""
        best = float(wholes.p.max(initial=0.0))
        mask = np.zeros(self.facts.segments.masks.shape[1:], bool)
        for i in np.flatnonzero(wholes.p >= max(0.5 * best, 1e-6)):
            mask |= shape(self.facts.segments.masks[i])
        return Area(mask, 0.6 * best if mask.any() else 0.0, False, frozenset({BY_SHAPE}))

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


def _and(node: Node, how: Reading, of: Meaning, condition: Degree) -> Meaning:
    """Return the members that fulfil a condition; only a name is trusted in any case."""
    named = isinstance(node, Filter) and node.by == 'name'
    meant = condition if named else condition.doubted(how.trust, NOT_MEANT)
    return Meaning(of.degree & meant, of.area, of.minus, condition)
