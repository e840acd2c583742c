"""A model of a structured-light or stereo depth camera: noise, holes and edge bleed."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def sigma(depth: NDArray[np.floating]) -> Array:
    """Return the axial noise in metres: 0.0012 + 0.0019 (z - 0.4)^2 (Nguyen et al., 3DIMPVT 2012)."""
    return np.asarray(0.0012 + 0.0019 * (np.asarray(depth) - 0.4) ** 2, np.float32)


def observe(
    depth: Array,
    rng: np.random.Generator,
    *,
    clear: NDArray[np.bool_] | None = None,
    bleed: int = 2,
    holes: float = 0.05,
) -> Array:
    """Return H x W metres with camera-like errors (0 = no measurement) of ideal depth (0 = no surface).

    Edges bleed up to `bleed` pixels in either direction; a share `holes` of the pixels, mostly at edges, on `clear`
    (transparent) surfaces and in blobs, has no measurement.
    """
    import cv2

    height, width = depth.shape
    result = depth.astype(np.float32).copy()
    if bleed:
        coarse = rng.uniform(-1, 1, (2, height // 3 + 2, width // 3 + 2)).astype(np.float32)
        shift = np.rint(coarse * bleed).astype(np.int16)
        dy, dx = (cv2.resize(c, (width, height), interpolation=cv2.INTER_NEAREST) for c in shift)
        sy = np.clip(np.arange(height, dtype=np.int32)[:, None] + dy, 0, height - 1)
        sx = np.clip(np.arange(width, dtype=np.int32) + dx, 0, width - 1)
        moved = result.reshape(-1)[sy * width + sx]
        jump = np.abs(moved - result) > 0.02
        result = np.where(jump, moved, result)
    noise = rng.standard_normal(depth.shape).astype(np.float32)
    noise = (
        0.6 * noise + 0.8 * cv2.GaussianBlur(rng.standard_normal(depth.shape).astype(np.float32), (0, 0), 1.0) * 3.545
    )
    valid = result > 0
    result = np.where(valid, result + noise * sigma(result), 0)
    blobs = cv2.GaussianBlur(rng.standard_normal(depth.shape).astype(np.float32), (0, 0), 2.5)
    edges = cv2.dilate(
        (cv2.Laplacian(depth.astype(np.float32), cv2.CV_32F, ksize=3) ** 2 > 0.01).astype(np.float32), np.ones((3, 3))
    )
    score = blobs / blobs.std() + 1.6 * edges
    if clear is not None:
        score = score + 3.0 * clear
    if holes:
        result[score >= np.quantile(score, 1 - holes)] = 0
    return np.asarray(np.maximum(result, 0), np.float32)
