"""What guards safety on the wire: a transparent thing, a sensor that falls silent, a node that is killed."""

from collections.abc import Iterator
from pathlib import Path
import time

from converseg_ros.msg import Instruction, RegionArray
from converseg_ros.srv import SetInstructions
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import numpy as np
import pytest
from ros_rig import Camera, H, K, Process, Rig, W
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Bool

from converseg_ros.client import ConversegClient
from converseg_ros.core.stamps import to_ns
from converseg_ros.ros.camera.qos import LATCHED
from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros

AGE = 3.0  # seconds an answer is good for: enough for a machine that does other things too
NO_FRAMES = ('-p', "world_frame:=''", '-p', "level_frame:=''")
PLATE = Instruction(name='plate', text='the hot plate', role=Instruction.SAFETY)  # micro finds a seventh of the image


def start(folder: Path) -> Process:
    ages = ('-p', f'max_age:={AGE}', '-p', f'safety.max_age:={AGE}')
    return Process(folder / 'log.txt', '-p', 'model:=micro', '-p', 'threads:=1', *NO_FRAMES, *ages)


@pytest.fixture(scope='module')
def guarded(rig: Rig, camera: Camera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = start(tmp_path_factory.mktemp('node'))
    rig.listen(RegionArray, 'regions')
    rig.listen(Bool, 'safety_ok', LATCHED)
    rig.listen(PointCloud2, 'safety/points')
    rig.listen(PointCloud2, 'safety/voxels')
    rig.until(lambda: camera.image.get_subscription_count() or not process.lives, 120)
    assert process.lives, process.log.read_text()
    request = SetInstructions.Request(instructions=[PLATE])
    assert rig.call(SetInstructions, '/segmenter/set_instructions', request).success
    yield process
    if process.lives:
        process.end()


def said(rig: Rig) -> bool | None:
    """Return the newest word on ~/safety_ok."""
    heard = rig.got['safety_ok']
    return heard[-1].data if heard else None


def until_safe(rig: Rig, camera: Camera) -> None:
    """Send images until the node says that what must not be touched is known."""
    for topic in ('safety_ok', 'regions'):
        rig.got[topic].clear()
    rig.until(lambda: said(rig) is True and rig.got['regions'] and rig.got['regions'][-1].regions, 60, camera.send)


def covered(cloud: PointCloud2) -> np.ndarray:
    """Return the (H, W) pixels that the points of a cloud in the optical frame lie on."""
    points = conversion.from_cloud(cloud)
    x, y, z = (points[name].ravel() for name in 'xyz')
    out = np.zeros((H, W), bool)
    u, v = np.rint(K[0] * x / z + K[2]).astype(int), np.rint(K[4] * y / z + K[5]).astype(int)
    inside = (u >= 0) & (u < W) & (v >= 0) & (v < H)
    out[v[inside], u[inside]] = True
    return out


def test_a_transparent_thing_is_kept_out_of_though_it_has_no_depth(rig: Rig, camera: Camera, guarded: Process) -> None:
    until_safe(rig, camera)
    mask = conversion.from_image(rig.got['regions'][-1].regions[0].mask) > 0
    assert 100 < np.count_nonzero(mask) < 0.5 * mask.size

    def glass() -> int:
        stamp = time.time_ns()
        messages = camera.messages(stamp)
        depth = conversion.from_image(messages['depth']).copy()
        depth[mask] = 0
        messages['depth'] = conversion.to_image(depth, '16UC1', conversion.header(stamp, 'camera'))
        return camera.send(stamp, **messages)

    first = glass()
    clouds = rig.got['safety/points']
    clouds.clear()
    cloud = rig.until(
        lambda: said(rig) and next((c for c in clouds if to_ns(c.header.stamp) >= first), None), 60, glass
    )
    forbidden = covered(cloud)
    assert forbidden[mask].all(), 'every pixel of the mask, though none of them has depth'
    assert not forbidden.all(), 'and not simply everything'


def test_a_refused_prohibition_is_not_safe_until_it_is_taken_back(rig: Rig, camera: Camera, guarded: Process) -> None:
    until_safe(rig, camera)
    rig.say("don't let the cup fall")
    rig.until(lambda: said(rig) is False, 30, camera.send)
    rig.say('ok')
    rig.say('show me the mug')
    rig.spin(1.5, camera.send)
    assert said(rig) is False
    rig.say('no')
    rig.until(lambda: said(rig) is True, 60, camera.send)


@pytest.mark.parametrize('what', ['depth', 'all'])
def test_a_sensor_that_falls_silent_is_not_safe_and_everything_is_forbidden(
    rig: Rig, camera: Camera, guarded: Process, what: str
) -> None:
    until_safe(rig, camera)
    clouds = rig.got['safety/points']
    rig.until(lambda: clouds and not covered(clouds[-1]).all(), each=camera.send)

    def without() -> None:
        if what == 'depth':
            camera.send(depth=None)

    rig.until(lambda: said(rig) is False, AGE + 20, without)
    if what == 'all':
        last = rig.got['regions'][-1]
        assert time.time_ns() > to_ns(last.regions[0].valid_until) - 10**8, 'nobody had to wait for the word'
    clouds.clear()
    # for two seconds on end: images from before may still have been under way; a busy machine brings a word in seconds
    rig.until(lambda: not any(m.data for m in rig.got['safety_ok'][-10:]), AGE + 90, without)
    if what == 'all':
        rig.until(lambda: clouds)
        assert covered(clouds[-1]).all(), 'the whole observed cloud'
    until_safe(rig, camera)


def test_deactivation_is_told_with_everything_that_was_seen(rig: Rig, camera: Camera, guarded: Process) -> None:
    def change(transition: int) -> None:
        request = ChangeState.Request(transition=Transition(id=transition))
        assert rig.call(ChangeState, '/segmenter/change_state', request).success

    until_safe(rig, camera)
    clouds, voxels = rig.got['safety/points'], rig.got['safety/voxels']
    clouds.clear()
    voxels.clear()
    change(Transition.TRANSITION_DEACTIVATE)
    rig.until(lambda: said(rig) is False and clouds and covered(clouds[-1]).all())
    points = conversion.from_cloud(clouds[-1]).ravel()
    cells = {tuple(c) for c in cells_of(points)}
    # one of before the last word may still be under way
    rig.until(lambda: voxels and {tuple(c) for c in cells_of(conversion.from_cloud(voxels[-1]).ravel())} == cells)
    assert len(cells) < points.size / 4
    rig.got['safety_ok'].clear()
    rig.spin(1.0, camera.send)
    assert not any(m.data for m in rig.got['safety_ok'])
    change(Transition.TRANSITION_ACTIVATE)
    until_safe(rig, camera)


def cells_of(points: np.ndarray) -> list[list[int]]:
    """Return the voxels of 5 cm that points lie in."""
    cells: list[list[int]] = (
        np.floor(np.column_stack([points[n] for n in 'xyz']) / np.float32(0.05)).astype(int).tolist()
    )
    return cells


def test_a_killed_node_is_not_believed_and_its_successor_starts_unsafe(
    rig: Rig, camera: Camera, guarded: Process, tmp_path: Path
) -> None:
    with ConversegClient() as robot:
        rig.until(lambda: robot.safe, 60, camera.send)
        guarded.process.kill()
        guarded.process.wait(10)
        killed = time.monotonic()
        rig.until(lambda: not robot.safe, 30)
        assert time.monotonic() - killed < robot.silence + 2, 'by its silence, not when the ROS graph forgets it'
        assert robot.node.count_publishers('/segmenter/safety_ok') == 1, 'which still has it'
        assert said(rig) is True, 'the last word is never taken back'
        valid = to_ns(rig.got['regions'][-1].regions[0].valid_until)
        rig.until(lambda: time.time_ns() > valid, AGE + 5)
        rig.got['safety_ok'].clear()
        successor = start(tmp_path)
        try:
            rig.until(lambda: said(rig) is not None, 120, camera.send)
            rig.spin(1.0, camera.send)
            assert not any(m.data for m in rig.got['safety_ok']) and not robot.safe, 'it knows of no plate'
        finally:
            successor.end()
