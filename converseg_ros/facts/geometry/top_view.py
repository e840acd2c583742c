"""A plane seen from above, on a grid in metres: where the cells of the image lie on it, and what fits on it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.facts.geometry.planes import MAX_DISTANCE, ViewGeometry

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
CELL, MAX_CELLS = 0.01, 400  # metres, and cells along a side
TURN = 15  # degrees between the orientations in which an object is fitted


@dataclass(frozen=True, eq=False)
class TopView:
    """A plane from above: cell (j, i) is at origin + cell (i x + j y), axes (3, 2) = x, y; to_pixel is a homography.

    image: rows and columns of the image.
    """

    shape: tuple[int, int]
    origin: Floats
    axes: Floats
    cell: float
    to_pixel: Floats
    image: tuple[int, int]

    @staticmethod
    def of(view: ViewGeometry, plane: Plane, points: Floats, margin: float = 0.0) -> 'TopView':
        """Return the top view of the part of a plane around points (N, 3) on it, with a margin in metres."""
        first = np.cross(plane.normal, [1.0, 0.0, 0.0])
        x = first / np.linalg.norm(first) if np.linalg.norm(first) > 0.1 else np.array([0.0, 1.0, 0.0])
        axes = np.stack([x, np.cross(plane.normal, x)], 1)
        flat = points @ axes
        low, high = flat.min(0) - margin, flat.max(0) + margin
        cell = max(CELL, float((high - low).max()) / MAX_CELLS)
        low -= 2 * cell
        nx, ny = (np.ceil((high - low) / cell).astype(int) + 3).tolist()
        origin = -plane.d * plane.normal + axes @ low
        to_pixel = view.camera @ np.column_stack([axes[:, 0] * cell, axes[:, 1] * cell, origin])
        rows, columns = view.known.shape
        return TopView((ny, nx), origin, axes, cell, to_pixel, (rows, columns))

    def lookup(self, image: Mask) -> Mask:
        """Return which cells an image mask (h, w) covers."""
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpPerspective(image.view(np.uint8), self.to_pixel, self.shape[::-1], flags=flags)).view(
            bool
        )

    def back(self, cells: Mask) -> Mask:
        """Return the image (h, w) of cells."""
        size = self.image[::-1]
        warped = cv2.warpPerspective(cells.view(np.uint8), self.to_pixel, size, flags=cv2.INTER_NEAREST)
        return np.asarray(warped).view(bool)

    def dropped(self, points: NDArray[np.float32]) -> Mask:
        """Return the cells vertically below points (N, 3)."""
        ij = np.rint(((points - self.origin) @ self.axes) / self.cell)
        inside = ((ij >= 0) & (ij < self.shape[::-1])).all(1)
        out = np.zeros(self.shape, np.uint8)
        i, j = ij[inside].astype(np.intp).T
        out[j, i] = 1
        return np.asarray(cv2.morphologyEx(out, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))).view(bool)

    def outside(self) -> Mask:
        """Return the cells that the image does not show."""
        j, i = np.mgrid[: self.shape[0], : self.shape[1]]
        x, y, w = np.tensordot(self.to_pixel, np.stack([i, j, np.ones_like(i)]).astype(np.float64), 1)
        with np.errstate(divide='ignore', invalid='ignore'):
            u, v = x / w, y / w
        rows, columns = self.image
        return np.asarray(~((w > 0) & (u > -0.5) & (u < columns - 0.5) & (v > -0.5) & (v < rows - 0.5)))


def on_plane(view: ViewGeometry, plane: Plane, cells: Mask) -> tuple[Mask, Floats]:
    """Return the cells (h, w) of an image mask whose rays meet a plane nearby, and the points (N, 3) where they do."""
    k = view.camera
    v, u = np.nonzero(cells)
    rays = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones(len(u))], 1)
    slope = rays @ plane.normal
    depth = np.where(slope < 0, -plane.d / np.minimum(slope, -1e-9), np.inf)
    near = depth < MAX_DISTANCE
    out = np.zeros_like(cells)
    out[v[near], u[near]] = True
    return out, rays[near] * depth[near, None]


def best_place(seen: Mask, allowed: Mask, sides: tuple[float, float], cell: float) -> float:
    """Return how much of an object's place on a plane is seen to be free, in the best place among the allowed cells.

    seen, allowed: (h, w) cells of the plane. sides: metres of the rectangle that the object covers, which is tried in
    all orientations, or of the disc if they are equal. cell: metres. 0 if there is no place.
    """
    best = 0.0
    allowed = allowed | seen
    if not seen.any():
        return best
    if sides[0] == sides[1]:
        return _best_disc(seen, allowed, sides[0] / cell)
    kernels = {(max(1, round(a / cell)), max(1, round(b / cell))) for a, b in (sides, sides[::-1])}
    for angle in range(0, 90, TURN):
        turned_seen, turned = (_turned(cells, angle) for cells in (seen, allowed))
        for kernel in kernels:
            room = cv2.erode(turned, np.ones(kernel, np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
            if room.any():
                share = cv2.boxFilter(turned_seen, cv2.CV_32F, kernel[::-1], borderType=cv2.BORDER_CONSTANT)
                best = max(best, float(share[room].max()))
        if best > 1 - 1e-4:
            break
    return best


def _best_disc(seen: Mask, allowed: Mask, diameter: float) -> float:
    """Return the same as `best_place` for a disc; diameter: cells."""
    room = radii(allowed) >= diameter / 2
    if not room.any():
        return 0.0
    size = 2 * round((diameter - 1) / 2) + 1 if diameter > 1 else 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.float32)
    share = cv2.filter2D(seen.astype(np.float32), cv2.CV_32F, disc / disc.sum(), borderType=cv2.BORDER_CONSTANT)
    return float(share[room].max())


def radii(free: Mask) -> NDArray[np.float32]:
    """Return (h, w) the radius in cells of the free disc around each cell."""
    return np.asarray(cv2.distanceTransform(np.pad(free, 1).view(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1] + 0.5)


def _turned(cells: Mask, angle: int) -> NDArray[np.uint8]:
    """Return cells (h, w) turned by an angle in degrees, on a grid that contains all of them."""
    h, w = cells.shape
    side = int(np.ceil(np.hypot(h, w))) + 2
    turn = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), angle, 1.0)
    turn[:, 2] += ((side - w) / 2, (side - h) / 2)
    return np.asarray(cv2.warpAffine(cells.view(np.uint8), turn, (side, side), flags=cv2.INTER_NEAREST), np.uint8)
