"""Placement poses: free discs on the support plane seen from above."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Placement, Plane
from converseg_ros.core.mask import Box
from converseg_ros.lifting.depth import DepthScene, depth_sigma, square
from converseg_ros.lifting.planes import plane_axes

UNSEEN, SUPPORT, OBSTACLE, HOLE = 0, 1, 2, 3
MAX_CELLS = 400  # along each side of the grid
SMOOTH = 5  # pixels of the window that heights are averaged over; it closes smaller holes in depth


@dataclass(frozen=True, slots=True)
class FreeDiscs:
    """The free discs of a support plane on a grid in metres; cell (j, i) is at origin + cell (i x + j y).

    radius: (Y, X) float32, the radius in metres of the free disc around each cell; negative if there is none.
    """

    radius: NDArray[np.float32]
    origin: NDArray[np.float64]
    axes: NDArray[np.float64]
    cell: float

    def position(self, i: int, j: int) -> NDArray[np.float64]:
        """Return the point (3,) on the plane at the centre of cell (j, i)."""
        return np.asarray(self.origin + self.cell * (i * self.axes[:, 0] + j * self.axes[:, 1]))


def _heights(
    scene: DepthScene, plane: Plane, rows: slice, columns: slice
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return height above the plane and its standard deviation, (h, w) float32, for given rows and columns."""
    n = plane.normal.astype(np.float32)
    slope = (n[0] * scene.rx[None, columns]) + (n[1] * scene.ry[rows, None] + n[2])
    z = np.ascontiguousarray(scene.z[rows, columns])
    height = np.asarray(cv2.multiply(z, slope), np.float32)
    height += np.float32(plane.d)
    sigma = np.abs(slope, out=slope)
    sigma *= depth_sigma(z).astype(np.float32, copy=False)
    return height, sigma


def classify(scene: DepthScene, plane: Plane, mask: NDArray[np.bool_], box: Box) -> NDArray[np.uint8]:
    """Return UNSEEN, SUPPORT, OBSTACLE or HOLE for each pixel of `box`.

    A pixel is SUPPORT if the mask covers it and the plane explains its depth, both alone and averaged over a small
    window, which detects lower obstacles than a single noisy pixel. A masked pixel without depth is a HOLE, unless most
    of its window has depth.
    """
    rows, columns = box.cells
    valid = np.ascontiguousarray(scene.valid[rows, columns])
    height, sigma = _heights(scene, plane, rows, columns)
    limit = np.float32(scene.options.obstacle_height)
    window = (SMOOTH, SMOOTH)
    weight = cv2.boxFilter(valid, cv2.CV_32F, window, normalize=False)
    clipped = np.clip(height, -0.1, 0.1)  # limit the weight of a far background pixel in the mean
    clipped *= valid
    mean = cv2.divide(cv2.boxFilter(clipped, cv2.CV_32F, window, normalize=False), weight)
    fine = sigma + limit
    sigma *= np.float32(4)
    sigma += limit  # the resolution of a single pixel
    unknown = weight < SMOOTH * SMOOTH / 2
    high, off = mean > fine, np.abs(mean) > fine
    alone = valid.view(np.bool_)
    obstacle = (high & ~unknown) | (alone & (height > sigma))
    astray = off | unknown | (alone & (np.abs(height, out=height) > sigma)) | obstacle
    out = (~astray).view(np.uint8)  # SUPPORT
    out |= unknown.view(np.uint8) * np.uint8(HOLE)
    out *= np.ascontiguousarray(mask[rows, columns]).view(np.uint8)
    out[obstacle] = OBSTACLE
    return out


def _close_holes(cells: NDArray[np.uint8], widest: int) -> None:
    """Convert holes of at most `widest` cells that are surrounded by support into support, the others into UNSEEN."""
    holes = (cells == HOLE).view(np.uint8)
    x, y, w, h = cv2.boundingRect(holes)
    if not w:
        return
    # the grid has a margin of one cell around the covered area
    inner = np.s_[max(y - 1, 0) : y + h + 1, max(x - 1, 0) : x + w + 1]
    cells, holes = cells[inner], np.ascontiguousarray(holes[inner])
    _, labels, stats, _ = cv2.connectedComponentsWithStats(holes, connectivity=8)
    rest = ((cells == OBSTACLE) | (cells == UNSEEN)).view(np.uint8)
    beside = cv2.dilate(rest, square(3), borderValue=1)
    close = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) <= widest
    close[labels[(beside & holes).view(np.bool_)]] = False
    close[0] = False
    cells[holes.view(np.bool_)] = UNSEEN
    cells[close[labels]] = SUPPORT


def free_discs(
    scene: DepthScene,
    plane: Plane,
    mask: NDArray[np.bool_],
    box: Box,
    points: NDArray[np.float32],
    forbidden: NDArray[np.bool_] | None = None,
) -> FreeDiscs:
    """Return the largest free disc around each point of a grid on a support plane.

    Args:
        mask: (H, W), the support, with its `box`.
        points: some of its points, which define the extent of the grid.
        forbidden: (H, W), pixels that must not be used although they are flat (a hot plate).

    Obstacles are all points above the plane anywhere in the frame, projected vertically onto it, and everything that
    they occlude.
    """
    options, k = scene.options, scene.frame.intrinsics
    assert k is not None
    axes = plane_axes(plane.normal)
    base = -plane.d * plane.normal  # the point of the plane below the camera
    flat = points @ axes[:, :2].astype(np.float32)
    low, high = flat.min(0).astype(np.float64), flat.max(0).astype(np.float64)
    cell = max(options.cell, float((high - low).max()) / MAX_CELLS)
    nx, ny = (np.ceil((high - low) / cell).astype(int) + 3).tolist()
    low -= cell
    origin = base + axes[:, :2] @ low
    # Cell to pixel is a homography, so each cell looks up the class of its pixel; this is dense for any viewing angle.
    to_crop = np.array([[1, 0, -box.x0], [0, 1, -box.y0], [0, 0, 1.0]])
    homography = to_crop @ k.matrix @ np.column_stack([axes[:, 0] * cell, axes[:, 1] * cell, origin])
    seen = classify(scene, plane, mask, box)
    if forbidden is not None:
        seen[forbidden[box.y0 : box.y1, box.x0 : box.x1]] = OBSTACLE
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    cells = np.asarray(cv2.warpPerspective(seen, homography, (nx, ny), flags=flags, borderValue=UNSEEN), np.uint8)
    along, across = cell * axes[2, 0] * np.arange(nx), cell * axes[2, 1] * np.arange(ny)
    if origin[2] + min(along[0], along[-1]) + min(across[0], across[-1]) < options.min_depth:
        cells[origin[2] + along + across[:, None] < options.min_depth] = UNSEEN
    for i, j in _above(scene, plane, axes, low, cell, seen, box):
        inside = (i >= 0) & (i < nx) & (j >= 0) & (j < ny)
        cells.ravel()[(j * np.int64(nx) + i)[inside]] = OBSTACLE
    _close_holes(cells, int(options.hole / cell))
    return FreeDiscs(_radii(cells, cell, options.clearance, options.edge_margin), origin, axes, cell)


def _above(
    scene: DepthScene,
    plane: Plane,
    axes: NDArray[np.float64],
    low: NDArray[np.float64],
    cell: float,
    seen: NDArray[np.uint8],
    box: Box,
) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Return the cells (i, j) below everything above the plane: of the whole frame, and of the classified crop."""
    found = []
    width, options = scene.frame.width, scene.options
    n = plane.normal.astype(np.float32)
    slope = ((n[0] * scene.rx[None, ::2]) + (n[1] * scene.ry[::2, None] + n[2])).ravel()
    z = scene.z[::2, ::2].ravel()
    height = z * slope
    height += np.float32(plane.d)
    tall = np.flatnonzero((height > np.float32(options.obstacle_height)) & (z > 0))
    sigma = np.abs(slope.take(tall)) * depth_sigma(z.take(tall))
    tall = tall[height.take(tall) > 4 * sigma + options.obstacle_height]
    low_crop = (seen[::2, ::2] == OBSTACLE) & scene.valid[box.y0 : box.y1 : 2, box.x0 : box.x1 : 2].view(np.bool_)
    across = axes[:, :2].T.astype(np.float32) / np.float32(cell)
    start = low.astype(np.float32)[:, None] / np.float32(cell)
    first = box.y0 * width + box.x0
    for chosen, wide, corner in (
        (tall, (width + 1) // 2, 0),
        (np.flatnonzero(low_crop), low_crop.shape[1], first),
    ):
        rows, columns = np.divmod(chosen, wide)
        flat = across @ scene.planar(corner + 2 * (rows * width + columns))
        flat -= start
        np.clip(np.rint(flat, out=flat), -1, 1e6, out=flat)
        i, j = flat.astype(np.int32)
        found.append((i, j))
    return found


def _radii(cells: NDArray[np.uint8], cell: float, clearance: float, margin: float) -> NDArray[np.float32]:
    """Return the radius in metres of the free disc around each cell, minus the distances from obstacles and edges."""
    padded = cv2.copyMakeBorder(cells, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=UNSEEN)
    half = 0.7072 * cell  # from the centre of a cell to its corner
    radius = cv2.distanceTransform((padded != UNSEEN).view(np.uint8), cv2.DIST_L2, 5) * cell - (half + margin)
    if (padded == OBSTACLE).any():
        clear = cv2.distanceTransform((padded != OBSTACLE).view(np.uint8), cv2.DIST_L2, 5) * cell - (half + clearance)
        radius = np.minimum(radius, clear)
    return np.asarray(radius[1:-1, 1:-1], np.float32)


def find_placements(view: FreeDiscs, *, footprint: float, most: int) -> tuple[Placement, ...]:
    """Return up to `most` placements for an object of radius `footprint`: the largest free discs, best first.

    Scores are in [0, 1] and saturate at a radius of twice the footprint; among equal scores the nearer placement is
    first.
    """
    left, axes = view.radius.copy(), view.axes.copy()
    found = []
    for _ in range(most):
        _, radius, _, (i, j) = cv2.minMaxLoc(left)
        if radius < footprint:
            break
        position = view.position(i, j)
        score = min(1.0, radius / (2 * footprint)) * (0.5 + 0.5 / (1.0 + float(np.linalg.norm(position))))
        found.append(Placement(position, axes, float(radius), float(score)))
        cv2.circle(left, (i, j), int(np.ceil((radius + footprint) / view.cell)), -1.0, -1)
    return tuple(sorted(found, key=lambda p: -p.score))
