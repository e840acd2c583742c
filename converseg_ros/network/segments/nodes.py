"""Features of every node of a merge tree, from sums over its cells: the input of the quality network."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.facts.geometry.planes import ViewGeometry
from converseg_ros.network.segments.agents import Agents
from converseg_ros.network.segments.boundary import VOTE
from converseg_ros.network.segments.quality import NUMBERS
from converseg_ros.network.segments.tree import Floats, LeafEvidence, MergeTree

ON_PLANE = 0.012  # metres
UNIT = 100.0  # cells of the working grid for a coordinate of 1


@dataclass(frozen=True, slots=True)
class ViewMaps:
    """The maps on the working grid (h, w).

    Attributes:
        boundary, part_boundary, part: (h, w) probabilities.
        kinds: (4, h, w) probabilities.
        vote: (2, h, w) from a cell to the centre of its object, in cells.
        thing: (h, w) probability of any class by the detector.
        lab: (h, w, 3) CIE Lab in 0..255.
        boxes: (D, 5) the detector's boxes x0, y0, x1, y1 in cells and their scores.
        geometry: of the view, or None without depth.
        agents: the people and animals in boxes of the detector, or None if no network searches for them.
    """

    boundary: NDArray[np.float32]
    part_boundary: NDArray[np.float32]
    part: NDArray[np.float32]
    kinds: NDArray[np.float32]
    vote: NDArray[np.float32]
    thing: NDArray[np.float32]
    lab: NDArray[np.float32]
    boxes: NDArray[np.float32]
    geometry: ViewGeometry | None = None
    agents: Agents | None = None

    @property
    def voting(self) -> NDArray[np.float32]:
        """Return (h, w): the probability that a cell belongs to an object or an agent, and so votes for a centre."""
        return np.asarray(self.kinds[0] + self.kinds[3])

    def evidence(self, labels: NDArray[np.int32]) -> LeafEvidence:
        """Return the sums of evidence over the cells of each superpixel of (h, w) labels."""
        k = int(labels.max()) + 1
        weight = self.voting
        y, x = np.mgrid[: weight.shape[0], : weight.shape[1]].astype(np.float32)
        flat = labels.ravel()

        def sums(values: NDArray[np.float32]) -> Floats:
            return np.asarray(np.bincount(flat, values.ravel(), k), np.float64)

        place = [sums((place + vote) * weight / VOTE) for place, vote in zip((x, y), self.vote)]
        return LeafEvidence(sums(weight), np.stack(place, 1), np.stack([sums(kind) for kind in self.kinds], 1))


def describe(tree: MergeTree, maps: ViewMaps) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (N, NUMBERS) features of each node, and (N, 4) the mean probabilities of its kinds."""
    cells = _cells(maps)
    names, widths = list(cells), [len(rows) for rows in cells.values()]
    ends = np.cumsum(widths)
    columns = cv2.transpose(np.concatenate(list(cells.values())))  # NumPy writes columns of a large array slowly
    total = tree.sums(tree.leaf_sums(np.asarray(columns, np.float32)))
    area = tree.area
    mean = {name: total[:, end - width : end] / area[:, None] for name, width, end in zip(names, widths, ends)}
    up = np.where(tree.parent >= 0, tree.parent, np.arange(len(tree)))  # a root is compared with itself

    xy, squares = mean['xy'], mean['xy2']
    variance = np.maximum(squares[:, :2] - xy**2, 0)
    covariance = squares[:, 2] - xy[:, 0] * xy[:, 1]
    determinant = np.maximum(variance[:, 0] * variance[:, 1] - covariance**2, 1e-7)
    ellipse = 4 * np.pi * np.sqrt(determinant) * UNIT**2  # cells of an ellipse with these moments
    voters = mean['voters'][:, 0]
    target = mean['target'] / np.maximum(voters, 1e-6)[:, None]
    spread = mean['target2'][:, 0] / np.maximum(voters, 1e-6) - (target**2).sum(1)
    colour, deviation = mean['lab'], mean['lab2'][:, 0] - (mean['lab'] ** 2).sum(1)
    fit, sure = _boxes(tree, maps.boxes)
    kinds = mean['kinds']
    part, seen = mean['part'][:, 0], mean['thing'][:, 0]
    numbers = [
        np.log(area),
        tree.height,
        tree.parent_height,
        tree.parent_height - tree.height,
        tree.border / np.maximum(tree.perimeter, 1),
        mean['boundary'][:, 0],
        *kinds.T,
        mean['rim'][:, 0] * np.sqrt(area),
        area / (ellipse + 1),
        tree.perimeter / np.sqrt(area),
        *xy.T,
        np.log(variance.sum(1) + 1e-4),
        voters,
        np.minimum(np.linalg.norm(target - xy, axis=1), 3),
        np.sqrt(np.clip(spread, 0, 9)),
        part,
        mean['part_boundary'][:, 0],
        part - part[up],
        (kinds - kinds[up])[:, 0],
        seen,
        seen - seen[up],
        np.sqrt(np.maximum(deviation, 0)),
        np.linalg.norm(colour - colour[up], axis=1),
        fit,
        sure,
        np.log(area / area[up]),
        *_geometry(mean, len(tree)),
    ]
    stacked = np.stack(numbers, 1).astype(np.float32)
    assert stacked.shape[1] == NUMBERS
    return stacked, kinds.astype(np.float32)


def _cells(maps: ViewMaps) -> dict[str, NDArray[np.float32]]:
    """Return the summed values of every cell, by name, each (C, h * w)."""
    height, width = maps.boundary.shape
    y, x = (np.mgrid[:height, :width].astype(np.float32) / UNIT).reshape(2, -1)
    rim = np.zeros((height, width), np.float32)
    rim[[0, -1]] = rim[:, [0, -1]] = 1
    voters = maps.voting.ravel()
    tx, ty = x + maps.vote[0].ravel() / UNIT, y + maps.vote[1].ravel() / UNIT
    lab = maps.lab.reshape(-1, 3).T / 64
    cells = {
        'boundary': maps.boundary.reshape(1, -1),
        'part_boundary': maps.part_boundary.reshape(1, -1),
        'part': maps.part.reshape(1, -1),
        'thing': maps.thing.reshape(1, -1),
        'kinds': maps.kinds.reshape(4, -1),
        'xy': np.stack([x, y]),
        'xy2': np.stack([x * x, y * y, x * y]),
        'rim': rim.reshape(1, -1),
        'voters': voters[None],
        'target': np.stack([tx * voters, ty * voters]),
        'target2': ((tx**2 + ty**2) * voters)[None],
        'lab': lab,
        'lab2': (lab**2).sum(0, keepdims=True),
    }
    view = maps.geometry
    if view is not None:
        known = view.known.ravel()
        axes = view.upright.T.astype(np.float32)
        points, normals = (
            np.ascontiguousarray((np.nan_to_num(v).reshape(-1, 3) @ axes).T) for v in (view.points, view.normals)
        )
        products = [points[i] * points[j] for i in range(3) for j in range(i, 3)]
        lift = np.nan_to_num(view.height).ravel()
        on = (np.abs(lift) < ON_PLANE) & known & (view.base is not None)
        facts = np.array([known, np.clip(lift, -1, 1), on], np.float32)
        cells['geometry'] = np.concatenate([facts, points, products, normals])
    return cells


def _geometry(mean: dict[str, Floats], count: int) -> list[Floats]:
    """Return ten 3D features of each node, all zero without depth."""
    if 'geometry' not in mean:
        return [np.zeros(count)] * 10
    rows = mean['geometry']
    known = np.maximum(rows[:, 0], 1e-6)
    centre, products = rows[:, 3:6] / known[:, None], rows[:, 6:12] / known[:, None]
    scatter = np.empty((count, 3, 3))
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    for column, (i, j) in enumerate(pairs):
        scatter[:, i, j] = scatter[:, j, i] = products[:, column] - centre[:, i] * centre[:, j]
    values = np.sqrt(np.clip(np.linalg.eigvalsh(scatter + 1e-9 * np.eye(3)), 1e-8, None))
    normal = rows[:, 12:15] / known[:, None]
    measured = rows[:, 0] > 0.1  # share of the node's cells
    numbers = [
        *np.log(values).T,
        rows[:, 1] / known,
        rows[:, 2] / known,
        np.linalg.norm(normal, axis=1),
        normal[:, 2],
        np.log(np.maximum(np.linalg.norm(centre, axis=1), 0.1)),
    ]
    return [*(np.where(measured, n, 0) for n in numbers), rows[:, 0], np.ones(count)]


def _boxes(tree: MergeTree, boxes: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return how well the detector's boxes fit the box of each node (best IoU times score), and that box's score."""
    if not len(boxes):
        return np.zeros(len(tree)), np.zeros(len(tree))
    x0, y0, x1, y1 = node_boxes(tree).T[:, :, None]
    b = boxes.astype(np.float64)
    wide = np.clip(np.minimum(x1, b[:, 2]) - np.maximum(x0, b[:, 0]), 0, None)
    high = np.clip(np.minimum(y1, b[:, 3]) - np.maximum(y0, b[:, 1]), 0, None)
    inside = wide * high
    own, theirs = (x1 - x0) * (y1 - y0), (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    fit = inside / np.maximum(own + theirs - inside, 1e-6) * b[:, 4]
    best = fit.argmax(1)
    return fit[np.arange(len(tree)), best], b[best, 4]


def node_boxes(tree: MergeTree) -> Floats:
    """Return (N, 4) x0, y0, x1, y1 of every node in cells, the ends exclusive."""
    height, width = tree.labels.shape
    y, x = np.divmod(np.arange(height * width), width)
    labels = tree.labels.ravel()
    ranges = np.stack([tree.first, tree.last], 1).ravel()
    columns = []
    low, high = np.minimum, np.maximum
    for values, reduce, start in ((x, low, width), (y, low, height), (x, high, 0), (y, high, 0)):
        leaf = np.full(tree.leaves, start)
        reduce.at(leaf, labels, values)
        padded = np.append(leaf[tree.order], start)  # so that the last range may end after the leaves
        columns.append(reduce.reduceat(padded, ranges)[::2] + (reduce is high))
    return np.stack(columns, 1).astype(float)
