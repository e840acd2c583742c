"""The keep-out space of a safety mask: at least the mask, and more where depth is not reliable."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.lifting.depth import DepthScene

MAX_LAYERS = 48


@dataclass(frozen=True, slots=True)
class KeepOut:
    """The keep-out space of one mask.

    mask: (H, W) bool, the dilated mask. pixels (N,) and points (N, 3): all its pixels with depth. extra (M, 3) and
    extra_pixels (M,): points that are added where depth is missing or measured through a transparent object.
    """

    mask: NDArray[np.bool_]
    pixels: NDArray[np.int64]
    points: NDArray[np.float32]
    extra: NDArray[np.float32]
    extra_pixels: NDArray[np.int64]


def grow(mask: NDArray[np.bool_], pixels: float) -> NDArray[np.bool_]:
    """Return the mask dilated by `pixels`."""
    if pixels <= 0 or not mask.any():
        return mask.copy()
    distance = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(mask | (distance <= pixels))


def _depth_range(scene: DepthScene, mask: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return the nearest and farthest plausible depth at a mask: of its surroundings, else of the frame."""
    reach = 0.1 * max(scene.z.shape)
    for where in (grow(mask, reach), np.ones_like(mask)):
        z = scene.z[where & (scene.valid > 0)]
        if z.size >= 20 or (z.size and where.all()):
            inside = scene.z[mask & (scene.valid > 0)]
            near, far = np.percentile(z, [2, 98])
            if inside.size:
                near = min(near, np.percentile(inside, 2))
            return float(near), float(max(far, near))
    return None


def keep_out(scene: DepthScene, mask: NDArray[np.bool_]) -> KeepOut:
    """Return the keep-out space of a non-empty (H, W) safety mask.

    The mask is dilated by `safety_clearance` at its nearest depth and by at least `safety_dilation_px`. A pixel without
    depth (glass, a shiny blade, a black plate) becomes a frustum from the nearest plausible depth to that of the
    background. If no part of a region stands out in depth, it is flat or transparent; the space in front of it, as deep
    as it is wide, is then also forbidden.
    """
    options, k = scene.options, scene.frame.intrinsics
    assert k is not None
    depths = _depth_range(scene, mask)
    near, far = depths or (options.min_depth, options.min_depth + options.safety_depth)
    focal = float(np.clip(max(k.fx, k.fy), 1e-3, 1e6))
    grown = grow(
        mask, max(options.safety_dilation_px, min(options.safety_clearance * focal / near, max(mask.shape) / 4))
    )
    valid = scene.valid > 0
    pixels = np.flatnonzero(grown & valid)
    points = scene.points(pixels)
    if depths is not None and far - near < options.safety_step:
        far = near + options.safety_depth
    missing = grown & ~valid & np.isfinite(scene.rx)[None, :] & np.isfinite(scene.ry)[:, None]
    parts = [_frustum(scene, missing, np.float32(near), np.float32(far), focal)]
    inside = mask & valid
    if inside.any():
        parts.append(_before(scene, mask, inside, focal))
    extra = np.concatenate([p for p, _ in parts])
    extra_pixels = np.concatenate([q for _, q in parts])
    return KeepOut(grown, pixels, points, extra, extra_pixels)


def _frustum(
    scene: DepthScene,
    where: NDArray[np.bool_],
    near: np.float32 | NDArray[np.float32],
    far: np.float32 | NDArray[np.float32],
    focal: float,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return points (M, 3) and their pixels (M,) between two depths: every pixel at the near one, a lattice behind."""
    step = scene.options.safety_step
    near_map, far_map = np.broadcast_to(near, where.shape), np.broadcast_to(far, where.shape)
    rows, columns = np.nonzero(where)
    if not rows.size:
        return np.zeros((0, 3), np.float32), np.zeros(0, np.int64)
    start, end = near_map[rows, columns], far_map[rows, columns]
    stride = max(1, int(step * focal / max(float(end.max()), 1e-3)))
    lattice = (rows % stride == 0) & (columns % stride == 0)
    span = float((end - start).max())
    layers = int(np.clip(np.ceil(span / step), 1, MAX_LAYERS))
    r, c, z = [rows], [columns], [start]
    for i in range(1, layers + 1):
        r.append(rows[lattice])
        c.append(columns[lattice])
        z.append(start[lattice] + (end - start)[lattice] * np.float32(i / layers))
    row, column, depth = np.concatenate(r), np.concatenate(c), np.concatenate(z).astype(np.float32)
    points = np.column_stack([depth * scene.rx[column], depth * scene.ry[row], depth]).astype(np.float32)
    return points, (row * scene.frame.width + column).astype(np.int64)


def _before(
    scene: DepthScene, mask: NDArray[np.bool_], inside: NDArray[np.bool_], focal: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return points in front of a region that may be transparent: its depth is behind its rim, or without a step."""
    z, options = scene.z, scene.options
    far = np.where(inside, z, np.float32(1e6))
    rim = np.asarray(cv2.erode(far, np.ones((31, 31), np.uint8)), np.float32)
    behind = inside & np.asarray(z - rim > np.float32(0.03) + np.float32(1.5 * options.edge_jump) * z)
    rim = np.where(behind, rim, z)
    outline = mask & ~cv2.erode(mask.view(np.uint8), np.ones((3, 3), np.uint8), borderValue=1).view(bool) & inside
    step = outline & (_step_outside(scene, mask) > np.float32(options.edge_jump) * z)
    if int(np.count_nonzero(step)) < 0.1 * max(int(np.count_nonzero(outline)), 1):
        depth = float(np.median(z[inside]))
        width = float(np.sqrt(float(np.count_nonzero(mask)))) * depth / focal
        room = np.float32(min(width, options.safety_depth))
        return _frustum(scene, inside, np.maximum(z - room, np.float32(options.min_depth)), z, focal)
    return _frustum(scene, behind, rim, z, focal)


def _step_outside(scene: DepthScene, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance in metres by which the outside of the mask is behind each pixel; 0 where unknown."""
    outside = np.where((scene.valid > 0) & ~mask, scene.z, np.float32(0))
    return np.asarray(cv2.dilate(outside, np.ones((7, 7), np.uint8)) - scene.z)
