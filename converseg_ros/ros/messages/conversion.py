"""Conversion between the package's data types and ROS messages."""

import array
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Quaternion
import numpy as np
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

from converseg_ros.core import InputError, Instruction, Role
from converseg_ros.core.families import Family
from converseg_ros.core.region import Region
from converseg_ros.core.stamps import to_ns
from converseg_ros.lifting.clouds import POINT
from converseg_ros.lifting.tf import matrix_quaternion
from converseg_ros.msg import Instruction as InstructionMsg
from converseg_ros.msg import Region as RegionMsg
from converseg_ros.perception import images
from converseg_ros.perception.messages import raw_fields
from converseg_ros.ros.messages import serialize
from converseg_ros.ros.messages.cdr import ImageView, seconds

CLOUDS = ('points', 'affordance/points', 'safety/points')
"""Topics of the segmenter with the coloured points of what was asked for, of affordances and of the keep-out space."""


def to_stamp(ns: int) -> Time:
    """Return the message of a stamp in nanoseconds; times before 1970 or after 2038 are out of range and become 0."""
    sec, nanosec = seconds(ns)
    return Time(sec=sec, nanosec=nanosec)


def header(stamp_ns: int, frame_id: str) -> Header:
    """Return a header."""
    return Header(stamp=to_stamp(stamp_ns), frame_id=frame_id)


def to_bytes(values: NDArray[Any]) -> 'array.array[int]':
    """Return the bytes of an array in a form that rclpy accepts without copying element by element."""
    data = array.array('B')
    if values.size:
        data.frombytes(np.ascontiguousarray(values).data.cast('B'))
    return data


def to_image(pixels: NDArray[Any], encoding: str, head: Header) -> Image:
    """Return an Image of (H, W) or (H, W, C) pixels in native byte order."""
    height, width = pixels.shape[:2]
    message = Image(header=head, height=height, width=width, encoding=encoding, is_bigendian=0)
    message.step = width * (pixels.shape[2] if pixels.ndim == 3 else 1) * pixels.dtype.itemsize
    message.data = to_bytes(pixels)
    return message


def from_image(message: Image | ImageView) -> NDArray[Any]:
    """Return the (H, W) or (H, W, C) pixels of an Image; a view of its data if possible."""
    return images.read_pixels(*raw_fields(message), big_endian=bool(message.is_bigendian))


def to_instruction(message: InstructionMsg) -> Instruction:
    """Return the instruction of a message; raise InputError for an invalid text, role or family."""
    try:
        role = Role(message.role)
    except ValueError:
        raise InputError(f'role is {message.role}', where='instruction', do='use PLAIN, AFFORDANCE or SAFETY') from None
    family = message.family.strip().lower()
    if family and family not in list(Family):
        do = f'use one of {", ".join(Family)}, or leave it empty'
        raise InputError(f'family is {family[:40]!r}', where='instruction', do=do)
    return Instruction(
        message.text,
        role,
        Family(family) if family else None,
        message.id,
        message.name,
        message.resolved_text,
        message.standing,
    )


def from_instruction(instruction: Instruction) -> InstructionMsg:
    """Return the message of an instruction."""
    return InstructionMsg(
        id=instruction.id,
        name=instruction.name,
        text=instruction.text,
        resolved_text=instruction.resolved,
        role=int(instruction.role),
        family=str(instruction.family or ''),
        standing=instruction.standing,
    )


def to_pose(position: NDArray[np.float64], rotation: NDArray[np.float64]) -> Pose:
    """Return the pose of a position (3,) and a rotation (3, 3)."""
    px, py, pz = position.tolist()
    x, y, z, w = matrix_quaternion(rotation).tolist()
    return Pose(position=Point(x=px, y=py, z=pz), orientation=Quaternion(x=x, y=y, z=z, w=w))


def from_region(region: Region, label: int = 0) -> RegionMsg:
    """Return the message of a region; unknown values are NaN, empty or zero-sized."""
    return deserialize_message(serialize.region(region, label), RegionMsg)


_FORMATS = dict(enumerate(('i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'f4', 'f8'), PointField.INT8))


def to_cloud(points: NDArray[np.void], head: Header, *, dense: bool) -> PointCloud2:
    """Return a PointCloud2 of a structured array: (N,) unorganized or (H, W) organized; dense = no NaN."""
    return deserialize_message(serialize.cloud(points, to_ns(head.stamp), head.frame_id, dense=dense), PointCloud2)


def from_cloud(message: PointCloud2) -> NDArray[np.void]:
    """Return the structured (height, width) array of a PointCloud2, by the names of its fields; a view of its data."""
    order = '>' if message.is_bigendian else '<'
    dtype = np.dtype(
        {
            'names': [f.name for f in message.fields],
            'formats': [order + _FORMATS[f.datatype] for f in message.fields],
            'offsets': [f.offset for f in message.fields],
            'itemsize': message.point_step,
        }
    )
    return np.frombuffer(message.data, dtype).reshape(message.height, message.width)


def keep_out_cloud(points: NDArray[np.float32]) -> NDArray[np.void]:
    """Return (N, 3) float32 points as POINT, for the safety cloud: label 0, confidence 1."""
    out = np.zeros(len(points), POINT)
    for axis, name in enumerate('xyz'):
        out[name] = points[:, axis]
    out['confidence'] = 1.0
    return out
