"""Other people's data sets as training records; what a sample is, evaluation already knows."""

from collections.abc import Callable, Iterable
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Family, InputError, Item, encode_rle
from converseg_ros.datasets import external, samples
from converseg_ros.datasets.images import read_mask
from converseg_ros.datasets.samples import Sample
from converseg_ros.datasets.views import read_view
from converseg_ros.training.records import Record, split_of


def read_reference(path: Path) -> list[Sample]:
    """Read the reference engine's dataset.jsonl: lines of {image, mask_merged, prompt}, paths relative to the file.

    Its masks may be smaller than the images (saved at 768 pixels at most): they are brought to the image's size.
    """
    file = path / 'dataset.jsonl' if path.is_dir() else path
    found = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            image, mask, prompt = file.parent / data['image'], file.parent / data['mask_merged'], str(data['prompt'])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f'not a line of the reference ({error})', where=f'{file}:{number}') from error
        concept = str(data.get('concept', ''))
        found.append(
            Sample(
                f'{file.stem}-{number}',
                str(data['image']),
                prompt,
                lambda image=image: read_view(image),  # type: ignore[misc]
                lambda mask=mask: read_mask(mask),  # type: ignore[misc]
                samples.family_of(concept),
            )
        )
    return found


def read_hub(path: Path) -> list[Sample]:
    """Read the Hugging Face format: a parquet file or a folder of them (id, image, mask, prompt, concept)."""
    files = sorted(path.rglob('*.parquet')) if path.is_dir() else [path]
    if not files:
        raise InputError('there is no parquet file', where=str(path))
    return [s for file in files for s in external.samples_of_parquet(file, f'{file.stem}-')]


def read_refcoco(path: Path) -> list[Sample]:
    """Read the train part of a RefCOCO, + or g folder; the images lie in `path/images`."""
    return external.samples_of_refcoco(path, path / 'images', 'train')


def read_reasonseg(path: Path) -> list[Sample]:
    """Read a ReasonSeg folder."""
    return external.samples_of_reasonseg(path)


READERS: dict[str, Callable[[Path], list[Sample]]] = {
    'reference': read_reference,
    'hub': read_hub,
    'refcoco': read_refcoco,
    'reasonseg': read_reasonseg,
}
LITERAL = ('refcoco',)  # formats whose prompts name their target


def records_of(found: Iterable[Sample], split: str, val_share: float, *, literal: bool) -> list[Record]:
    """Return the records of `split`: one an image, split by a hash of its id; unreadable samples are left out."""
    records = []
    for group in samples.by_image(found):
        part = split_of(group[0].image_id, val_share)
        if part != split:
            continue
        items = []
        for sample in group:
            item = _item(sample, split, literal)
            if item is not None:
                items.append(item)
        if items:
            records.append(Record(group[0].image_id, tuple(items), _rgb_of(group[0])))
    return records


def _rgb_of(sample: Sample) -> Callable[[], NDArray[np.uint8]]:
    return lambda: sample.view().rgb


def _item(sample: Sample, split: str, literal: bool) -> Item | None:
    """Return a sample as an item, or None where its files cannot be read."""
    try:
        rgb, mask = sample.view().rgb, sample.truth()
        mask = samples.fit_mask(mask, rgb.shape[0], rgb.shape[1])
        family = Family(sample.family) if sample.family else None
        phase = 'literal' if literal else 'conversational'
        return Item(
            sample.id,
            sample.image_id,
            sample.prompt,
            encode_rle(mask),
            family,
            sample.sub_concept,
            phase,  # type: ignore[arg-type]
            split,  # type: ignore[arg-type]
            sample.image_id,
        )
    except (InputError, OSError):
        return None
