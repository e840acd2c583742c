"""Images and regions are written as rclpy would write them: read back, every field is the noun's."""

import json
import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')

from converseg_ros.msg import RegionArray
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header

from converseg_ros.core import Family, Instruction, Prediction, Role, Status
from converseg_ros.core.geometry import NOT_COMPUTED, Geometry, Grasp, OrientedBox, Placement, Plane
from converseg_ros.core.region import Region
from converseg_ros.core.stamps import to_ns
from converseg_ros.core.status import GeometryStatus
from converseg_ros.lifting.clouds import POINT
from converseg_ros.lifting.tf import matrix_quaternion
from converseg_ros.ros.messages import conversion, serialize

RANDOM = np.random.default_rng(0)
STAMP = 1_700_000_001_000_000_002
TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


def place(x: float) -> Placement:
    return Placement(np.array([x, 0.1, 0.2]), TURN, 0.1 + x, 0.7)


FULL = Geometry(
    GeometryStatus.PARTIAL,
    'holes',
    'map',
    valid_depth_ratio=0.5,
    centroid=np.array([1.0, 2, 3]),
    distance=3.5,
    box=OrientedBox(np.array([4.0, 5, 6]), TURN, np.array([0.1, 0.2, 0.3])),
    plane=Plane(np.array([0.0, 0, 1]), -0.5, 0.9, 0.001),
    principal_axis=np.array([0.0, 1, 0]),
    placements=(place(0.0), place(1.0), place(2.0)),
    grasp=Grasp(np.array([7.0, 8, 9]), TURN, 0.05),
)


def made(words: str, size: tuple[int, int], geometry: Geometry) -> Region:
    """Return a region whose strings and mask have lengths that shift all that comes after them."""
    asked = Instruction(
        f'the küche {words}', Role.AFFORDANCE, Family.PHYSICS, f'id{words}', words, f'resolved {words}', True
    )
    answer = Prediction(
        RANDOM.random(size) > 0.5,
        0.25,
        Status.OK,
        f'why {words}',
        True,
        program={'version': 1, 'root': {'op': 'filter', 'by': 'name', 'value': words or 'mug'}},
        program_text=f'the {words}',
    )
    times = {f'image{words}': 1.5, 'decode': 2.5}
    return Region(
        f'r{words}', asked, answer, geometry, STAMP, f'eye{words}', STAMP - 10**9, STAMP + 5, 'compact', times
    )


def xyz(p: Any) -> tuple[float, float, float]:
    return p.x, p.y, p.z


@pytest.mark.parametrize('length', range(9))
def test_a_region_is_read_back_field_by_field(length: int) -> None:
    regions = [
        made('x' * length, (5, 7), FULL),
        made('y' * (length // 2), (4, 3 + length), NOT_COMPUTED),
        made('', (3, 3), FULL),
    ]
    array = deserialize_message(serialize.region_array(regions, 7, 'eye'), RegionArray)
    assert array.header == conversion.header(7, 'eye') and len(array.regions) == 3
    for n, (r, m) in enumerate(zip(regions, array.regions)):
        p, g = r.prediction, r.geometry
        head = conversion.header(STAMP, g.frame_id or r.frame_id)
        assert (m.header, m.id, m.label) == (head, r.id, n + 1)
        assert m.instruction == conversion.from_instruction(r.instruction)
        assert (m.status, m.status_reason, m.geometry, m.geometry_reason) == (p.status, p.reason, g.status, g.reason)
        assert (m.score, m.calibrated, m.tracked) == (0.25, True, True)
        assert (to_ns(m.segmented_at), to_ns(m.valid_until)) == (STAMP - 10**9, STAMP + 5)
        assert m.mask.header == conversion.header(STAMP, r.frame_id) and m.mask.encoding == 'mono8'
        assert np.array_equal(conversion.from_image(m.mask), p.mask * np.uint8(255))
        box = m.box
        assert (box.x_offset, box.y_offset, box.x_offset + box.width, box.y_offset + box.height) == p.box
        assert m.area == p.area and not box.do_rectify
        assert json.loads(m.program) == p.program and m.program_text == p.program_text
        assert (m.model, m.stage_names, list(m.stage_ms)) == ('compact', list(r.stage_ms), [1.5, 2.5])
        if g is NOT_COMPUTED:
            assert all(map(math.isnan, (*xyz(m.centroid), m.distance, *m.plane, *xyz(m.oriented_box_pose.position))))
            assert not m.placements and not m.grasps and m.oriented_box_pose.orientation.w == 1
            continue
        turn = matrix_quaternion(TURN).tolist()
        assert (xyz(m.centroid), m.distance, m.valid_depth_ratio) == ((1, 2, 3), 3.5, 0.5)
        assert xyz(m.oriented_box_pose.position) == (4, 5, 6) and xyz(m.oriented_box_size) == (0.1, 0.2, 0.3)
        assert [getattr(m.oriented_box_pose.orientation, a) for a in 'xyzw'] == turn
        assert list(m.plane) == [0, 0, 1, -0.5] and xyz(m.principal_axis) == (0, 1, 0)
        for x, placement in enumerate(m.placements):
            assert placement.pose.header == head and placement.support_id == r.id
            assert xyz(placement.pose.pose.position) == (x, 0.1, 0.2)
            assert (placement.free_radius, placement.score) == (pytest.approx(0.1 + x), pytest.approx(0.7))
        (grasp,) = m.grasps
        assert grasp.pose.header == head and xyz(grasp.pose.pose.position) == (7, 8, 9)
        assert (xyz(grasp.axis), xyz(grasp.approach), grasp.width) == ((-1, 0, 0), (0, 0, 1), pytest.approx(0.05))


def test_what_is_written_is_as_long_as_what_rclpy_writes() -> None:
    """A byte too many or too few would stand where the next member is looked for."""
    raw = serialize.region_array([made('abc', (5, 7), FULL), made('', (1, 1), NOT_COMPUTED)], 7, 'eye')
    assert len(raw) == len(serialize_message(deserialize_message(raw, RegionArray)))
    assert deserialize_message(serialize.region_array([], 0, ''), RegionArray) == RegionArray()


@pytest.mark.parametrize('frame_id', ['', 'c', 'camera', 'küche'])
def test_an_image_is_rclpys(frame_id: str) -> None:
    pixels = RANDOM.integers(0, 256, (7, 10)).astype(np.uint8)
    for view in (pixels, pixels[:, ::2], pixels[::-1]):
        raw = serialize.image(view, STAMP, frame_id)
        expected = conversion.to_image(view, 'mono8', conversion.header(STAMP, frame_id))
        assert deserialize_message(raw, Image) == expected
    assert deserialize_message(serialize.image(pixels, -1, ''), Image).header == Header()


@pytest.mark.parametrize('shape', [(3, 4), (5,), (0,), (2, 1)])
@pytest.mark.parametrize('frame_id', ['', 'c', 'camera'])
def test_a_cloud_is_read_back_point_by_point(shape: tuple[int, ...], frame_id: str) -> None:
    points = np.zeros(shape, POINT)
    for n, name in enumerate(POINT.names or ()):
        points[name] = RANDOM.integers(0, 1000, shape) + n
    raw = serialize.cloud(points, STAMP, frame_id, dense=True)
    cloud = deserialize_message(raw, PointCloud2)
    assert cloud.header == conversion.header(STAMP, frame_id) and cloud.is_dense and not cloud.is_bigendian
    assert (cloud.height, cloud.width) == (shape if len(shape) == 2 else (1, *shape))
    assert (cloud.point_step, cloud.row_step) == (POINT.itemsize, POINT.itemsize * cloud.width)
    assert [(f.name, f.offset, f.count) for f in cloud.fields] == [
        (n, offset, 1) for n, (_, offset, *_) in (POINT.fields or {}).items()
    ]
    assert np.array_equal(conversion.from_cloud(cloud).ravel(), points.ravel())
    assert len(raw) == len(serialize_message(cloud))
    assert not deserialize_message(serialize.cloud(points, STAMP, frame_id, dense=False), PointCloud2).is_dense
