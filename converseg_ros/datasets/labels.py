"""Manual ground truth: prompts and masks on images or bag frames, stored without the images.

A label file is a JSON list of `{"id", "source", "image" or "stamp_ns", "prompt", "family", "sub_concept", "rle",
"how"}`: `source` is a folder of images or a rosbag below the root folder of the reader, `rle` is COCO's uncompressed
RLE (all zero: no target), `how` describes how the mask was made.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Family, Frame, InputError, decode_rle, encode_rle
from converseg_ros.core.errors import parsing
from converseg_ros.core.files import write_text
from converseg_ros.core.instruction import clean_text
from converseg_ros.datasets.polygons import build_parts, combine

# `how` of a mask that was made with the help of a network; not to be used alone for choosing or reporting
ASSISTED = 'assisted'
FindView = Callable[[str, str], Frame]  # (source, image name or stamp) -> frame


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled prompt; `image` is a file name, or the frame's stamp in nanoseconds for a bag."""

    id: str
    source: str
    image: str | int
    prompt: str
    rle: dict[str, Any]
    family: Family | None = None
    sub_concept: str = ''
    how: str = ''

    def __post_init__(self) -> None:
        """Validate the fields that all readers need."""
        object.__setattr__(self, 'prompt', clean_text(self.prompt))
        if not self.id or not self.source or self.image == '':
            raise InputError('a label needs id, source and image', where=f'label {self.id or "?"}')
        if self.family is not None:
            object.__setattr__(self, 'family', Family(self.family))

    def mask(self) -> NDArray[np.bool_]:
        """Return the (H, W) ground-truth mask."""
        return decode_rle(self.rle)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this label."""
        where: dict[str, Any] = {'stamp_ns': self.image} if isinstance(self.image, int) else {'image': self.image}
        return {
            'id': self.id,
            'source': self.source,
            **where,
            'prompt': self.prompt,
            'family': self.family,
            'sub_concept': self.sub_concept,
            'rle': self.rle,
            'how': self.how,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> 'Label':
        """Create a label from a JSON object; raise InputError if a field is missing or invalid."""
        try:
            image = int(data['stamp_ns']) if 'stamp_ns' in data else str(data['image'])
            texts = {k: str(data.get(k) or '') for k in ('sub_concept', 'how')}
            family = Family(data['family']) if data.get('family') else None
            label = cls(str(data['id']), str(data['source']), image, str(data['prompt']), data['rle'], family, **texts)
            label.mask()
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'not a label ({error})', where=f'label {data.get("id", "?")}') from error
        return label


def read_labels(path: Path) -> list[Label]:
    """Read a label file; raise InputError with the name of the file and the error."""
    try:
        data = json.loads(path.read_text())
        if not isinstance(data, list):
            raise InputError('not a list', where='labels')
        labels = [Label.from_json(d) for d in data]
    except OSError as error:
        raise InputError(f'cannot be read ({error.strerror})', where=str(path)) from error
    except ValueError as error:
        raise InputError(f'not a label file ({error})', where=str(path)) from error
    twice = {x.id for x in labels if sum(y.id == x.id for y in labels) > 1}
    if twice:
        raise InputError(f'ids occur twice: {", ".join(sorted(twice))}', where=str(path))
    return labels


def write_labels(path: Path, labels: Iterable[Label]) -> None:
    """Write a label file atomically, one label per line so that changes can be reviewed."""
    lines = [json.dumps(x.to_json(), ensure_ascii=False, separators=(', ', ': ')) for x in labels]
    write_text(path, '[\n' + ',\n'.join(lines) + '\n]\n' if lines else '[]\n')


def how_made(target: list[str], parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Describe how the mask of a prompt was made from a polygon file."""
    if not target:
        return 'no target: the whole image was searched by eye'
    used = [parts[t.removeprefix('-')] for t in target]
    bands = sorted({int(p.get('refine', 0)) for p in used} - {0})
    text = 'polygons by hand'
    if any(p.get('minus') for p in used):
        text += ', less what stands in front'
    if any(p.get('within') for p in used):
        text += ', clipped to the object it belongs to'
    if bands:
        text += f'; outline moved to the colour edge by GrabCut within {" or ".join(map(str, bands))} px'
    return text


def labels_of_polygons(path: Path, find: FindView) -> list[Label]:
    """Create the labels of a polygon file (see datasets.polygons); `find` returns the images that were drawn on."""
    with parsing('a polygon file', path):
        data = json.loads(path.read_text())
        source, images = str(data['source']), dict(data['images'])
    labels = []
    for name, entry in images.items():
        rgb = find(source, name).rgb
        height, width = rgb.shape[:2]
        parts = entry.get('parts', {})
        masks = build_parts(rgb, parts)
        for prompt in entry.get('prompts', ()):
            target = list(prompt.get('target', ()))
            mask = combine(masks, target, height, width)
            if target and not mask.any():
                raise InputError('the target is empty', where=f'{path.name}: {prompt["id"]}', do='check its polygons')
            labels.append(
                Label(
                    prompt['id'],
                    source,
                    int(name) if name.isdigit() else name,
                    prompt['prompt'],
                    encode_rle(mask),
                    Family(prompt['family']) if prompt.get('family') else None,
                    prompt.get('sub_concept', ''),
                    how_made(target, parts),
                )
            )
    return labels
