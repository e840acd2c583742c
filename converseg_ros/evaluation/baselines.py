"""Baselines: empty, foreground, the network without language, and matching of nouns to a classifier."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Frame, Prediction, Status
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.evaluation.runner import Baseline

# Prompts without information about the target; the best of them on the evaluated data is the "prompt-blind" baseline.
CONSTANTS = ('the object', 'the thing in the middle', 'everything on the table', 'the table', 'something')
BLIND = 'prompt_blind'


def _answer(mask: NDArray[np.bool_]) -> Prediction:
    found = bool(mask.any())
    return Prediction(mask, float(found), Status.OK if found else Status.NO_TARGET)


class AllEmpty:
    """Always NO_TARGET."""

    name = 'all_empty'

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Return empty masks."""
        return [_answer(np.zeros(view.rgb.shape[:2], bool)) for _ in texts]


class AllForeground:
    """Always the complete image."""

    name = 'all_foreground'

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Return full masks."""
        return [_answer(np.ones(view.rgb.shape[:2], bool)) for _ in texts]


class ConstantPrompt:
    """The same network with a constant prompt."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.name = f'{BLIND}:{text}'

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Return the answers to the constant prompt."""
        return network.predict([self.text]) * len(texts)


class MajorityMask:
    """One mask per image for all prompts: the pixels that most of the network's answers to the image contain.

    The required share of answers is fixed; the answer is NO_TARGET if the network refused most prompts.
    """

    def __init__(self, share: float = 0.34) -> None:
        self.share = share
        self.name = f'{BLIND}:majority of the answers'

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Return the majority mask for each text."""
        votes = np.mean([p.mask for p in own], axis=0)
        return [_answer(votes >= self.share)] * len(texts)


class OtherModel:
    """The answers of another network that was loaded for the same run."""

    def __init__(self, name: str, network: SegmentationNetwork) -> None:
        self.name, self.network = f'model:{name}', network

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Return the answers of the other network."""
        self.network.set_image(view)
        return self.network.predict(list(texts))


def standard(
    network: SegmentationNetwork, report: Callable[[str], None] = print, *, nouns: bool = True
) -> list[Baseline]:
    """Return the standard baselines; the noun matchers only if their dependencies are installed."""
    from converseg_ros.evaluation.boxes import DetectorMatcher
    from converseg_ros.evaluation.nouns import NounMatcher

    found: list[Baseline] = [AllEmpty(), AllForeground(), *(ConstantPrompt(t) for t in CONSTANTS), MajorityMask()]
    found.append(DetectorMatcher())
    if nouns:
        missing = NounMatcher.missing()
        if missing:
            report(
                f'no noun-matching baseline: {", ".join(missing)} not installed '
                "(pip install '.[baselines]' in the clone)"
            )
        else:
            found.append(NounMatcher())
    return found
