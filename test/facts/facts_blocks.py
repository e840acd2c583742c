"""Boxes on a table, rendered to depth and masks by ray casting: a view whose facts are known exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.segments import NameScores, Posterior, Segments
from converseg_ros.facts.geometry.measures import Measures
from converseg_ros.facts.naming import facts_of_view
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Filter

W, H = 320, 240
K = Intrinsics(280.0, 280.0, 159.5, 119.5, W, H)
COLOURS = {'red': (200, 25, 25), 'blue': (30, 70, 190), 'green': (40, 140, 50), 'white': (240, 240, 240)}


@dataclass(frozen=True)
class Block:
    """A box: name, centre x, y of its foot and height of its bottom in metres over the table, and size x, y, z."""

    name: str
    x: float
    y: float
    size: tuple[float, float, float]
    z: float = 0.0
    colour: str = 'white'
    kind: int = 0
    p: float = 0.97  # that it is what its name says


TABLE = Block('table', 0.0, 0.0, (1.4, 1.0, 0.02), -0.02, 'white', 1)


@dataclass(frozen=True)
class Pose:
    """The camera: height over the table, metres before its middle, and how far it looks down, in degrees."""

    height: float = 0.6
    back: float = 0.8
    down: float = 37.0


def camera(pose: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return origin (3,) and rotation (3, 3), whose columns are the optical axes, in the table's frame (z up)."""
    a = np.radians(pose.down)
    forward = np.array([0, np.cos(a), -np.sin(a)])
    right = np.array([1.0, 0, 0])
    return np.array([0, -pose.back, pose.height]), np.stack([right, np.cross(forward, right), forward], 1)


def render(blocks: list[Block], pose: Pose) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return depth (H, W), NaN where nothing is, and the index of the block that each pixel shows, or -1."""
    origin, axes = camera(pose)
    v, u = np.mgrid[:H, :W]
    rays = np.stack([(u - K.cx) / K.fx, (v - K.cy) / K.fy, np.ones((H, W))], 2) @ axes.T
    depth, label = np.full((H, W), np.inf), np.full((H, W), -1)
    for k, b in enumerate(blocks):
        low = np.array([b.x - b.size[0] / 2, b.y - b.size[1] / 2, b.z])
        with np.errstate(divide='ignore'):
            a, c = (low - origin) / rays, (low + b.size - origin) / rays
        enter, leave = np.minimum(a, c).max(2), np.maximum(a, c).min(2)
        hit = (enter < leave) & (enter > 0) & (enter < depth)
        depth[hit], label[hit] = enter[hit], k
    depth[~np.isfinite(depth)] = np.nan
    return depth.astype(np.float32), label


@dataclass(frozen=True)
class BlockNamer:
    """Knows the names of blocks, one for each region, and a few nouns more."""

    blocks: tuple[Block, ...]

    @property
    def nouns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*(b.name for b in self.blocks), 'mug', 'bowl', 'knife']))

    def _p(self, nouns: Sequence[str]) -> NDArray[np.float64]:
        p = [[b.p if b.name == noun else 0.001 for noun in nouns] for b in self.blocks]
        return np.array(p).reshape(len(self.blocks), len(nouns))

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        p, words = self._p(nouns), tuple(nouns)
        known = np.array([w in self.nouns for w in words], bool)
        best = tuple((b.name, 3.0) for b in self.blocks)
        return NameScores(words, np.log(p / (1 - p)).astype(np.float32), known, best)

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        return Posterior(self.nouns, self._p(self.nouns).astype(np.float32))


def facts(
    blocks: list[Block],
    *,
    depth: bool = True,
    pose: Pose | None = None,
    noise: float = 0.0,
    holes: NDArray[np.bool_] | None = None,
    unexplained: float = 0.0,
    table: Block | None = TABLE,
) -> Facts:
    """Return the facts about a view of blocks on a table (the last region), with depth or without."""
    shown = [*blocks, *([table] if table else [])]
    z, label = render(shown, pose or Pose())
    z += noise * np.random.default_rng(0).standard_normal(z.shape).astype(np.float32) * z**2
    if holes is not None:
        z[holes] = np.nan
    masks = np.stack([label == k for k in range(len(shown))])
    rgb = np.full((H, W, 3), 128, np.uint8)
    for k, b in enumerate(shown):
        rgb[label == k] = COLOURS[b.colour]
    kinds = np.full((len(shown), 4), 0.01, np.float32)
    kinds[range(len(shown)), [b.kind for b in shown]] = 0.97
    count = len(shown)
    segments = Segments(
        masks, (H, W), kinds, np.ones(count, np.float32), np.ones(count, bool), np.full(count, -1), np.full(count, -1),
        unexplained=np.full((H, W), unexplained, np.float32),
    )  # fmt: skip
    gravity = -camera(pose or Pose())[1].T @ np.array([0, 0, 1.0])
    view = Frame(rgb, z if depth else None, K if depth else None, gravity=gravity)
    return facts_of_view(view, segments, BlockNamer(tuple(shown)))


# the view of most tests: five things on a table, whose region is the last one
RED_MUG, BOWL, BOOK, WHITE_MUG, BOX = range(5)
BLOCKS = [
    Block('mug', -0.2, 0, (0.08, 0.08, 0.1), colour='red'),
    Block('bowl', 0.1, 0.1, (0.15, 0.15, 0.07), colour='blue'),
    Block('book', 0.3, -0.1, (0.2, 0.15, 0.03), colour='green'),
    Block('mug', 0.3, -0.1, (0.08, 0.08, 0.1), z=0.03),
    Block('box', -0.3, 0.25, (0.1, 0.1, 0.25)),
]
TABLE_TOP = Filter('name', 'table')


def named(noun: str) -> Filter:
    """Return the program of a noun."""
    return Filter('name', noun)


def measures_of_boxes(*sizes: tuple[float, float, float], cut: bool = False) -> Measures:
    """Return measures of upright boxes of these lengths, widths and heights in metres."""
    count = len(sizes)
    length, width, height = np.array(sizes).T
    nan = np.full(count, np.nan)
    given = {'length': length, 'width': width, 'low': np.zeros(count), 'high': height, 'cut': np.full(count, cut)}
    wide = {'box': 4, 'centroid': 2, 'centre': 3, 'extent': 3, 'long_axis': 3}
    other = {
        f.name: np.full((count, wide[f.name]), np.nan) if f.name in wide else nan
        for f in fields(Measures)
        if f.name not in (*given, 'grid', 'based')
    }
    return Measures((120, 160), **other, **given)
