"""The speech node: a microphone, an audio topic or WAV files become `instruction`; without any of them it says why."""

from pathlib import Path
import sys
import threading
from typing import Any

import numpy as np
from rclpy.node import Node
from std_msgs.msg import Bool, String

from converseg_ros.core import ConversegError
from converseg_ros.core.texts import say
from converseg_ros.dialogue.refer import head
from converseg_ros.msg import AudioChunk, RegionArray
from converseg_ros.ros import spin
from converseg_ros.ros.qos import LATCHED, reliable
from converseg_ros.speech.listener import Event, EventKind, Listener, ListenOptions, Live
from converseg_ros.speech.recogniser import Limits, Recogniser
from converseg_ros.speech.sound import Microphone, Resampler, from_int16, read_wav

PIECE = 1600  # samples of a file fed at a time (0.1 s)


class SpeechNode(Node):
    """Wires sound to the listener and its events to topics; a missing microphone or model leaves the node running."""

    def __init__(self, **kwargs: Any) -> None:
        """Declare parameters and open the source of sound."""
        super().__init__('speech', **kwargs)
        p = self.declare_parameter
        source = p('audio_source', 'microphone').value  # microphone, topic or files
        device = p('device', '').value
        files = p('files', ['']).value
        model = p('model', '').value
        fetch = p('fetch_model', False).value
        compute = p('compute', 'auto').value
        self._confidence = p('min_confidence', 0.45).value
        defaults = ListenOptions()
        options = ListenOptions(
            threshold=p('threshold', defaults.threshold).value,
            min_speech=p('min_speech', defaults.min_speech).value,
            silence=p('silence', defaults.silence).value,
            early=p('early', defaults.early).value,
            longest=p('longest', defaults.longest).value,
            partial=p('partial', defaults.partial).value,
            gate=p('gate', defaults.gate).value,
            margin=p('margin', defaults.margin).value,
            push_to_talk=p('push_to_talk', False).value,
        )
        self._hotwords = {w for w in p('hotwords', ['']).value if w}
        segmenter = p('segmenter', 'segmenter').value
        self._words = self.create_publisher(String, 'instruction', reliable(10))
        self._partial = self.create_publisher(String, '~/partial', reliable(10))
        self._state = self.create_publisher(String, '~/state', LATCHED)
        self._live: Live | None = None
        self._microphone: Microphone | None = None
        self._resamplers: dict[int, Resampler] = {}
        self._ended = threading.Event()
        self._reader: threading.Thread | None = None
        self.trouble = ''
        try:
            recogniser = Recogniser(model, fetch=fetch, device=compute, limits=Limits(confidence=self._confidence))
            self._live = Live(Listener(recogniser, options), self._told)
        except ConversegError as error:
            self._complain(say('no_recogniser', why=error))
            return
        self._follow(self._hotwords)
        self.create_subscription(RegionArray, f'{segmenter}/regions', self._on_regions, reliable(2))
        self.create_subscription(Bool, '~/talk', self._on_talk, reliable(10))
        self.tell_state(say('push_to_talk' if options.push_to_talk else 'listening'))
        if source == 'topic':
            self.create_subscription(AudioChunk, 'audio', self._on_audio, reliable(50))
        elif source == 'files':
            self._reader = threading.Thread(target=self._read, args=([f for f in files if f],), daemon=True)
            self._reader.start()
        elif source == 'microphone':
            try:
                self._microphone = Microphone(self._live.feed, device)
            except ConversegError as error:
                self._complain(str(error))
        else:
            self._complain(f'audio_source is {source!r}; use microphone, topic or files')

    def _complain(self, text: str) -> None:
        self.trouble = text
        self.get_logger().error(text)
        self.tell_state(text)

    def tell_state(self, text: str) -> None:
        """Publish what the node is doing, in words."""
        self._state.publish(String(data=text))

    def _told(self, event: Event) -> None:
        """Publish an event of the listener."""
        if event.kind == EventKind.FINAL:
            self.get_logger().info(f'heard ({event.confidence:.2f}): {event.text}')
            self._words.publish(String(data=event.text))
            self._partial.publish(String(data=''))
        elif event.kind == EventKind.PARTIAL:
            self._partial.publish(String(data=event.text))
        else:
            self.tell_state(event.text)

    def _follow(self, words: set[str]) -> None:
        if self._live is not None:
            self._live.listener.hotwords = sorted(words)

    def _on_regions(self, message: RegionArray) -> None:
        """Expect the words of the scene."""
        nouns = {head(r.instruction.resolved_text or r.instruction.text) for r in message.regions}
        self._follow(self._hotwords | (nouns - {''}))

    def _on_talk(self, message: Bool) -> None:
        if self._live is not None:
            self._live.press() if message.data else self._live.release()

    def _on_audio(self, message: AudioChunk) -> None:
        assert self._live is not None
        rate = int(message.sample_rate)
        try:
            if rate not in self._resamplers:
                self._resamplers = {rate: Resampler(rate)}
            self._live.feed(self._resamplers[rate](from_int16(message.samples)))
        except ConversegError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=5.0)

    def _read(self, files: list[str]) -> None:
        """Feed WAV files at the pace at which they were spoken, with a pause after each."""
        assert self._live is not None
        for name in files:
            try:
                sound = read_wav(Path(name))
            except ConversegError as error:
                self._complain(str(error))
                continue
            sound = np.concatenate([sound, np.zeros(16_000, np.float32)])
            for start in range(0, sound.size, PIECE):
                if self._ended.wait(0.1):
                    return
                self._live.feed(sound[start : start + PIECE])

    def close(self) -> None:
        """Stop listening."""
        self._ended.set()
        if self._microphone is not None:
            self._microphone.close()
        if self._reader is not None:
            self._reader.join(2)
        if self._live is not None:
            self._live.close()


def end(node: Any) -> None:
    """Stop listening."""
    node.close()


def main(args: list[str] | None = None) -> int:
    """Run the node; return the exit status."""
    return spin.run(SpeechNode, end, args)


if __name__ == '__main__':
    sys.exit(main())
