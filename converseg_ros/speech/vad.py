"""Voice activity detection with Silero's ONNX network (silero-vad 6, MIT), without its audio dependencies."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError
from converseg_ros.core.errors import import_extra

RATE = 16_000  # Hz, for all modules of this folder
CHUNK = 512  # samples (32 ms) per call of the network
CONTEXT = 64  # samples of the previous chunk that precede a chunk


def vad_file() -> Path:
    """Return the file of the network; raise ConversegError if the package is missing."""
    spec = find_spec('silero_vad')
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / 'data' / 'silero_vad.onnx'
        if path.is_file():
            return path
    raise ConversegError(
        'silero-vad is not installed', where='speech', do="pip install '.[speech]' in the clone for spoken instructions"
    )


class VoiceActivity:
    """Probability that a chunk of sound is speech; keeps the state of the network between chunks."""

    def __init__(self, path: Path | None = None) -> None:
        with import_extra('speech'):
            import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path or vad_file()), options)
        self._rate = np.array(RATE, np.int64)
        self.reset()

    def reset(self) -> None:
        """Reset the state of the network."""
        self._state: Any = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def probability(self, chunk: NDArray[np.float32]) -> float:
        """Return the probability of speech in (512,) samples in [-1, 1] at 16 kHz."""
        sound = np.concatenate([self._context, chunk])[None]
        out, self._state = self._session.run(None, {'input': sound, 'state': self._state, 'sr': self._rate})
        self._context = chunk[-CONTEXT:]
        return float(out[0, 0])
