"""Every parameter of the segmenter changes what it does, or is refused with a reason; lifecycle and QoS hold."""

from collections.abc import Callable, Iterator
import time
from typing import Any

from converseg_ros.msg import Instruction, InstructionAck, Region, RegionArray
from converseg_ros.srv import Segment, SetInstructions
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import numpy as np
import pytest
from rcl_interfaces.msg import ParameterDescriptor
from ros_rig import Camera, Gated, H, InProcess, K, Rig, W, best_effort, reliable
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Bool
from tf2_msgs.msg import TFMessage

from converseg_ros.ros import settings
from converseg_ros.ros.camera.qos import LATCHED
from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def live(rig: Rig, camera: Camera) -> Iterator[InProcess]:
    node = InProcess(
        rig,
        threads=1,
        world_frame='',
        level_frame='',
        instruction_ttl=0.0,
        track=False,
        standing=['table: affordance: where can I put down a plate', 'stove: safety: the stove'],
    )
    assert node.active
    rig.listen(RegionArray, 'regions')
    rig.listen(InstructionAck, 'instruction_ack')
    rig.listen(Bool, 'safety_ok', LATCHED)
    rig.listen(DiagnosticArray, '/diagnostics')
    sync = node.node.camera
    assert sync is not None
    rig.until(lambda: sync.sync.depth and sync.sync.counts['matched'], each=camera.send)
    yield node
    node.close()


@pytest.fixture(autouse=True)
def restored(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put parameters back after a test that changed some."""
    yield
    if 'live' in request.fixturenames:
        node = request.getfixturevalue('live').node
        defaults = {p.name: p.default for p in settings.TABLE if p.live}
        defaults |= {'world_frame': '', 'level_frame': '', 'instruction_ttl': 0.0, 'track': False}
        now = settings.current(node)
        changed = {k.replace('.', '__'): v for k, v in defaults.items() if now[k] != v}
        if changed:
            assert request.getfixturevalue('rig').set(**changed).successful


def answer(rig: Rig, camera: Camera, timeout: float = 30.0, send: Callable[[], Any] | None = None) -> RegionArray:
    """Return the answer to a frame sent now."""
    got = rig.got['regions']
    got.clear()
    first = time.time_ns()

    def new() -> RegionArray | None:
        return next((m for m in got if conversion.to_ns(m.header.stamp) >= first and m.regions), None)

    return rig.until(new, timeout, send or camera.send)


def silent(rig: Rig, camera: Camera, seconds: float = 0.7, **changed: Any) -> bool:
    """Return whether frames sent now are not answered."""
    first = time.time_ns()
    rig.spin(seconds, lambda: camera.send(**changed))
    rig.spin(0.5)
    return not any(conversion.to_ns(m.header.stamp) >= first for m in rig.got['regions'])


def diagnostics(rig: Rig, camera: Camera) -> dict[str, str]:
    rig.got['/diagnostics'].clear()
    rig.until(lambda: rig.got['/diagnostics'], each=camera.send)
    return {v.key: v.value for s in rig.got['/diagnostics'][-1].status for v in s.values}


def test_every_parameter_is_described(live: InProcess) -> None:
    for p in settings.TABLE:
        descriptor: ParameterDescriptor = live.node.describe_parameter(p.name)
        assert len(descriptor.description) > 10, p.name
        assert p.choices == () or p.choices[0] in descriptor.additional_constraints
        if isinstance(p.default, float):
            assert descriptor.floating_point_range, p.name
        if isinstance(p.default, int) and not isinstance(p.default, bool):
            assert descriptor.integer_range, p.name


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('model', 'other', 'configured'),
        ('device', 'cuda', 'configured'),
        ('threads', 2, 'configured'),
        ('standing', ['x'], 'configured'),
        ('autostart', False, 'configured'),
        ('distortion', 'magic', 'not one of'),
        ('depth', 'maybe', 'not one of'),
        ('image_transport', 'h264', 'not one of'),
        ('qos_reliability', 'perhaps', 'not one of'),
        ('lift.box', 'round', 'hull'),
        ('conversation.backend', 'magic', 'not one of'),
        ('conversation.backend', 'local', 'no folder'),
        ('conversation_file', 'x.json', 'configured'),
        ('lift.max_depth', 0.01, 'min_depth'),
        ('tracker.width', 1, '32'),
        ('sync_slop', -1.0, 'range'),
        ('max_instructions', 0, 'range'),
        ('max_instructions', 999, 'range'),
        ('max_age', 0.0, 'range'),
        ('max_rate', 'fast', 'type'),
    ],
)
def test_changes_that_make_no_sense_are_refused_with_a_reason(
    rig: Rig, live: InProcess, name: str, value: Any, words: str
) -> None:
    result = rig.set(**{name.replace('.', '__'): value})
    assert not result.successful and words in result.reason.lower(), result.reason


def test_options_of_the_parts_reach_them(rig: Rig, live: InProcess) -> None:
    pipeline = live.node.live
    assert pipeline is not None
    for p in settings.TABLE:
        group, _, field = p.name.partition('.')
        if not field:
            continue
        value = {'lift.box': 'upright', 'conversation.backend': 'openai'}.get(p.name)
        if value is None and isinstance(p.default, str):
            value = p.default + 'x'
        elif value is None:
            value = type(p.default)(p.default + (1 if isinstance(p.default, int) else 0.05))
        assert rig.set(**{p.name.replace('.', '__'): value}).successful, p.name
        options = {
            'lift': pipeline.segmenter.options.lift,
            'tracker': pipeline.segmenter.options.tracker,
            'safety': pipeline.safety.gate.options,
            'conversation': live.node.instructions.dialogue.options,
        }[group]
        assert getattr(options, field) == value, p.name
    assert rig.set(conversation__backend='rules').successful
    assert pipeline.safety.gate.lift == pipeline.segmenter.options.lift


def test_standing_instructions_of_the_parameter_are_answered(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert [r.instruction.name for r in answer(rig, camera).regions] == ['table', 'stove']


def test_geometry_and_max_age(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert rig.set(geometry=False, max_age=7.5).successful
    region = answer(rig, camera).regions[0]
    assert region.geometry == Region.GEOMETRY_NOT_COMPUTED
    assert conversion.to_ns(region.valid_until) - conversion.to_ns(region.header.stamp) == 7_500_000_000


def test_max_rate(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert rig.set(max_rate=0.2).successful
    answer(rig, camera)
    rig.spin(0.3)
    rig.got['regions'].clear()
    rig.spin(2.0, camera.send)
    assert len(rig.got['regions']) <= 1


def test_depth_off_required_and_auto(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert rig.set(depth='off').successful
    region = answer(rig, camera).regions[0]
    assert region.geometry in (Region.GEOMETRY_NO_DEPTH, Region.GEOMETRY_NOT_COMPUTED)
    assert rig.set(depth='required').successful
    assert silent(rig, camera, depth=None)
    assert answer(rig, camera).regions


def test_sync_slop_and_queue(rig: Rig, camera: Camera, live: InProcess) -> None:
    rig.spin(1.5, camera.send)  # depth is known to come
    clock = [time.time_ns()]

    def apart() -> None:
        clock[0] += 10**9  # far apart, so that no image meets another one's depth
        camera.send(clock[0], depth=camera.messages(clock[0] - 150_000_000)['depth'])

    first = time.time_ns()
    rig.spin(1.0, apart)
    rig.spin(0.5)
    assert not any(conversion.to_ns(m.header.stamp) >= first for m in rig.got['regions'])
    assert rig.set(sync_slop=0.2).successful
    assert answer(rig, camera, send=apart).regions
    assert rig.set(sync_slop=0.001, sync_queue=1).successful
    assert live.node.camera is not None and live.node.camera.sync.queue == 1
    before = live.node.camera.sync.counts['no_image']
    for _ in range(5):
        camera.send(image=None)
        rig.spin(0.1)
    counts = live.node.camera.sync.counts
    rig.until(lambda: counts['no_image'] >= before + 3)


def test_image_transport(rig: Rig, camera: Camera, live: InProcess) -> None:
    import cv2
    from sensor_msgs.msg import CompressedImage

    assert rig.set(image_transport='compressed', depth_transport='compressedDepth').successful
    other = Rig()  # a participant has one type a topic
    node = other.node
    colour = node.create_publisher(CompressedImage, 'image', reliable())
    deep = node.create_publisher(CompressedImage, 'depth', reliable())

    def send() -> None:
        stamp = time.time_ns()
        messages = camera.messages(stamp)
        head = messages['image'].header
        jpeg = cv2.imencode('.jpg', conversion.from_image(messages['image'])[..., ::-1])[1]
        png = cv2.imencode('.png', conversion.from_image(messages['depth']))[1]
        data = np.concatenate([np.zeros(12, np.uint8), png.ravel()])
        colour.publish(
            CompressedImage(header=head, format='rgb8; jpeg compressed bgr8', data=conversion.to_bytes(jpeg))
        )
        deep.publish(CompressedImage(header=head, format='16UC1; compressedDepth png', data=conversion.to_bytes(data)))
        camera.info.publish(messages['info'])

    rig.got['regions'].clear()
    message = rig.until(lambda: next((m for m in rig.got['regions'] if m.regions), None), each=send)
    assert message.regions[0].mask.width == W
    broken = CompressedImage(format='jpeg', data=conversion.to_bytes(np.full(99, 7, np.uint8)))
    broken.header.stamp = conversion.to_stamp(time.time_ns())
    colour.publish(broken)
    rig.got['regions'].clear()
    rig.until(lambda: [m for m in rig.got['regions'] if m.regions], each=send)
    other.close()


def test_distortion_rectify_refuse_ignore(rig: Rig, camera: Camera, live: InProcess) -> None:
    def bent() -> CameraInfo:
        p = np.array([300.0, 0, 79.5, 0, 0, 300.0, 59.5, 0, 0, 0, 1, 0])
        return CameraInfo(width=W, height=H, k=K, p=p, d=[-0.2, 0.0, 0.0, 0.0, 0.0], distortion_model='plumb_bob')

    def send() -> None:
        stamp = time.time_ns()
        info = bent()
        info.header = conversion.header(stamp, 'camera')
        camera.send(stamp, info=info)

    seen: dict[str, RegionArray] = {}
    for mode in ('rectify', 'refuse', 'ignore'):
        assert rig.set(distortion=mode).successful
        seen[mode] = answer(rig, camera, send=send)
    assert all('distortion' in r.geometry_reason for r in seen['refuse'].regions)
    assert not any('distortion' in r.geometry_reason for r in (*seen['rectify'].regions, *seen['ignore'].regions))


def test_max_instructions_and_ttl_and_dialogue(rig: Rig, camera: Camera, live: InProcess) -> None:
    acks = rig.got['instruction_ack']

    def ack(text: str) -> InstructionAck:
        acks.clear()
        rig.say(text)
        return rig.until(lambda: acks)[0]

    assert rig.set(max_instructions=2).successful
    refused = ack('the red mug')
    assert not refused.accepted and 'limit is 2' in refused.reason
    assert rig.set(max_instructions=5, instruction_ttl=0.5, dialogue=False).successful
    literal = ack('show me the oven')
    assert literal.accepted and literal.instructions[0].role == Instruction.PLAIN
    assert literal.instructions[0].resolved_text == 'show me the oven'
    refused = ack('keep away from the oven')  # it would be looked for, not guarded
    assert not refused.accepted and refused.question and not refused.instructions
    assert ack('').accepted and not live.node.book.unclear
    assert ack('show me the oven').accepted
    rig.until(lambda: len(answer(rig, camera).regions) == 2, 15)
    assert rig.set(dialogue=True, instruction_ttl=0.0).successful
    understood = ack('what could I drink from?')
    assert understood.accepted and understood.instructions[0].role == Instruction.AFFORDANCE
    ack('')


def test_target_frame_world_frame_and_tf_timeout(rig: Rig, camera: Camera, live: InProcess) -> None:
    from geometry_msgs.msg import TransformStamped

    tf = camera.node.create_publisher(TFMessage, '/tf_static', LATCHED)
    transform = TransformStamped()
    transform.header.frame_id, transform.child_frame_id = 'map', 'camera'
    transform.transform.translation.x = 10.0
    # optical to level: x right -> -y, y down -> -z, z forward -> x
    q = transform.transform.rotation
    q.x, q.y, q.z, q.w = -0.5, 0.5, -0.5, 0.5
    assert rig.set(target_frame='map').successful
    region = next(r for r in answer(rig, camera).regions if r.area > 100)
    assert region.geometry == Region.GEOMETRY_NO_TF and region.header.frame_id == 'camera'
    tf.publish(TFMessage(transforms=[transform]))

    def there() -> Region | None:
        return next((r for r in answer(rig, camera).regions if r.area > 100 and r.header.frame_id == 'map'), None)

    region = rig.until(there)
    assert region.centroid.x > 10.5, region.geometry_reason
    pipeline = live.node.live
    assert pipeline is not None
    frame, pose = pipeline.makers[0].make(pipeline.latest, live.node.settings.frames)
    assert frame.gravity is None and pose is None
    assert rig.set(level_frame='map', tf_timeout=0.0).successful
    frame, pose = pipeline.makers[0].make(pipeline.latest, live.node.settings.frames)
    assert pose is None
    assert frame.gravity is not None and np.allclose(frame.gravity, [0, 1, 0], atol=1e-6), 'down is +y in the image'
    assert rig.set(world_frame='map').successful
    pose = pipeline.makers[0].make(pipeline.latest, live.node.settings.frames)[1]
    assert pose is not None and np.allclose(pose[:3, 3], [10, 0, 0])
    assert rig.set(world_frame='nowhere', tf_timeout=0.3).successful
    begin = time.monotonic()
    pipeline.makers[0].make(pipeline.latest, live.node.settings.frames)
    assert time.monotonic() - begin > 0.25
    camera.node.destroy_publisher(tf)


def test_safety_and_diagnostics_rates(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert rig.set(safety_rate=20.0, diagnostics_rate=10.0).successful
    answer(rig, camera)
    for topic in ('safety_ok', '/diagnostics'):
        rig.got[topic].clear()
    rig.spin(2.0)
    fast = {topic: len(rig.got[topic]) for topic in ('safety_ok', '/diagnostics')}
    assert rig.set(safety_rate=0.5, diagnostics_rate=0.5).successful
    rig.spin(0.5)
    for topic in fast:
        rig.got[topic].clear()
    rig.spin(2.0)
    assert all(len(rig.got[topic]) < fast[topic] / 2 for topic in fast)


def test_tracking_fills_the_gaps(rig: Rig, camera: Camera, live: InProcess) -> None:
    pipeline = live.node.live
    assert pipeline is not None
    assert rig.set(track=True, tracker__max_gap=60.0, tracker__max_carry=60.0).successful
    answer(rig, camera)
    good = pipeline.segmenter.network
    pipeline.segmenter.network = gated = Gated(good)
    try:
        rig.until(lambda: any(r.tracked for m in rig.got['regions'] for r in m.regions), each=camera.send)
    finally:
        gated.open.set()
        pipeline.segmenter.network = good
    tracked = next(r for m in rig.got['regions'] for r in m.regions if r.tracked)
    assert conversion.to_ns(tracked.segmented_at) < conversion.to_ns(tracked.header.stamp)


def test_parameters_answer_while_the_network_works(rig: Rig, camera: Camera, live: InProcess) -> None:
    pipeline = live.node.live
    assert pipeline is not None
    good = pipeline.segmenter.network
    pipeline.segmenter.network = gated = Gated(good)
    client = rig.node.create_client(Segment, '/segmenter/segment')
    try:
        assert client.wait_for_service(20)
        rig.join('/segmenter')
        mug = Instruction(text='the mug')
        slow = client.call_async(Segment.Request(instructions=[mug], image=camera.messages()['image']))
        rig.until(gated.entered.is_set)
        assert rig.set(max_rate=1.0).successful and rig.set(max_rate=0.0).successful
        assert not slow.done(), 'parameters were answered before the request was'
    finally:
        gated.open.set()
        pipeline.segmenter.network = good
    rig.until(slow.done)
    assert slow.result().success
    rig.node.destroy_client(client)


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
