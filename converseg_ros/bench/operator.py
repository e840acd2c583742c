"""Measure the time from the last voiced sample of a person to the overlay with the answer, between real processes.

converseg bench operator --json operator.json
converseg bench operator --commands 40 --kept

A camera (RGB-D), the segmenter node and the speech node run in separate processes. This process plays commands spoken
by flite on the `audio` topic of the speech node in real time, in chunks of 32 ms like a microphone, and waits for the
`~/overlay` with the stamp of the first answer to the instruction. The last voiced sample is detected in the sound. No
instruction is in force while a command is spoken, unless --kept leaves the previous one in force.
"""

import argparse
from collections.abc import Callable
import os
from pathlib import Path
from threading import Thread
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.bench.node import _process, _spin
from converseg_ros.bench.turning_camera import BASE
from converseg_ros.core import ConversegError
from converseg_ros.core.files import write_json
from converseg_ros.ros.isolation import isolate

LIMIT_S = 1.5
CHUNK = 512  # samples: 32 ms
SILENCE = 0.01  # relative to the loudest sample: quieter samples are not voiced
WAIT = 30.0  # seconds for an answer


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--json', type=Path, help='write the results here')
    parser.add_argument('--commands', type=int, default=20, help='spoken commands (default: %(default)s)')
    parser.add_argument('--voice', default='slt', help='flite voice (default: %(default)s)')
    parser.add_argument('--model', default='compact', help='the network (default: %(default)s)')
    parser.add_argument('--rate', type=float, default=30.0, help='images a second (default: %(default)s)')
    parser.add_argument('--size', default='640x480', help='of the images (default: %(default)s)')
    parser.add_argument('--kept', action='store_true', help='leave an instruction in force while the next is spoken')


def questions(count: int) -> list[str]:
    """Return commands of the package's list that each have an immediate query and add no standing instruction."""
    from converseg_ros.dialogue import Dialogue
    from converseg_ros.speech import listener

    commands = Path(listener.__file__).with_name('commands.txt').read_text().splitlines()
    good = []
    for command in commands:
        heard = Dialogue().hear(command)
        if heard.accepted and heard.instructions and not any(i.standing for i in heard.instructions):
            good.append(command)
    return good[:count]


def last_voiced(sound: NDArray[np.float32]) -> float:
    """Return the time in seconds of the last sample that is not silence."""
    loud = np.flatnonzero(np.abs(sound) > SILENCE * np.abs(sound).max())
    return float(loud[-1] + 1) / 16_000


class ReceivedMessages:
    """Received messages with their times of arrival."""

    def __init__(self, node: Any) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from sensor_msgs.msg import Image
        from std_msgs.msg import String

        from converseg_ros.core.stamps import to_ns
        from converseg_ros.msg import InstructionAck, RegionArray
        from converseg_ros.ros.camera.qos import reliable

        self._stamp: Callable[[Any], int] = lambda message: to_ns(message.header.stamp)

        self.words: list[tuple[float, str]] = []
        self.acks: list[tuple[float, Any]] = []
        self.regions: dict[int, tuple[set[str], dict[str, float]]] = {}
        self.overlays: dict[int, float] = {}
        self.heard: dict[str, str] = {}
        name = f'{BASE}/segmenter'
        node.create_subscription(String, f'{BASE}/instruction', self._on_words, reliable(10))
        node.create_subscription(InstructionAck, f'{name}/instruction_ack', self._on_ack, reliable(10))
        node.create_subscription(RegionArray, f'{name}/regions', self._on_regions, reliable(2))
        node.create_subscription(Image, f'{name}/overlay', self._on_overlay, reliable(2))
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def clear(self) -> None:
        """Clear the received messages."""
        for kept in (self.words, self.acks, self.regions, self.overlays, self.heard):
            kept.clear()

    def _on_words(self, message: Any) -> None:
        if message.data:
            self.words.append((time.monotonic(), message.data))

    def _on_ack(self, message: Any) -> None:
        if message.text:
            self.acks.append((time.monotonic(), message))

    def _on_regions(self, message: Any) -> None:
        ids = {r.instruction.id for r in message.regions}
        stages = dict(zip(message.regions[0].stage_names, message.regions[0].stage_ms)) if message.regions else {}
        self.regions[self._stamp(message)] = (ids, {k: float(v) for k, v in stages.items()})

    def _on_overlay(self, message: Any) -> None:
        self.overlays[self._stamp(message)] = time.monotonic()

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            values = {v.key: v.value for v in status.values}
            if values.get('text'):
                self.heard = values

    def answer(self) -> tuple[int, float] | None:
        """Return stamp and arrival of the first overlay that answers an instruction of the acknowledged text."""
        wanted = {i.id for _, ack in self.acks for i in ack.instructions}
        stamps = [s for s, (ids, _) in self.regions.items() if ids & wanted and s in self.overlays]
        return (min(stamps), self.overlays[min(stamps)]) if stamps else None


def run(args: argparse.Namespace) -> int:
    """Measure, print, write; return 1 if the limit in docs/operator.md is exceeded."""
    from converseg_ros.bench.speech import speak

    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    isolate()
    texts = questions(args.commands)
    sounds = [speak(text, args.voice) for text in texts]
    rows = measure(args, texts, sounds)
    answered = [r for r in rows if r['total_s'] is not None]
    result: dict[str, Any] = {
        'commands': len(texts),
        'answered': len(answered),
        'stages_s': {},
        'rows': rows,
        'load': round(os.getloadavg()[0], 1),
        'command': args.command_line,
    }
    for stage in ('pause_s', 'reading_s', 'to_instruction_s', 'to_ack_s', 'to_overlay_s', 'total_s'):
        values = [r[stage] for r in rows if r.get(stage) is not None]
        if values:
            result['stages_s'][stage] = {
                'median': round(float(np.median(values)), 3), 'p95': round(float(np.percentile(values, 95)), 3)
            }  # fmt: skip
    for stage, words in STAGES.items():
        found = result['stages_s'].get(stage)
        if found:
            print(f'{words:66s} median {found["median"]:.3f} s, p95 {found["p95"]:.3f} s')
    kept = bool(answered) and result['stages_s']['total_s']['median'] <= LIMIT_S and len(answered) >= 0.8 * len(texts)
    print(f'{len(answered)} of {len(texts)} answered; load {result["load"]}')
    if not kept:
        print(f'LIMIT EXCEEDED: the median must be at most {LIMIT_S} s, and four of five commands answered')
    if args.json:
        write_json(args.json, result)
    return int(not kept)


STAGES = {
    'to_instruction_s': 'last voiced sample to `instruction`',
    'pause_s': '  of this, silence until the sentence counts as ended (time in the stream)',
    'reading_s': '  of this, recognition of the sentence (overlaps the silence)',
    'to_ack_s': '`instruction` to `~/instruction_ack` (dialogue)',
    'to_overlay_s': '`~/instruction_ack` to `~/overlay` (next image, network, drawing)',
    'total_s': 'last voiced sample to `~/overlay`',
}


def measure(args: argparse.Namespace, texts: list[str], sounds: list[NDArray[np.float32]]) -> list[dict[str, Any]]:
    """Start all processes, play every sound, return a row for each."""
    import rclpy
    from std_msgs.msg import String

    from converseg_ros.msg import AudioChunk
    from converseg_ros.ros.camera.qos import reliable

    rclpy.init()
    node = rclpy.create_node('bench')
    ear = ReceivedMessages(node)
    audio = node.create_publisher(AudioChunk, f'{BASE}/audio', reliable(50))
    words = node.create_publisher(String, f'{BASE}/instruction', reliable(10))
    parameters = {'model': args.model, 'instruction_ttl': 0.0, 'world_frame': "''", 'level_frame': "''"}
    flags = [f for name, value in parameters.items() for f in ('-p', f'{name}:={value}')]
    segmenter = ('-m', 'converseg_ros.nodes.segmenter_node', '--ros-args', '-r', f'__ns:={BASE}', *flags)
    speech = ('-m', 'converseg_ros.nodes.speech_node', '--ros-args', '-r', f'__ns:={BASE}', '-p', 'audio_source:=topic')
    camera = ('-m', 'converseg_ros', 'bench', 'node', '--camera', '3600', '--size', args.size, '--rate', str(args.rate))
    rows: list[dict[str, Any]] = []
    try:
        with _process(*segmenter, threads=0), _process(*speech, threads=0), _process(*camera):
            _spin(node, lambda: audio.get_subscription_count() > 0 and words.get_subscription_count() >= 2, 300)
            if not audio.get_subscription_count():
                raise ConversegError('the speech node did not start', where='bench operator')
            _warm(node, ear, words)
            for text, sound in zip(texts, sounds):
                rows.append(one(node, ear, audio, words, text, sound, kept=args.kept))
    finally:
        node.destroy_node()
        rclpy.shutdown()
    return rows


def _warm(node: Any, ear: ReceivedMessages, words: Any) -> None:
    """Let the network answer once, so that nothing is loaded or compiled during the measurement."""
    from std_msgs.msg import String

    words.publish(String(data='the table'))
    _spin(node, lambda: ear.answer() is not None, 300)
    if ear.answer() is None:
        raise ConversegError('the segmenter does not answer', where='bench operator')
    words.publish(String(data=''))
    _spin(node, lambda: False, 2)


def one(
    node: Any, ear: ReceivedMessages, audio: Any, words: Any, text: str, sound: NDArray[np.float32], *, kept: bool
) -> dict[str, Any]:
    """Play one command and return the times of all messages, in seconds from the last voiced sample."""
    from std_msgs.msg import String

    if not kept:
        words.publish(String(data=''))
    _spin(node, lambda: False, 0.7)
    ear.clear()
    begin = time.monotonic() + 0.05
    player = Thread(target=play, args=(audio, sound, begin), daemon=True)
    player.start()
    _spin(node, lambda: ear.answer() is not None, len(sound) / 16_000 + WAIT)
    player.join()
    _spin(node, lambda: bool(ear.heard), 1)
    end = begin + last_voiced(sound)
    row: dict[str, Any] = {'said': text, 'heard': '', 'total_s': None, 'missing': ''}
    found = ear.answer()
    if ear.heard:
        row |= {'pause_s': float(ear.heard['pause (s)']), 'reading_s': float(ear.heard['reading (s)'])}
    if ear.words:
        row |= {'heard': ear.words[0][1], 'to_instruction_s': ear.words[0][0] - end}
    if ear.words and ear.acks:
        row['to_ack_s'] = ear.acks[0][0] - ear.words[0][0]
    came = {'words': ear.words, 'acknowledgement': ear.acks, 'regions': ear.regions, 'overlay': ear.overlays}
    row['missing'] = ', '.join(
        name for name, got in {**came, 'diagnostics': ear.heard, 'answer': found}.items() if not got
    )
    if found is not None and not row['missing']:
        row |= {
            'to_overlay_s': found[1] - ear.acks[0][0],
            'total_s': found[1] - end,
            'network_ms': ear.regions[found[0]][1],
        }
    return row


def play(audio: Any, sound: NDArray[np.float32], begin: float) -> None:
    """Publish a sound from time `begin` (monotonic) and two seconds of silence; each chunk when it has been spoken."""
    import array

    from converseg_ros.msg import AudioChunk

    pcm = (np.concatenate([sound, np.zeros(32_000, np.float32)]) * 32767).astype('<i2')
    for start in range(0, pcm.size, CHUNK):
        piece = pcm[start : start + CHUNK]
        time.sleep(max(0.0, begin + (start + piece.size) / 16_000 - time.monotonic()))
        message = AudioChunk(sample_rate=16_000)
        message.samples = array.array('h', piece.tobytes())
        audio.publish(message)
