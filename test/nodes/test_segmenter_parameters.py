"""Every parameter of the segmenter changes what it does, or is refused with a reason."""

from typing import Any

from converseg_ros.msg import Instruction, InstructionAck
from converseg_ros.srv import Segment
from live_segmenter import answer
import pytest
from rcl_interfaces.msg import ParameterDescriptor
from ros_rig import Camera, Gated, InProcess, Rig

from converseg_ros.core.stamps import to_ns
from converseg_ros.ros import settings

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('restored')]


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
            'steady': pipeline.segmenter.options.steady,
            'safety': pipeline.safety.gate.options,
            'conversation': live.node.instructions.dialogue.options,
            'depth_offset': pipeline.settings.frames.offset,
        }[group]
        assert getattr(options, field) == value, p.name
    assert rig.set(conversation__backend='rules').successful
    assert pipeline.safety.gate.lift == pipeline.segmenter.options.lift


def test_standing_instructions_of_the_parameter_are_answered(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert [r.instruction.name for r in answer(rig, camera).regions] == ['table', 'stove']


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
    assert to_ns(tracked.segmented_at) < to_ns(tracked.header.stamp)


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
