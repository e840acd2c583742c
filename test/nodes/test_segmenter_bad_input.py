"""Bad input of all kinds: no frame, text or request ends the segmenter, and each is explained."""

import time
from typing import Any

from converseg_ros.msg import Instruction, Region
from converseg_ros.srv import Segment
import numpy as np
import pytest
from ros_rig import Camera, H, K, Process, Rig, W
from segmenter_process import acknowledged, answered
from sensor_msgs.msg import CameraInfo, Image

from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros


def changed_image(camera: Camera, **fields: Any) -> Image:
    image = camera.messages()['image']
    for name, value in fields.items():
        setattr(image, name, value)
    return image


def bad_frames(camera: Camera) -> dict[str, dict[str, Any]]:
    good = camera.messages()
    head = good['image'].header
    nan_depth = conversion.to_image(np.full((H, W), np.nan, np.float32), '32FC1', head)
    nan_k = CameraInfo(header=head, width=W, height=H, k=np.full(9, np.nan))
    return {
        'unknown encoding': {'image': changed_image(camera, encoding='h264')},
        'no encoding': {'image': changed_image(camera, encoding='')},
        'depth on the colour topic': {'image': good['depth']},
        'colour on the depth topic': {'depth': good['image']},
        'too little data': {'image': changed_image(camera, data=conversion.to_bytes(np.zeros(7, np.uint8)))},
        'no data': {'image': changed_image(camera, data=conversion.to_bytes(np.zeros(0, np.uint8)))},
        'size zero': {'image': changed_image(camera, width=0, height=0)},
        'huge size': {'image': changed_image(camera, width=2**31, height=2**31)},
        'wrong step': {'image': changed_image(camera, step=3)},
        'depth of another size': {'depth': conversion.to_image(np.ones((50, 60), np.uint16), '16UC1', head)},
        'depth of another frame': {
            'depth': conversion.to_image(np.ones((H, W), np.uint16), '16UC1', conversion.header(1, 'elsewhere'))
        },
        'K all zero': {'info': CameraInfo(header=head, width=W, height=H)},
        'K not a number': {'info': nan_k},
        'K changed': {'info': CameraInfo(header=head, width=W, height=H, k=K * 2)},
        'camera_info of another size': {'info': CameraInfo(header=head, width=99, height=H, k=K)},
        'distortion nobody knows': {
            'info': CameraInfo(header=head, width=W, height=H, k=K, d=[1.0] * 3, distortion_model='magic')
        },
        'depth not a number': {'depth': nan_depth},
        'depth 0': {'depth': conversion.to_image(np.zeros((H, W), np.uint16), '16UC1', head)},
        'depth 65535': {'depth': conversion.to_image(np.full((H, W), 65535, np.uint16), '16UC1', head)},
    }


NAMES = list(bad_frames(type('Dummy', (), {'messages': Camera.messages})()))  # type: ignore[arg-type]


def test_no_bad_frame_ends_the_node(rig: Rig, camera: Camera, segmenter: Process) -> None:
    assert acknowledged(rig, 'the red box').accepted
    for name in NAMES:
        stamp = time.time_ns()
        changed = bad_frames(camera)[name]
        for message in changed.values():
            message.header.stamp = conversion.to_stamp(stamp)
        camera.send(stamp, **changed)
        rig.spin(0.15)
        assert segmenter.lives, name
    assert answered(rig, camera).regions[0].status != Region.STATUS_ERROR


def test_a_bad_frame_is_explained_in_diagnostics(rig: Rig, camera: Camera, segmenter: Process) -> None:
    def words() -> str:
        return ' '.join(s.message for m in rig.got['/diagnostics'][-2:] for s in m.status)

    def bad() -> None:
        stamp = time.time_ns()
        info = CameraInfo(header=conversion.header(stamp, 'camera'), width=W, height=H)
        camera.send(stamp, info=info)

    rig.got['/diagnostics'].clear()
    rig.until(lambda: 'not calibrated' in words(), each=bad)
    region = answered(rig, camera).regions[0]
    assert 'not calibrated' not in region.geometry_reason
    values = {v.key for m in rig.got['/diagnostics'][-1:] for s in m.status for v in s.values}
    assert {'model', 'device', 'calibrated', 'memory (MB)', 'sync matched', 'latency lift (ms)'} <= values


def test_stamps_of_another_clock_and_a_clock_that_jumps_back(rig: Rig, camera: Camera, segmenter: Process) -> None:
    got = rig.got['regions']
    for second in (5, 4_000, 100):  # 1970, later, back again: a looping bag
        stamps: list[int] = []
        got.clear()

        def send(second: int = second, stamps: list[int] = stamps) -> None:
            stamps.append(camera.send(second * 10**9 + len(stamps) * 33_000_000))

        rig.until(
            lambda second=second: any(m.header.stamp.sec in (second, second + 1) and m.regions for m in got), each=send
        )
    assert answered(rig, camera).regions


@pytest.mark.parametrize(
    ('text', 'accepted', 'words'),
    [
        ('x' * 10_000, False, 'characters'),
        ('the \x07bell', False, 'control'),
        ('   ', True, 'cleared'),
        ('покажи красную кружку', False, ''),
        ('赤いマグカップ', False, ''),
        ('the mug \U0001f375', None, ''),
        ("'; DROP TABLE regions; --", None, ''),
    ],
)
def test_odd_texts_are_answered(
    rig: Rig, camera: Camera, segmenter: Process, text: str, accepted: bool | None, words: str
) -> None:
    ack = acknowledged(rig, text)
    assert accepted is None or ack.accepted is accepted, ack
    assert words in ack.reason
    assert ack.accepted or ack.reason
    assert len(ack.text) <= 500


def test_odd_requests_are_answered(rig: Rig, camera: Camera, segmenter: Process) -> None:
    image = camera.messages()['image']
    mug = Instruction(text='the mug')
    bad: list[dict[str, Any]] = [
        {'instructions': [], 'image': image},
        {'instructions': [mug] * 200, 'image': image},
        {'instructions': [Instruction(text='x' * 10_000)], 'image': image},
        {'instructions': [Instruction(text='')], 'image': image},
        {'instructions': [mug], 'image': changed_image(camera, encoding='nonsense')},
        {'instructions': [mug], 'image': image, 'depth': camera.messages()['depth']},
    ]
    for request in bad:
        response = rig.call(Segment, '/segmenter/segment', Segment.Request(**request))
        assert not response.success and response.message, request
