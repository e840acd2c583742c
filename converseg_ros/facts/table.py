"""The facts about the regions of one view, computed on demand and cached."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.core.segments import Segments
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.geometry.contacts import Primitives, primitives
from converseg_ros.facts.geometry.gravity import MIN_LEVEL_COSINE
from converseg_ros.facts.geometry.measures import Measures
from converseg_ros.facts.geometry.planes import ViewGeometry
from converseg_ros.facts.predicates import acts, conditions, parts, relations
from converseg_ros.facts.predicates.ranking import Scale
from converseg_ros.facts.predicates.scales import distance_to, gaps, scale_of
from converseg_ros.facts.predicates.surfaces import by_class, is_background, levelled, planes_of, surface_name

T = TypeVar('T')
Floats = NDArray[np.float64]
MIN_LIKE, MAX_LIKE = 0.2, 0.6  # degrees of a free text for the least and the most similar region
MIN_OUTLINE = 0.05  # expected IoU; a region is not excluded by its outline alone
PEOPLE = 0.7  # share of people among agents; most of the others are animals
HIDDEN = 1.0  # factor on its sigma that is added to the extents of an object that is certainly hidden by others
Similarity = Callable[[str, bool], Floats | None]


class Properties(Protocol):
    """Non-geometric facts about regions: from a namer and colours, or the ground truth of a scene."""

    def look_up(self, by: str, value: str) -> Degree | None:
        """Return (S,) degrees of a name, tag, colour, material, state or physics; None if geometry decides it."""
        ...

    def knows(self, noun: str) -> bool:
        """Return whether the noun is in the vocabulary, so that its absence is meaningful."""
        ...

    def part(self, noun: str) -> Degree | None:
        """Return (S,) degrees that regions which are parts are called by a noun, or None if shape decides it."""
        ...


@dataclass(frozen=True, eq=False)
class Given:
    """Facts that are given instead of derived from masks and depth; None and missing keys are derived.

    relations: (S, S) by name, `between` (S, S, S). acts: (S, S) by kind, agent to patient; a missing kind does not take
    place. scales: by rank key. front: (S, 3) unit vectors in the upright frame, NaN if unknown. free: index of a
    surface -> (h, w) its free part. filters: (S,) by the property and its value, as in programs.nodes.Filter.
    """

    primitives: Primitives | None = None
    relations: dict[str, Degree] = field(default_factory=dict)
    acts: dict[str, Degree] | None = None
    scales: dict[str, Scale] = field(default_factory=dict)
    front: Floats | None = None
    free: dict[int, NDArray[np.bool_]] | None = None
    filters: dict[tuple[str, str], Degree] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts about S regions of one view.

    exact: whether measures and properties are ground truth; derived relations are then true, false, or undecided where
    opinions could differ. similarity: (text, alone) -> (S,) similarity of a text to each region in 0..1, for
    `like`; None if the text says nothing to the namer and is not `alone`. image: (h, w, 3) RGB, one pixel for a cell.
    """

    segments: Segments
    measures: Measures
    properties: Properties
    geometry: ViewGeometry | None = None
    given: Given = field(default_factory=Given)
    exact: bool = False
    similarity: Similarity | None = None
    image: NDArray[np.uint8] | None = None
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Validate that measures and segments have the same number of rows."""
        if len(self.measures.area) != len(self.segments):
            raise InputError(f'{len(self.measures.area)} measures of {len(self.segments)} segments', where='facts')

    def __len__(self) -> int:
        """Return the number of regions."""
        return len(self.segments)

    @property
    def depthless(self) -> bool:
        """Return whether no region has a size in metres."""
        return not self.measures.metric.any()

    @property
    def kinds(self) -> Floats:
        """Return (S, 4) probabilities of core.segments.KINDS; a region in a level plane is not a structure."""
        if self.exact:
            return np.asarray(self.segments.kinds, np.float64)
        return self._once('kinds', lambda: levelled(self.segments.kinds, self.plane, self.geometry, self.measures))

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Return (S,) the flat cut, and the largest region of each level plane without a region of the flat cut.

        A table that the flat cut divides, or joins with the wall, is still found in this way.
        """
        return self._once('whole', self._whole)

    @property
    def flat(self) -> Degree:
        """(S,) membership of the regions that can be meant: see `whole`."""
        return self._once('flat', lambda: Degree.known(self.whole.astype(np.float64)))

    @property
    def outline(self) -> Floats:
        """(S,) how far the outline of a region is trusted: the square root of its expected IoU."""
        return self._once(
            'outline', lambda: np.sqrt(np.clip(np.asarray(self.segments.quality, np.float64), MIN_OUTLINE, 1))
        )

    @property
    def things(self) -> Degree:
        """Return (S,) degrees of movable objects: no surfaces, structures, agents or parts."""
        return self.flat.scaled(self.kinds[:, 0])

    @property
    def primitives(self) -> Primitives:
        """Return support, containment, contact and occlusion."""
        return self.given.primitives or self._once('primitives', self._primitives)

    @property
    def scene(self) -> relations.Scene:
        """Return the input of the relations."""
        return self._once('scene', self._scene)

    @property
    def standing(self) -> Measures:
        """Return the measures, corrected for occlusion.

        The bottom of a supported object is at its support, since its own foot may be hidden; the extents of a partly
        hidden object are less certain.
        """

        def make() -> Measures:
            m, p = self.measures, self.primitives
            if p.foot is None:
                return m
            unseen = (p.hidden_by.p * (1 - p.support.p.T)).max(1, initial=0.0)
            low = np.where(np.isfinite(p.foot), p.foot, m.low)
            return replace(m, low=low, sigma=m.sigma * (1 + HIDDEN * unseen))

        return self._once('standing', make)

    @property
    def plane(self) -> NDArray[np.intp]:
        """Return (S,) the index in `geometry` of the plane of a surface, else -1."""
        return self._once('plane', lambda: planes_of(self.segments.masks, self.segments.kinds, self.geometry))

    def filter(self, by: str, value: str) -> Degree:
        """Return (S,) degrees of a property; `by` is one of programs.nodes.Filter's."""
        return self.given.filters.get((by, value)) or self._once((by, value), lambda: self._filter(by, value))

    def knows(self, noun: str) -> bool:
        """Return whether the absence of a noun is meaningful."""
        return ('name', noun) in self.given.filters or self.properties.knows(noun) or self._surface(noun) is not None

    def relation(self, name: str) -> Degree:
        """Return a relation of programs.vocabulary.RELATIONS as (S, S) degrees."""
        if name in self.given.relations:
            return self.given.relations[name]
        return self._once(('relation', name), lambda: self._exact(relations.relation(name, self.scene)))

    def between(self) -> Degree:
        """Return (S, S, S) degrees: i is between a and b."""
        given = self.given.relations.get('between')
        return given or self._once('between', lambda: self._exact(relations.between(self.scene)))

    def act(self, kind: str, role: str = 'agent') -> Degree:
        """Return (S, S) degrees: region i does something to region j, or with j for the role 'instrument'."""
        if self.given.acts is not None:
            return self.given.acts.get(kind, Degree.known(np.zeros((len(self), len(self)))))
        return self._once(('act', kind, role), lambda: acts.act(kind, self, role))

    def scale(self, key: str, anchor: Degree | None = None) -> Scale:
        """Return the scale of a rank key; 'distance_to' needs an anchor (S,)."""
        if key == 'distance_to':
            if anchor is None:
                raise InputError('distance_to needs an anchor', where='facts')
            return distance_to(anchor, self.measures, self._once('gaps', lambda: gaps(self.measures)))
        if key in self.given.scales:
            return self.given.scales[key]
        return self._once(('scale', key), lambda: scale_of(key, self.standing))

    def part(self, noun: str) -> Degree:
        """Return (S,) degrees that regions which are parts of others are called by a noun."""
        return self._once(('part', noun), lambda: parts.named_parts(noun, self))

    def like(self, text: str, *, alone: bool = False, named: bool = True) -> Degree:
        """Return (S,) degrees of a free text: estimates, since text similarity is not calibrated.

        alone: whether nothing else tells the regions apart, so that even a vague similarity is better than none. named:
        whether they have a name already, so that the text describes a detail and not their class.
        """
        if (described := self.properties.look_up('detail' if named else 'like', text)) is not None:
            return Degree.guess(described.p, f'what "{text}" means is estimated by its words')
        found = None if self.similarity is None else self.similarity(text, alone)
        if found is None:
            return Degree.unknown(len(self), f'it cannot be determined what fits "{text}"')
        alike = np.clip(found, 0, 1)
        # Similarities order regions but are not a measure of fit, so they are relative to the best one.
        relative = alike / max(float(alike.max(initial=0.0)), 1e-6)
        return Degree.guess(MIN_LIKE + (MAX_LIKE - MIN_LIKE) * relative, f'"{text}" is matched by words alone')

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        if key not in self._cache:
            self._cache[key] = make()
        return cast(T, self._cache[key])

    def _exact(self, found: Degree) -> Degree:
        return found.sharpened() if self.exact else found

    def _filter(self, by: str, value: str) -> Degree:
        given = self.properties.look_up(by, value)
        if by == 'region':
            return self._exact(conditions.image_region(value, self.measures))
        if by == 'name':
            return self._named(value, given)
        if given is not None:
            return self._of_class(value, given) if by in ('tag', 'material') and not self.exact else given
        if by == 'state':
            return self._exact(conditions.state(value, self))
        if by == 'physics':
            return self._exact(conditions.physics(value, self))
        return Degree.unknown(len(self), f'nothing is known of {value}')

    def _of_class(self, value: str, given: Degree) -> Degree:
        """Return a tag or material: by the namer, and of surfaces also by their geometric names."""
        tag = value in knowledge.tags()
        having = knowledge.nouns_with(value) if tag else knowledge.nouns_of(value)
        by_plane = {noun: p for noun in ('table', 'floor', 'wall') if (p := self._surface(noun)) is not None}
        danger = tag and knowledge.tags()[value].hazard is not None  # of which a false alarm is better than none
        out = given if self.depthless or danger or 'floor' in having else given.scaled(1 - by_plane['floor'])
        for noun, surface in by_plane.items():
            if noun in having:
                p = having[noun] * surface
                out = out | (Degree.known(p) if tag else by_class(value, p))
        return out

    def _named(self, noun: str, given: Degree | None) -> Degree:
        """Return names: of surfaces by geometry, of other regions by the namer."""
        if self.exact and given is not None:
            return given
        crops = given or Degree.unknown(len(self), f'"{noun}" is no name that is known')
        if given is not None and (share := agent_share(noun)):
            crops = crops | Degree.known(share * self.kinds[:, 3])
        if not is_background(noun):  # the texture of a surface may resemble any object
            crops = crops.scaled(1 - self.kinds[:, 1:3].sum(1))
        by_plane = self._surface(noun)
        return crops if by_plane is None else crops | Degree.known(by_plane)

    def _surface(self, noun: str) -> Floats | None:
        return surface_name(noun, self.kinds, self.plane, self.measures, self.geometry, self.segments.kinds[:, 2])

    def _primitives(self) -> Primitives:
        container = self.properties.look_up('tag', 'container')
        vessel = self.properties.look_up('tag', 'holds_liquid')
        known = [d.p for d in (container, vessel) if d is not None]
        prior = np.max(known, axis=0) if known else np.full(len(self), 0.3)
        return primitives(
            self.segments.masks, self.kinds, self.plane, self.measures, self.geometry, prior,
            self.whole,
        )  # fmt: skip

    def _whole(self) -> NDArray[np.bool_]:
        flat, plane = self.segments.flat, self.plane
        out = flat.copy()
        if self.geometry is None:
            return out
        for k, p in enumerate(self.geometry.planes):
            others = (plane == k) & ~flat & (self.segments.parent < 0)
            if p.normal @ self.geometry.up > MIN_LEVEL_COSINE and others.any() and not (flat & (plane == k)).any():
                out[int(np.argmax(np.where(others, self.measures.area, -1)))] = True
        return out

    def _scene(self) -> relations.Scene:
        front = self.given.front if self.given.front is not None else np.full((len(self), 3), np.nan)
        return relations.Scene(self.standing, self.primitives, self.kinds[:, 1], self.segments.parent, front)


@cache
def agent_share(noun: str) -> float:
    """Return the probability that an agent (a person, a hand, an animal) is called by a noun, for any appearance."""
    found = knowledge.thing(noun)
    return PEOPLE if found is not None and found.name == 'person' else 0.0
