"""Read ReasonSeg folders (arXiv 2308.00692): NAME.jpg and NAME.json with `text` and labelled `shapes`."""

from functools import partial
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import InputError
from converseg_ros.datasets.images import read_rgb
from converseg_ros.datasets.polygons import rasterize
from converseg_ros.datasets.samples import Sample, broken
from converseg_ros.datasets.views import read_view

CIRCLE_POINTS = 64


def samples_of_reasonseg(folder: Path) -> list[Sample]:
    """Return the samples of a folder.

    As in the published loader, shapes whose label contains `ignore` are not evaluated, `flag` is not a mask, and all
    other shapes are targets. Shapes are labelme's polygons, rectangles and circles; an item with another shape is
    broken.
    """
    samples = []
    for path in sorted(folder.glob('*.json')):
        image = next((p for p in (path.with_suffix(s) for s in ('.jpg', '.jpeg', '.png')) if p.is_file()), None)
        try:
            data = read_json(path)
            texts = data['text'] if isinstance(data['text'], list) else [data['text']]
            shapes: dict[str, list[list[list[float]]]] = {'target': [], 'ignore': []}
            for shape in data['shapes']:
                label = str(shape['label']).lower()
                if label != 'flag':
                    shapes['ignore' if 'ignore' in label else 'target'].append(outline(shape))
            if image is None:
                raise InputError('there is no image with this name')
        except (ValueError, KeyError, TypeError) as error:
            samples.append(broken(path.stem, f'not a ReasonSeg item ({error})'))
            continue
        for k, text in enumerate(texts):
            samples.append(
                Sample(
                    f'{path.stem}-{k}',
                    image.name,
                    str(text),
                    partial(read_view, image),
                    partial(_draw, image, shapes['target']),
                    ignore=partial(_draw, image, shapes['ignore']),
                )
            )
    if not samples:
        raise InputError('no NAME.json with an image NAME.jpg', where=str(folder))
    return samples


def read_json(path: Path) -> Any:
    """Return a JSON file in UTF-8, with or without a byte order mark, or in cp1252, as some of the data set are."""
    data = path.read_bytes()
    try:
        return json.loads(data.decode('utf-8-sig'))
    except UnicodeDecodeError:
        return json.loads(data.decode('cp1252'))


def outline(shape: dict[str, Any]) -> list[list[float]]:
    """Return a labelme shape as a polygon; raise InputError for a shape without area."""
    points = [[float(x), float(y)] for x, y in shape['points']]
    kind = shape.get('shape_type') or ('rectangle' if len(points) == 2 else 'polygon')
    if kind == 'rectangle' and len(points) == 2:
        (x0, y0), (x1, y1) = points
        return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    if kind == 'circle' and len(points) == 2:
        (x, y), edge = points
        radius = float(np.hypot(edge[0] - x, edge[1] - y))
        angles = np.linspace(0, 2 * np.pi, CIRCLE_POINTS, endpoint=False)
        return [[x + radius * np.cos(a), y + radius * np.sin(a)] for a in angles]
    if kind in ('polygon', 'rectangle') and len(points) >= 3:
        return points
    raise InputError(f'a {kind} with {len(points)} points', where='shape')


def _draw(image: Path, polygons: list[list[list[float]]]) -> NDArray[np.bool_]:
    height, width = read_rgb(image).shape[:2]
    return rasterize(polygons, (), height, width)
