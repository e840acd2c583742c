"""Readers of data set formats by name; `items`, the format of the data engine, is in samples.py."""

from collections.abc import Callable
import json
from pathlib import Path

from converseg_ros.core import InputError
from converseg_ros.datasets.images import read_mask
from converseg_ros.datasets.parquet import samples_of_parquet
from converseg_ros.datasets.reasonseg import samples_of_reasonseg
from converseg_ros.datasets.refcoco import samples_of_refcoco
from converseg_ros.datasets.samples import Sample, family_of
from converseg_ros.datasets.views import read_view


def read_reference(path: Path) -> list[Sample]:
    """Read the reference's dataset.jsonl: lines of {image, mask_merged, prompt} with paths relative to the file.

    Its masks may be smaller than the images (at most 768 pixels); they are resized to the image.
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
                family_of(concept),
            )
        )
    return found


def read_hub(path: Path) -> list[Sample]:
    """Read the Hugging Face format: a parquet file or a folder of them (id, image, mask, prompt, concept)."""
    files = sorted(path.rglob('*.parquet')) if path.is_dir() else [path]
    if not files:
        raise InputError('there is no parquet file', where=str(path))
    return [s for file in files for s in samples_of_parquet(file, f'{file.stem}-')]


def read_refcoco(path: Path) -> list[Sample]:
    """Read the train split of a RefCOCO, + or g folder; the images are in `path/images`."""
    return samples_of_refcoco(path, path / 'images', 'train')


def read_reasonseg(path: Path) -> list[Sample]:
    """Read a ReasonSeg folder."""
    return samples_of_reasonseg(path)


READERS: dict[str, Callable[[Path], list[Sample]]] = {
    'reference': read_reference,
    'hub': read_hub,
    'refcoco': read_refcoco,
    'reasonseg': read_reasonseg,
}
LITERAL = ('refcoco',)  # formats whose prompts name their target
