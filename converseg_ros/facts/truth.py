"""Ground-truth facts: a scene whose objects, positions and events are synthetic or labelled.

The caller lists the contents of the view; everything that it states is used unchanged. The rest (left of, taller than,
nearest ...) is computed from exact positions and sizes, and is undecided where opinions could differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.segments import KINDS, Segments
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.geometry.contacts import Primitives
from converseg_ros.facts.geometry.gravity import upright_axes
from converseg_ros.facts.geometry.measures import Measures, image_measures
from converseg_ros.facts.predicates.ranking import Scale
from converseg_ros.facts.table import Facts, Given
from converseg_ros.programs.vocabulary import ACTS

Floats = NDArray[np.float64]
OPINIONS = 'opinions could differ'
NOT_STATED = 'the source does not state it'
MILLIMETRE = 0.001
SIZE_SIGMA = 0.05  # of the logarithm of a stated volume


@dataclass(frozen=True, eq=False)
class TrueThing:
    """One object, part, surface, structure or agent of a view.

    Attributes:
        key: unique name.
        mask: (h, w) visible pixels.
        kind: of core.segments.KINDS.
        names, maybe_names: all its correct names, and those that some people use; tags likewise.
        properties: true filters of programs.nodes besides names and tags, such as ('colour', 'red'); `maybe`: uncertain
            ones.
        owner: of a part, the key of the whole.
        support, inside: keys, '' for none.
        tips: None if unknown.
        position: (3,) metres in the optical frame.
        size: extents along the upright axes (x, y, z), or of its box, which stands upright.
        top: metres above the floor.
        front: (3,) direction that it faces, in the optical frame.
    """

    key: str
    mask: NDArray[np.bool_]
    kind: str = 'object'
    names: frozenset[str] = frozenset()
    maybe_names: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    maybe_tags: frozenset[str] = frozenset()
    properties: frozenset[tuple[str, str]] = frozenset()
    maybe: frozenset[tuple[str, str]] = frozenset()
    owner: str = ''
    support: str = ''
    inside: str = ''
    contacts: frozenset[str] = frozenset()
    hidden_by: frozenset[str] = frozenset()
    falls_with: frozenset[str] = frozenset()
    tips: bool | None = None
    position: Floats | None = None
    size: tuple[float, float, float] | None = None
    top: float | None = None
    front: Floats | None = None


@dataclass(frozen=True)
class TrueEvent:
    """An act of programs.vocabulary.ACTS, by the keys of its agent and patient; '' for none."""

    kind: str
    agent: str = ''
    target: str = ''


@dataclass(frozen=True, eq=False)
class _Stated:
    """Properties that a source states; what it can tell and does not state is false."""

    things: tuple[TrueThing, ...]
    vocabulary: frozenset[str] | None
    tells: frozenset[str]

    @cached_property
    def _values(self) -> dict[tuple[str, str], dict[int, float]]:
        """Return for each property the indices of the things that have it (1) or may have it (NaN).

        ('part', NOUN) is the name of a part, ('name', NOUN) that of any other thing.
        """
        out: dict[tuple[str, str], dict[int, float]] = {}
        for i, t in enumerate(self.things):
            sure = {('part', n) for n in t.names} | {('tag', n) for n in t.tags} | t.properties
            unsure = {(by, n) for n in t.maybe_names for by in ('name', 'part')} | {('tag', n) for n in t.maybe_tags}
            for pair in unsure | t.maybe:
                out.setdefault(pair, {})[i] = np.nan
            for pair in sure if t.owner else sure | {('name', n) for n in t.names}:
                out.setdefault(pair, {})[i] = 1.0
        return out

    def look_up(self, by: str, value: str) -> Degree | None:
        """Return (S,) degrees; None for what has to be computed."""
        pair = (by, value)
        if by in ('name', 'tag') or by in self.tells or pair in self._values:
            return self._of(pair)
        if pair in (('physics', 'tips'), ('physics', 'stable')) and any(t.tips is not None for t in self.things):
            tips = Degree.partly([np.nan if t.tips is None else float(t.tips) for t in self.things], NOT_STATED)
            things = [float(t.kind == 'object' and not t.owner) for t in self.things]
            return (tips if value == 'tips' else ~tips).scaled(things)
        return None

    def knows(self, noun: str) -> bool:
        """Return whether every object with that name is listed; a name that is in use is taken to be."""
        return self.vocabulary is None or noun in self.vocabulary or any(noun in t.names for t in self.things)

    def part(self, noun: str) -> Degree | None:
        """Return which parts are called by a noun."""
        return self._of(('part', noun))

    def _of(self, pair: tuple[str, str]) -> Degree:
        values = np.zeros(len(self.things))
        for i, value in self._values.get(pair, {}).items():
            values[i] = value
        return Degree.partly(values, OPINIONS)


def true_facts(
    things: Sequence[TrueThing],
    *,
    events: Sequence[TrueEvent] | None = (),
    up: Floats | None = None,
    free: Mapping[str, NDArray[np.bool_]] | None = None,
    vocabulary: frozenset[str] | None = None,
    tells: frozenset[str] = frozenset(),
    graph: bool = True,
    relations: Mapping[str, Degree] | None = None,
) -> Facts:
    """Return the facts of a view with complete annotations.

    things: at least one, with masks of one shape; where whole objects overlap, the later one loses the common pixels,
    so that a caller with overlapping masks uses its own masks for `Answer.chosen`. events: the acts, or None if the
    source does not state them. up: (3,) in the optical frame, for sources with positions. free: key of a surface -> (h,
    w) its free part. vocabulary: nouns of which every instance is listed, None for all. tells: kinds of filter
    ('colour', 'material', 'state') that the source states completely, so that what is not stated is false. graph:
    whether support, inside, contacts and hidden_by are stated; otherwise they are unknown. relations: by name, (S, S)
    degrees that replace computed ones.
    """
    listed = tuple(things)
    index = {t.key: i for i, t in enumerate(listed)}
    masks = np.stack([t.mask for t in listed])
    count = len(listed)
    kinds = np.zeros((count, len(KINDS)), np.float32)
    kinds[range(count), [KINDS.index(t.kind) for t in listed]] = 1
    parent = np.array([index.get(t.owner, -1) for t in listed], np.intp)
    flat = np.array([not t.owner for t in listed])
    nowhere = np.full(count, -1, np.intp)
    height, width = masks.shape[1:]
    measures = _measures(listed, masks, up)
    _divide(masks, flat)
    segments = Segments(masks, (height, width), kinds, np.ones(count, np.float32), flat, parent, nowhere)
    given = Given(
        primitives=_primitives(listed, index, graph),
        relations={**_stated_relations(listed, index, graph), **(relations or {})},
        acts=_acts(events, index, count),
        scales=_sizes(measures),
        front=_fronts(listed, up),
        free={index[k]: m for k, m in (free or {}).items() if k in index},
    )
    return Facts(segments, measures, _Stated(listed, vocabulary, tells), given=given, exact=True)


def _divide(masks: NDArray[np.bool_], flat: NDArray[np.bool_]) -> None:
    """Remove overlaps between flat regions in place: each keeps only pixels that no earlier flat region has."""
    taken = np.zeros(masks.shape[1:], bool)
    for i in np.flatnonzero(flat):
        masks[i] &= ~taken
        taken |= masks[i]


def _sizes(m: Measures) -> dict[str, Scale]:
    """Return the scale of sizes: volumes, without those of parts and structures, which state none."""
    if not m.metric.any():
        return {}  # the areas of the regions are compared
    return {'size': Scale(np.log(m.volume), np.full(len(m.volume), SIZE_SIGMA), np.isfinite(m.volume), NOT_STATED)}


def _pairs(rows: Sequence[frozenset[str]], index: Mapping[str, int]) -> Floats:
    out = np.zeros((len(rows), len(rows)))
    for i, keys in enumerate(rows):
        for key in keys:
            if key in index and index[key] != i:
                out[i, index[key]] = 1
    return out


def _primitives(things: tuple[TrueThing, ...], index: Mapping[str, int], graph: bool) -> Primitives:
    if not graph:
        shape = (len(things), len(things))
        unknown = Degree.unknown(shape, NOT_STATED)
        touching = _pairs([t.contacts for t in things], index)
        return Primitives(unknown, unknown, Degree.known(np.maximum(touching, touching.T)), unknown)
    touching = _pairs([t.contacts for t in things], index)
    return Primitives(
        Degree.known(_pairs([frozenset({t.support}) - {''} for t in things], index)),
        Degree.known(_pairs([frozenset({t.inside}) - {''} for t in things], index)),
        Degree.known(np.maximum(touching, touching.T)),
        Degree.known(_pairs([t.hidden_by for t in things], index)),
    )


def _stated_relations(things: tuple[TrueThing, ...], index: Mapping[str, int], graph: bool) -> dict[str, Degree]:
    if not graph:
        return {}
    return {'falls_without': Degree.known(_pairs([t.falls_with for t in things], index).T)}


def _acts(events: Sequence[TrueEvent] | None, index: Mapping[str, int], count: int) -> dict[str, Degree] | None:
    """Return the acts; an act without an agent is performed by the object itself ("falling")."""
    if events is None:
        return {kind: Degree.unknown((count, count), NOT_STATED) for kind in ACTS}
    out = {kind: np.zeros((count, count)) for kind in ACTS}
    for e in events:
        agent, target = index.get(e.agent or e.target), index.get(e.target or e.agent)
        if agent is not None and target is not None and e.kind in out:
            out[e.kind][agent, target] = 1
    return {kind: Degree.known(p) for kind, p in out.items()}


def _upright(up: Floats | None) -> Floats:
    return np.asarray(upright_axes(up)) if up is not None else np.eye(3)


def _fronts(things: tuple[TrueThing, ...], up: Floats | None) -> Floats:
    nowhere = np.full(3, np.nan)
    fronts = np.stack([nowhere if t.front is None else t.front for t in things]) @ _upright(up).T
    length = np.linalg.norm(fronts[:, :2], axis=1, keepdims=True)
    return np.asarray(np.where(length > 0.3, fronts / np.maximum(length, 1e-9), np.nan))


def _measures(things: tuple[TrueThing, ...], masks: NDArray[np.bool_], up: Floats | None) -> Measures:
    """Return exact measures; unknown if a position or size is not stated."""
    nowhere = np.full(3, np.nan)
    position = np.stack([nowhere if t.position is None else t.position for t in things])
    size = np.stack([nowhere if t.size is None else np.asarray(t.size, np.float64) for t in things])
    centre = position @ _upright(up).T
    known = np.isfinite(size).all(1) & np.isfinite(centre).all(1)
    height = np.where(known, size[:, 2], np.nan)
    high = np.array([np.nan if t.top is None else t.top for t in things])
    based = bool(np.isfinite(high[known]).all()) and known.any()
    if not based:
        high = centre[:, 2] + height / 2
    high = np.where(known, high, np.nan)
    centre[:, 2] = high - height / 2
    centre[~known] = np.nan
    size[~known] = np.nan
    ordered = np.sort(size, 1)
    axes = np.full((len(things), 3), np.nan)
    axes[known] = np.eye(3)[np.argmax(size[known], 1)]
    grid = (masks.shape[1], masks.shape[2])
    return Measures(
        grid,
        **image_measures(masks),
        centre=centre,
        extent=size,
        length=size[:, :2].max(1),
        width=size[:, :2].min(1),
        long_axis=axes,
        elongation=ordered[:, 2] / np.maximum(ordered[:, 1], MILLIMETRE),
        low=high - height,
        high=high,
        distance=np.where(known, np.linalg.norm(position, axis=1), np.nan),
        sigma=np.where(known, MILLIMETRE, np.nan),
        valid=known.astype(np.float64),
        based=based,
    )
