"""The shipped `Namer`: crops, ImageNet's classes, a trained head and a detector of COCO's classes."""

from collections.abc import Callable, Sequence
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import NameScores, Posterior, Segments
from converseg_ros.knowledge.vocabulary import Vocabulary, vocabulary
from converseg_ros.network.encoders.nanodet import KIND_NAMES, Detections
from converseg_ros.network.names.crops import FADED, INFERENCE_SIDE, MASKED, cut_with
from converseg_ros.network.names.detector import EVIDENCE, Detected, Evidence, detected, match
from converseg_ros.network.names.scores import Encoder, Phrases
from converseg_ros.network.names.weights import NameWeights, load_names
from converseg_ros.network.precision import autocast
from converseg_ros.network.segments.backbone import Backbone

IMAGENET = 0.3  # share of ImageNet's posterior alone
BOX = 0.5  # share of the detector for a box of probability 1 that fits a region
CROPS = 20  # regions of a view that are encoded, each with a faded and with a grey background
BATCH = 10  # crops that are encoded at once: the maps of more do not stay in the caches and in memory that is reused


class CropNamer:
    """Encodes up to CROPS regions of a view; the names of others come from the detector and from frequencies.

    The last view is cached, so that nouns can be requested one after the other.
    """

    def __init__(
        self,
        backbone: Backbone,
        weights: NameWeights,
        *,
        encode: Encoder | None = None,
        dtype: torch.dtype = torch.float32,
        detections: Callable[[Frame], list[Detections]] | None = None,
    ) -> None:
        """Create a namer from the frozen backbone, on its device, and the trained weights.

        encode: unit vectors of texts by the text encoder of the weights' meanings. dtype: of the trunk and the
        detector; bfloat16 if it is fast on the device. detections: output of the detector for a view, from a proposer
        that runs it too, so that it runs once; its input may be resized differently from that of the namer's training.
        """
        self.backbone = backbone
        self.head = weights.head.eval().cpu()
        self.dtype = dtype
        self.words = vocabulary()
        self.use_detector = True  # False: names from crops alone, to measure the contribution of the detector
        self._evidence = Evidence(backbone.detector, dtype)
        self._detections = detections
        self._places = nouns_of_detector(self.head.sources.nouns, self.words)
        self._phrases = Phrases(self.head.sources.nouns, weights.scaling, weights.meanings, self.words, encode)
        self._last: tuple[Frame, Segments, NDArray[np.float32]] | None = None

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        """Return the log-odds of each noun phrase for each region."""
        return self._phrases.scores(self.probabilities(view, segments), nouns)

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        """Return the calibrated probabilities of the nouns with evidence."""
        return self._phrases.posterior(self.probabilities(view, segments))

    def probabilities(self, view: Frame, segments: Segments) -> NDArray[np.float32]:
        """Return (S, K): for each region, the probabilities of the nouns with evidence."""
        last = self._last
        if last is None or last[0] is not view or last[1] is not segments:
            last = self._last = view, segments, self._look(view, segments)
        return last[2]

    def _look(self, view: Frame, segments: Segments) -> NDArray[np.float32]:
        if not len(segments):
            return np.zeros((0, len(self.head.sources.nouns)), np.float32)
        evidence = torch.zeros(len(segments), EVIDENCE)
        if self.use_detector:
            evidence = torch.from_numpy(match(self._detected(view), segments.masks))
        with torch.inference_mode():
            out = self.head.without_crop(evidence)
            chosen = worth_a_crop(segments)
            if len(chosen):
                out[chosen] = self._named(view.rgb, segments.masks[chosen], evidence[chosen])
            out = with_boxes(out, evidence, self._places)
        return out[:, :-1].exp().numpy()

    def _detected(self, view: Frame) -> Detected:
        return self._evidence.detect(view.rgb) if self._detections is None else detected(self._detections(view))

    def _named(self, rgb: NDArray[np.uint8], masks: NDArray[np.bool_], evidence: Tensor) -> Tensor:
        """Return the (S, K + 1) log-probabilities of regions that are encoded.

        The mean of both crops is more accurate on real photographs than either of them: the background tells what is
        likely, and without it the shape counts.
        """
        faded, masked = cut_with(rgb, masks, (FADED, MASKED), INFERENCE_SIDE)
        pooled = (self.pooled(faded) + self.pooled(masked)) / 2
        return self._read(pooled, evidence)

    def _read(self, pooled: Tensor, evidence: Tensor) -> Tensor:
        trunk = self.backbone.trunk
        logits = trunk.class_logits(pooled.to(trunk.classifier.weight)).float().cpu()
        by_class = self.head.by_class(logits)
        return mixed(self.head(pooled, by_class, evidence), self.head.with_none(by_class), IMAGENET)

    def pooled(self, crops: NDArray[np.uint8]) -> Tensor:
        """Return the trunk's features (S, 1280) float32 of crops (S, side, side, 3), on the CPU."""
        device = next(self.backbone.trunk.parameters()).device
        batch = BATCH if device.type == 'cpu' else len(crops)
        with torch.inference_mode(), autocast(device, self.dtype):
            pixels = [torch.from_numpy(crops[i : i + batch]).to(device) for i in range(0, len(crops), batch)]
            found = [self.backbone.trunk.pooled(p.permute(0, 3, 1, 2).float().sub_(127).div_(128)) for p in pixels]
        return torch.cat(found).float().cpu()

    def warm_up(self) -> None:
        """Run once with the number of crops of a view, so that the first view is not slower than others."""
        self.pooled(np.zeros((CROPS, INFERENCE_SIDE, INFERENCE_SIDE, 3), np.uint8))


def mixed(trained: Tensor, plain: Tensor, share: float) -> Tensor:
    """Return the logarithm of a mixture of two distributions (S, K + 1) given as log-probabilities.

    The trained head is better on images like its training data; ImageNet's posterior alone is better on others. In a
    mixture, neither can exclude what the other one is certain of.
    """
    return torch.logaddexp(trained + math.log(1 - share), plain + math.log(share))


def with_boxes(found: Tensor, evidence: Tensor, places: Tensor) -> Tensor:
    """Return log-probabilities (S, K + 1) mixed with the class of the detector's box that fits each region best.

    The share of the detector is BOX times its probability times the fit of the box, which is the first half of
    `evidence` (S, 160). Crops of small objects are blurred, and the head has seen far fewer photographs than the
    detector. places: (80,) index of the noun of each class, -1 for none.
    """
    share, kind = evidence[:, : len(places)].max(1)
    place = places[kind]
    share = torch.where(place >= 0, BOX * share, torch.zeros_like(share))[:, None]
    place = place.clamp_min(0)[:, None]
    rest = found + torch.log1p(-share)
    return rest.scatter(1, place, torch.logaddexp(rest.gather(1, place), share.log()))


def nouns_of_detector(nouns: Sequence[str], words: Vocabulary) -> Tensor:
    """Return (80,) the index in `nouns` of the name of each class of the detector, -1 if it is none of them."""
    index = {noun: i for i, noun in enumerate(nouns)}
    found = [words.find(names[0]) for names in KIND_NAMES]
    return torch.tensor([-1 if i is None else index.get(words.names[i], -1) for i in found])


def worth_a_crop(segments: Segments) -> NDArray[np.intp]:
    """Return the indices of the regions to encode: the flat cut first, then by quality; CROPS at most."""
    return np.lexsort((-segments.quality, ~segments.flat))[:CROPS]


def load_namer(
    backbone: Backbone,
    weights: Path,
    *,
    encode: Encoder | None = None,
    dtype: torch.dtype = torch.float32,
    detections: Callable[[Frame], list[Detections]] | None = None,
) -> CropNamer:
    """Return a namer with a loaded backbone and the weights of `names.safetensors`."""
    return CropNamer(backbone, load_names(weights), encode=encode, dtype=dtype, detections=detections)
