"""The action `~/segment_task`: its stages, a newer goal's preemption, a cancel, and what is refused."""

from collections.abc import Iterator
from typing import Any

from converseg_ros.action import SegmentTask
from converseg_ros.msg import Instruction
import pytest
from rclpy.action import ActionClient
from ros_rig import Camera, Gated, InProcess, Rig

pytestmark = pytest.mark.ros
MANY = [Instruction(text=f'thing number {n} of many') for n in range(30)]


@pytest.fixture(scope='module')
def live(rig: Rig) -> Iterator[InProcess]:
    node = InProcess(rig, threads=1, world_frame='', level_frame='')
    assert node.active
    yield node
    node.close()


@pytest.fixture
def client(rig: Rig, live: InProcess) -> Iterator[ActionClient]:
    client = ActionClient(rig.node, SegmentTask, '/segmenter/segment_task')
    yield client
    client.destroy()


@pytest.fixture
def gated(live: InProcess) -> Iterator[Gated]:
    """Hold the network at each new image until `open` is set: no goal is over before a test is ready for it."""
    pipeline = live.node.live
    assert pipeline is not None
    good = pipeline.segmenter.network
    pipeline.segmenter.network = gated = Gated(good)
    yield gated
    gated.open.set()
    pipeline.segmenter.network = good


def accepted(rig: Rig, client: ActionClient, camera: Camera, instructions: list[Instruction]) -> Any:
    """Send a goal with an image of its own; return its handle once it is accepted."""
    assert client.wait_for_server(20)
    rig.join('/segmenter')
    future = client.send_goal_async(SegmentTask.Goal(instructions=instructions, image=camera.messages()['image']))
    rig.until(future.done)
    assert future.result().accepted
    return future.result()


def ended(rig: Rig, handle: Any) -> Any:
    future = handle.get_result_async()
    rig.until(future.done)
    return future.result().result


def test_feedback_names_the_stages(rig: Rig, camera: Camera, client: ActionClient) -> None:
    # the topic itself: the action client drops feedback that comes after the result
    feedback = rig.listen(SegmentTask.Impl.FeedbackMessage, 'segment_task/_action/feedback')
    rig.until(lambda: rig.node.count_publishers('/segmenter/segment_task/_action/feedback'))
    result = ended(rig, accepted(rig, client, camera, [Instruction(text='a box to carry')]))
    assert result.success and len(result.regions.regions) == 1
    stages = ['image', 'text', 'decode', 'masks', 'lift']
    rig.until(lambda: list(dict.fromkeys(m.feedback.stage for m in feedback))[-5:] == stages)
    progress = [m.feedback.progress for m in feedback]
    assert progress == sorted(progress)


def test_a_newer_goal_preempts(rig: Rig, camera: Camera, client: ActionClient, gated: Gated) -> None:
    first = accepted(rig, client, camera, MANY)
    rig.until(gated.entered.is_set)
    second = accepted(rig, client, camera, MANY[:1])
    gated.open.set()
    result = ended(rig, first)
    assert not result.success and 'preempted' in result.message
    assert ended(rig, second).success


def test_a_cancel_takes_effect_between_stages(rig: Rig, camera: Camera, client: ActionClient, gated: Gated) -> None:
    handle = accepted(rig, client, camera, MANY)
    rig.until(gated.entered.is_set)
    cancel = handle.cancel_goal_async()
    rig.until(cancel.done)
    assert len(cancel.result().goals_canceling) == 1
    gated.open.set()
    result = ended(rig, handle)
    assert not result.success and result.message == 'cancelled'


def test_a_goal_without_instructions_says_so(rig: Rig, camera: Camera, client: ActionClient) -> None:
    assert 'no instruction' in ended(rig, accepted(rig, client, camera, [])).message
