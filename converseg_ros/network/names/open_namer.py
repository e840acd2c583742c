"""A `Namer` of open vocabulary: SigLIP, SigLIP 2 or CLIP on the crops of all segments.

The noun of a region follows from a softmax over the vocabulary and a few neutral captions: the logits of these models
order texts, but their absolute level is not meaningful. Relations between nouns (a mug is a cup; tools; a wider kind if
no noun is certain) are handled as in the shipped namer. A phrase outside of the vocabulary is scored by the text tower
against all nouns except those that its head means: "chipped mug" does not compete with "mug".
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp
import torch

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import NameScores, Posterior, Segments
from converseg_ros.knowledge.vocabulary import vocabulary
from converseg_ros.network.names.crops import FADED, cut
from converseg_ros.network.names.scores import MIN_PROBABILITY, Encoder, Phrases
from converseg_ros.network.names.text_bank import TextBank
from converseg_ros.network.names.towers import Towers
from converseg_ros.network.names.weights import NameWeights, Scaling

NONE = ('background', 'a plain surface', 'a blurred part of something', 'nothing in particular')
MAX_NOUNS = 8  # nouns per request; a longer list comes from a tag, and similar nouns replace its unknown nouns
SLOW = 1.0  # seconds per view from which a namer reports its time
VIEW = 40  # typical number of segments of a view
TRIED = 2  # crops for measuring the time


class OpenNamer:
    """Encodes the crops of all regions of a view in one batch; the last view is cached."""

    def __init__(
        self, towers: Towers, weights: NameWeights, *, encode: Encoder | None = None, texts: Path | None = None
    ) -> None:
        """Create a namer from the towers, and the nouns and meanings of the weights of a shipped namer.

        encode: unit vectors of texts by the encoder of the weights' meanings. texts: the file for the vectors of the
        nouns by this text tower.
        """
        self.towers = towers
        self.nouns = weights.head.sources.nouns
        self.phrases = Phrases(self.nouns, Scaling(1.0, {}), weights.meanings, vocabulary(), encode)
        self._bank = TextBank(towers.texts, texts)
        self._captions = self._bank.vocabulary([towers.caption(n) for n in (*self.nouns, *NONE)])
        self._last: tuple[Frame, Segments, NDArray[np.float32], NDArray[np.float32]] | None = None
        self._found: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self.note = self._measured()

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        """Return the log-odds of each noun phrase for each region; raise InputError if the output is not finite."""
        images, logits, p = self._look(view, segments)
        scores = self.phrases.scores(p, nouns)
        asked = [i for i, noun in enumerate(nouns) if not scores.known[i]]
        if len(nouns) > MAX_NOUNS or not asked or not len(segments):
            return scores
        log_odds, known = scores.log_odds.copy(), scores.known.copy()
        texts = self._bank([self.towers.caption(nouns[i]) for i in asked])
        own = self.towers.logits(images, texts)
        for column, i in enumerate(asked):
            log_odds[:, i] = own[:, column] - logsumexp(logits[:, self._others(nouns[i])], axis=1)
            known[i] = True
        limit = float(np.log(1 / MIN_PROBABILITY - 1))
        return NameScores(scores.nouns, np.clip(log_odds, -limit, limit), known, scores.best)

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        """Return the probabilities of the nouns of the vocabulary."""
        return self.phrases.posterior(self._look(view, segments)[2])

    def logits(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NDArray[np.float32]:
        """Return (S, N), the model's similarity logits of each region's crop and each noun's caption."""
        return self.towers.logits(self._look(view, segments)[0], self._bank([self.towers.caption(n) for n in nouns]))

    def _look(
        self, view: Frame, segments: Segments
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return vectors (S, D), logits of the vocabulary and NONE (S, K + 4), and probabilities (S, K)."""
        last = self._last
        if last is None or last[0] is not view or last[1] is not segments:
            if len(segments):
                images = self.towers.images(cut(view.rgb, segments.masks, FADED, self.towers.side))
            else:
                images = np.zeros((0, self._captions.shape[1]), np.float32)
            logits = self.towers.logits(images, self._captions)
            last = self._last = view, segments, images, logits
            p = np.exp(log_softmax(logits, axis=1))[:, : len(self.nouns)] if len(images) else logits[:, : -len(NONE)]
            self._found = logits, np.asarray(p, np.float32)
        assert self._found is not None
        return last[2], self._found[0], self._found[1]

    def _others(self, phrase: str) -> NDArray[np.bool_]:
        """Return (K + 4,) bool: the captions that a phrase competes with."""
        out = np.ones(len(self._captions), bool)
        head = phrase.strip()
        while head:
            meaning = self.phrases.meaning(head)
            if meaning.known and head != 'thing':
                out[meaning.places] = False
                break
            head = head.partition(' ')[2]
        return out

    def _measured(self) -> str:
        """Return the time of a view as text, '' if it is short."""
        if self.towers.device.type != 'cpu':
            return ''
        crops = np.zeros((TRIED, self.towers.side, self.towers.side, 3), np.uint8)
        start = perf_counter()
        self.towers.images(crops)
        seconds = (perf_counter() - start) * VIEW / TRIED
        if seconds < SLOW:
            return ''
        return f'{self.towers.name} names {VIEW} regions in about {seconds:.0f} s on this CPU; clipseg takes less'


def load_open_namer(
    folder: Path,
    weights: NameWeights,
    *,
    device: torch.device,
    dtype: torch.dtype,
    encode: Encoder | None = None,
    texts: Path | None = None,
) -> OpenNamer:
    """Return a namer of a CLIP or SigLIP folder; raise InputError for missing files or another kind."""
    try:
        return OpenNamer(Towers(folder, device, dtype), weights, encode=encode, texts=texts)
    except OSError as error:
        raise InputError(f'cannot be read or kept ({error})', where=str(folder)) from error
