"""The speech node: publishes sentences from a microphone, an audio topic or WAV files on `instruction`."""

from collections import Counter
from dataclasses import fields
from pathlib import Path
import sys
import threading
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Bool, String

from converseg_ros.core import ConversegError
from converseg_ros.core.instruction import said_by
from converseg_ros.core.texts import say
from converseg_ros.dialogue.noun_phrases import head
from converseg_ros.msg import AudioChunk, RegionArray
from converseg_ros.nodes.operator_parameters import SPEECH
from converseg_ros.ros import run_node
from converseg_ros.ros.camera.qos import LATCHED, reliable
from converseg_ros.ros.overrides import SameValue
from converseg_ros.ros.parameters import check_values, declare
from converseg_ros.speech.listener import Event, EventKind, Listener, ListenOptions, Live
from converseg_ros.speech.recogniser import Limits, Recogniser
from converseg_ros.speech.sound import Microphone, Resampler, from_int16, read_wav

CHUNK = 1600  # samples of a file per call (0.1 s)


def listen_options(settings: dict[str, Any]) -> ListenOptions:
    """Return the listener's options among the parameters."""
    return ListenOptions(**{f.name: settings[f.name] for f in fields(ListenOptions)})


class SpeechNode(SameValue, Node):
    """Connects audio to the listener and its events to topics; the node keeps running without microphone or model."""

    def __init__(self, **kwargs: Any) -> None:
        """Declare parameters and open the audio source."""
        super().__init__('speech', **kwargs)
        self.settings = declare(self, SPEECH, apply=self._apply)
        self._words = self.create_publisher(String, 'instruction', reliable(10))
        self._partial = self.create_publisher(String, '~/partial', reliable(10))
        self._state = self.create_publisher(String, '~/state', LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', QoSProfile(depth=10))
        self.live: Live | None = None
        self._microphone: Microphone | None = None
        self._resamplers: dict[int, Resampler] = {}
        self._ended = threading.Event()
        self._reader: threading.Thread | None = None
        self._scene: set[str] = set()
        self._counts = Counter[str]()
        self.trouble = ''
        try:
            check_values(SPEECH, self.settings)
            self._open()
        except ConversegError as error:
            self._complain(str(error))

    def _open(self) -> None:
        """Load the recogniser and open the audio source; raise ConversegError if one of them is missing."""
        s = self.settings
        try:
            recogniser = Recogniser(s['model'], fetch=s['fetch_model'], device=s['compute'], threads=s['threads'])
            self.live = Live(Listener(recogniser, listen_options(s)), self.told)
        except ConversegError as error:
            raise ConversegError(say('no_recogniser', why=error)) from error
        self._apply(s)
        self.create_subscription(RegionArray, f'{s["segmenter"]}/regions', self._on_regions, reliable(2))
        self.create_subscription(Bool, '~/talk', self._on_talk, reliable(10))
        self.tell_state(say('push_to_talk' if s['push_to_talk'] else 'listening'))
        if s['audio_source'] == 'topic':
            self.create_subscription(AudioChunk, 'audio', self._on_audio, reliable(50))
        elif s['audio_source'] == 'files':
            self._reader = threading.Thread(target=self._read, args=([f for f in s['files'] if f],), daemon=True)
            self._reader.start()
        else:
            self._microphone = Microphone(self.live.feed, s['device'])
        self.get_logger().info(f'listening: {s["audio_source"]}')

    def _apply(self, settings: dict[str, Any]) -> None:
        """Take new values of the parameters that may change."""
        self.settings = settings
        if self.live is not None:
            listener = self.live.listener
            listener.options = listen_options(settings)
            listener.recogniser.limits = Limits(confidence=settings['min_confidence'])
            self._follow()

    def _complain(self, text: str) -> None:
        self.trouble = text
        self.get_logger().error(text)
        self.tell_state(text)

    def tell_state(self, text: str) -> None:
        """Publish the state of the node as text."""
        self._state.publish(String(data=text))

    def told(self, event: Event) -> None:
        """Publish an event of the listener."""
        if event.kind in (EventKind.FINAL, EventKind.REJECTED):
            self._counts[event.kind] += 1
            self._diagnose(event)
        if event.kind == EventKind.FINAL:
            self.get_logger().info(f'heard ({event.confidence:.2f}): {event.text}')
            self._words.publish(String(data=said_by(self.settings['operator'], event.text)))
            self._partial.publish(String(data=''))
        elif event.kind == EventKind.PARTIAL:
            self._partial.publish(String(data=event.text))
        else:
            self.tell_state(event.text)

    def _diagnose(self, event: Event) -> None:
        """Publish the diagnostics of the last sentence."""
        name = self.get_fully_qualified_name()
        values = {
            'text': event.text if event.kind == EventKind.FINAL else '',
            'confidence': f'{event.confidence:.3f}',
            'pause (s)': f'{event.pause_s:.3f}',
            'reading (s)': f'{event.read_s:.3f}',
            'count heard': self._counts[EventKind.FINAL],
            'count rejected': self._counts[EventKind.REJECTED],
            'count lost': self.live.lost if self.live is not None else 0,
        }
        pairs = [KeyValue(key=k, value=str(v)) for k, v in values.items()]
        words = 'heard a sentence' if event.kind == EventKind.FINAL else event.text
        status = DiagnosticStatus(name=f'{name}: speech', message=words, hardware_id=name, values=pairs)
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def _follow(self) -> None:
        """Set the hot-words of the parameter and of the scene."""
        if self.live is not None:
            self.live.listener.hotwords = sorted(self._scene | {w for w in self.settings['hotwords'] if w})

    def _on_regions(self, message: RegionArray) -> None:
        """Set the hot-words of the scene."""
        self._scene = {head(r.instruction.resolved_text or r.instruction.text) for r in message.regions} - {''}
        self._follow()

    def _on_talk(self, message: Bool) -> None:
        if self.live is not None:
            self.live.press() if message.data else self.live.release()

    def _on_audio(self, message: AudioChunk) -> None:
        assert self.live is not None
        rate = int(message.sample_rate)
        try:
            if rate not in self._resamplers:
                self._resamplers = {rate: Resampler(rate)}
            self.live.feed(self._resamplers[rate](from_int16(message.samples)))
        except ConversegError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=5.0)

    def _read(self, files: list[str]) -> None:
        """Play WAV files in real time, with a pause after each."""
        assert self.live is not None
        for name in files:
            try:
                sound = read_wav(Path(name))
            except ConversegError as error:
                self._complain(str(error))
                continue
            sound = np.concatenate([sound, np.zeros(16_000, np.float32)])
            for start in range(0, sound.size, CHUNK):
                if self._ended.wait(0.1):
                    return
                self.live.feed(sound[start : start + CHUNK])

    def close(self) -> None:
        """Stop the listener."""
        self._ended.set()
        if self._microphone is not None:
            self._microphone.close()
        if self._reader is not None:
            self._reader.join(2)
        if self.live is not None:
            self.live.close()


def end(node: Any) -> None:
    """Stop the listener."""
    node.close()


def main(args: list[str] | None = None) -> int:
    """Run the node; return the exit status."""
    return run_node.run(SpeechNode, end, args)


if __name__ == '__main__':
    sys.exit(main())
