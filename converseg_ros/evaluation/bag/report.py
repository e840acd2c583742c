"""The report of a run over a bag: the common format with additional keys."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from converseg_ros.core import Family, Role, decode_rle
from converseg_ros.datasets.samples import Sample
from converseg_ros.evaluation.bag.run import BagRun
from converseg_ros.evaluation.bag.steadiness import steadiness
from converseg_ros.evaluation.metrics import summarize
from converseg_ros.evaluation.record import Answer
from converseg_ros.evaluation.report import FORMAT, build_report, peak_memory_mb
from converseg_ros.evaluation.runner import MODEL
from converseg_ros.evaluation.statistics import bootstrap


def bag_report(run: BagRun, scored: Sequence[Answer], *, command: str, data: str) -> dict[str, Any]:
    """Return the report; metrics that need ground truth are None without it."""
    fitted = getattr(run.network, 'calibration', None)
    calibrated, threshold = run.network.calibrated, getattr(fitted, 'no_target', None)
    if scored:
        report = build_report(
            {MODEL: list(scored)},
            model=run.network.name,
            command=command,
            data=data,
            calibrated=calibrated,
            threshold=threshold,
        )
    else:
        report = {
            **summarize([]),
            'ci': {},
            'per_family': {f.value: {'absent': True, 'n_items': 0} for f in Family},
            'per_sub_concept': {},
            'baselines': {},
            'calibration': {'calibrated': calibrated, 'threshold': threshold, 'auc': None},
            'memory_mb': peak_memory_mb(),
            'model': run.network.name,
            'data': data,
            'command': command,
            'format': FORMAT,
            'items': [],
        }
    pairs, statuses = run.compared(), run.statuses()
    temporal = {id_: [p.iou for p in own if p.iou is not None] for id_, own in pairs.items()}
    values = [v for row in temporal.values() for v in row]
    plain = {a.instruction.id for a in run.asked if a.instruction.role != Role.SAFETY}
    total: Counter[str] = sum(statuses.values(), Counter())
    report['topics'] = run.bag.camera.names()
    report['notes'] = run.bag.notes
    report['n_frames'] = len(run.answers)
    report['status_counts'] = dict(total)
    report['latency'] = run.latency()
    report['temporal_consistency'] = {
        'iou': float(np.mean(values)) if values else None,
        'ci': bootstrap(values, lambda v: float(v.mean())),
        'n_pairs': len(values),
    }
    report['steadiness'] = steadiness({id_: own for id_, own in pairs.items() if id_ in plain})
    report['per_instruction'] = {
        a.instruction.id: {
            'text': a.instruction.text,
            'role': a.instruction.role.name.lower(),
            'family': a.instruction.family,
            'status_counts': dict(statuses.get(a.instruction.id, {})),
            'temporal_iou': float(np.mean(temporal[a.instruction.id])) if temporal.get(a.instruction.id) else None,
            'n_pairs': len(temporal.get(a.instruction.id, ())),
            'steadiness': _without_stamps(steadiness({a.instruction.id: pairs.get(a.instruction.id, ())})),
        }
        for a in run.asked
    }
    return report


def _without_stamps(measures: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in measures.items() if k != 'changes'}


def bag_samples(run: BagRun, scored: Sequence[Answer], truth: dict[tuple[int, str], dict[str, Any]]) -> list[Sample]:
    """Return the samples of the scored answers, for their pictures."""
    samples = []
    for a in scored:
        stamp, id_ = a.score.id.split('/', 1)
        rle = truth[int(stamp), id_]
        samples.append(
            Sample(
                a.score.id,
                stamp,
                a.score.prompt,
                lambda stamp=stamp: run.bag.frame_at(int(stamp)),  # type: ignore[misc]
                lambda rle=rle: decode_rle(rle),  # type: ignore[misc]
                a.score.family,
            )
        )
    return samples
