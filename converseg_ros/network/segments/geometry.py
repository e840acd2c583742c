"""Geometry channels for the boundary network: normals, distance, depth edges and heights."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.facts.geometry.planes import ViewGeometry
from converseg_ros.network.segments.boundary import GEOMETRY

NEAR, FAR = 0.2, 8.0  # metres


def geometry_channels(view: ViewGeometry) -> NDArray[np.float32]:
    """Return (8, h, w) channels; where depth is unknown all of them except the last are 0.

    Normals in the upright frame (right, forward, up), log distance, depth edges, whether depth is known, height above
    the largest level plane (clipped at half a metre), and whether up is known.
    """
    known = view.known
    z = np.where(known, view.points[..., 2], 1).astype(np.float32)
    log_z = np.log(np.clip(z, NEAR, FAR))
    edges = np.zeros_like(log_z)
    for axis in (0, 1):
        step = np.abs(np.diff(log_z, axis=axis)) * (np.delete(known, 0, axis) & np.delete(known, -1, axis))
        before, after = [slice(None)] * 2, [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        edges[tuple(before)] = np.maximum(edges[tuple(before)], step)
        edges[tuple(after)] = np.maximum(edges[tuple(after)], step)
    normals = np.nan_to_num(view.normals) @ view.upright.T.astype(np.float32)
    height = np.clip(np.nan_to_num(view.height) * 4, -1, 2)
    channels = np.zeros((GEOMETRY, *known.shape), np.float32)
    channels[:3] = normals.transpose(2, 0, 1)
    channels[3], channels[4], channels[5], channels[6] = log_z, np.clip(10 * edges, 0, 1.5), 1, height
    channels *= known
    channels[7] = view.up_known
    return channels


def network_input(channels: NDArray[np.float32] | None, rows: int, columns: int) -> NDArray[np.float32]:
    """Return (9, rows, columns) for the boundary network: the channels and 1, or zeros without depth."""
    out = np.zeros((GEOMETRY + 1, rows, columns), np.float32)
    if channels is not None:
        out[:GEOMETRY], out[GEOMETRY] = channels, 1
    return out
