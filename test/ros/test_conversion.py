"""Nouns become messages without loss, and what is not known is NaN or empty."""

import math

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')

from converseg_ros.msg import Instruction as InstructionMsg
from std_msgs.msg import Header

from converseg_ros.core import Frame, InputError, Instruction, Intrinsics, Prediction, Role, Status
from converseg_ros.core.geometry import Geometry, Grasp, OrientedBox, Placement, Plane
from converseg_ros.core.region import Region
from converseg_ros.core.stamps import to_ns
from converseg_ros.core.status import GeometryStatus
from converseg_ros.lifting.clouds import POINT, label_image, organized
from converseg_ros.ros.messages import conversion
from converseg_ros.ros.segmenter.publishers import confidence_image

H, W = 20, 30


def region(
    role: Role = Role.PLAIN, score: float = 0.5, *, rows: slice = slice(2, 8), calibrated: bool = False
) -> Region:
    mask = np.zeros((H, W), bool)
    mask[rows, 3:9] = True
    return Region(
        'r1', Instruction('the mug', role), Prediction(mask, score, Status.OK, calibrated=calibrated), stamp_ns=5
    )


@pytest.mark.parametrize(('dtype', 'encoding', 'channels'), [('u1', 'rgb8', 3), ('u1', 'mono8', 1), ('u2', '16UC1', 1),
                                                             ('f4', '32FC1', 1)])  # fmt: skip
def test_images_go_and_come_back(dtype: str, encoding: str, channels: int) -> None:
    shape = (H, W, channels) if channels > 1 else (H, W)
    pixels = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    for view in (pixels, pixels[:, ::-1]):
        assert np.array_equal(conversion.from_image(conversion.to_image(view, encoding, Header())), view)


def test_stamps() -> None:
    assert to_ns(conversion.to_stamp(1_234_567_890_123_456_789)) == 1_234_567_890_123_456_789
    assert to_ns(conversion.to_stamp(-5)) == 0 and to_ns(conversion.to_stamp(2**80)) == 0


def test_a_region_without_geometry_has_no_numbers() -> None:
    message = conversion.from_region(region())
    assert math.isnan(message.centroid.x) and math.isnan(message.distance) and np.isnan(message.plane).all()
    assert message.oriented_box_size.x == 0 and not message.placements and not message.grasps
    assert message.area == 36 and (message.box.x_offset, message.box.width) == (3, 6)
    assert set(np.unique(conversion.from_image(message.mask))) == {0, 255}


def test_a_region_with_geometry() -> None:
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    geometry = Geometry(
        GeometryStatus.OK,
        frame_id='map',
        centroid=np.array([1.0, 2, 3]),
        box=OrientedBox(np.array([1.0, 2, 3]), turn, np.array([0.1, 0.2, 0.3])),
        plane=Plane(np.array([0.0, 0, 1]), -0.5, 0.9, 0.001),
        placements=(Placement(np.array([1.0, 0, 0]), turn, 0.1, 0.7),),
        grasp=Grasp(np.array([0.0, 1, 0]), turn, 0.05),
    )
    message = conversion.from_region(Region('r9', Instruction('x'), region().prediction, geometry, 7, 'camera'), 4)
    assert message.header.frame_id == 'map' and message.mask.header.frame_id == 'camera' and message.label == 4
    assert message.placements[0].support_id == 'r9' and message.placements[0].pose.header.frame_id == 'map'
    q = message.oriented_box_pose.orientation
    assert (q.z, q.w) == (pytest.approx(math.sqrt(0.5)), pytest.approx(math.sqrt(0.5)))
    assert list(message.plane) == [0, 0, 1, -0.5] and message.grasps[0].axis.x == -1


def test_instructions() -> None:
    there = Instruction('the stove', Role.SAFETY, name='stove', standing=True)
    assert conversion.to_instruction(conversion.from_instruction(there)) == there
    for bad in ({'role': 7}, {'family': 'magic'}, {'text': ''}):
        with pytest.raises(InputError):
            conversion.to_instruction(InstructionMsg(**{'text': 'the mug', **bad}))


def test_the_label_image_puts_safety_above_affordance_above_plain() -> None:
    plain, better = region(score=0.4), region(score=0.9)
    affordance, safety = region(Role.AFFORDANCE, 0.1), region(Role.SAFETY, 0.01, rows=slice(2, 5))
    labels = label_image([safety, affordance, better, plain], H, W)
    assert labels[3, 4] == 1 and labels[6, 4] == 2
    assert label_image([better, plain], H, W)[6, 4] == 1
    with pytest.raises(InputError, match='255'):
        label_image([plain] * 256, H, W)


def test_confidence_is_the_calibrated_score() -> None:
    regions = [region(score=0.8, calibrated=True)]
    out = confidence_image(label_image(regions, H, W), regions)
    assert out[3, 4] == 204 and out[0, 0] == 0
    unknown = [region(score=0.8, calibrated=False)]
    assert confidence_image(label_image(unknown, H, W), unknown)[3, 4] == 255, 'no threshold may drop it'


def test_an_organized_cloud_has_a_point_a_pixel() -> None:
    frame = Frame(np.zeros((H, W, 3), np.uint8), np.full((H, W), 2, np.float32), Intrinsics(30, 30, 15, 10, W, H))
    cloud = conversion.to_cloud(organized(frame, [region()]), Header(frame_id='c'), dense=False)
    assert (cloud.height, cloud.width, cloud.point_step) == (H, W, POINT.itemsize)
    points = np.frombuffer(cloud.data, POINT).reshape(H, W)
    assert points['label'][3, 4] == 1 and points['z'][0, 0] == 2 and points['x'][0, 0] == -1
