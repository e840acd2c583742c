"""The segmenter as a process of its own, and what it answers."""

from collections.abc import Iterator

from converseg_ros.msg import InstructionAck, RegionArray
from diagnostic_msgs.msg import DiagnosticArray
import pytest
from ros_rig import Camera, Process, Rig
from std_msgs.msg import Bool
from vision_msgs.msg import LabelInfo

from converseg_ros.core.stamps import to_ns
from converseg_ros.ros.camera.qos import LATCHED


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
    rig.until(lambda: any(to_ns(m.header.stamp) >= first and m.regions for m in got), timeout, camera.send)
    return next(m for m in reversed(got) if m.regions)


def acknowledged(rig: Rig, text: str) -> InstructionAck:
    acks = rig.got['instruction_ack']
    acks.clear()
    rig.say(text)
    return rig.until(lambda: acks)[0]
