"""Point clouds as arrays: organized and labelled for costmaps, thinned for occupancy maps."""

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

MOST_LABELS = 255  # a label image has one byte a pixel, and 0 is no region
# One point of PointCloud2, its first five fields PCL's PointXYZRGBL; rgb is packed 0x00RRGGBB in the bits of a float.
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
    """Return region indices from the bottom to the top: plain, affordance, safety; in a role by score."""
    rank = {Role.PLAIN: 0, Role.AFFORDANCE: 1, Role.SAFETY: 2}
    return sorted(range(len(regions)), key=lambda i: (rank[regions[i].instruction.role], regions[i].prediction.score))


def label_image(regions: Sequence[Region], height: int, width: int) -> NDArray[np.uint8]:
    """Return the (H, W) label image: region i is i + 1; safety hides affordance hides plain, then the higher score."""
    if len(regions) > MOST_LABELS:
        raise InputError(f'{len(regions)} regions', where='label image', do=f'at most {MOST_LABELS} fit in one byte')
    labels = np.zeros((height, width), np.uint8)
    for i in paint_order(regions):  # several times faster than by index
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
    """Return (..., 3) uint8 RGB of what `pack_rgb` made."""
    bits = np.ascontiguousarray(packed).view(np.uint32)
    return np.stack([bits >> 16 & 255, bits >> 8 & 255, bits & 255], -1).astype(np.uint8)


def organized(
    frame: Frame,
    regions: Sequence[Region] = (),
    options: LiftOptions | None = None,
    labels: NDArray[np.uint8] | None = None,
) -> NDArray[np.void]:
    """Return the whole scene as an (H, W) array of POINT; x, y, z are NaN where depth is unknown.

    One point a pixel of the source image, so that it is aligned with the label and confidence images, as nav2's
    semantic segmentation layer wants it. label: region index + 1 (`label_image`, or the image given), 0 = none.
    instruction: `Instruction.key` of what was asked, which stays the same from frame to frame while labels move up and
    down with the order of the regions; 0 = none. confidence: `Region.confidence`, 0 where there is no region; always a
    number, because readers that skip points with NaN (sensor_msgs_py's `skip_nans`) look at all fields.
    """
    if labels is None:
        labels = label_image(regions, frame.height, frame.width)
    scene = DepthScene(frame, options or LiftOptions())
    z = np.full_like(scene.z, np.nan)
    cv2.copyTo(scene.z, scene.valid, z)
    keys, scores = np.zeros(MOST_LABELS + 1, np.uint32), np.zeros(MOST_LABELS + 1, np.float32)
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
    # one pass over the points, of which each is seven times four bytes; by field and name it takes nine times as long
    return np.asarray(cv2.merge(fields)).view(POINT)[..., 0]


def segmented(frame: Frame, regions: Sequence[Region]) -> NDArray[np.void]:
    """Return the points of several regions as one unorganized (N,) array of POINT.

    Fields as in `organized`. `extra` points of safety regions come with them, in black.
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
    """Return one integer a voxel for (N, 3) points; voxels are aligned with the frame's origin."""
    index = np.floor(points / np.float32(size)).astype(np.int64)
    return (index[:, 0] << 42) + (index[:, 1] << 21) + index[:, 2]


def voxel_pick(points: NDArray[np.float32], size: float) -> NDArray[np.intp]:
    """Return the indices (M,) of the first point in each voxel of edge `size` metres, in ascending order."""
    return np.asarray(np.sort(np.unique(_voxel_keys(points, size), return_index=True)[1]))


def voxelize(points: NDArray[np.float32], size: float, *, clearance: float = 0.0) -> NDArray[np.float32]:
    """Return the centres (M, 3) of all voxels that hold a point or, with `clearance`, lie within it of such a voxel.

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
