"""Transitions, resets, failures of the GPU and QoS of the segmenter."""

import time
from typing import Any

from converseg_ros.msg import Instruction, Region, RegionArray
from converseg_ros.srv import SetInstructions
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from live_segmenter import answer, silent
import numpy as np
import pytest
from ros_rig import Camera, Gated, InProcess, Rig, best_effort, reliable

from converseg_ros.core import Prediction, Status

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('restored')]


def test_an_answer_in_flight_over_a_reset_is_dropped(rig: Rig, camera: Camera, live: InProcess) -> None:
    pipeline = live.node.live
    assert pipeline is not None
    good = pipeline.segmenter.network
    pipeline.segmenter.network = gated = Gated(good)
    ahead = time.time_ns() + 3600 * 10**9  # as the stamps of a bag's end are after it has begun anew
    try:
        rig.until(gated.entered.is_set, each=lambda: camera.send(ahead))
        pipeline.reset('the bag begins anew')
    finally:
        gated.open.set()
        pipeline.segmenter.network = good
    rig.until(lambda: pipeline.counts['outlived by a reset'])
    answered, _ = pipeline.newest()
    assert answered is None or answered.stamp_ns < ahead
    assert answer(rig, camera).regions


class Broken:
    """The network as it behaves when its device is lost or full: everything else is the real one's."""

    device = 'cuda:0'

    def __init__(self, network: Any, words: str) -> None:
        self.network, self.words, self.closed = network, words, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def set_image(self, rgb: np.ndarray, key: Any = None) -> None:
        raise RuntimeError(self.words)

    def close(self) -> None:
        self.closed = True


class Unable(Broken):
    """A network on a GPU that works, but cannot answer the instruction."""

    def set_image(self, rgb: np.ndarray, key: Any = None) -> None:
        self.network.set_image(rgb, key)

    def predict(self, queries: Any, **options: Any) -> list[Prediction]:
        return [Prediction(np.zeros((120, 160), bool), 0.0, Status.ERROR, self.words) for _ in queries]


def test_an_instruction_that_cannot_be_answered_is_no_failure_of_the_gpu(
    rig: Rig, camera: Camera, live: InProcess
) -> None:
    pipeline = live.node.live
    assert pipeline is not None
    good = pipeline.segmenter.network
    pipeline.segmenter.network = unable = Unable(good, 'not readable')
    try:
        for _ in range(5):
            assert answer(rig, camera).regions[0].status == Region.STATUS_ERROR
        assert pipeline.segmenter.network is unable and not pipeline.counts['fallbacks']
    finally:
        pipeline.segmenter.network = good


def test_a_lost_or_full_gpu_ends_in_error_or_on_the_cpu(rig: Rig, camera: Camera, live: InProcess) -> None:
    pipeline = live.node.live
    assert pipeline is not None
    good = pipeline.segmenter.network
    assert rig.set(fallback_to_cpu=False).successful
    pipeline.segmenter.network = full = Broken(good, 'CUDA out of memory. Tried to allocate 2 GiB')
    region = answer(rig, camera).regions[0]
    assert region.status == Region.STATUS_ERROR and 'out of memory' in region.status_reason and not region.area
    for _ in range(3):
        assert answer(rig, camera).regions[0].status == Region.STATUS_ERROR
    rig.until(lambda: rig.got['safety_ok'] and not rig.got['safety_ok'][-1].data)  # on a topic of its own: it may lag
    assert pipeline.segmenter.network is full
    assert rig.set(fallback_to_cpu=True).successful
    pipeline.segmenter.network = lost = Broken(good, 'CUDA error: unspecified launch failure')

    def recovered() -> bool:
        return answer(rig, camera).regions[0].status != Region.STATUS_ERROR

    rig.until(recovered)
    assert lost.closed and pipeline.segmenter.network.device == 'cpu' and pipeline.counts['fallbacks'] == 1


def test_nothing_is_computed_without_a_listener_unless_safety_stands(rig: Rig, camera: Camera, live: InProcess) -> None:
    pipeline = live.node.live
    assert pipeline is not None
    subscription = next(s for s in rig.node.subscriptions if s.topic_name == '/segmenter/regions')
    rig.node.destroy_subscription(subscription)
    rig.spin(0.5)
    before = pipeline.counts['answered']
    rig.until(lambda: pipeline.counts['answered'] > before, each=camera.send)  # the stove is guarded
    mug = Instruction(name='mug', text='the mug')
    request = SetInstructions.Request(instructions=[mug], confirm=True)
    assert rig.call(SetInstructions, '/segmenter/set_instructions', request).success
    ignored = pipeline.counts['no_listener']
    rig.until(lambda: pipeline.counts['no_listener'] > ignored, each=camera.send)
    rig.until(lambda: pipeline.idle)
    before = pipeline.counts['answered']
    rig.spin(1.0, camera.send)
    assert pipeline.counts['answered'] == before
    rig.listen(RegionArray, 'regions')
    assert answer(rig, camera).regions[0].instruction.name == 'mug'


def test_qos_follows_publishers_in_both_orders_and_back(rig: Rig, camera: Camera, live: InProcess) -> None:
    """The node is there first; cameras with other quality of service come, go and come back."""
    camera.close()
    made = []
    for qos in (best_effort(), reliable(), best_effort()):
        other = Camera(rig, qos)
        made.append(other)
        assert answer(rig, other).regions, qos.reliability
        other.close()
        rig.spin(0.5)
    late = InProcess(rig, world_frame='', standing=['mug: plain: the mug'], autostart=False)
    there = Camera(rig, best_effort())
    live.node.trigger_deactivate()
    rig.spin(0.5, there.send)
    assert late.node.autostart()  # the camera is there first
    assert answer(rig, there).regions[0].instruction.name == 'mug'
    late.close()
    assert live.node.trigger_activate()
    assert rig.set(qos_reliability='reliable', qos_depth=7).successful
    assert silent(rig, there)
    assert rig.set(qos_reliability='best_effort').successful
    assert answer(rig, there).regions


def test_deactivated_is_not_safe_and_cleanup_gives_everything_back(rig: Rig, live: InProcess) -> None:
    def change(transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(rig.call(ChangeState, '/segmenter/change_state', request).success)

    rig.got['safety_ok'].clear()
    assert change(Transition.TRANSITION_DEACTIVATE)
    rig.until(lambda: rig.got['safety_ok'] and not rig.got['safety_ok'][-1].data)
    assert change(Transition.TRANSITION_CLEANUP)
    assert rig.set(model='no_such_model').successful
    assert not change(Transition.TRANSITION_CONFIGURE)
    assert 'no_such_model' in live.node.trouble and live.node.state == 'unconfigured'
    rig.got['/diagnostics'].clear()
    rig.until(lambda: rig.got['/diagnostics'] and 'no_such_model' in rig.got['/diagnostics'][-1].status[-1].message)
    assert rig.set(model='micro').successful
    assert change(Transition.TRANSITION_CONFIGURE) and change(Transition.TRANSITION_ACTIVATE)


def test_broken_weights_fail_the_transition_and_the_node_lives(rig: Rig, tmp_path: Any) -> None:
    import shutil

    from converseg_ros.network.registry import find_model

    folder = tmp_path / 'broken'
    shutil.copytree(find_model('micro'), folder)
    weights = max(folder.rglob('*.safetensors'), key=lambda p: p.stat().st_size)
    weights.write_bytes(weights.read_bytes()[:1000])
    for model in (str(folder), str(tmp_path)):
        node = InProcess(rig, model=model)
        assert not node.active and node.node.trouble and node.node.state == 'unconfigured'
        node.close()
