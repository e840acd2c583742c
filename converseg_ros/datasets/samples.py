"""Samples for evaluation: one prompt on one image with its ground truth, from any data set."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
import hashlib
from itertools import groupby
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Family, Frame, InputError, Item
from converseg_ros.core.errors import parsing
from converseg_ros.core.mask import resize_mask
from converseg_ros.datasets.images import read_mask
from converseg_ros.datasets.labels import FindView, Label
from converseg_ros.datasets.views import read_view

FAMILY_WORDS = {  # names of the families in the `concept` column of the published benchmark
    'entit': Family.ENTITIES,
    'spatial': Family.SPATIAL,
    'layout': Family.SPATIAL,
    'relation': Family.RELATIONS,
    'event': Family.RELATIONS,
    'interaction': Family.RELATIONS,
    'affordance': Family.AFFORDANCES,
    'function': Family.AFFORDANCES,
    'physic': Family.PHYSICS,
    'safety': Family.PHYSICS,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One prompt to evaluate; image and ground truth are read on demand, so that an invalid file affects one item only.

    Attributes:
        view: returns the frame, with depth and camera if the data set has them.
        truth: returns (H, W) bool; all False means no target.
        ignore: returns (H, W) bool pixels that are not evaluated, or None.
        program: JSON object of a program to execute instead of the prompt.
        gold: the program that the prompt means; the parsed program is compared with it.
        weight: how much the answer counts in a calibration.
    """

    id: str
    image_id: str
    prompt: str
    view: Callable[[], Frame]
    truth: Callable[[], NDArray[np.bool_]]
    family: str = ''
    sub_concept: str = ''
    ignore: Callable[[], NDArray[np.bool_] | None] | None = None
    program: dict[str, Any] | None = None
    gold: dict[str, Any] | None = None
    weight: float = 1.0


def fit_mask(mask: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask resized to the image; its aspect ratio must be that of the image."""
    if mask.shape == (height, width):
        return mask
    if abs(mask.shape[1] / mask.shape[0] - width / height) > 0.02 * width / height:
        raise InputError(f'the mask is {mask.shape}, the image {(height, width)}', where='truth')
    return resize_mask(mask, height, width)


def family_of(concept: str) -> str:
    """Return the family that a `concept` text names, or ''."""
    lower = concept.lower()
    return next((family.value for word, family in FAMILY_WORDS.items() if word in lower), '')


def broken(id_: str, why: str) -> Sample:
    """Return a sample that raises an error with `why` when it is read."""

    def fail() -> Any:
        raise InputError(why, where=f'item {id_}')

    return Sample(id_, id_, '', fail, fail)


def samples_of_items(path: Path) -> list[Sample]:
    """Read the reference's items.json (docs/evaluation.md); paths in it are relative to the file."""
    with parsing('an items.json', path, 'it needs {"items": [{"id", "image", "mask", "prompt"}]}'):
        data = json.loads(path.read_text())
        items = data['items']
        if not isinstance(items, list):
            raise TypeError('`items` is not a list')
    return [_item_sample(path.parent, index, item) for index, item in enumerate(items)]


def _item_sample(root: Path, index: int, item: Any) -> Sample:
    try:
        id_, image, mask, prompt = str(item['id']), root / item['image'], root / item['mask'], str(item['prompt'])
    except (KeyError, TypeError) as error:
        return broken(f'{index}', f'the entry has no {error}')
    if not prompt.strip():
        return broken(id_, 'the prompt is empty')
    concept = str(item.get('concept') or '')
    family = family_of(concept)
    sub = str(item.get('sub_concept') or ('' if family else concept))
    return Sample(id_, str(image), prompt, lambda: read_view(image), lambda: read_mask(mask), family, sub)


def samples_of_dataset(folder: Path, split: str = '') -> list[Sample]:
    """Read `folder/items.jsonl` of the data engine, one core.Item per line; `split` '' selects all splits."""
    path = folder / 'items.jsonl' if folder.is_dir() else folder
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise InputError(f'cannot be read ({error.strerror})', where=str(path)) from error
    samples = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = Item.from_json(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            samples.append(broken(f'line {number}', f'not an item ({error})'))
            continue
        if split and item.split != split:
            continue
        image = item.image_path(path.parent)
        family = item.family.value if item.family else ''
        samples.append(
            Sample(
                item.id,
                item.image_id or item.image,
                item.prompt,
                lambda image=image: read_view(image),  # type: ignore[misc]
                item.mask,
                family,
                item.sub_concept,
            )
        )
    return samples


def samples_of_labels(labels: Iterable[Label], find: FindView) -> list[Sample]:
    """Return the samples of manual labels; `find` reads the frame of (source, name or stamp)."""
    return [
        Sample(
            x.id,
            f'{x.source}/{x.image}',
            x.prompt,
            lambda x=x: find(x.source, str(x.image)),  # type: ignore[misc]
            x.mask,
            x.family.value if x.family else '',
            x.sub_concept,
        )
        for x in labels
    ]


def by_image(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    """Yield the samples of each image, in order of first appearance."""
    order: dict[str, int] = {}
    listed = list(samples)
    for sample in listed:
        order.setdefault(sample.image_id, len(order))
    listed.sort(key=lambda s: order[s.image_id])
    for _, group in groupby(listed, key=lambda s: s.image_id):
        yield list(group)


def check_ids(samples: list[Sample]) -> list[Sample]:
    """Return the samples with unique ids, since results are stored by id; a repeated id becomes `ID#2`, `ID#3` ..."""
    seen: dict[str, int] = {}
    unique = []
    for s in samples:
        seen[s.id] = seen.get(s.id, 0) + 1
        id_ = s.id if seen[s.id] == 1 else f'{s.id}#{seen[s.id]}'
        unique.append(s if id_ == s.id else replace(s, id=id_))
    return unique


def with_programs(samples: list[Sample], path: Path | None, field: str = 'program') -> list[Sample]:
    """Return the samples with the programs of a JSON file {item id: program} as `field`, 'program' or 'gold'.

    Raises InputError for an id that no sample has.
    """
    if path is None:
        return samples
    with parsing('a JSON object of programs', path):
        programs = dict(json.loads(path.read_text()))
    if unknown := programs.keys() - {s.id for s in samples}:
        raise InputError(f'no item is called {", ".join(sorted(unknown)[:5])}', where=str(path))
    return [replace(s, **{field: programs[s.id]}) if s.id in programs else s for s in samples]


def digest(samples: Iterable[Sample]) -> str:
    """Return a short hash of images and prompts, to recognise the same data set again."""
    h = hashlib.sha256()
    for s in samples:
        h.update(f'{s.id}\0{s.image_id}\0{s.prompt}\0{json.dumps(s.program) if s.program else ""}\0'.encode())
    return h.hexdigest()[:16]
