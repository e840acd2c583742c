"""A local page for browsing a data set by family, sub-concept, split, target and verdict."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response

from converseg_ros.core.errors import InputError
from converseg_ros.core.image_files import encode_image
from converseg_ros.core.item import Item, read_items
from converseg_ros.data_engine.output.sheet import draw_item
from converseg_ros.data_engine.output.store import read_rejects
from converseg_ros.web.server import STATIC, add_page, make_app, run

PAGE = 24  # pairs per page
FIELDS = ('family', 'sub_concept', 'phase', 'split', 'target', 'verdict')


@dataclass(frozen=True, slots=True)
class Row:
    """A pair with the fields for filtering."""

    item: Item
    values: dict[str, str]
    reason: str


def rows_of(dataset: Path) -> list[Row]:
    """Return all pairs of a data set folder, accepted ones first."""

    def row(item: Item, verdict: str, reason: str) -> Row:
        values = {
            'family': str(item.family or 'none'),
            'sub_concept': item.sub_concept,
            'phase': item.phase,
            'split': item.split,
            'target': 'yes' if item.positive else 'none',
            'verdict': verdict,
        }
        return Row(item, values, reason)

    accepted = [row(i, 'accepted', str(i.provenance.get('strategy', ''))) for i in read_items(dataset)]
    return accepted + [row(i, 'rejected', why) for i, why in read_rejects(dataset)]


def _matching(rows: Iterable[Row], wanted: dict[str, str], text: str) -> list[Row]:
    return [
        r
        for r in rows
        if all(r.values[k] == v for k, v in wanted.items() if v) and text.lower() in r.item.prompt.lower()
    ]


def make_gallery(dataset: Path, host: str = '127.0.0.1') -> FastAPI:
    """Return the application of the gallery; raise InputError if the folder has no items."""
    rows = rows_of(dataset)
    if not rows:
        raise InputError('there are no items in it', where=str(dataset))
    by_id = {r.item.id: r for r in rows}
    app = make_app('converseg gallery', host=host)
    add_page(app, '/', STATIC / 'gallery.html')

    @app.get('/api/pairs')
    def pairs(
        family: str = '',
        sub_concept: str = '',
        phase: str = '',
        split: str = '',
        target: str = '',
        verdict: str = '',
        text: str = '',
        page: int = 0,
    ) -> dict[str, Any]:
        wanted = dict(zip(FIELDS, (family, sub_concept, phase, split, target, verdict)))
        found = _matching(rows, wanted, text)
        counts = {}
        for name in FIELDS:  # count within the other filters, so that a number is the size of the result
            others = _matching(rows, {k: v for k, v in wanted.items() if k != name}, text)
            counts[name] = dict(Counter(r.values[name] for r in others).most_common())
        start = max(0, page) * PAGE
        shown = [
            {'id': r.item.id, 'prompt': r.item.prompt, 'reason': r.reason, 'image': r.item.image_id, **r.values}
            for r in found[start : start + PAGE]
        ]
        return {'total': len(found), 'page_size': PAGE, 'counts': counts, 'pairs': shown}

    @app.get('/api/picture/{key}')
    def picture(key: str) -> Response:
        if key not in by_id:
            return Response('there is no such pair', 404)
        return Response(encode_image(draw_item(by_id[key].item, dataset), '.jpg', quality=85), media_type='image/jpeg')

    return app


def serve(dataset: Path, host: str, port: int) -> None:
    """Serve the gallery until Ctrl-C."""
    run(make_gallery(dataset, host), port=port)
