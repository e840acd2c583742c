"""Whether depth is registered to the colour image, measured by outlines: most depth edges are also edges of colour.

Some drivers and recordings publish depth in the frame of the colour camera although it was never registered. Masks are
then lifted with the depth of what lies beside them, and nothing in the messages shows it. The mean colour gradient at
the depth edges tells both cases apart; maximised over the focal length and the position of the depth camera, it also
gives the missing registration (calibration by edges without a target, as in Levinson and Thrun, RSS 2013).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.options import check_options, option
from converseg_ros.core.stamps import SECOND
from converseg_ros.lifting.registration import register

STEP = 0.06  # relative step of depth between neighbouring pixels that is an edge
MIN_EDGES = 300  # pixels of an image on depth edges; images with fewer say nothing
MAX_EDGES = 1500  # of an image that are used
MIN_IMAGES = 3
MAX_IMAGES = 8
STRONGEST = 60.0  # gradient of Lab colour from which edges count alike
SHOWN = 1.3  # ratio to chance that the best offset must reach; below it, the edges of depth and colour are unrelated
UNREGISTERED, REGISTERED = 0.3, 0.5  # share of the gain of the best offset below and above which the answer is certain
COARSE = 1500  # edges of all images that are used to find the neighbourhood of the best offset
MEASURED_EVERY = SECOND  # nanoseconds between the images of a running camera that are measured
AWAY = (20.0, 32.0, 44.0)  # pixels; colour at edges that are shifted this far is that of chance


@dataclass(frozen=True, slots=True)
class DepthOffset:
    """The depth camera relative to the colour camera, if both look in the same direction."""

    focal: float = option(1.0, 0.5, 2.0)
    """Focal length of the depth camera divided by that of the colour camera, for depth in the frame of the image that
    is not registered to it; `converseg doctor --bag` estimates it.
    """
    x: float = option(0.0, -0.5, 0.5)
    """Position of the depth camera in the optical frame of the colour camera, in metres to the right."""
    y: float = option(0.0, -0.5, 0.5)
    """The same, in metres downwards."""

    def __post_init__(self) -> None:
        """Validate the ranges."""
        check_options(self, 'depth_offset')

    def __bool__(self) -> bool:
        """Return whether the cameras differ."""
        return self != NO_OFFSET

    def camera(self, colour: Intrinsics) -> Intrinsics:
        """Return the intrinsics of the depth camera, whose image has the same size and principal point."""
        k = [colour.fx * self.focal, 0, colour.cx, 0, colour.fy * self.focal, colour.cy, 0, 0, 1]
        return Intrinsics.from_matrix(k, colour.width, colour.height)

    def registered(self, depth: NDArray[np.float32], colour: Intrinsics) -> NDArray[np.float32]:
        """Return (H, W) float32 metres registered to the colour camera, NaN where unknown."""
        transform = np.eye(4)
        transform[:2, 3] = self.x, self.y
        return register(depth, self.camera(colour), colour, transform)


NO_OFFSET = DepthOffset()


@dataclass(frozen=True, slots=True)
class Alignment:
    """The mean colour gradient at depth edges relative to that of places beside them, which is 1 by chance.

    given: with depth as it is. best: with the offset that maximises it. images: how many were measured.
    """

    given: float
    best: float
    offset: DepthOffset
    images: int

    @property
    def registered(self) -> bool | None:
        """Return whether depth is registered to colour; None if it is not certain."""
        if self.best < SHOWN:
            return None
        share = (self.given - 1) / (self.best - 1)
        return True if share >= REGISTERED else False if share <= UNREGISTERED else None


class AlignmentMeter:
    """Accumulates images; `ratio` and `compute` answer from MIN_IMAGES on."""

    def __init__(self) -> None:
        """Start without images."""
        self._images: list[tuple[NDArray[np.float32], NDArray[np.float64]]] = []
        self._camera: Intrinsics | None = None
        self._found: dict[int, bool | None] = {}  # verdict by the number of images

    def __len__(self) -> int:
        """Return the number of images that were used."""
        return len(self._images)

    @property
    def full(self) -> bool:
        """Return whether further images would be ignored."""
        return len(self) >= MAX_IMAGES

    def update(self, rgb: NDArray[np.uint8], depth: NDArray[np.float32], camera: Intrinsics) -> bool:
        """Add an (H, W, 3) image and its (H, W) depth in metres; return whether it has enough depth edges.

        camera: intrinsics of the image; images of another camera start a new measurement.
        """
        if camera != self._camera:
            self._images, self._camera, self._found = [], camera, {}
        if self.full or len(points := depth_edges(depth)) < MIN_EDGES:
            return False
        self._images.append((colour_gradient(rgb), points[:: max(1, len(points) // MAX_EDGES)]))
        return True

    def registered(self) -> bool | None:
        """Return whether depth is registered to colour; None if it is not certain or too little was seen.

        The first verdict is that of MIN_IMAGES, the final one that of MAX_IMAGES; they take some tenths of a second.
        """
        used = MAX_IMAGES if self.full else MIN_IMAGES
        if len(self) < used:
            return None
        if used not in self._found:
            self._found[used] = self._measured(self._neighbourhood()).registered
        return self._found[used]

    def compute(self) -> Alignment | None:
        """Return the measurement with the best offset (seconds); None if too little was seen."""
        if len(self) < MIN_IMAGES:
            return None
        return self._measured(max(_around(self._neighbourhood()), key=self._strength))

    def _neighbourhood(self) -> DepthOffset:
        every = max(1, sum(len(points) for _, points in self._images) // COARSE)
        return max(_coarse(), key=lambda offset: self._strength(offset, every=every))

    def _measured(self, best: DepthOffset) -> Alignment:
        chance = self._chance()
        return Alignment(self._strength(NO_OFFSET) / chance, self._strength(best) / chance, best, images=len(self))

    def _chance(self) -> float:
        turns = np.arange(8) * (np.pi / 4)
        shifts = [(r * np.cos(a), r * np.sin(a)) for r in AWAY for a in turns]
        return float(np.median([self._strength(NO_OFFSET, shift) for shift in shifts]))

    def _strength(self, offset: DepthOffset, shift: tuple[float, float] = (0.0, 0.0), every: int = 1) -> float:
        """Return the mean colour gradient at every n-th depth edge, projected with an offset and shifted by pixels."""
        assert self._camera is not None
        colour, depth = self._camera, offset.camera(self._camera)
        total, count = 0.0, 0
        for gradient, (columns, rows, z) in ((g, p[::every].T) for g, p in self._images):
            x, y = (columns - depth.cx) / depth.fx + offset.x / z, (rows - depth.cy) / depth.fy + offset.y / z
            u = np.rint(colour.fx * x + colour.cx + shift[0]).astype(np.intp)
            v = np.rint(colour.fy * y + colour.cy + shift[1]).astype(np.intp)
            inside = (u >= 0) & (v >= 0) & (u < gradient.shape[1]) & (v < gradient.shape[0])
            total += float(gradient[v[inside], u[inside]].sum())
            count += int(inside.sum())
        return total / max(count, 1)


class RegistrationCheck:
    """Measures the depth of a running camera; the threads that make frames of the camera share it."""

    def __init__(self) -> None:
        """Start without images."""
        self._meter, self._offset, self._measured_ns = AlignmentMeter(), NO_OFFSET, -MEASURED_EVERY
        self._lock = Lock()

    def refutes(self, frame: Frame, offset: DepthOffset) -> bool:
        """Return whether depth is certainly not registered, from the first frames with enough edges.

        offset: by which the depth of the frame was registered; another one starts a new measurement.
        """
        with self._lock:
            if offset != self._offset:
                self._meter, self._offset = AlignmentMeter(), offset
            if frame.depth is None or frame.intrinsics is None:
                return False
            if not self._meter.full and abs(frame.stamp_ns - self._measured_ns) >= MEASURED_EVERY:
                self._measured_ns = frame.stamp_ns
                self._meter.update(frame.rgb, np.asarray(frame.depth), frame.intrinsics)
            return self._meter.registered() is False


def depth_edges(depth: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (N, 3): column, row and depth in metres of the nearer pixels at the steps of an (H, W) depth image."""
    known = np.nan_to_num(depth, nan=0.0, posinf=0.0, neginf=0.0)
    found = []
    for axis in (0, 1):
        first, second = np.split(np.stack([known, np.roll(known, -1, axis)]), 2)
        first, second = first[0], second[0]
        near = np.minimum(first, second)
        step = (near > 0) & (np.abs(first - second) > STEP * near)
        step[(-1, slice(None)) if axis == 0 else (slice(None), -1)] = False  # the last one has no neighbour
        rows, columns = np.nonzero(step)
        after = (second < first)[rows, columns]
        rows, columns = (rows + after, columns) if axis == 0 else (rows, columns + after)
        found.append(np.stack([columns, rows, known[rows, columns]], 1))
    return np.concatenate(found).astype(np.float64)


def colour_gradient(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (H, W) float32: the magnitude of the gradient of Lab colour, limited and relative to its mean."""
    lab = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32), (0, 0), 1.2)
    squares = sum(cv2.Sobel(lab, cv2.CV_32F, dx, dy) ** 2 for dx, dy in ((1, 0), (0, 1)))
    strength = np.minimum(np.sqrt(np.asarray(squares).sum(-1)), STRONGEST)
    return np.asarray(strength / max(float(strength.mean()), 1e-6), np.float32)


def _coarse() -> Iterator[DepthOffset]:
    places = product(np.arange(0.82, 1.2, 0.03), np.arange(-0.08, 0.081, 0.01), np.arange(-0.02, 0.021, 0.01))
    return (DepthOffset(*(float(round(v, 4)) for v in place)) for place in places)


def _around(best: DepthOffset) -> Iterator[DepthOffset]:
    places = product(np.arange(-0.02, 0.021, 0.005), *2 * (np.arange(-0.008, 0.0081, 0.002),))
    return (DepthOffset(*(float(round(v, 4)) for v in (best.focal + f, best.x + x, best.y + y))) for f, x, y in places)
