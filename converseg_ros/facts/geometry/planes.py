"""The planes of a view: points and normals on a coarse grid, and sequential RANSAC.

Points are metres in the optical frame of the camera (x right, y down, z forward). Points and normals are NaN where
depth is unknown; nothing is interpolated.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.geometry import Plane
from converseg_ros.core.planes import least_squares_plane, planes_through
from converseg_ros.facts.geometry.gravity import MIN_LEVEL_COSINE, choose_up, upright_axes

Floats = NDArray[np.float32]
MAX_SAMPLES, HYPOTHESES, MAX_PLANES, REFINEMENTS = 2000, 100, 6, 2
MAX_DISTANCE = 5.0  # metres, beyond which the noise of a depth camera hides small surfaces
MIN_POINTS = 500  # of a view, below which it has no planes
MIN_SHARE = 0.03  # minimum share of all sampled points on a plane
CHECK_CELL = 4  # pixels per cell of the grid for checking gravity


@dataclass(frozen=True, eq=False)
class ViewGeometry:
    """The geometry of one view on a grid of h x w cells.

    Attributes:
        points: (h, w, 3) float32 metres, NaN where depth is unknown.
        normals: (h, w, 3) float32 unit vectors towards the camera, NaN where unknown.
        known: (h, w) bool, whether there is a point.
        planes: the large planes, largest first; their normals point to the camera.
        up: (3,) unit vector against gravity.
        up_known: whether `up` was measured (gravity from TF) or derived from a large plane that may be horizontal;
            otherwise it is the usual pose of a camera.
        base: the largest horizontal plane, or None.
        camera: (3, 3) camera matrix of the grid.
    """

    points: Floats
    normals: Floats
    known: NDArray[np.bool_]
    planes: tuple[Plane, ...]
    up: NDArray[np.float64]
    up_known: bool
    base: Plane | None
    camera: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Validate that the grids have the same size."""
        if self.points.shape != (*self.known.shape, 3) or self.normals.shape != self.points.shape:
            raise InputError(f'points {self.points.shape}, normals {self.normals.shape}', where='view geometry')

    @property
    def height(self) -> Floats:
        """Return (h, w) metres above the largest horizontal plane, NaN where depth or the plane is unknown."""
        if self.base is None:
            return np.full(self.known.shape, np.nan, np.float32)
        return np.asarray(self.points @ self.base.normal.astype(np.float32) + np.float32(self.base.d))

    @property
    def upright(self) -> NDArray[np.float64]:
        """Return the rotation (3, 3) from camera to upright axes; its rows are right, forward (level) and up."""
        return upright_axes(self.up)

    def near(self, plane: Plane) -> NDArray[np.bool_]:
        """Return (h, w) the cells whose depth is known and near a plane."""
        with np.errstate(invalid='ignore'):
            off = np.abs(self.points @ plane.normal.astype(np.float32) + np.float32(plane.d))
            return np.asarray(off < 0.006 + 0.01 * self.points[..., 2])


Geometry = Callable[[Frame, int, int], ViewGeometry | None]
"""Returns the geometry of a frame on a grid of rows x columns: `view_geometry`, or its result for the last frame."""


def view_geometry(frame: Frame, rows: int, columns: int) -> ViewGeometry | None:
    """Return the geometry of a frame on a grid of rows x columns, or None without depth or intrinsics."""
    if frame.depth is None or frame.intrinsics is None:
        return None
    points = grid_points(np.asarray(frame.depth), frame.intrinsics, rows, columns)
    normals = surface_normals(points)
    known = np.isfinite(points[..., 2])
    planes = find_planes(points, normals)
    up, up_known = choose_up(frame.gravity, planes)
    level = [p for p in planes if p.normal @ up > MIN_LEVEL_COSINE]
    base = max(level, key=lambda p: p.inlier_ratio, default=None)
    camera = frame.intrinsics.scaled(columns, rows).matrix
    return ViewGeometry(points, normals, known, planes, up, up_known, base, camera)


def grid_points(depth: Floats, k: Intrinsics, rows: int, columns: int) -> Floats:
    """Return (rows, columns, 3) points of an (H, W) depth image in metres, NaN where it is NaN, 0 or infinite.

    A 5x5 median removes single wrong measurements; a cell without its own measurement stays unknown.
    """
    z = np.where(np.isfinite(depth) & (depth > 0), depth, 0).astype(np.float32)
    smooth = np.where(z > 0, cv2.medianBlur(z, 5), 0)
    small = np.asarray(cv2.resize(smooth, (columns, rows), interpolation=cv2.INTER_NEAREST_EXACT), np.float32)
    small[small <= 0] = np.nan
    grid = k.scaled(columns, rows)
    x = (np.arange(columns, dtype=np.float32) - np.float32(grid.cx)) / np.float32(grid.fx)
    y = (np.arange(rows, dtype=np.float32) - np.float32(grid.cy)) / np.float32(grid.fy)
    return np.asarray(np.stack([x[None, :] * small, y[:, None] * small, small], 2), np.float32)


def surface_normals(points: Floats) -> Floats:
    """Return (h, w, 3) unit normals of (h, w, 3) points, towards the camera; NaN where the point is unknown.

    This is the cross product of the image derivatives of points smoothed by normalised convolution (Knutsson and
    Westin, CVPR 1993), after a bilateral filter that preserves depth edges.
    """
    known = np.isfinite(points[..., 2])
    z = np.where(known, points[..., 2], 0).astype(np.float32)
    # holes are 0, metres away from any measurement
    filtered = np.asarray(cv2.bilateralFilter(z, 5, 0.03, 3), np.float32)
    with np.errstate(invalid='ignore'):
        ratio = np.where(known, filtered / points[..., 2], 0).astype(np.float32)
    weight = known.astype(np.float32)
    masked = np.where(known[..., None], points, 0)
    masked *= cv2.merge([ratio] * 3)  # NumPy broadcasts a last axis of one slowly
    total = np.maximum(cv2.GaussianBlur(weight, (0, 0), 1.5), 1e-3)
    smooth = cv2.GaussianBlur(masked, (0, 0), 1.5) / total[..., None]
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    normal = np.empty_like(smooth)
    for i, (a, b) in enumerate(((1, 2), (2, 0), (0, 1))):
        normal[..., i] = dy[..., a] * dx[..., b] - dy[..., b] * dx[..., a]
    length = np.sqrt(np.einsum('hwc,hwc->hw', normal, normal))
    normal /= np.maximum(length, 1e-12)[..., None]
    away = np.einsum('hwc,hwc->hw', normal, smooth) > 0
    normal[away] *= -1
    normal[~known | (length < 1e-12)] = np.nan
    return np.asarray(normal, np.float32)


def find_planes(
    points: Floats, normals: Floats, *, most: int = MAX_PLANES, least: int = MIN_POINTS
) -> tuple[Plane, ...]:
    """Return the large planes of a view by sequential RANSAC (Fischler and Bolles 1981), largest first.

    Hypotheses are three points, or one point with its normal; inliers are near and have a similar normal. Points of a
    plane are removed before the next one is searched. There are none if fewer than `least` points are near enough.
    Deterministic.
    """
    rng = np.random.default_rng(0)
    usable = np.isfinite(normals[..., 0]) & (points[..., 2] < MAX_DISTANCE)
    index = np.flatnonzero(usable)
    if index.size < least:
        return ()
    index = rng.choice(index, min(MAX_SAMPLES, index.size), replace=False)
    p, q = points.reshape(-1, 3)[index], normals.reshape(-1, 3)[index]
    total, found = len(p), []
    for _ in range(most):
        if len(p) < MIN_SHARE * total:
            break
        tolerance = 0.006 + 0.006 * p[:, 2]
        normal, d = _hypotheses(p, q, rng)
        near = (np.abs(normal @ p.T + d[:, None]) < tolerance) & (np.abs(normal @ q.T) > 0.85)
        inside = near[int(near.sum(1).argmax())]
        if inside.sum() < max(MIN_SHARE * total, 30):
            break
        n, offset = np.zeros(3), 0.0
        for _ in range(REFINEMENTS):
            n, offset = _fit(p[inside])
            refined = (np.abs(p @ n + offset) < tolerance) & (np.abs(q @ n) > 0.8)
            if refined.sum() < 30:
                break
            inside = refined
        residual = p[inside] @ n + offset
        found.append(Plane(n, offset, float(inside.sum() / total), float(np.sqrt(np.mean(residual**2)))))
        rest = np.abs(p @ n + offset) >= 1.5 * tolerance
        p, q = p[rest], q[rest]
    return tuple(sorted(found, key=lambda plane: -plane.inlier_ratio))


def level_frame(frame: Frame) -> Frame:
    """Return the frame with gravity that agrees with its planes; without depth the frame is unchanged."""
    if frame.gravity is None or frame.depth is None or frame.intrinsics is None:
        return frame
    k = frame.intrinsics
    points = grid_points(np.asarray(frame.depth), k, max(k.height // CHECK_CELL, 1), max(k.width // CHECK_CELL, 1))
    up, _ = choose_up(frame.gravity, find_planes(points, surface_normals(points)))
    return frame if np.array_equal(up, -frame.gravity) else replace(frame, gravity=-up)


def level_cosines(planes: NDArray[np.intp], view: ViewGeometry | None) -> NDArray[np.float64]:
    """Return (S,) cosines of the planes of regions with up; NaN for regions without a plane.

    planes: (S,) index of the plane of each region in the view, or -1.
    """
    out = np.full(len(planes), np.nan)
    if view is not None:
        for i in np.flatnonzero(planes >= 0):
            out[i] = view.planes[planes[i]].normal @ view.up
    return out


def plane_masks(
    view: ViewGeometry, plane: Plane, *, least_share: float = 0.012, most: int = 3
) -> list[NDArray[np.bool_]]:
    """Return the connected visible patches (h, w) of a plane, largest first.

    least_share: minimum size of a patch as a share of the grid. Small holes (2 cells) are closed.
    """
    z = view.points[..., 2]
    with np.errstate(invalid='ignore'):
        off = np.abs(view.points @ plane.normal.astype(np.float32) + np.float32(plane.d))
        near = (off < 0.004 + 0.006 * z) & (np.abs(view.normals @ plane.normal.astype(np.float32)) > 0.75)
    mask = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = np.argsort(-areas, kind='stable')[:most]
    return [labels == i + 1 for i in order if areas[i] > least_share * mask.size]


def _hypotheses(p: Floats, q: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return unit normals (M, 3) and offsets (M,) through random points (N, 3) with normals q, with d > 0."""
    triples = rng.integers(0, len(p), (3, HYPOTHESES))
    single = rng.integers(0, len(p), HYPOTHESES)
    normal, d = planes_through(*p[triples])
    normal = np.concatenate([normal, q[single]])
    d = np.concatenate([d, -np.einsum('ij,ij->i', q[single], p[single])])
    sign = np.where(d < 0, -1, 1).astype(np.float32)
    return normal * sign[:, None], d * sign


def _fit(p: Floats) -> tuple[NDArray[np.float64], float]:
    """Return the least-squares plane of points (N, 3): unit normal towards the origin, and d."""
    centre = p.mean(0, dtype=np.float64)
    normal, mean = least_squares_plane((p - centre).T, np.ones(len(p)))
    d = float(-normal @ (centre + mean))
    return (normal, d) if d >= 0 else (-normal, -d)
