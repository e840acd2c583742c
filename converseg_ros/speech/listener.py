"""Sentences from an audio stream: voice activity detection segments it, the recogniser transcribes the segments."""

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
    """The kinds of events of the listener."""

    STATE = 'state'
    PARTIAL = 'partial'
    FINAL = 'final'
    REJECTED = 'rejected'


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the listener.

    For FINAL and REJECTED: ended_s is the time in the stream, in seconds, of the end of the last voiced chunk. pause_s:
    seconds from there to the end of the sentence. read_s: seconds of recognition.
    """

    kind: EventKind
    text: str
    confidence: float = 0.0
    ended_s: float = 0.0
    pause_s: float = 0.0
    read_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """Segmentation of the stream into sentences; seconds, and decibels relative to full scale."""

    threshold: float = option(0.5, 0.2, 1.0)
    """Speech probability at which a sentence starts; it continues while the probability is above this minus 0.15."""
    min_speech: float = option(0.25, 0.0, 5.0)
    """Segments with less voiced sound are not sentences."""
    silence: float = option(0.5, 0.05, 10.0)
    """Pause that ends a sentence, in seconds."""
    early: float = option(0.2, 0.0, 10.0)
    """Pause after which recognition starts already, before it is certain that the sentence has ended, in seconds."""
    longest: float = option(15.0, 1.0, 25.0)
    """Maximum length of a sentence in seconds."""
    before: float = option(0.3, 0.0, 2.0)
    """Seconds of sound from before the start that belong to the sentence."""
    partial: float = option(1.2, 0.0, 60.0)
    """Seconds between partial results; 0: none."""
    gate: float = option(-55.0, -120.0, 0.0)
    """Noise gate: sound below this level is not speech."""
    margin: float = option(6.0, 0.0, 60.0)
    """Adaptive noise gate: sound must be this much louder than the background."""
    push_to_talk: bool = False
    """Listen only while ~/talk is true."""

    def __post_init__(self) -> None:
        """Validate the settings."""
        check_options(self, 'listening options')


@dataclass(slots=True)
class _Sentence:
    pieces: list[NDArray[np.float32]] = field(default_factory=list)
    voiced: int = 0  # number of chunks
    silent: int = 0  # number of chunks since the last voiced one
    next_partial: float = 0.0
    read: Transcript | None = None  # of everything up to the last voiced chunk
    ended_s: float = 0.0


class Listener:
    """Segment and transcribe a stream; not thread-safe. `Live` runs a listener in a separate thread."""

    def __init__(
        self, recogniser: Recogniser, options: ListenOptions | None = None, vad: VoiceActivity | None = None
    ) -> None:
        self.recogniser, self.options = recogniser, options or ListenOptions()
        self.vad = vad or VoiceActivity()
        self.hotwords: Sequence[str] = ()
        self.pressed = False
        # whether more sound is queued; then partial results are skipped
        self.behind: Callable[[], bool] = lambda: False
        self._rest = np.zeros(0, np.float32)
        self._heard = 0  # samples of the stream so far
        self._before: deque[NDArray[np.float32]] = deque(maxlen=max(1, int(self.options.before * RATE / CHUNK)))
        self._levels: deque[float] = deque(maxlen=int(8 * RATE / CHUNK))
        self._sentence: _Sentence | None = None

    def press(self) -> list[Event]:
        """Start to listen (push-to-talk)."""
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
        """End the current sentence, as at the end of a file."""
        sentence, self._sentence = self._sentence, None
        return self._finish(sentence) if sentence is not None else []

    def process(self, samples: NDArray[np.float32]) -> list[Event]:
        """Process the next samples of the stream, of any length; return the events."""
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
        # In steady sound the quiet moments are as loud as the rest; then only the network decides.
        floor = min(floor, -30.0)
        return level > max(self.options.gate, floor + self.options.margin)

    def _read(self, sentence: _Sentence) -> Transcript:
        return self.recogniser.transcribe(np.concatenate(sentence.pieces), self.hotwords)

    @staticmethod
    def _partial(part: Transcript) -> Event:
        return Event(EventKind.PARTIAL, part.text, part.confidence)

    def _finish(self, sentence: _Sentence) -> list[Event]:
        """Recognise a complete sentence and return its events."""
        self.vad.reset()
        idle = Event(EventKind.STATE, say('push_to_talk' if self.options.push_to_talk else 'listening'))
        pause = self._now - sentence.ended_s
        if sentence.voiced * CHUNK / RATE < self.options.min_speech:
            return [Event(EventKind.REJECTED, say('heard_noise'), 0.0, sentence.ended_s, pause), idle]
        result = sentence.read or self._read(sentence)
        kind, text = (EventKind.REJECTED, result.rejected) if result.rejected else (EventKind.FINAL, result.text)
        return [Event(kind, text, result.confidence, sentence.ended_s, pause, result.seconds), idle]


class Live:
    """A listener in a separate thread.

    Sound may be given from any thread without blocking; the callback for events is called in the thread of the
    listener.
    """

    def __init__(self, listener: Listener, tell: Callable[[Event], None]) -> None:
        self.listener, self._tell = listener, tell
        self._queue: queue.Queue[NDArray[np.float32] | str] = queue.Queue(maxsize=1000)  # about 30 s
        self.lost = 0
        listener.behind = lambda: self._queue.qsize() > 8
        self._thread = threading.Thread(target=self._run, name='listener', daemon=True)
        self._thread.start()

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Add samples; they are dropped (and counted) if the recogniser is 30 s behind."""
        self._put(samples)

    def press(self) -> None:
        """Begin push-to-talk."""
        self._put('press')

    def release(self) -> None:
        """End push-to-talk."""
        self._put('release')

    def close(self) -> None:
        """End the thread; samples that are still queued are dropped."""
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
