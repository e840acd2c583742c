"""Facts about the masks of a network that recognises things but does not measure them.

    "the taller of the boxes left of the lamp" -> rank(height, left of(box, lamp))
    the network is asked for "the boxes" and "the lamp"; the geometric conditions are executed on the connected regions
    of its masks

Names, uses, colours and actions are the network's part. Order, place, relations and free space are geometry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import Plane
from converseg_ros.core.mask import iou, resize_mask
from converseg_ros.core.segments import KINDS, Segments
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution.answer import Answer
from converseg_ros.facts.execution.wording import noun_of
from converseg_ros.facts.geometry.gravity import MIN_LEVEL_COSINE
from converseg_ros.facts.geometry.measures import measure
from converseg_ros.facts.geometry.planes import ViewGeometry, view_geometry
from converseg_ros.facts.predicates.surfaces import is_background
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Filter, FreeSpace, Node, Rank, Relate, Select
from converseg_ros.programs.printer import words

Mask = NDArray[np.bool_]
RELATIONS = frozenset({
    'on', 'under', 'above', 'below', 'next_to', 'in_front_of', 'behind', 'left_of', 'right_of', 'between', 'near',
    'far_from', 'touching', 'taller_than', 'shorter_than', 'larger_than', 'smaller_than',
})  # fmt: skip
"""Relations that positions and sizes decide."""
NO_ORDERS = frozenset({'weight'})  # orders that they do not decide
CELLS = 320  # cells of the longer side of the grid on which regions are measured
SPECK = 0.05  # share of the largest connected region below which another is noise of the mask
SAME = 0.7  # IoU from which regions of two masks are one thing
NEAR_PLANE = 0.02  # metres from a plane within which a point is on it


@dataclass(frozen=True)
class Split:
    """The two parts of a program.

    program: the geometric conditions, over filters by name. phrases: each of these names -> the phrase that the network
    is asked for; '' is the whole text of the instruction.
    """

    program: Node
    phrases: dict[str, str]

    @property
    def needs_planes(self) -> bool:
        """Return whether it asks for free space on any surface."""
        return any(isinstance(n, FreeSpace) and n.on is None for n in self.program.walk())


def split(program: Node) -> Split | None:
    """Return the parts of a program, or None if it has no geometric condition, or its parts cannot be separated."""
    phrases: dict[str, str] = {}
    try:
        found = _geometric(program, phrases, '')
    except _Inseparable:
        return None
    plain = found.of if isinstance(found, Select) else found
    return None if isinstance(plain, Filter) and plain.by == 'name' else Split(found, phrases)


class _Inseparable(Exception):  # noqa: N818 - never leaves this module
    """The conditions of the network and of geometry depend on each other."""


def _geometric(node: Node, phrases: dict[str, str], whole: str | None = None) -> Node:
    """Return a node with every part that is not geometric replaced by a filter by name; collect these.

    whole: the phrase for a part without a noun; None: its own words.
    """
    match node:
        case Select():
            return replace(node, of=_geometric(node.of, phrases, whole))
        case FreeSpace():
            return node if node.on is None else replace(node, on=_geometric(node.on, phrases))
    if _area(node):
        if isinstance(node, Relate):
            return replace(node, of=_geometric(node.of, phrases), anchor=_geometric(node.anchor, phrases))
        if isinstance(node, Filter) and node.by == 'region':
            return replace(node, of=_geometric(node.of, phrases))
        raise _Inseparable
    plain, ranked = _plain(node)
    if any(below != plain for below in ranked):
        raise _Inseparable
    return _rebuilt(node, _named(plain, phrases, whole), phrases)


def _area(node: Node) -> bool:
    """Return whether a node denotes free space instead of regions."""
    return isinstance(node, FreeSpace) or (isinstance(node, Filter | Relate) and _area(node.of))


def _is_geometric(node: Node) -> bool:
    match node:
        case Rank():
            return node.key not in NO_ORDERS
        case Relate():
            return node.relation in RELATIONS
        case Filter():
            return node.by == 'region'
    return False


def _plain(node: Node) -> tuple[Node, list[Node]]:
    """Return a node without its geometric conditions, and what is left below each order.

    A property above an order cannot be moved below it: "the red one of the two tallest mugs".
    """
    if _is_geometric(node) and isinstance(node, Rank | Relate | Filter):
        inner, ranked = _plain(node.of)
        return inner, [*ranked, inner] if isinstance(node, Rank) else ranked
    if isinstance(node, Filter) and node.by != 'name':
        inner, ranked = _plain(node.of)
        return replace(node, of=inner), ranked
    return node, []


def _named(plain: Node, phrases: dict[str, str], whole: str | None) -> Filter:
    """Return the filter by name for a plain part, and add its phrase; that of an anchor is in the singular."""
    noun = noun_of(plain)
    if isinstance(plain, Select) or whole is None:
        phrase = words(plain if isinstance(plain, Select) else Select('one', plain))
    else:
        phrase = whole if noun == 'thing' else words(Select('all', plain)).replace('all ', 'the ', 1)
    if '(' in phrase:
        raise _Inseparable  # no text for a network
    bare = next((n.value for n in plain.walk() if isinstance(n, Filter) and n.by == 'name'), noun)
    for name in (bare, noun):
        if phrases.setdefault(name, phrase) == phrase:
            return Filter('name', name)
    raise _Inseparable


def _rebuilt(node: Node, name: Filter, phrases: dict[str, str]) -> Node:
    """Return the geometric conditions of a chain over a name."""
    if isinstance(node, Filter):
        of = _rebuilt(node.of, name, phrases) if node.by != 'name' else name
        return replace(node, of=of) if node.by == 'region' else of
    if isinstance(node, Rank) and _is_geometric(node):
        anchor = None if node.anchor is None else _geometric(node.anchor, phrases)
        return replace(node, of=_rebuilt(node.of, name, phrases), anchor=anchor)
    if isinstance(node, Relate) and _is_geometric(node):
        other = None if node.other is None else _geometric(node.other, phrases)
        of = _rebuilt(node.of, name, phrases)
        return replace(node, of=of, anchor=_geometric(node.anchor, phrases), other=other)
    return name


@dataclass(frozen=True, eq=False)
class MaskFacts:
    """The facts about the regions of some masks; regions: their masks (H, W) at the size of the view."""

    facts: Facts
    regions: tuple[Mask, ...]

    def mask(self, answer: Answer) -> Mask:
        """Return the mask (H, W) of an answer on these facts."""
        shape = self.facts.segments.size
        if answer.area:
            return resize_mask(answer.mask, *shape)
        out = np.zeros(shape, bool)
        for i in answer.chosen:
            out |= self.regions[i]
        return out


@dataclass(frozen=True, eq=False)
class _Recognised:
    """Names that a network has given; everything else is not known here."""

    names: Mapping[str, NDArray[np.float64]]
    count: int

    def look_up(self, by: str, value: str) -> Degree | None:
        """Return (S,) whether a region is of the mask of a name; None for other properties."""
        if by != 'name':
            return None
        return Degree.known(self.names.get(value, np.zeros(self.count)))

    def knows(self, noun: str) -> bool:
        """Return whether the network was asked for a noun."""
        return noun in self.names

    def part(self, noun: str) -> Degree | None:
        """Return None: parts are the network's."""
        return None


def facts_of_masks(view: Frame, masks: Mapping[str, Mask], *, planes: bool = False) -> MaskFacts | None:
    """Return the facts about the connected regions of masks (H, W) by name; None for a view without depth.

    planes: add the regions of horizontal planes, as the surfaces of free space without a named one.
    """
    longer = max(view.height, view.width)
    rows, columns = (max(8, round(side * min(1, CELLS / longer))) for side in (view.height, view.width))
    geometry = view_geometry(view, rows, columns)
    if geometry is None:
        return None
    regions: list[Mask] = []
    members: dict[str, list[int]] = {}
    for name, mask in masks.items():
        for piece in _pieces(mask):
            same = next((i for i, known in enumerate(regions) if iou(known, piece) >= SAME), len(regions))
            if same == len(regions):
                regions.append(piece)
            members.setdefault(name, []).append(same)
    structure = {i for name, mine in members.items() if is_background(name) for i in mine}
    small = [resize_mask(r, rows, columns) for r in regions]
    for plane in geometry.planes if planes else ():
        if plane.normal @ geometry.up > MIN_LEVEL_COSINE:
            structure.add(len(small))
            small.append(_on(plane, geometry))
            regions.append(resize_mask(small[-1], view.height, view.width))
    count = len(small)
    kinds = np.zeros((count, len(KINDS)), np.float32)
    kinds[range(count), [KINDS.index('structure' if i in structure else 'object') for i in range(count)]] = 1
    grid = np.stack(small) if small else np.zeros((0, rows, columns), bool)
    nowhere = np.full(count, -1, np.intp)
    segments = Segments(
        _apart(grid),
        (view.height, view.width),
        kinds,
        np.ones(count, np.float32),
        np.ones(count, bool),
        nowhere,
        nowhere,
    )
    names = {name: np.isin(np.arange(count), mine).astype(np.float64) for name, mine in members.items()}
    facts = Facts(segments, measure(segments.masks, geometry), _Recognised(names, count), geometry)
    return MaskFacts(facts, tuple(regions))


def _pieces(mask: Mask) -> list[Mask]:
    """Return the connected regions of a mask, without specks, the largest first."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = np.flatnonzero(areas >= SPECK * areas.max(initial=0))
    return [labels == i + 1 for i in large[np.argsort(-areas[large], kind='stable')]]


def _on(plane: Plane, geometry: ViewGeometry) -> Mask:
    with np.errstate(invalid='ignore'):
        off = np.abs(geometry.points @ plane.normal.astype(np.float32) + np.float32(plane.d))
        level = geometry.normals @ plane.normal.astype(np.float32) > MIN_LEVEL_COSINE
        return np.asarray((off < NEAR_PLANE) & level)


def _apart(masks: Mask) -> Mask:
    """Return masks without overlaps: common pixels belong to the smaller region."""
    out = masks.copy()
    taken = np.zeros(masks.shape[1:], bool)
    for i in np.argsort(masks.sum((1, 2)), kind='stable'):
        out[i] &= ~taken
        taken |= out[i]
    return out
