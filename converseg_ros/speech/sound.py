"""Audio as (N,) float32 samples in [-1, 1] at 16 kHz, from messages, files and the microphone."""

from collections.abc import Callable
from pathlib import Path
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, InputError
from converseg_ros.core.texts import say
from converseg_ros.speech.vad import RATE

PCM, EXTENSIBLE = 1, 0xFFFE  # format tags of WAV files
TAPS = 63  # length of the low-pass filter before resampling


class Resampler:
    """Resample a stream of any rate to 16 kHz: low-pass filter, then linear interpolation, continuous between calls."""

    def __init__(self, rate: int) -> None:
        if not 8_000 <= rate <= 192_000:
            raise InputError(f'{rate} Hz', where='audio', do='use a sample rate between 8000 and 192000')
        self.rate = rate
        cutoff = min(0.45 * RATE / rate, 0.45)
        n = np.arange(TAPS) - (TAPS - 1) / 2
        taps = np.sinc(2 * cutoff * n) * np.hamming(TAPS)
        self._taps = (taps / taps.sum()).astype(np.float32)
        self._tail = np.zeros(TAPS - 1, np.float32)
        self._last = np.zeros(0, np.float32)
        self._next = 0.0  # position of the next output sample, in input samples from the start of `_last`

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the samples at 16 kHz; a few samples are returned by the next call."""
        if self.rate == RATE:
            return samples
        padded = np.concatenate([self._tail, samples])
        self._tail = padded[-(TAPS - 1) :]
        smooth = np.concatenate([self._last, np.convolve(padded, self._taps, 'valid').astype(np.float32)])
        positions = np.arange(self._next, smooth.size - 1, self.rate / RATE)
        out = np.interp(positions, np.arange(smooth.size), smooth).astype(np.float32)
        after = positions[-1] + self.rate / RATE if positions.size else self._next
        keep = min(int(after), smooth.size)
        self._last, self._next = smooth[keep:], after - keep
        return np.asarray(out)


def from_int16(samples: Any) -> NDArray[np.float32]:
    """Return int16 samples (an array or its bytes) in [-1, 1]."""
    pcm = np.frombuffer(samples, '<i2') if isinstance(samples, bytes | bytearray | memoryview) else np.asarray(samples)
    return pcm.astype(np.float32) / 32768.0


def read_wav(path: Path) -> NDArray[np.float32]:
    """Return a 16-bit PCM WAV file, plain or WAVE_FORMAT_EXTENSIBLE, as mono; raise InputError for other files.

    A truncated file gives its complete samples.
    """
    try:
        channels, rate, bits, data = _wav_chunks(path.read_bytes())
    except (OSError, ValueError, struct.error) as error:
        raise InputError(f'not a WAV file ({error})', where=str(path), do='convert it to 16-bit PCM WAV') from error
    if bits != 16:
        raise InputError(f'{bits}-bit samples', where=str(path), do='convert it to 16-bit PCM')
    pcm = from_int16(data[: len(data) // (2 * channels) * 2 * channels])
    return Resampler(rate)(pcm.reshape(-1, channels).mean(1).astype(np.float32))


def _wav_chunks(file: bytes) -> tuple[int, int, int, bytes]:
    """Return channels, rate, bits and samples of PCM data in RIFF chunks; raise ValueError if there are none."""
    if file[:4] != b'RIFF' or file[8:12] != b'WAVE':
        raise ValueError('no RIFF header')
    at, form = 12, None
    while at + 8 <= len(file):
        name, size = struct.unpack_from('<4sI', file, at)
        body = file[at + 8 : at + 8 + size]
        if name == b'fmt ':
            tag, channels, rate, _, _, bits = struct.unpack_from('<HHIIHH', body)
            if tag == EXTENSIBLE and len(body) >= 26:
                # the first two bytes of the sub-format are a plain format tag
                tag = struct.unpack_from('<H', body, 24)[0]
            if tag != PCM or not channels:
                raise ValueError(f'format {tag}, {channels} channels')
            form = channels, rate, bits
        elif name == b'data':
            if form is None:
                raise ValueError('samples before the format chunk')
            return (*form, body)
        at += 8 + size + size % 2
    raise ValueError('no samples')


class Microphone:
    """The default (or a named) input device; calls `take` with chunks of 32 ms from a separate thread."""

    def __init__(self, take: Callable[[NDArray[np.float32]], None], device: str = '') -> None:
        """Open the device; raise ConversegError with the reason if there is none."""
        try:
            import sounddevice
        except (ImportError, OSError) as error:  # OSError: PortAudio is missing
            raise ConversegError(say('no_microphone', why=error), where='speech', do='install libportaudio2') from error
        chosen: Any = int(device) if device.isdigit() else device or None
        try:
            rate = RATE
            try:
                sounddevice.check_input_settings(device=chosen, channels=1, samplerate=RATE, dtype='float32')
            except sounddevice.PortAudioError:
                rate = int(sounddevice.query_devices(chosen, 'input')['default_samplerate'])
            resample = Resampler(rate)
            self._stream = sounddevice.InputStream(
                samplerate=rate,
                channels=1,
                dtype='float32',
                device=chosen,
                blocksize=rate // 31,
                callback=lambda data, frames, when, status: take(resample(data[:, 0].copy())),
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise ConversegError(
                say('no_microphone', why=error), where='speech', do='plug one in, or use `audio_source: topic`'
            ) from error

    def close(self) -> None:
        """Close the device."""
        self._stream.stop()
        self._stream.close()
