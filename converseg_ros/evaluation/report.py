"""The report of a run as one JSON object (docs/evaluation.md describes the format)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
import json
from pathlib import Path
import resource
import sys
from typing import Any

import numpy as np

from converseg_ros.core import Family, InputError
from converseg_ros.core.errors import parsing
from converseg_ros.evaluation.baselines import BLIND
from converseg_ros.evaluation.ladder import STEPS, ladder
from converseg_ros.evaluation.metrics import Score, Summary, summarize
from converseg_ros.evaluation.record import Answer
from converseg_ros.evaluation.reliability import Reliability, area_under_roc, trade_off
from converseg_ros.evaluation.runner import MODEL
from converseg_ros.evaluation.statistics import MIN_IMAGES, RATIOS, intervals, paired

FORMAT = 1


def build_report(
    answers: Mapping[str, Sequence[Answer]],
    *,
    model: str,
    command: str,
    data: str,
    calibrated: bool = False,
    threshold: float | None = None,
    latency: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the report of a run's answers; `threshold`: the one that decides on NO_TARGET, if known."""
    scores = [a.score for a in answers[MODEL]]
    if not scores:
        raise InputError('there are no items', where=data, do='check the path and --split')
    summary = Summary()
    for s in scores:
        summary.update(s)
    whole = summary.compute()
    report: dict[str, Any] = {
        **whole,
        'ci': intervals(scores),
        'per_family': _families(scores),
        'per_sub_concept': summary.grouped('sub_concept'),
        'baselines': _baselines(answers),
        'calibration': calibration(scores, calibrated=calibrated, threshold=threshold),
        'ladder': ladder(scores),
        'latency': dict(latency or {}),
        'memory_mb': peak_memory_mb(),
        'model': model,
        'data': data,
        'command': command,
        'format': FORMAT,
        'items': [{**asdict(s), 'iou': s.iou} for s in scores],
    }
    return report


def _families(scores: Sequence[Score]) -> dict[str, dict[str, Any]]:
    """Return the metrics by family; a family without items is `{"absent": True}`."""
    table: dict[str, dict[str, Any]] = {}
    for family in Family:
        own = [s for s in scores if s.family == family.value]
        table[family.value] = {**summarize(own), 'ci': intervals(own)} if own else {'absent': True, 'n_items': 0}
    return table


def _baselines(answers: Mapping[str, Sequence[Answer]]) -> dict[str, dict[str, Any]]:
    """Return the metrics of each baseline, and the paired difference of the network on the same items.

    The best prompt-blind version by gIoU on these items is reported, which favours the baseline.
    """
    own = [a.score for a in answers[MODEL]]
    table: dict[str, dict[str, Any]] = {}
    blind: tuple[float, str] | None = None
    for name, given in answers.items():
        if name == MODEL:
            continue
        scores = [a.score for a in given]
        entry = {**summarize(scores), 'ci': intervals(scores)}
        entry['per_family'] = {f.value: summarize([s for s in scores if s.family == f.value])['giou'] for f in Family}
        entry['model_ahead'] = {k: paired(scores, own)[k] for k in ('giou', 'giou_positive')}
        table[name] = entry
        if name.startswith(f'{BLIND}:') and (blind is None or entry['giou'] > blind[0]):
            blind = entry['giou'], name
    if blind:
        best = table[blind[1]]
        table = {k: v for k, v in table.items() if not k.startswith(f'{BLIND}:')}
        table[BLIND] = {**best, 'which': blind[1].removeprefix(f'{BLIND}:')}
    return table


def calibration(scores: Sequence[Score], *, calibrated: bool, threshold: float | None) -> dict[str, Any]:
    """Return the calibration of the score, and the trade-off of thresholds."""
    usable = [s for s in scores if s.positive is not None and not s.error]
    heads = [s.object_score for s in usable]
    # An uncalibrated score is 0 or 1; the object score, the input of a calibration, is more informative.
    use_head = not calibrated and all(h is not None for h in heads)
    values = [h or 0.0 for h in heads] if use_head else [s.score for s in usable]
    targets = [bool(s.positive) for s in usable]
    result: dict[str, Any] = {
        'calibrated': calibrated,
        'threshold': threshold,
        'of': 'object_score' if use_head else 'score',
    }
    if not usable or min(values) < 0 or max(values) > 1:
        return {**result, 'reliability': None, 'auc': None, 'trade_off': []}
    reliability = Reliability()
    for v, t in zip(values, targets):
        reliability.update(v, t)
    table = trade_off(values, targets)
    step = max(1, len(table) // 100)
    return {
        **result,
        'reliability': reliability.compute(),
        'auc': area_under_roc(values, targets),
        'trade_off': table[::step],
    }


def latency_of(answers: Sequence[Answer], image_ms: Sequence[float]) -> dict[str, float]:
    """Return median milliseconds: encoding an image, and the share of one prompt in its batch."""
    prompts = [a.score.ms for a in answers if a.score.ms > 0]
    result = {}
    if image_ms:
        result['image_ms'] = float(np.median(image_ms))
    if prompts:
        result['prompt_ms'] = float(np.median(prompts))
    return result


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == 'darwin' else 1 << 10)


def read_report(path: Path) -> dict[str, Any]:
    """Read a report; raise InputError if the file is not a report."""
    with parsing('a report of `converseg eval`', path):
        report: dict[str, Any] = json.loads(path.read_text())
        report['giou'], report['items']
    return report


def scores_of(report: Mapping[str, Any]) -> list[Score]:
    """Return the items of a report."""
    known = {f.name for f in fields(Score)}
    return [Score(**{k: v for k, v in item.items() if k in known}) for item in report['items']]


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the paired differences second - first of two reports, in total and by family."""
    a, b = scores_of(first), scores_of(second)
    shared = {s.id for s in a} & {s.id for s in b}
    families: dict[str, Any] = {}
    for family in Family:
        one = [s for s in a if s.family == family.value and s.id in shared]
        two = [s for s in b if s.id in shared and s.id in {x.id for x in one}]
        if one and two:
            families[family.value] = paired(one, two)
    change = {s.id: s.iou for s in a}
    moved = sorted(((s.iou - change[s.id], s.id, s.prompt) for s in b if s.id in shared), key=lambda m: (m[0], m[1]))
    return {
        'first': first.get('model', ''),
        'second': second.get('model', ''),
        'n_shared': len(shared),
        'n_only_first': len(a) - len(shared),
        'n_only_second': len(b) - len(shared),
        'differences': paired(a, b),
        'per_family': families,
        'worst': [{'id': i, 'prompt': p, 'change': c} for c, i, p in moved[:10]],
        'best': [{'id': i, 'prompt': p, 'change': c} for c, i, p in moved[::-1][:10]],
    }


def number(value: Any, digits: int = 3) -> str:
    """Return a number for a table; '-' for None."""
    return '-' if value is None else f'{value:.{digits}f}'


def with_interval(entry: Mapping[str, Any], key: str) -> str:
    """Return 'value [low, high]'."""
    ci = (entry.get('ci') or {}).get(key)
    text = number(entry.get(key))
    return f'{text} [{number(ci[0])}, {number(ci[1])}]' if ci and entry.get(key) is not None else text


def missing_intervals(report: Mapping[str, Any]) -> str:
    """Return why metrics of a report have no interval, '' if all have one."""
    stated = [k for k in RATIOS if report.get(k) is not None]
    missing = [k for k in stated if not (report.get('ci') or {}).get(k)]
    which = 'any metric' if missing == stated else ', '.join(missing)
    return f'No interval of {which}: its items are on fewer than {MIN_IMAGES} images.' if missing else ''


def table_text(report: Mapping[str, Any]) -> str:
    """Return the main table of the report for the terminal."""
    keys = ('giou', 'giou_positive', 'ciou', 'n_acc', 't_acc')
    rows = [('', *keys), (report['model'], *(with_interval(report, k) for k in keys))]
    for name, entry in report['baselines'].items():
        rows.append((name, *(with_interval(entry, k) for k in keys)))
    rows.append(('', *('',) * len(keys)))
    for name, entry in report['per_family'].items():
        rows.append(
            (name, *(('absent',) + ('',) * 4 if entry.get('absent') else (with_interval(entry, k) for k in keys)))
        )
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ['  '.join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows]
    sensitivity = with_interval(report, 'language_sensitivity')
    lines.append(f'language sensitivity {sensitivity}, boundary F {with_interval(report, "boundary_f")}')
    lines.append(
        f'OK {with_interval(report, "ok_share")} of the answers, right {with_interval(report, "ok_right")} of these'
    )
    lines.append(f'recall {number(report["recall"])} with {number(report["marked"])} of the images marked')
    if report['ladder']:
        steps = ', '.join(f'{step} {report["ladder"][step]:.2f}' for step in STEPS)
        lines.append(f'ladder: {steps}')
    if why := missing_intervals(report):
        lines.append(why)
    lines.append(f'{report["n_items"]} items ({report["n_negative"]} without target), {report["n_failed"]} failed')
    return '\n'.join(lines)


def comparison_text(result: Mapping[str, Any]) -> str:
    """Return the paired differences of `compare` for the terminal, one line per metric and family."""
    lines = [f'{result["first"]} -> {result["second"]}, {result["n_shared"]} items in both']
    for scope, table in {'all': result['differences'], **result['per_family']}.items():
        for name, row in table.items():
            if row['difference'] is None:
                continue
            low, high = row['ci'] or (None, None)
            interval = f'[{number(low)}, {number(high)}]' if row['ci'] else f'(fewer than {MIN_IMAGES} images)'
            sure = '' if row['separated'] or not row['ci'] else '  (not separated from 0)'
            values = f'{number(row["first"])} -> {number(row["second"])}  {row["difference"]:+.3f}'
            lines.append(f'{scope:12} {name:22} {values} {interval}{sure}')
    return '\n'.join(lines)
