"""Images, clouds and regions as serialized messages; the only module that writes Region messages.

A Region message has about fifty Python objects, which rclpy reads one by one. At camera rate, creating and publishing
them costs twice as much as writing the bytes.
"""

from collections.abc import Sequence
import json
import math
import sys

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import PointField

from converseg_ros.core.geometry import Geometry
from converseg_ros.core.mask import Box, plain
from converseg_ros.core.region import Region
from converseg_ros.lifting.tf import matrix_quaternion
from converseg_ros.ros.messages.cdr import Writer

NAN = float('nan')
NOWHERE = (NAN, NAN, NAN)
UNTURNED = (0.0, 0.0, 0.0, 1.0)
POINT_FIELDS = {'f4': PointField.FLOAT32, 'u2': PointField.UINT16, 'u4': PointField.UINT32}


def image(pixels: NDArray[np.uint8], stamp_ns: int, frame_id: str) -> bytes:
    """Return the sensor_msgs/Image of (H, W) uint8 pixels, mono8."""
    w = Writer()
    _image(w, (pixels.shape[0], pixels.shape[1]), stamp_ns, frame_id, pixels)
    return w.written()


def cloud(points: NDArray[np.void], stamp_ns: int, frame_id: str, *, dense: bool) -> bytes:
    """Return the sensor_msgs/PointCloud2 of a structured array, (N,) or organized (H, W); dense = no NaN."""
    kinds = points.dtype.fields
    assert kinds is not None
    height, width = points.shape if points.ndim == 2 else (1, len(points))
    w = Writer()
    w.header(stamp_ns, frame_id)
    w.numbers('III', height, width, len(kinds))
    for name, (kind, offset, *_) in kinds.items():
        w.texts(name)
        w.numbers('IBI', offset, POINT_FIELDS[kind.str[1:]], 1)
    w.numbers('?II', sys.byteorder == 'big', points.itemsize, points.itemsize * width)
    w.octets(np.ascontiguousarray(points).reshape(-1).view(np.uint8))
    w.numbers('?', dense)
    return w.written()


def region_array(regions: Sequence[Region], stamp_ns: int, frame_id: str) -> bytes:
    """Return the converseg_ros/RegionArray of regions with labels from 1; unknown values are NaN, empty or zero."""
    w = Writer()
    w.header(stamp_ns, frame_id)
    w.numbers('I', len(regions))
    for n, r in enumerate(regions):
        _region(w, r, n + 1)
    return w.written()


def region(answer: Region, label: int = 0) -> bytes:
    """Return the converseg_ros/Region of one answer."""
    w = Writer()
    _region(w, answer, label)
    return w.written()


def _image(w: Writer, shape: tuple[int, int], stamp_ns: int, frame_id: str, *parts: NDArray[np.uint8]) -> None:
    """Write an Image, mono8, with the pixels in the given parts."""
    height, width = shape
    w.header(stamp_ns, frame_id)
    w.numbers('II', height, width)
    w.texts('mono8')
    w.numbers('BI', False, width)
    w.octets(*parts)


def _white(w: Writer, mask: NDArray[np.bool_], box: Box, r: Region) -> None:
    """Write a mask as an Image with 255 inside; rows above and below its box are not read."""
    height, width = mask.shape
    black = plain((mask.size,), 0)
    band = np.negative(mask[box.y0 : box.y1].view(np.int8)).view(np.uint8)  # -1 becomes 255
    parts = black[: box.y0 * width], band, black[: (height - box.y1) * width]
    _image(w, (height, width), r.stamp_ns, r.frame_id, *parts)


def _region(w: Writer, r: Region, label: int) -> None:
    prediction, geometry, asked = r.prediction, r.geometry, r.instruction
    w.header(r.stamp_ns, geometry.frame_id or r.frame_id)
    w.texts(r.id, asked.id, asked.name, asked.text, asked.resolved)
    w.numbers('B', asked.role)
    w.texts(asked.family or '')
    w.numbers('?BB', asked.standing, label, prediction.status)
    w.texts(prediction.reason)
    w.numbers('B', geometry.status)
    w.texts(geometry.reason)
    confidence = math.nan if prediction.confidence is None else prediction.confidence
    w.numbers('ff??', prediction.score, confidence, prediction.calibrated, r.tracked)
    w.stamp(r.segmented_ns)
    w.stamp(r.valid_until_ns)
    box = prediction.box
    _white(w, prediction.mask, box, r)
    w.numbers('4I?I', box.x0, box.y0, box.y1 - box.y0, box.x1 - box.x0, False, prediction.area)
    _geometry(w, geometry, r)
    program = '' if prediction.program is None else json.dumps(prediction.program, separators=(',', ':'))
    w.texts(program, prediction.program_text, r.model)
    w.numbers('I', len(r.stage_ms))
    w.texts(*r.stage_ms)
    w.numbers(f'I{len(r.stage_ms)}f', len(r.stage_ms), *r.stage_ms.values())


def _geometry(w: Writer, g: Geometry, r: Region) -> None:
    box, plane, grasp = g.box, g.plane, g.grasp
    w.numbers('f3df', g.valid_depth_ratio, *_or_nowhere(g.centroid), g.distance)
    if box is None:
        w.numbers('7d3d', *NOWHERE, *UNTURNED, 0.0, 0.0, 0.0)
    else:
        w.numbers('7d3d', *_pose(box.center, box.rotation), *box.size.tolist())
    w.numbers('4d', *((NAN,) * 4 if plane is None else (*plane.normal.tolist(), plane.d)))
    w.numbers('3d', *_or_nowhere(g.principal_axis))
    w.numbers('I', len(g.placements))
    for place in g.placements:
        w.header(r.stamp_ns, g.frame_id or r.frame_id)
        w.numbers('7dff', *_pose(place.position, place.rotation), place.free_radius, place.score)
        w.texts(r.id)
    w.numbers('I', grasp is not None)
    if grasp is not None:
        _, axis, approach = grasp.rotation.T.tolist()
        w.header(r.stamp_ns, g.frame_id or r.frame_id)
        w.numbers('7d6df', *_pose(grasp.position, grasp.rotation), *axis, *approach, grasp.width)


def _or_nowhere(p: NDArray[np.float64] | None) -> Sequence[float]:
    return NOWHERE if p is None else p.tolist()


def _pose(position: NDArray[np.float64], rotation: NDArray[np.float64]) -> tuple[float, ...]:
    """Return x, y, z and x, y, z, w of the quaternion."""
    return (*position.tolist(), *matrix_quaternion(rotation).tolist())
