"""Coloured boards in front of a wall, seen by a colour camera and by a depth camera beside it."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Intrinsics
from converseg_ros.lifting.alignment import NO_OFFSET, DepthOffset

CAMERA = Intrinsics(500, 500, 319.5, 239.5, 640, 480)
ELSEWHERE = DepthOffset(1.1, -0.024, 0.0)


def boards(seed: int, offset: DepthOffset = NO_OFFSET) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return colour, and depth of another camera, of 14 coloured boards in front of a patterned wall at 3 m."""
    rng = np.random.default_rng(seed)
    placed = [
        (z, *rng.uniform((-1, -0.8), (1, 0.8)) * z / 2, *rng.uniform(0.15, 0.5, 2), rng.integers(0, 256, 3))
        for z in np.sort(rng.uniform(0.8, 2.4, 14))[::-1]
    ]
    rgb = np.repeat(np.repeat(rng.integers(90, 140, (48, 64, 3)), 10, 0), 10, 1).astype(np.uint8)
    depth = np.full((480, 640), 3, np.float32)
    camera = offset.camera(CAMERA)
    for z, x, y, width, height, colour in placed:
        for image, value, k, at in ((rgb, colour, CAMERA, (0, 0)), (depth, z, camera, (offset.x, offset.y))):
            u, v = (np.array([x, x + width]) - at[0]) / z, (np.array([y, y + height]) - at[1]) / z
            columns = np.clip(np.rint(k.fx * u + k.cx).astype(int), 0, 640)
            rows = np.clip(np.rint(k.fy * v + k.cy).astype(int), 0, 480)
            image[rows[0] : rows[1], columns[0] : columns[1]] = value
    return rgb, depth
