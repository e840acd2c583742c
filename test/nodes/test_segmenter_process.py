"""The segmenter as a process: its main job, its services, its client, and all the bad input there is."""

from collections.abc import Iterator
from threading import Timer
import time
from typing import Any
import zlib

from converseg_ros.msg import Instruction, InstructionAck, Region, RegionArray
from converseg_ros.srv import Reset, Segment, SetInstructions
from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import pytest
from ros_rig import Camera, H, K, Process, Rig, W
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Bool
from vision_msgs.msg import LabelInfo

from converseg_ros.ros.camera.qos import LATCHED
from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def segmenter(rig: Rig, camera: Camera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    parameters = {'model': 'micro', 'threads': 1, 'instruction_ttl': 0.0, 'world_frame': "''", 'level_frame': "''"}
    arguments = [a for k, v in parameters.items() for a in ('-p', f'{k}:={v}')]
    process = Process(tmp_path_factory.mktemp('node') / 'log.txt', *arguments)
    rig.listen(RegionArray, 'regions')
    rig.listen(InstructionAck, 'instruction_ack')
    rig.listen(Bool, 'safety_ok', LATCHED)
    rig.listen(LabelInfo, 'label_info', LATCHED)
    rig.listen(DiagnosticArray, '/diagnostics')
    rig.until(lambda: camera.image.get_subscription_count() or not process.lives, 120)
    assert process.lives, process.log.read_text()
    yield process
    assert process.lives, process.log.read_text()
    assert process.end() == 0, process.log.read_text()


def answered(rig: Rig, camera: Camera, timeout: float = 40.0) -> RegionArray:
    """Return the answer to a frame that is sent now."""
    first = camera.send()
    got = rig.got['regions']
    got.clear()
    rig.until(lambda: any(conversion.to_ns(m.header.stamp) >= first and m.regions for m in got), timeout, camera.send)
    return next(m for m in reversed(got) if m.regions)


def acknowledged(rig: Rig, text: str) -> InstructionAck:
    acks = rig.got['instruction_ack']
    acks.clear()
    rig.say(text)
    return rig.until(lambda: acks)[0]


def test_instruction_and_image_in_regions_mask_and_clouds_out(rig: Rig, camera: Camera, segmenter: Process) -> None:
    masks = rig.listen(Image, 'mask')
    points, near = rig.listen(PointCloud2, 'points'), rig.listen(PointCloud2, 'affordance/points')
    ack = acknowledged(rig, 'where can I put down the plate?')
    assert ack.accepted and len(ack.instructions) == 1
    message = answered(rig, camera)
    region = message.regions[0]
    assert region.instruction.id == ack.instructions[0].id
    assert region.instruction.role == Instruction.AFFORDANCE
    assert message.header.frame_id == 'camera' and region.model.startswith('micro')
    assert conversion.to_ns(region.valid_until) > conversion.to_ns(region.header.stamp)
    assert 'lift' in region.stage_names and not region.calibrated
    mask = conversion.from_image(region.mask)
    assert mask.shape == (H, W) and region.area == np.count_nonzero(mask) and region.label == 1
    heard = (rig.got['regions'], masks, points, near)
    for topic in heard:
        topic.clear()

    def together() -> list[Any] | None:
        stamps = [{conversion.to_ns(m.header.stamp): m for m in topic} for topic in heard]
        return next(([s[t] for s in stamps] for t in stamps[0] if all(t in s for s in stamps)), None)

    message, label, cloud, near_by = rig.until(together, 60, camera.send)
    mask = conversion.from_image(message.regions[0].mask)
    assert label.encoding == 'mono8' and np.array_equal(conversion.from_image(label) == 1, mask > 0)
    assert (cloud.height, cloud.width) == (H, W)
    assert [f.name for f in cloud.fields] == ['x', 'y', 'z', 'rgb', 'label', 'instruction', 'confidence']
    key = zlib.crc32(region.instruction.id.encode())
    assert set(conversion.from_cloud(cloud)['instruction'][mask > 0].tolist()) == {key}
    assert set(conversion.from_cloud(near_by)['instruction'].ravel().tolist()) == {key}
    named = rig.until(lambda: next((m for m in rig.got['label_info'] if len(m.class_map) > 1), None), each=camera.send)
    assert named.class_map[1].class_name == 'affordance'
    for name in ('mask', 'points', 'affordance/points'):
        rig.got[name].clear()
    assert '[ERROR]' not in segmenter.log.read_text(), 'nothing was wrong'


def test_an_empty_text_clears_and_nothing_is_computed_then(rig: Rig, camera: Camera, segmenter: Process) -> None:
    assert acknowledged(rig, '').accepted
    cleared = time.time_ns()
    rig.got['regions'].clear()
    rig.spin(2.0, camera.send)
    later = [m for m in rig.got['regions'] if conversion.to_ns(m.header.stamp) > cleared]
    assert not [m for m in later if m.regions], 'only what was under way may still come'
    assert len(later) <= 1, 'one empty answer says that there is nothing any more'


def test_segment_service_with_an_image_of_its_own_and_with_the_newest(
    rig: Rig, camera: Camera, segmenter: Process
) -> None:
    messages = camera.messages(123_000_000_000)
    request = Segment.Request(instructions=[Instruction(text='the red box')], image=messages['image'])
    response = rig.call(Segment, '/segmenter/segment', request)
    assert response.success, response.message
    assert response.regions.header.stamp.sec == 123 and len(response.regions.regions) == 1
    assert response.regions.regions[0].geometry in (Region.GEOMETRY_NO_DEPTH, Region.GEOMETRY_NOT_COMPUTED)
    request.depth, request.camera_info = messages['depth'], messages['info']
    region = rig.call(Segment, '/segmenter/segment', request).regions.regions[0]
    if region.area > 100:
        assert region.geometry in (Region.GEOMETRY_OK, Region.GEOMETRY_PARTIAL), region.geometry_reason
        assert 0.9 < region.centroid.z < 1.6
    stamp = camera.send()
    own = Segment.Request(instructions=[Instruction(text='the red box')])

    def newest() -> int:
        answer = rig.call(Segment, '/segmenter/segment', own)
        assert answer.success, answer.message
        return conversion.to_ns(answer.regions.header.stamp)

    rig.until(lambda: newest() == stamp)


def test_set_instructions_reset_and_what_guards_safety(rig: Rig, camera: Camera, segmenter: Process) -> None:
    def standing(*instructions: Instruction, confirm: bool = False) -> Any:
        request = SetInstructions.Request(instructions=list(instructions), confirm=confirm)
        return rig.call(SetInstructions, '/segmenter/set_instructions', request)

    stove = Instruction(name='stove', text='the stove', role=Instruction.SAFETY)
    done = standing(stove, Instruction(name='mug', text='the mug'))
    assert done.success and all(i.id and i.standing for i in done.instructions)
    assert [r.instruction.name for r in answered(rig, camera).regions] == ['stove', 'mug']
    rig.until(lambda: [c.class_name for c in rig.got['label_info'][-1].class_map] == ['background', 'stove', 'mug'])
    refused = standing()
    assert not refused.success and 'confirm' in refused.message and len(refused.instructions) == 2
    many = [Instruction(name=f'n{n}', text=f'thing number {n}') for n in range(200)]
    refused = standing(*many, confirm=True)
    assert not refused.success and '200' in refused.message
    assert not standing(Instruction(text='no name')).success
    assert not standing(Instruction(name='a', text='x', role=9)).success
    assert not standing(Instruction(name='a', text='x', family='magic')).success
    refused = rig.call(Reset, '/segmenter/reset', Reset.Request(standing=True))
    assert not refused.success and 'confirm' in refused.message
    assert rig.call(Reset, '/segmenter/reset', Reset.Request()).success
    assert [r.instruction.name for r in answered(rig, camera).regions] == ['stove', 'mug']
    assert rig.call(Reset, '/segmenter/reset', Reset.Request(standing=True, confirm=True)).success
    assert not standing(confirm=True).instructions


def test_safety_is_never_said_while_nothing_is_known(rig: Rig, camera: Camera, segmenter: Process) -> None:
    clouds = rig.listen(PointCloud2, 'safety/points')
    stove = Instruction(name='stove', text='the stove', role=Instruction.SAFETY)
    rig.call(SetInstructions, '/segmenter/set_instructions', SetInstructions.Request(instructions=[stove]))
    rig.got['safety_ok'].clear()
    answered(rig, camera)
    rig.until(lambda: clouds and rig.got['safety_ok'], each=camera.send)
    rig.got['safety_ok'].clear()
    rig.until(lambda: any(not m.data for m in rig.got['safety_ok']))  # the camera is silent
    silent = rig.got['safety_ok']
    before = len(silent)
    rig.until(lambda: len(silent) > before)
    assert not silent[-1].data, 'it stays so'
    rig.until(lambda: clouds and clouds[-1].width * clouds[-1].height > 0.5 * W * H, each=camera.send)
    rig.call(Reset, '/segmenter/reset', Reset.Request(standing=True, confirm=True))


def test_a_program_uses_the_client(rig: Rig, camera: Camera, segmenter: Process) -> None:
    from converseg_ros.client import ConversegClient
    from converseg_ros.core import ConversegError

    stamp = camera.send()
    with ConversegClient(timeout=30) as robot:
        rig.until(lambda: conversion.to_ns(robot.ask('the red box')[0].header.stamp) == stamp)
        assert robot.set_standing({'mug': 'the mug'})[0].name == 'mug'
        ack = robot.say('the red box')
        assert ack.accepted and not robot.caught_up(timeout=0.1)
        Timer(0.5, camera.send).start()
        assert len(robot.wait()) >= 1 and robot.regions() and robot.caught_up()
        assert not robot.safe
        assert robot.say('keep away from the stove').accepted
        assert robot.say('forget the stove').question
        assert not robot.caught_up(timeout=0.1), 'the question changed nothing: no image was answered about the stove'
        rig.until(lambda: robot.caught_up(timeout=0.05), each=camera.send)
        assert 'the stove' in [r.instruction.resolved_text for r in robot.regions()]
        with pytest.raises(ConversegError, match='control'):
            robot.ask('\x07')
        robot.reset(standing=True, confirm=True)
        with pytest.raises(ConversegError, match='was not reached'):
            robot.wait(lambda regions: len(regions) == 77, timeout=0.2)
    with ConversegClient('nobody', timeout=0.3) as robot, pytest.raises(ConversegError, match='no segmenter answers'):
        robot.ask('the red box')


def test_ask_and_watch_on_the_command_line(rig: Rig, camera: Camera, segmenter: Process, tmp_path: Any) -> None:
    from converseg_ros.cli import main

    camera.send()
    rig.spin(0.5)
    assert main(['ask', 'the red box', '--mask', str(tmp_path / 'mask.png')]) in (0, 4)
    assert (tmp_path / 'mask.png').stat().st_size
    assert main(['ask', 'the red box', '--node', 'nobody', '--timeout', '0.3']) == 1


# --- bad input: each is tried, and the node answers a good frame afterwards ---


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
