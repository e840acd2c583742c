"""The existence of a target: a logistic model over the executor's evidence, and the resulting status.

The evidence of an answer (`EVIDENCE`) is mapped to a probability by weights that were fitted on labelled real images
with and without targets, once for views with depth and once for RGB alone. More evidence never means a lower
probability: weights with the wrong sign are excluded from the fit. calibration.json (format 2) contains both fits and
the fingerprint of the segments and names that they were fitted with; it is not used with others.
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
from converseg_ros.network.calibration import ScoredAnswer, Verdict
from converseg_ros.network.thresholds import best_threshold, held_out_report, precision_threshold, recall_threshold

FORMAT = 2
Mode = Literal['rgb', 'rgbd']
EVIDENCE = ('best', 'noisy_or', 'weakest', 'conditions', 'measured', 'in_vocabulary', 'parse', 'unexplained')
"""best: probability of the best region; noisy_or: of any region; weakest: the minimum over all conditions;
conditions: their number, because the probability of the best region is a product over all of them; measured: 1 if the
answer is an area that depth shows; in_vocabulary: 1 if all nouns are known; parse: the confidence of the parser;
unexplained: share of the view that no region covers. Probabilities are converted to log-odds.
"""
SIGNS = (1, 1, 1, 1, 1, 1, 1, -1)  # of each weight
CLIP = 1e-5
MIN_ANSWERS = 200  # answers of a mode below which its weights are fitted on those of both modes
REMEDY = 'calibrate again: converseg eval calibrate'
UNCALIBRATED = 'not calibrated for these segments and names: the probability is an estimate'


@dataclass(frozen=True, slots=True)
class ExistenceFit:
    """The weights of one mode (in the order of EVIDENCE), bias, and thresholds on the resulting probability.

    Below `no_target` the answer is NO_TARGET, from `confident` on it is OK; `recall` replaces `no_target` for safety
    instructions. report: metrics on held-out images.
    """

    weights: tuple[float, ...]
    bias: float
    no_target: float
    recall: float
    confident: float
    report: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate that numbers are finite and thresholds are probabilities in order."""
        thresholds = (self.recall, self.no_target, self.confident)
        if len(self.weights) != len(EVIDENCE) or not np.isfinite([*self.weights, self.bias, *thresholds]).all():
            raise InputError('weights are missing or not finite', where='calibration', do=REMEDY)
        if not 0 <= self.recall <= self.no_target <= self.confident <= 1:
            raise InputError(
                f'thresholds {thresholds} are not in order between 0 and 1', where='calibration', do=REMEDY
            )

    def probability(self, evidence: Mapping[str, float]) -> float:
        """Return the probability that a target exists."""
        linear = float(np.dot(self.weights, features(evidence))) + self.bias
        return float(expit(linear))


@dataclass(frozen=True, slots=True)
class Existence:
    """The fits by mode; `fingerprint` identifies the segments and names that they are valid for."""

    modes: dict[str, ExistenceFit]
    fingerprint: str = ''
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate the modes."""
        if not self.modes or not self.modes.keys() <= set(get_args(Mode)):
            raise InputError(f'modes are {sorted(self.modes)}, not of {get_args(Mode)}', where='calibration', do=REMEDY)

    def save(self, path: Path) -> None:
        """Write calibration.json."""
        write_json(path, {'format': FORMAT, 'evidence': list(EVIDENCE), **asdict(self)})

    @classmethod
    def load(cls, path: Path) -> 'Existence':
        """Read calibration.json; raise InputError for another format or other evidence."""
        with parsing('a calibration', path, REMEDY):
            data = json.loads(path.read_text())
            if data.get('format') != FORMAT:
                raise InputError(f'format is {data.get("format")}, not {FORMAT}', where=str(path), do=REMEDY)
            if data.get('evidence') != list(EVIDENCE):
                raise InputError('it was fitted on other evidence', where=str(path), do=REMEDY)
            fits = {k: ExistenceFit(**{**v, 'weights': tuple(v['weights'])}) for k, v in data['modes'].items()}
            return cls(fits, str(data.get('fingerprint', '')), dict(data.get('provenance', {})))


def features(evidence: Mapping[str, float]) -> NDArray[np.float64]:
    """Return (8,) the input of the weights; raise InputError for missing evidence."""
    missing = [k for k in EVIDENCE if k not in evidence]
    if missing:
        raise InputError(f'evidence {", ".join(missing)} is missing', where='calibration')
    best, noisy_or, weakest, conditions, measured, known, parse, unexplained = (float(evidence[k]) for k in EVIDENCE)
    p = np.clip([best, noisy_or, weakest, parse], CLIP, 1 - CLIP)
    best, noisy_or, weakest, parse = (np.log(p) - np.log1p(-p)).tolist()
    return np.array([best, noisy_or, weakest, conditions, measured, known, parse, math.sqrt(max(unexplained, 0.0))])


def decide(
    fit: ExistenceFit | None,
    evidence: Mapping[str, float],
    *,
    status: Status,
    reason: str,
    none: str = '',
    recall: bool = False,
    unknown: bool = False,
) -> Verdict:
    """Return the verdict on an answer with the executor's status `status`.

    reason: why the answer is not certain. none: why there is none, if that is the verdict. An answer that facts do not
    decide never becomes OK. For safety (`recall`), only a fit gives NO_TARGET, below its threshold for recall, and not
    if a target could be in what is unknown (`unknown`; `reason` says what).
    """
    if status == Status.ERROR or not all(math.isfinite(v) for v in evidence.values()):
        return Verdict(Status.ERROR, 0.0, reason or 'the network answered with numbers that are not finite')
    if fit is None:
        score = float(min(max(evidence['best'], 0.0), 1.0))
        if recall and status == Status.NO_TARGET:
            status = Status.LOW_CONFIDENCE
        why = none or reason if status == Status.NO_TARGET else reason
        return Verdict(status, score, f'{why} ({UNCALIBRATED})' if why else UNCALIBRATED)
    p = fit.probability(evidence)
    threshold = fit.recall if recall else fit.no_target
    if p < threshold and not (recall and unknown):
        return Verdict(
            Status.NO_TARGET, p, none or reason or f'probability {p:.2f} of a target is below {threshold:.2f}'
        )
    if status == Status.OK and p >= fit.confident:
        return Verdict(Status.OK, p, reason)
    # a proposed NO_TARGET becomes LOW_CONFIDENCE, because the fit is more accurate than the thresholds of the executor
    doubt = f'probability {p:.2f} of a target is below {fit.confident:.2f}' if p < fit.confident else ''
    return Verdict(Status.LOW_CONFIDENCE, p, '; '.join(x for x in (reason, doubt) if x))


def fit_existence(
    evidence: Sequence[Mapping[str, float]],
    is_positive: Sequence[bool],
    ious: Sequence[float],
    groups: Sequence[str],
    *,
    own: Sequence[bool] | None = None,
    kept: float = 0.77,
    recall: float = 0.98,
    precision: float = 0.5,
) -> ExistenceFit:
    """Fit one mode on N answers.

    is_positive: whether the image has a target. ious: of mask and ground truth; ignored without a target. groups: image
    ids; answers on one image stay together in the cross-validated report. own: the answers for thresholds and report;
    the weights are fitted on all. kept: minimum share of targets that the usual threshold keeps. recall: share of
    targets that the safety threshold keeps. precision: share of OK answers with an IoU of 0.5 or more. Raises
    InputError if there are fewer than ten items with or without a target.
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
    held_out = np.zeros(len(truth))
    order = {name: i % 5 for i, name in enumerate(dict.fromkeys(groups))}
    fold = np.array([order[g] for g in groups])
    for f in np.unique(fold):
        if truth[fold != f].any() and (~truth[fold != f]).any():
            held_out[fold == f] = _apply(_logistic(x[fold != f], truth[fold != f]), x[fold == f])
    weights = _logistic(x, truth)
    p = _apply(weights, x)[mine]
    truth, quality, held_out = truth[mine], quality[mine], held_out[mine]
    no_target = min(best_threshold(p, truth, quality), recall_threshold(p, truth, kept))
    safe = min(recall_threshold(p, truth, recall), no_target)
    confident = max(precision_threshold(p, quality, precision), no_target)
    report = held_out_report(held_out, truth, no_target=no_target, recall=safe)
    return ExistenceFit(tuple(weights[:-1].tolist()), float(weights[-1]), no_target, safe, confident, report)


def fit_modes(scored: Sequence[ScoredAnswer], fingerprint: str, provenance: dict[str, Any]) -> Existence:
    """Return the fits of an uncalibrated network, one for each mode with enough answers.

    If a mode has few answers, the weights are fitted on those of both modes, and the thresholds on its own. Raise
    InputError if no mode has enough.
    """
    modes, short = {}, []
    known = [s for s in scored if s.evidence]
    for mode, depth in (('rgb', 0.0), ('rgbd', 1.0)):
        own = [s.evidence['depth'] == depth for s in known]
        if not any(own):
            continue
        use = [s for s, mine in zip(known, own) if mine or sum(own) < MIN_ANSWERS]
        try:
            modes[mode] = fit_existence(
                [s.evidence for s in use],
                [bool(s.positive) for s in use],
                [s.iou for s in use],
                [s.image_id for s in use],
                own=[s.evidence['depth'] == depth for s in use],
            )
        except InputError as error:
            short.append(f'{mode}: {error.what}')
    if not modes:
        raise InputError('; '.join(short) or 'no answer has evidence', where='calibration', do='give more labels')
    return Existence(modes, fingerprint, provenance | {'items': len(scored)})


def _apply(weights: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(expit(x @ weights[:-1] + weights[-1]))


def _logistic(x: NDArray[np.float64], truth: NDArray[np.bool_], ridge: float = 1.0) -> NDArray[np.float64]:
    """Return weights and bias of a ridge-regularised logistic regression whose weights have SIGNS (L-BFGS-B)."""
    from scipy.optimize import minimize

    mean, scale = x.mean(0), x.std(0) + 1e-3
    z = (x - mean) / scale
    target = truth.astype(np.float64)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        linear = z @ w[:-1] + w[-1]
        p = expit(linear)
        value = float((np.logaddexp(0, linear) - target * linear).sum() + 0.5 * ridge * (w[:-1] ** 2).sum())
        return value, np.append(z.T @ (p - target) + ridge * w[:-1], (p - target).sum())

    bounds = [(0, None) if s > 0 else (None, 0) for s in SIGNS] + [(None, None)]
    w = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method='L-BFGS-B').x
    weights = w[:-1] / scale
    return np.append(weights, w[-1] - weights @ mean)
