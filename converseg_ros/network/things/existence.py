"""The existence of a target: a logistic model over the executor's evidence, and the resulting status.

The evidence of an answer (`EVIDENCE`) is mapped to a probability by weights that were fitted on labelled real images
with and without targets, once for views with depth and once for RGB alone. More evidence never means a lower
probability: weights with the wrong sign are excluded from the fit. Answers with a target count as PRESENT_SHARE of all,
whatever their number, so that labels of one kind can be added without a change of what a probability means. Whether
the mask is right too, and the answer therefore OK, is decided by `correctness`. calibration.json (format 4) contains
all fits and the fingerprint of the segments and names that they were fitted with; it is not used with others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
import json
import math
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from converseg_ros.core import InputError, Status
from converseg_ros.core.errors import parsing
from converseg_ros.core.files import write_json
from converseg_ros.core.probability import log_odds
from converseg_ros.network.calibration import ScoredAnswer, Verdict
from converseg_ros.network.logistic import apply_logistic, balanced, fit_logistic, held_out_probabilities
from converseg_ros.network.things import correctness
from converseg_ros.network.things.correctness import CorrectnessFit, fit_correctness
from converseg_ros.network.thresholds import best_threshold, held_out_report, recall_threshold

FORMAT = 4
Mode = Literal['rgb', 'rgbd']
EVIDENCE = (
    *('best', 'noisy_or', 'weakest', 'conditions', 'measured', 'in_vocabulary', 'parse', 'unexplained'),
    *('agreement', 'named'),
)
"""best: probability of the best region; noisy_or: of any region; weakest: the minimum over all conditions;
conditions: their number, because the probability of the best region is a product over all of them; measured: 1 if the
answer is an area that depth shows; in_vocabulary: 1 if all nouns are known; parse: the confidence of the parser;
unexplained: share of the view that no region covers; agreement: whether one region fulfils all conditions of the
target, as far as they are fulfilled by any; named: degree of the best region for the name of the target. Probabilities
are converted to log-odds, and agreement to its logarithm.
"""
SIGNS = (1, 1, 1, 1, 1, 1, 1, -1, 1, 1)  # of each weight
CLIP, NAME_CLIP, LEAST_AGREEMENT = 1e-5, 1e-3, 0.01
PRESENT_SHARE = 2 / 3  # of the answers in use that have a target, about as in the labels of the kitchen and tabletops
HARDLY = 0.5  # probability of a right mask, relative to that of no target, below which there is no answer
MIN_ANSWERS = 200  # answers of a mode below which its weights are fitted on those of both modes
REMEDY = 'calibrate again: converseg eval calibrate'
UNKNOWN_MASKS = 'calibrated on too few answers to know how often masks are right'
UNCALIBRATED = 'not calibrated for these segments and names: the probability is an estimate'


@dataclass(frozen=True, slots=True)
class ExistenceFit:
    """The weights of one mode (in the order of EVIDENCE), bias, and thresholds on the resulting probability.

    Below `no_target` the answer is NO_TARGET; `recall` replaces it for safety instructions. report: metrics on held-out
    images.
    """

    weights: tuple[float, ...]
    bias: float
    no_target: float
    recall: float
    report: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate that numbers are finite and thresholds are probabilities in order."""
        thresholds = (self.recall, self.no_target)
        if len(self.weights) != len(EVIDENCE) or not np.isfinite([*self.weights, self.bias, *thresholds]).all():
            raise InputError('weights are missing or not finite', where='calibration', do=REMEDY)
        if not 0 <= self.recall <= self.no_target <= 1:
            raise InputError(
                f'thresholds {thresholds} are not in order between 0 and 1', where='calibration', do=REMEDY
            )

    def probability(self, evidence: Mapping[str, float]) -> float:
        """Return the probability that a target exists."""
        linear = float(np.dot(self.weights, features(evidence))) + self.bias
        return float(expit(linear))


@dataclass(frozen=True, slots=True)
class Existence:
    """The fits by mode; `fingerprint` identifies the segments and names that they are valid for.

    correct: whether a mask is right; None if there were too few right or wrong answers to fit it, and no answer is OK.
    """

    modes: dict[str, ExistenceFit]
    correct: CorrectnessFit | None = None
    fingerprint: str = ''
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate the modes."""
        if not self.modes or not self.modes.keys() <= set(get_args(Mode)):
            raise InputError(f'modes are {sorted(self.modes)}, not of {get_args(Mode)}', where='calibration', do=REMEDY)

    def save(self, path: Path) -> None:
        """Write calibration.json."""
        write_json(path, {'format': FORMAT, 'evidence': _inputs(), **asdict(self)})

    @classmethod
    def load(cls, path: Path) -> 'Existence':
        """Read calibration.json; raise InputError for another format or other evidence."""
        with parsing('a calibration', path, REMEDY):
            data = json.loads(path.read_text())
            if data.get('format') != FORMAT:
                raise InputError(f'format is {data.get("format")}, not {FORMAT}', where=str(path), do=REMEDY)
            if data.get('evidence') != _inputs():
                raise InputError('it was fitted on other evidence', where=str(path), do=REMEDY)
            fits = {k: ExistenceFit(**{**v, 'weights': tuple(v['weights'])}) for k, v in data['modes'].items()}
            right = data['correct']
            correct = right and CorrectnessFit(**{**right, 'weights': tuple(right['weights'])})
            return cls(fits, correct, str(data.get('fingerprint', '')), dict(data.get('provenance', {})))


def _inputs() -> dict[str, list[str]]:
    """Return the names of the inputs of both models."""
    return {'exists': list(EVIDENCE), 'correct': list(correctness.EVIDENCE)}


def features(evidence: Mapping[str, float]) -> NDArray[np.float64]:
    """Return (10,) the input of the weights; raise InputError for missing evidence."""
    missing = [k for k in EVIDENCE if k not in evidence]
    if missing:
        raise InputError(f'evidence {", ".join(missing)} is missing', where='calibration')
    found = {k: float(evidence[k]) for k in EVIDENCE}
    for k in ('best', 'noisy_or', 'weakest', 'parse', 'named'):
        found[k] = float(log_odds(found[k], NAME_CLIP if k == 'named' else CLIP))
    found['unexplained'] = math.sqrt(max(found['unexplained'], 0.0))
    found['agreement'] = math.log(max(found['agreement'], LEAST_AGREEMENT))
    return np.array([found[k] for k in EVIDENCE])


def decide(
    calibration: Existence | None,
    mode: Mode,
    evidence: Mapping[str, float],
    *,
    status: Status,
    reason: str,
    none: str = '',
    doubtful: bool = False,
    recall: bool = False,
    unknown: bool = False,
) -> Verdict:
    """Return the verdict on an answer with the executor's status `status`.

    reason: why the answer is not certain. none: why there is none, if that is the verdict. An answer is NO_TARGET if
    its probability is below the threshold, or if a right mask is less than `HARDLY` times as probable as that there is
    no target; it is OK if the mask is probably right and nothing else speaks against it (`doubtful`). Without a
    calibration the executor's status remains. For safety (`recall`), only a calibration gives NO_TARGET, below its
    threshold for recall, and not if a target could be in what is unknown (`unknown`; `reason` says what).
    """
    if status == Status.ERROR or not all(math.isfinite(v) for v in evidence.values()):
        return Verdict(Status.ERROR, 0.0, reason or 'the network answered with numbers that are not finite')
    fit = calibration.modes.get(mode) if calibration is not None else None
    if calibration is None or fit is None:
        score = float(min(max(evidence['best'], 0.0), 1.0))
        if recall and status == Status.NO_TARGET:
            status = Status.LOW_CONFIDENCE
        why = none or reason if status == Status.NO_TARGET else reason
        return Verdict(status, score, f'{why} ({UNCALIBRATED})' if why else UNCALIBRATED)
    p = fit.probability(evidence)
    threshold = fit.recall if recall else fit.no_target
    correct = None if recall else calibration.correct
    right = correct.probability(evidence) if correct is not None else None
    absence = float(log_odds(threshold) - log_odds(p))
    if right is not None:
        absence = max(absence, float(log_odds(HARDLY * (1 - p)) - log_odds(right)))
    if absence > 0 and not (recall and unknown):
        why = none or reason or f'probability {p:.2f} of a target is below {threshold:.2f}'
        return Verdict(Status.NO_TARGET, p, why, right, absence)
    if recall:
        if status == Status.OK and p >= fit.no_target:
            return Verdict(Status.OK, p, reason)
        doubt = f'probability {p:.2f} of a target is below {fit.no_target:.2f}' if p < fit.no_target else ''
        return Verdict(Status.LOW_CONFIDENCE, p, '; '.join(x for x in (reason, doubt) if x))
    if correct is None or right is None:
        why = '; '.join(x for x in (reason, UNKNOWN_MASKS) if x)
        return Verdict(Status.LOW_CONFIDENCE, p, why, absence=absence)
    if not doubtful and right >= correct.confident:  # the fit is more accurate than the thresholds of the executor
        return Verdict(Status.OK, p, reason if status == Status.OK else '', right, absence)
    doubt = f'probability {right:.2f} of a right mask is below {correct.confident:.2f}'
    why = '; '.join(x for x in (reason, doubt if right < correct.confident else '') if x)
    return Verdict(Status.LOW_CONFIDENCE, p, why, right, absence)


def fit_existence(
    evidence: Sequence[Mapping[str, float]],
    is_positive: Sequence[bool],
    ious: Sequence[float],
    groups: Sequence[str],
    *,
    own: Sequence[bool] | None = None,
    weights: Sequence[float] | None = None,
    kept: float = 0.74,
    recall: float = 0.98,
) -> ExistenceFit:
    """Fit one mode on N answers.

    is_positive: whether the image has a target. ious: of mask and ground truth; ignored without a target. groups: image
    ids; answers on one image stay together in the cross-validated report. own: the answers for thresholds and report;
    the model is fitted on all. weights: how much each answer counts among those with, or without, a target. kept:
    minimum share of targets that the usual threshold keeps. recall: share of targets that the safety threshold keeps.
    Raises InputError if there are fewer than ten items with or without a target.
    """
    truth = np.asarray(is_positive, bool)
    mine = np.ones(len(truth), bool) if own is None else np.asarray(own, bool)
    there, absent = int(truth[mine].sum()), int((~truth[mine]).sum())
    if min(there, absent) < 10:
        raise InputError(
            f'{there} items with and {absent} without a target are too few to calibrate on',
            where='calibration',
            do='give at least ten of each, better hundreds',
        )
    x = np.stack([features(e) for e in evidence])
    quality = np.where(truth, np.nan_to_num(np.asarray(ious, np.float64)), 0.0)
    own_weights = np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64)
    counts = balanced(truth, own_weights, PRESENT_SHARE)
    held_out = held_out_probabilities(x, truth, groups, SIGNS, counts)[mine]
    fitted = fit_logistic(x, truth, SIGNS, counts)
    p, truth, quality, counts = apply_logistic(fitted, x)[mine], truth[mine], quality[mine], counts[mine]
    no_target = min(best_threshold(p, truth, quality), recall_threshold(p, truth, kept))
    safe = min(recall_threshold(p, truth, recall), no_target)
    report = held_out_report(held_out, truth, no_target=no_target, recall=safe, counts=counts)
    return ExistenceFit(tuple(fitted[:-1].tolist()), float(fitted[-1]), no_target, safe, report)


def fit_modes(scored: Sequence[ScoredAnswer], fingerprint: str, provenance: dict[str, Any]) -> Existence:
    """Return the fits of an uncalibrated network, one for each mode with enough answers.

    If a mode has few answers, the weights are fitted on those of both modes, and the thresholds on its own. Raise
    InputError if no mode has enough.
    """
    modes, short = {}, []
    known = [s for s in scored if s.evidence]
    counts: dict[int, float] = {}
    for mode, depth in (('rgb', 0.0), ('rgbd', 1.0)):
        own = [s.evidence['depth'] == depth for s in known]
        if not any(own):
            continue
        some = [s for s, mine in zip(known, own) if mine]
        truth, weights = np.array([bool(s.positive) for s in some]), np.array([s.weight for s in some])
        counts |= zip((i for i, mine in enumerate(own) if mine), balanced(truth, weights, PRESENT_SHARE).tolist())
        use = [s for s, mine in zip(known, own) if mine or sum(own) < MIN_ANSWERS]
        try:
            modes[mode] = fit_existence(
                [s.evidence for s in use],
                [bool(s.positive) for s in use],
                [s.iou for s in use],
                [s.image_id for s in use],
                own=[s.evidence['depth'] == depth for s in use],
                weights=[s.weight for s in use],
            )
        except InputError as error:
            short.append(f'{mode}: {error.what}')
    if not modes:
        raise InputError('; '.join(short) or 'no answer has evidence', where='calibration', do='give more labels')
    answered = [(s, counts[i]) for i, s in enumerate(known) if _answered(modes, s)]
    correct = fit_correctness(
        [s.evidence for s, _ in answered],
        [s.iou if s.positive else 0.0 for s, _ in answered],
        [s.image_id for s, _ in answered],
        clear=[bool(s.evidence['clear']) for s, _ in answered],
        counts=[count for _, count in answered],
    )
    return Existence(modes, correct, fingerprint, provenance | {'items': len(scored)})


def _answered(modes: Mapping[str, ExistenceFit], scored: ScoredAnswer) -> bool:
    """Return whether the answer is not NO_TARGET."""
    fit = modes.get('rgbd' if scored.evidence['depth'] else 'rgb')
    return fit is not None and fit.probability(scored.evidence) >= fit.no_target
