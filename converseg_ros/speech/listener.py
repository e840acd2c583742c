"""A stream of sound becomes sentences: voice activity finds them, the recogniser reads them, in parts and whole."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import math
import queue
import threading
import time

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.options import check_options, option
from converseg_ros.core.texts import say
from converseg_ros.speech.recogniser import Recogniser, Transcript
from converseg_ros.speech.vad import CHUNK, RATE, VoiceActivity


class EventKind(StrEnum):
    """What the listener tells."""

    STATE = 'state'
    PARTIAL = 'partial'
    FINAL = 'final'
    REJECTED = 'rejected'


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. For FINAL and REJECTED: ended_s, seconds of the stream at the last voiced chunk's end.

    pause_s: seconds of the stream from there to the end of the sentence. read_s: seconds the recogniser took.
    """

    kind: EventKind
    text: str
    confidence: float = 0.0
    ended_s: float = 0.0
    pause_s: float = 0.0
    read_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """How sentences are cut out of the stream; seconds and decibels below full scale."""

    threshold: float = option(0.5, 0.2, 1.0)
    """Speech probability at which a sentence starts; it goes on down to 0.15 less."""
    min_speech: float = option(0.25, 0.0, 5.0)
    """Less voiced sound than this is no sentence."""
    silence: float = option(0.5, 0.05, 10.0)
    """A pause so long ends a sentence."""
    early: float = option(0.2, 0.0, 10.0)
    """After a pause so long the sentence is read already, in the hope that it has ended."""
    longest: float = option(15.0, 1.0, 25.0)
    """A sentence is cut here."""
    before: float = option(0.3, 0.0, 2.0)
    """Sound kept from before the start."""
    partial: float = option(1.2, 0.0, 60.0)
    """Seconds between partial results; 0 = none."""
    gate: float = option(-55.0, -120.0, 0.0)
    """Noise gate: quieter sound is never speech."""
    margin: float = option(6.0, 0.0, 60.0)
    """The gate follows the room: sound must be so much louder than its quiet moments."""
    push_to_talk: bool = False
    """Listen only between press() and release()."""

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        check_options(self, 'listening options')


@dataclass(slots=True)
class _Sentence:
    pieces: list[NDArray[np.float32]] = field(default_factory=list)
    voiced: int = 0  # chunks
    silent: int = 0  # chunks since the last voiced one
    next_partial: float = 0.0
    read: Transcript | None = None  # of everything up to the last voiced chunk
    ended_s: float = 0.0


class Listener:
    """Not thread-safe: one thread feeds it. `Live` runs it in a thread of its own."""

    def __init__(
        self, recogniser: Recogniser, options: ListenOptions | None = None, vad: VoiceActivity | None = None
    ) -> None:
        self.recogniser, self.options = recogniser, options or ListenOptions()
        self.vad = vad or VoiceActivity()
        self.hotwords: Sequence[str] = ()
        self.pressed = False
        self.behind: Callable[[], bool] = lambda: False  # whether more sound waits: then no partial results
        self._rest = np.zeros(0, np.float32)
        self._heard = 0  # samples of the stream
        self._before: deque[NDArray[np.float32]] = deque(maxlen=max(1, int(self.options.before * RATE / CHUNK)))
        self._levels: deque[float] = deque(maxlen=int(8 * RATE / CHUNK))
        self._sentence: _Sentence | None = None

    def press(self) -> list[Event]:
        """Begin to listen (push-to-talk)."""
        self.pressed = True
        self._sentence = _Sentence()
        self._before.clear()
        self.vad.reset()
        return [Event(EventKind.STATE, say('hearing'))]

    def release(self) -> list[Event]:
        """End the sentence (push-to-talk)."""
        self.pressed = False
        return self.flush()

    def flush(self) -> list[Event]:
        """End what is being said, as at the end of a file."""
        sentence, self._sentence = self._sentence, None
        return self._finish(sentence) if sentence is not None else []

    def process(self, samples: NDArray[np.float32]) -> list[Event]:
        """Take the next piece of the stream, of any length; return what came of it."""
        sound = np.concatenate([self._rest, np.asarray(samples, np.float32)])
        whole = sound.size // CHUNK * CHUNK
        self._rest = sound[whole:]
        events: list[Event] = []
        for chunk in sound[:whole].reshape(-1, CHUNK):
            events += self._chunk(chunk)
        return events

    def _chunk(self, chunk: NDArray[np.float32]) -> list[Event]:
        self._heard += CHUNK
        options = self.options
        if options.push_to_talk and not self.pressed:
            return []
        probability = self.vad.probability(chunk) if self._loud(chunk) else 0.0
        sentence = self._sentence
        if sentence is None:
            self._before.append(chunk)
            if probability < options.threshold:
                return []
            self._sentence = _Sentence(list(self._before), 1, 0, self._now + options.partial, None, self._now)
            self._before.clear()
            return [Event(EventKind.STATE, say('hearing'))]
        sentence.pieces.append(chunk)
        if probability >= options.threshold - 0.15:
            sentence.voiced += 1
            sentence.silent, sentence.read, sentence.ended_s = 0, None, self._now
        else:
            sentence.silent += 1
        pause = sentence.silent * CHUNK / RATE
        length = len(sentence.pieces) * CHUNK / RATE
        if length >= options.longest or (pause >= options.silence and not options.push_to_talk):
            self._sentence = None
            return self._finish(sentence)
        if sentence.voiced * CHUNK / RATE < options.min_speech or options.partial <= 0:
            return []
        if pause >= options.early and sentence.read is None:
            sentence.read = self._read(sentence)
            sentence.next_partial = self._now + options.partial
            return [] if sentence.read.rejected else [self._partial(sentence.read)]
        if self._now >= sentence.next_partial and not sentence.silent and not self.behind():
            sentence.next_partial = self._now + options.partial
            part = self.recogniser.glance(np.concatenate(sentence.pieces), self.hotwords)
            return [] if part.rejected else [self._partial(part)]
        return []

    @property
    def _now(self) -> float:
        return self._heard / RATE

    def _loud(self, chunk: NDArray[np.float32]) -> bool:
        """Return whether a chunk passes the noise gate."""
        level = 10 * math.log10(float(np.mean(np.square(chunk))) + 1e-12)
        self._levels.append(level)
        floor = float(np.percentile(self._levels, 10)) if len(self._levels) > 30 else -100.0
        # in steady sound, quiet moments are as loud as the rest: nothing stands out, the network alone decides
        floor = min(floor, -30.0)
        return level > max(self.options.gate, floor + self.options.margin)

    def _read(self, sentence: _Sentence) -> Transcript:
        return self.recogniser.transcribe(np.concatenate(sentence.pieces), self.hotwords)

    @staticmethod
    def _partial(part: Transcript) -> Event:
        return Event(EventKind.PARTIAL, part.text, part.confidence)

    def _finish(self, sentence: _Sentence) -> list[Event]:
        """Read a whole sentence and say what it is."""
        self.vad.reset()
        idle = Event(EventKind.STATE, say('push_to_talk' if self.options.push_to_talk else 'listening'))
        pause = self._now - sentence.ended_s
        if sentence.voiced * CHUNK / RATE < self.options.min_speech:
            return [Event(EventKind.REJECTED, say('heard_noise'), 0.0, sentence.ended_s, pause), idle]
        result = sentence.read or self._read(sentence)
        kind, text = (EventKind.REJECTED, result.rejected) if result.rejected else (EventKind.FINAL, result.text)
        return [Event(kind, text, result.confidence, sentence.ended_s, pause, result.seconds), idle]


class Live:
    """A listener in a thread: sound may be given from any thread and never waits; events are told from the thread."""

    def __init__(self, listener: Listener, tell: Callable[[Event], None]) -> None:
        self.listener, self._tell = listener, tell
        self._queue: queue.Queue[NDArray[np.float32] | str] = queue.Queue(maxsize=1000)  # about 30 s
        self.lost = 0
        listener.behind = lambda: self._queue.qsize() > 8
        self._thread = threading.Thread(target=self._run, name='listener', daemon=True)
        self._thread.start()

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Give a piece of sound; dropped (and counted) when the recogniser is 30 s behind."""
        self._put(samples)

    def press(self) -> None:
        """Begin push-to-talk."""
        self._put('press')

    def release(self) -> None:
        """End push-to-talk."""
        self._put('release')

    def close(self) -> None:
        """End the thread; what is not read yet is lost."""
        while self._thread.is_alive():
            self._put('close')
            self._thread.join(0.2)

    def _put(self, item: NDArray[np.float32] | str) -> None:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self.lost += 1
            if isinstance(item, str):
                time.sleep(0.01)

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            if isinstance(item, str):
                if item == 'close':
                    return
                events = self.listener.press() if item == 'press' else self.listener.release()
            else:
                events = self.listener.process(item)
            for event in events:
                self._tell(event)
