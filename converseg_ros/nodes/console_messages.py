"""Conversion of the segmenter's messages for the console."""

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField

from converseg_ros.console.state import Cloud, RegionView
from converseg_ros.core import GeometryStatus, Role, Status
from converseg_ros.core.palette import REGIONS, SAFETY
from converseg_ros.core.stamps import to_ns
from converseg_ros.lifting.clouds import unpack_rgb
from converseg_ros.msg import Instruction, Region
from converseg_ros.ros.messages.conversion import from_cloud, from_image

MAX_POINTS = 40_000  # points of a cloud; more are not visible on a page


def view_region(message: Region) -> RegionView:
    """Return the view of a Region message; an unknown status number becomes ERROR."""
    asked = message.instruction
    mask = from_image(message.mask) if message.mask.width else np.zeros((0, 0), np.uint8)
    known = message.status in set(Status)
    return RegionView(
        id=message.id,
        label=message.label,
        text=asked.text,
        phrase=asked.resolved_text or asked.text,
        role=Role(asked.role) if asked.role in set(Role) else Role.PLAIN,
        status=Status(message.status) if known else Status.ERROR,
        mask=mask > 0,
        reason=message.status_reason,
        program_text=message.program_text,
        geometry=GeometryStatus(message.geometry)
        if message.geometry in set(GeometryStatus)
        else GeometryStatus.NOT_COMPUTED,
        family=asked.family,
        name=asked.name,
        standing=asked.standing,
        score=message.score,
        calibrated=message.calibrated,
        tracked=message.tracked,
        distance=message.distance,
        valid_until_ns=to_ns(message.valid_until),
    )


def understood_json(message: Instruction) -> dict[str, str]:
    """Return the interpretation of an instruction."""
    role = Role(message.role).name.lower() if message.role in set(Role) else ''
    return {'resolved': message.resolved_text or message.text, 'role': role, 'family': message.family}


def read_cloud(message: PointCloud2, *, safety: bool = False, regions: bool = False) -> Cloud:
    """Return the finite points of a PointCloud2, downsampled evenly, in the colours of the image.

    safety: in the colour of safety. regions: in the colours of the regions on the page, by the labels of the points.
    """
    fields = {f.name: f for f in message.fields}
    if not all(n in fields and fields[n].datatype == PointField.FLOAT32 for n in 'xyz'):
        return Cloud(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), message.header.frame_id)
    table = from_cloud(message).ravel()
    table = table[:: max(1, -(-len(table) // (2 * MAX_POINTS)))]
    points = np.stack([table[n] for n in 'xyz'], 1).astype(np.float32)
    good = np.isfinite(points).all(1)
    points = points[good]
    colors = np.full((len(points), 3), SAFETY if safety else (200, 200, 200), np.uint8)
    if 'label' in fields and regions:
        colors = np.array(REGIONS, np.uint8)[(table['label'][good].astype(np.int64) - 1) % len(REGIONS)]
    elif 'rgb' in fields and not safety:
        colors = unpack_rgb(table['rgb'][good])
    step = max(1, -(-len(points) // MAX_POINTS))
    return Cloud(points[::step], colors[::step], message.header.frame_id)
