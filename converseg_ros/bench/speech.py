"""Measure speech recognition: word error rate on synthetic voices, and instructions from noise, tones and silence.

converseg bench speech --json speech.json
converseg bench speech --commands my_commands.txt --voices slt --noise-minutes 0
converseg bench speech --voices '' --noise-minutes 10                                only sounds without words

The voices are those of Debian's flite (apt install flite). Every command passes the complete pipeline: voice activity
detection, gate, recogniser, rejection.
"""

import argparse
from functools import cache
from pathlib import Path
import shutil
from statistics import median
import subprocess
import tempfile
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError
from converseg_ros.core.files import write_json

MAX_WER = 0.06
CHUNK = 1600  # samples fed at a time (0.1 s)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--json', type=Path, help='write the results here')
    parser.add_argument(
        '--commands', type=Path, help='a text file, one command a line (default: the 100 of this package)'
    )
    parser.add_argument('--voices', default='slt,rms,awb', help='flite voices (default: %(default)s)')
    parser.add_argument('--noise-minutes', type=float, default=10, help='minutes of sounds without words (default: 10)')
    parser.add_argument('--model', default='', help='speech model folder (default: the small English one)')


def words(text: str) -> list[str]:
    """Return the words to compare, after Whisper's English normaliser (Radford et al. 2022, appendix C)."""
    return str(_normaliser()(text)).split()


@cache
def _normaliser() -> Any:
    """Return the normaliser without its table of British spellings, which is not part of transformers."""
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    return EnglishTextNormalizer({'grey': 'gray'})


def errors(truth: list[str], heard: list[str]) -> int:
    """Return the word edit distance (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(truth, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def speak(text: str, voice: str) -> NDArray[np.float32]:
    """Return a sentence spoken by flite."""
    from converseg_ros.speech.sound import read_wav

    if shutil.which('flite') is None:
        raise ConversegError('flite is not installed', where='bench speech', do='apt install flite')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'a.wav'
        subprocess.run(['flite', '-voice', voice, '-t', text, '-o', str(path)], check=True, capture_output=True)
        return read_wav(path)


def sounds(minutes: float, seed: int = 0) -> list[tuple[str, NDArray[np.float32]]]:
    """Return named sounds without words with a total duration of `minutes`."""
    rate, rng = 16_000, np.random.default_rng(seed)
    n = int(minutes * 60 * rate / 8)
    t = np.arange(n) / rate
    white = rng.standard_normal(n)
    brown = np.cumsum(white)
    brown -= np.convolve(brown, np.ones(801) / 801, 'same')
    clicks = np.zeros(n)
    clicks[rng.integers(0, n, max(1, n // 4000))] = rng.uniform(-1, 1, max(1, n // 4000))
    clicks = np.convolve(clicks, np.exp(-np.arange(800) / 90) * np.sin(np.arange(800) * 0.9), 'same')
    hum = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3, 5))
    sweep = np.sin(2 * np.pi * (200 * t + 150 * np.sin(2 * np.pi * 0.3 * t)))
    beeps = np.sin(2 * np.pi * 1000 * t) * (np.sin(2 * np.pi * 0.7 * t) > 0.5)
    babble = white * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * t))  # noise with the rhythm of syllables
    made = {
        'silence': np.zeros(n),
        'faint noise': 0.001 * white,
        'white noise': 0.1 * white,
        'brown noise': 0.2 * brown / brown.std(),
        'clicks': 0.6 * clicks,
        'hum and sweep': 0.1 * np.asarray(hum) + 0.2 * sweep,
        'beeps': 0.3 * beeps,
        'syllabic noise': 0.1 * babble,
    }
    return [(name, np.clip(s, -1, 1).astype(np.float32)) for name, s in made.items()]


def run(args: argparse.Namespace) -> int:
    """Measure, print and write; return 1 if a limit in docs/operator.md is exceeded."""
    from converseg_ros.speech import listener, recogniser

    options = listener.ListenOptions(partial=0)  # partial results take time and do not change final ones
    listening = listener.Listener(recogniser.Recogniser(args.model), options)
    path = args.commands or Path(listener.__file__).with_name('commands.txt')
    commands = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    pause = np.zeros(16_000, np.float32)
    wrong = total = exact = missed = 0
    seconds: list[float] = []
    per_voice: dict[str, float] = {}
    examples: list[str] = []
    for voice in (v for v in args.voices.split(',') if v):
        voice_wrong = voice_total = 0
        for command in commands:
            sound = np.concatenate([pause[:6400], speak(command, voice), pause])
            start = time.perf_counter()
            events = [e for i in range(0, sound.size, CHUNK) for e in listening.process(sound[i : i + CHUNK])]
            events += listening.flush()
            seconds.append(time.perf_counter() - start)
            heard = ' '.join(e.text for e in events if e.kind == listener.EventKind.FINAL)
            missed += not heard
            n = errors(words(command), words(heard))
            exact += n == 0
            voice_wrong, voice_total = voice_wrong + n, voice_total + len(words(command))
            if n:
                examples.append(f'{voice}: {command} -> {heard}')
        per_voice[voice] = voice_wrong / voice_total
        wrong, total = wrong + voice_wrong, total + voice_total
        print(f'{voice}: word error rate {per_voice[voice]:.3f}', flush=True)
        if args.json:  # completed results are written even if a later step fails
            write_json(args.json, {'unfinished': True, 'wer_per_voice': per_voice, 'errors': examples})
    taken: list[str] = []
    for name, sound in sounds(args.noise_minutes) if args.noise_minutes > 0 else []:
        events = [e for i in range(0, sound.size, CHUNK) for e in listening.process(sound[i : i + CHUNK])]
        events += listening.flush()
        taken += [f'{name}: {e.text}' for e in events if e.kind == listener.EventKind.FINAL]
        rejected = sum(e.kind == listener.EventKind.REJECTED for e in events)
        print(f'{name}: {sound.size / 16000:.0f} s, {rejected} rejected', flush=True)
    wer = wrong / total if total else 0.0
    result = {
        'wer': wer,
        'wer_per_voice': per_voice,
        'commands': len(commands),
        'exact': exact / max(1, len(seconds)),
        'missed': missed,
        'seconds_per_command': median(seconds) if seconds else None,
        'noise_minutes': args.noise_minutes,
        'instructions_from_noise': taken,
        'errors': examples,
        'model': listening.recogniser.name,
        'command': args.command_line,
    }
    print(f'word error rate {wer:.3f} (at most {MAX_WER}), {missed} missed, {len(taken)} instructions from noise')
    if args.json:
        write_json(args.json, result)
    return int(wer > MAX_WER or bool(taken))
