"""A report as one self-contained HTML page: tables, the reliability diagram, the worst and best cases as pictures."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import decode_rle
from converseg_ros.core.files import write_text
from converseg_ros.core.image_files import encode_image
from converseg_ros.core.overlay import Layer, draw_overlay
from converseg_ros.datasets.samples import Sample, fit_mask
from converseg_ros.evaluation.record import Answer
from converseg_ros.evaluation.report import missing_intervals, number, with_interval

KEYS = ('giou', 'giou_positive', 'ciou', 'n_acc', 't_acc', 'ok_share', 'ok_right', 'boundary_f', 'language_sensitivity')
CASES = 12  # pictures of each kind
WIDTH = 400  # pixels of a picture
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #8885; padding: .25rem .7rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td small { display: block; opacity: .75; }
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
figure { margin: 0; } img { width: 100%; height: auto; }
figcaption { font-size: .85rem; } code { overflow-wrap: anywhere; }
svg { max-width: 24rem; } svg text { fill: currentColor; font-size: 11px; }
"""


def write_html(
    path: Path, report: Mapping[str, Any], samples: Sequence[Sample] = (), answers: Sequence[Answer] = ()
) -> None:
    """Write the page atomically; without samples and answers it has no pictures."""
    write_text(path, page(report, samples, answers))


def page(report: Mapping[str, Any], samples: Sequence[Sample] = (), answers: Sequence[Answer] = ()) -> str:
    """Return the page."""
    title = f'{report["model"]} on {report["data"]}'
    parts = [
        f'<h1>{escape(title)}</h1>',
        f'<p><code>{escape(report["command"])}</code></p>',
        f'<p>{report["n_items"]} items, {report["n_negative"]} without a target, {report["n_failed"]} failed.'
        f' Intervals are 95 % bootstrap intervals over images. {missing_intervals(report)}</p>',
        '<h2>Compared with baselines</h2>',
        _table([('this network', report), *report['baselines'].items()]),
        '<h2>By family</h2>',
        _table(list(report['per_family'].items())),
    ]
    if report.get('per_sub_concept'):
        parts += ['<h2>By sub-concept</h2>', _table(list(report['per_sub_concept'].items()))]
    parts += ['<h2>Calibration</h2>', _calibration(report['calibration'])]
    if report.get('latency'):
        cells = ', '.join(f'{escape(k)} {v:.1f}' for k, v in report['latency'].items())
        parts.append(f'<p>Median latency in ms: {cells}; peak memory of the process {report["memory_mb"]:.0f} MiB.</p>')
    parts.append(_cases(samples, answers))
    failed = [i for i in report['items'] if i['error']]
    if failed:
        rows = ''.join(f'<li>{escape(i["id"])}: {escape(i["error"])}</li>' for i in failed[:200])
        parts.append(f'<h2>Failed items</h2><ul>{rows}</ul>')
    body = '\n'.join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f'<body>\n{body}\n</body></html>\n'
    )


def _table(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    head = ''.join(f'<th scope="col">{escape(k)}</th>' for k in ('', *KEYS, 'items'))
    lines = []
    for name, entry in rows:
        if entry.get('absent'):
            cells = f'<td colspan="{len(KEYS) + 1}">absent from this data</td>'
        else:
            cells = ''.join(f'<td>{_cell(entry, k)}</td>' for k in KEYS) + f'<td>{entry["n_items"]}</td>'
        label = name + (f' ({entry["which"]})' if entry.get('which') else '')
        lines.append(f'<tr><td>{escape(label)}</td>{cells}</tr>')
    return f'<table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _cell(entry: Mapping[str, Any], key: str) -> str:
    value, _, interval = with_interval(entry, key).partition(' ')
    return f'{value}<small>{interval}</small>' if interval else value


def _calibration(data: Mapping[str, Any]) -> str:
    """Return the reliability diagram and the trade-off of the threshold."""
    said = 'calibrated' if data['calibrated'] else 'not calibrated: the score is not a probability'
    text = f'<p>The network is {said}. Threshold for "no target": {number(data["threshold"])}.'
    text += f' Probability that a target scores above a non-target (AUC): {number(data["auc"])}.</p>'
    reliability = data.get('reliability')
    if not reliability or not reliability['bins']:
        return text
    size = 220
    bars = ''.join(
        f'<rect x="{30 + b["low"] * size:.1f}" y="{10 + (1 - b["target"]) * size:.1f}" width="{size / 10 - 2:.1f}"'
        f' height="{b["target"] * size:.1f}" fill="#56b4e9"><title>{b["count"]} items: score {b["score"]:.2f},'
        f' {b["target"]:.2f} have a target</title></rect>'
        for b in reliability['bins']
    )
    axis = ''.join(
        f'<text x="{26 + v * size:.0f}" y="{size + 26}">{v:g}</text>'
        f'<text x="4" y="{14 + (1 - v) * size:.0f}">{v:g}</text>'
        for v in (0, 0.5, 1)
    )
    diagram = (
        f'<svg viewBox="0 0 {size + 60} {size + 50}" role="img" aria-label="reliability diagram">{bars}'
        f'<line x1="30" y1="{size + 10}" x2="{size + 30}" y2="10" stroke="currentColor" stroke-dasharray="4"/>{axis}'
        f'<text x="{size / 2 - 20}" y="{size + 44}">{escape(data["of"])}</text></svg>'
    )
    table = data.get('trade_off', [])
    step = max(1, len(table) // 12)
    rows = ''.join(
        f'<tr><td>{number(t["threshold"])}</td><td>{number(t["n_acc"])}</td><td>{number(t["t_acc"])}</td></tr>'
        for t in table[::step]
    )
    head = '<tr><th>threshold</th><th>N-acc</th><th>T-acc</th></tr>'
    return f'{text}<p>Expected calibration error {number(reliability["ece"])}.</p>{diagram}<table>{head}{rows}</table>'


def _cases(samples: Sequence[Sample], answers: Sequence[Answer]) -> str:
    """Return the worst and best positives and the incorrectly answered negatives as pictures."""
    pairs = [(s, a) for s, a in zip(samples, answers, strict=True) if not a.score.error and a.rle is not None]
    positives = sorted((p for p in pairs if p[1].score.positive), key=lambda p: (p[1].score.iou, -p[1].score.score))
    negatives = [p for p in pairs if not p[1].score.positive and not p[1].score.refused]
    worst, best = positives[:CASES], positives[CASES:][::-1][:CASES]
    text = '<p>Blue: ground truth; orange: answer.</p>'
    for title, chosen in (
        ('Worst', worst),
        ('Best', best),
        ('Answered although there is no target', negatives[:CASES]),
    ):
        if chosen:
            figures = ''.join(_figure(s, a) for s, a in chosen)
            text += f'<h2>{title}</h2><div class="cases">{figures}</div>'
    return text if pairs else ''


def _figure(sample: Sample, answer: Answer) -> str:
    score = answer.score
    caption = f'{escape(sample.prompt)}<br>IoU {score.iou:.2f}, {escape(score.status)}, score {score.score:.2f}'
    note = f'<figcaption>{caption} <small>{escape(sample.id)}</small></figcaption>'
    try:
        rgb = sample.view().rgb
        truth = fit_mask(sample.truth(), *rgb.shape[:2])
        mask = decode_rle(answer.rle or {})
    except Exception as error:
        return f'<figure><p>no picture: {escape(str(error))}</p>{note}</figure>'
    source = jpeg_url(draw_overlay(rgb, [Layer(truth), Layer(mask)]))
    return f'<figure><img loading="lazy" alt="{escape(sample.prompt, quote=True)}" src="{source}">{note}</figure>'


def jpeg_url(rgb: NDArray[np.uint8], width: int = WIDTH) -> str:
    """Return an image as a data URL, scaled down to `width`."""
    import cv2

    if rgb.shape[1] > width:
        size = (width, max(1, round(rgb.shape[0] * width / rgb.shape[1])))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return 'data:image/jpeg;base64,' + base64.b64encode(encode_image(rgb, '.jpg')).decode()
