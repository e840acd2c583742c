"""The annotations of one image: entities with exact masks and facts, from labels or a scene graph."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import Box, mask_box
from converseg_ros.knowledge import Thing, class_of

MIN_VISIBLE_SHARE = 0.0006  # share of the image below which an object is too small for a prompt
SURFACES = frozenset({'table', 'dining table', 'counter', 'shelf', 'desk', 'workbench', 'coffee table'})


@dataclass(slots=True)
class Entity:
    """One object, part, surface or free area in the image; `None` and empty mean unknown."""

    key: str
    category: str
    mask: NDArray[np.bool_]  # (H, W), visible pixels
    kind: str = 'object'  # object, surface, structure, agent, stuff, part, free
    tags: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    color: str = ''
    looks: str = ''  # colour term of most of its pixels, '' if between terms or not measured
    material: str = ''
    state: str = ''
    crowd: bool = False
    owner: str = ''  # of a part: key of the whole
    support: str = ''
    inside: str = ''
    contacts: frozenset[str] = frozenset()
    hidden_by: frozenset[str] = frozenset()
    visible: float = 1.0
    tips: bool = False
    falls_with: frozenset[str] = frozenset()
    stack: int = 0
    size: tuple[float, float, float] | None = None  # metres
    position: NDArray[np.float64] | None = None  # (3,) centre in the optical frame, metres
    up: float | None = None  # height of its top above the floor, metres
    axes: NDArray[np.float64] | None = None  # (3, 3) own axes in the optical frame, columns x (right), y (front), z
    extent: tuple[float, float, float] | None = None  # metres along its own axes
    area: int = 0
    box: Box = field(default=Box(0, 0, 0, 0))
    cx: float = 0.0
    cy: float = 0.0

    def __post_init__(self) -> None:
        """Measure the mask once."""
        self.area = int(np.count_nonzero(self.mask))
        self.box = mask_box(self.mask)
        if self.area:
            x0, y0, x1, y1 = self.box
            inside = self.mask[y0:y1, x0:x1]
            self.cy = float((inside.sum(1) * np.arange(y0, y1)).sum() / self.area)
            self.cx = float((inside.sum(0) * np.arange(x0, x1)).sum() / self.area)

    @property
    def thing(self) -> Thing:
        """Return the facts of its class."""
        return class_of(self.category)


@dataclass(frozen=True, slots=True)
class Event:
    """An interaction of scenes.graph, by keys; '' for none."""

    type: str
    actor: str
    target: str
    twin: str


@dataclass
class World:
    """The annotations of one image.

    vocabulary: categories whose every instance is labelled, so that absence is known; None = all. facts: what the
    source supports, out of color, physics, depth, graph, stuff.
    """

    key: str
    width: int
    height: int
    entities: dict[str, Entity]
    events: tuple[Event, ...] = ()
    vocabulary: frozenset[str] | None = None
    facts: frozenset[str] = frozenset()
    room: str = ''
    up: NDArray[np.float64] | None = None  # (3,) up in the optical frame, if known
    free: dict[str, NDArray[np.bool_]] = field(default_factory=dict)  # surface key -> (H, W) free part
    unsure: frozenset[str] = frozenset()  # categories of which the image may show more than is labelled
    doubtful: frozenset[str] = frozenset()  # categories with an unusable label: never complete or absent
    open_tags: frozenset[str] = frozenset()  # properties that objects outside of the labels may have

    @cached_property
    def things(self) -> list[Entity]:
        """Return objects and agents, without stuff, structure, parts or free areas."""
        return [e for e in self.entities.values() if e.kind in ('object', 'agent', 'surface') and e.area]

    @cached_property
    def nameable(self) -> list[Entity]:
        """Return everything that a class name can mean."""
        return [e for e in self.entities.values() if e.kind not in ('part', 'free') and e.area]

    @cached_property
    def faint_area(self) -> float:
        """Return the number of pixels below which an entity is too small for a prompt."""
        return MIN_VISIBLE_SHARE * self.width * self.height

    def faint(self, entity: Entity) -> bool:
        """Return whether an entity is too small or too hidden."""
        return entity.area < self.faint_area or entity.visible < 0.2

    @cached_property
    def _names(self) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        table: dict[str, tuple[set[str], set[str]]] = {}
        for entity in self.nameable:
            known = entity.thing
            for index, words in enumerate(((*known.names, *known.kinds), known.loose_names)):
                for word in words:
                    table.setdefault(word, (set(), set()))[index].add(entity.key)
        return {w: (frozenset(yes), frozenset(maybe - yes)) for w, (yes, maybe) in table.items()}

    @cached_property
    def _doubtful_words(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the words that may name something unusable, and the properties that it may have."""
        things = [class_of(c) for c in self.doubtful]
        words = {w for t in things for w in (*t.names, *t.kinds, *t.loose_names)}
        return frozenset(words | self.doubtful), frozenset(tag for t in things for tag in (*t.tags, *t.doubtful))

    def named(self, word: str) -> list[Entity] | None:
        """Return everything that `word` names, or None if opinions could differ about some of it."""
        if word in self._doubtful_words[0]:
            return None
        yes, maybe = self._names.get(word, (frozenset(), frozenset()))
        found = [self.entities[k] for k in sorted(yes)]
        return None if maybe or any(e.category in self.unsure for e in found) else found

    def with_tag(self, tag: str) -> list[Entity] | None:
        """Return the nameable entities with a property or use, or None if opinions could differ about some."""
        if tag in self.open_tags or tag in self._doubtful_words[1] or any(tag in e.maybe for e in self.nameable):
            return None
        found = [e for e in self.nameable if tag in e.tags]
        return None if any(e.category in self.unsure for e in found) else found

    def cut_off(self, entity: Entity) -> bool:
        """Return whether an entity reaches the edge of the image."""
        x0, y0, x1, y1 = entity.box
        return x0 <= 1 or y0 <= 1 or x1 >= self.width - 1 or y1 >= self.height - 1

    def union(self, keys: Iterable[str]) -> NDArray[np.bool_]:
        """Return the (H, W) union of the masks of some entities or free areas (`free:KEY`)."""
        out = np.zeros((self.height, self.width), bool)
        for key in keys:
            out |= self.free[key[5:]] if key.startswith('free:') else self.entities[key].mask
        return out

    def askable(self, keys: Iterable[str]) -> bool:
        """Return whether a set is a suitable target: enough of it is large and visible."""
        chosen = [self.entities[k] for k in keys if not k.startswith('free:')]
        if not chosen:
            return True
        clear = sum(e.area for e in chosen if not self.faint(e))
        return clear > 0 and clear >= 0.85 * sum(e.area for e in chosen)
