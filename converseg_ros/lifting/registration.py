"""Registration of depth to the colour image: by resizing if both have the same view, otherwise by extrinsics."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Intrinsics

SAME_VIEW = 0.02  # of the focal length; cameras that differ by more do not have the same view


def _refuse(what: str, do: str) -> InputError:
    return InputError(what, where='depth registration', do=do)


def same_view(depth: Intrinsics, color: Intrinsics) -> bool:
    """Return whether two cameras have the same view with different sizes (a binned or resized stream)."""
    scaled = depth.scaled(color.width, color.height)
    focal = abs(scaled.fx - color.fx) / color.fx + abs(scaled.fy - color.fy) / color.fy
    centre = abs(scaled.cx - color.cx) / color.width + abs(scaled.cy - color.cy) / color.height
    return focal < SAME_VIEW and centre < SAME_VIEW


def register(
    depth: NDArray[np.float32],
    depth_camera: Intrinsics,
    color_camera: Intrinsics,
    transform: NDArray[np.float64] | None = None,
    *,
    same_frame: bool = False,
) -> NDArray[np.float32]:
    """Return (H, W) float32 metres registered to the colour camera, NaN where unknown.

    depth: metres, NaN or 0 where unknown. transform: 4x4 from the depth camera's optical frame to the colour camera's.
    same_frame: both images have the same frame_id, so depth is registered and only its size may differ; K is then
    scaled, and pixels are sampled by nearest neighbour, since a mean across an edge lies on no surface. Otherwise every
    depth pixel is projected with a z-buffer. Raises InputError with the reason if neither is possible.
    """
    if depth.shape != (depth_camera.height, depth_camera.width):
        raise _refuse(
            f'depth is {depth.shape[1]}x{depth.shape[0]}, camera_info says {depth_camera.width}x{depth_camera.height}',
            'fix the driver, or scale camera_info with the image',
        )
    if same_frame:
        if not same_view(depth_camera, color_camera):
            raise _refuse(
                'depth and colour have the same frame_id but their intrinsics do not agree after scaling',
                'use the aligned depth topic, or publish depth in a separate frame with its transform',
            )
        return resized(depth, color_camera.width, color_camera.height)
    if transform is None:
        raise _refuse(
            'depth and colour are in different frames and the transform between them is not known',
            'publish it on /tf_static, or use the aligned depth topic',
        )
    if transform.shape != (4, 4) or not np.all(np.isfinite(transform)):
        raise _refuse('the transform between depth and colour is not a finite 4x4 matrix', 'fix its publisher')
    rotation = transform[:3, :3]
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3):
        raise _refuse('the transform between depth and colour is not rigid', 'fix its publisher')
    return _projected(depth, depth_camera, color_camera, transform)


def resized(depth: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Return depth at another size; when downsampling, the nearest depth of each block."""
    if (width, height) == (depth.shape[1], depth.shape[0]):
        return depth
    columns = np.clip(((np.arange(width) + 0.5) * depth.shape[1] / width).astype(int), 0, depth.shape[1] - 1)
    rows = np.clip(((np.arange(height) + 0.5) * depth.shape[0] / height).astype(int), 0, depth.shape[0] - 1)
    return np.asarray(depth[rows[:, None], columns[None, :]])


def _projected(
    depth: NDArray[np.float32], source: Intrinsics, target: Intrinsics, transform: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return depth from the view of another camera, with a z-buffer."""
    ratio = max(target.fx / source.fx, target.fy / source.fy)
    if ratio > 1:  # a coarser depth image would leave gaps
        factor = min(int(np.ceil(ratio)), 8)
        depth = depth.repeat(factor, axis=0).repeat(factor, axis=1)
        source = source.scaled(source.width * factor, source.height * factor)
    rows, columns = np.nonzero((depth > 0) & np.isfinite(depth))
    z = depth[rows, columns].astype(np.float64)
    points = np.stack([(columns - source.cx) / source.fx * z, (rows - source.cy) / source.fy * z, z])
    x, y, z = transform[:3, :3] @ points + transform[:3, 3:]
    ahead = z > 1e-3
    x, y, z = x[ahead], y[ahead], z[ahead]
    u = np.rint(np.clip(target.fx * x / z + target.cx, -1, target.width)).astype(np.int64)
    v = np.rint(np.clip(target.fy * y / z + target.cy, -1, target.height)).astype(np.int64)
    inside = (u >= 0) & (u < target.width) & (v >= 0) & (v < target.height)
    out = np.full(target.width * target.height, np.inf, np.float32)
    np.minimum.at(out, v[inside] * target.width + u[inside], z[inside].astype(np.float32))
    out[np.isinf(out)] = np.nan
    return out.reshape(target.height, target.width)
