"""The segmenter as a process: its main job, its services, its client."""

from threading import Timer
import time
from typing import Any
import zlib

from converseg_ros.msg import Instruction, Region
from converseg_ros.srv import Reset, Segment, SetInstructions
import numpy as np
import pytest
from ros_rig import Camera, H, Process, Rig, W
from segmenter_process import acknowledged, answered
from sensor_msgs.msg import Image, PointCloud2

from converseg_ros.core.stamps import to_ns
from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros


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
    assert to_ns(region.valid_until) > to_ns(region.header.stamp)
    assert 'lift' in region.stage_names and not region.calibrated
    mask = conversion.from_image(region.mask)
    assert mask.shape == (H, W) and region.area == np.count_nonzero(mask) and region.label == 1
    heard = (rig.got['regions'], masks, points, near)
    for topic in heard:
        topic.clear()

    def together() -> list[Any] | None:
        stamps = [{to_ns(m.header.stamp): m for m in topic} for topic in heard]
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
    later = [m for m in rig.got['regions'] if to_ns(m.header.stamp) > cleared]
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
        return to_ns(answer.regions.header.stamp)

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
        rig.until(lambda: to_ns(robot.ask('the red box')[0].header.stamp) == stamp)
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
