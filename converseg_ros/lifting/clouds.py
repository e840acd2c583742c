"""Point clouds as arrays: organized and labelled for costmaps, voxels for occupancy maps."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame
from converseg_ros.core.instruction import Role
from converseg_ros.core.mask import plain
from converseg_ros.core.region import Region
from converseg_ros.lifting.depth import DepthScene
from converseg_ros.lifting.options import LiftOptions

MAX_LABELS = 255  # the label image has one byte per pixel, and 0 means no region
# One point of PointCloud2; the first five fields are those of PCL's PointXYZRGBL. rgb is packed as 0x00RRGGBB in a
# float.
POINT = np.dtype(
    [
        ('x', '<f4'),
        ('y', '<f4'),
        ('z', '<f4'),
        ('rgb', '<f4'),
        ('label', '<u4'),
        ('instruction', '<u4'),
        ('confidence', '<f4'),
    ]
)


def paint_order(regions: Sequence[Region]) -> list[int]:
    """Return region indices in drawing order: plain, affordance, safety; within a role by ascending score."""
    rank = {Role.PLAIN: 0, Role.AFFORDANCE: 1, Role.SAFETY: 2}
    return sorted(range(len(regions)), key=lambda i: (rank[regions[i].instruction.role], regions[i].prediction.score))


def label_image(regions: Sequence[Region], height: int, width: int) -> NDArray[np.uint8]:
    """Return the (H, W) label image: region i has the value i + 1; later regions of `paint_order` are on top."""
    if len(regions) > MAX_LABELS:
        raise InputError(f'{len(regions)} regions', where='label image', do=f'at most {MAX_LABELS} fit in one byte')
    labels = np.zeros((height, width), np.uint8)
    for i in paint_order(regions):  # several times faster than assignment by index
        box = regions[i].prediction.box
        inner = np.s_[box.y0 : box.y1, box.x0 : box.x1]
        if box.x1:
            cv2.copyTo(
                plain(labels.shape, i + 1)[inner], regions[i].prediction.mask[inner].view(np.uint8), labels[inner]
            )
    return labels


def pack_rgb(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (...,) float32 with the bits 0x00RRGGBB of (..., 3) uint8."""
    if not rgb.size:
        return np.zeros(rgb.shape[:-1], np.float32)
    bits = np.asarray(cv2.cvtColor(rgb.reshape(1, -1, 3), cv2.COLOR_RGB2BGRA)).view('<u4')
    bits &= np.uint32(0xFFFFFF)
    return bits.view(np.float32).reshape(rgb.shape[:-1])


def unpack_rgb(packed: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return (..., 3) uint8 RGB of the output of `pack_rgb`."""
    bits = np.ascontiguousarray(packed).view(np.uint32)
    return np.stack([bits >> 16 & 255, bits >> 8 & 255, bits & 255], -1).astype(np.uint8)


def organized(
    frame: Frame,
    regions: Sequence[Region] = (),
    options: LiftOptions | None = None,
    labels: NDArray[np.uint8] | None = None,
) -> NDArray[np.void]:
    """Return the whole scene as an (H, W) array of POINT; x, y, z are NaN where depth is unknown.

    There is one point per pixel of the source image, aligned with the label and confidence images, as required by
    nav2's semantic segmentation layer. label: region index + 1 (from `label_image` or the given image), 0 outside of
    regions. instruction: `Instruction.key`, which is the same in every frame, unlike the label; 0 outside. confidence:
    `Region.confidence`, 0 outside; never NaN, because readers that skip points with NaN (`skip_nans` of sensor_msgs_py)
    check all fields.
    """
    if labels is None:
        labels = label_image(regions, frame.height, frame.width)
    scene = DepthScene(frame, options or LiftOptions())
    z = np.full_like(scene.z, np.nan)
    cv2.copyTo(scene.z, scene.valid, z)
    keys, scores = np.zeros(MAX_LABELS + 1, np.uint32), np.zeros(MAX_LABELS + 1, np.float32)
    for i, region in enumerate(regions):
        keys[i + 1] = region.instruction.key
        scores[i + 1] = region.confidence
    fields = (
        z * np.nan_to_num(scene.rx)[None, :],
        z * np.nan_to_num(scene.ry)[:, None],
        z,
        pack_rgb(frame.rgb),
        labels.astype('<u4').view('<f4'),
        cv2.LUT(labels, keys.view(np.float32)),
        cv2.LUT(labels, scores),
    )
    # one pass over the points, each seven times four bytes; assignment by field takes nine times as long
    return np.asarray(cv2.merge(fields)).view(POINT)[..., 0]


def segmented(frame: Frame, regions: Sequence[Region]) -> NDArray[np.void]:
    """Return the points of several regions as one unorganized (N,) array of POINT.

    The fields are those of `organized`. The `extra` points of safety regions are included, in black.
    """
    parts = []
    flat = frame.rgb.reshape(-1, 3)
    for i, region in enumerate(regions):
        points, extra = region.geometry.points, region.geometry.extra
        part = np.zeros(len(points) + len(extra), POINT)
        for axis, name in enumerate('xyz'):
            part[name] = np.concatenate([points[:, axis], extra[:, axis]])
        part['rgb'][: len(points)] = pack_rgb(flat[region.geometry.pixels])
        part['label'] = i + 1
        part['instruction'] = region.instruction.key
        part['confidence'] = region.confidence
        parts.append(part)
    return np.concatenate(parts) if parts else np.zeros(0, POINT)


def _voxel_keys(points: NDArray[np.float32], size: float) -> NDArray[np.int64]:
    """Return one integer per voxel for (N, 3) points; voxels are aligned with the origin of the frame."""
    index = np.floor(points / np.float32(size)).astype(np.int64)
    return np.asarray((index[:, 0] << 42) + (index[:, 1] << 21) + index[:, 2])


def voxel_pick(points: NDArray[np.float32], size: float) -> NDArray[np.intp]:
    """Return the indices (M,) of the first point in each voxel of edge `size` metres, in ascending order."""
    return np.asarray(np.sort(np.unique(_voxel_keys(points, size), return_index=True)[1]))


def voxelize(points: NDArray[np.float32], size: float, *, clearance: float = 0.0) -> NDArray[np.float32]:
    """Return the centres (M, 3) of all voxels that contain a point or lie within `clearance` of such a voxel.

    For occupancy maps (OctoMap, MoveIt, voxel layers): every input point is inside one of the voxels.
    """
    if not len(points):
        return np.zeros((0, 3), np.float32)
    index = np.unique(np.floor(points / np.float32(size)).astype(np.int32), axis=0) if len(points) < 1000 else None
    if index is None:
        chosen = points[voxel_pick(points, size)]
        index = np.floor(chosen / np.float32(size)).astype(np.int32)
    reach = int(np.ceil(clearance / size))
    if reach:
        offsets = np.mgrid[-reach : reach + 1, -reach : reach + 1, -reach : reach + 1].reshape(3, -1).T
        offsets = offsets[np.linalg.norm(np.maximum(np.abs(offsets) - 1, 0), axis=1) * size <= clearance]
        grown = (index[:, None, :] + offsets[None, :, :].astype(np.int32)).reshape(-1, 3)
        keys = (grown.astype(np.int64) + (1 << 20)) @ np.array([1 << 42, 1 << 21, 1])
        index = grown[np.unique(keys, return_index=True)[1]]
    return ((index + np.float32(0.5)) * np.float32(size)).astype(np.float32)
