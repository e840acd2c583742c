"""Read RefCOCO, RefCOCO+ and RefCOCOg folders."""

import json
from pathlib import Path
import pickle
import re
from typing import Any

from converseg_ros.core import InputError
from converseg_ros.datasets.coco import segmentation_mask
from converseg_ros.datasets.samples import Sample, broken
from converseg_ros.datasets.views import read_view

PREFERRED = ('unc', 'umd', 'google')  # the split that is used if a folder has several


class _PlainUnpickler(pickle.Unpickler):
    """Unpickler for lists, dicts, texts and numbers; rejects everything that would run code."""

    def find_class(self, module: str, name: str) -> Any:
        """Reject every class."""
        raise InputError(f'the pickle contains {module}.{name}', where='RefCOCO refs', do='use the published file')


def refs_file(folder: Path, split_by: str = '') -> Path:
    """Return the references of a folder: `split_by`'s, else UNC's (RefCOCO, +), else UMD's (g), else any."""
    found = {p: _author(p) for p in sorted(folder.glob('refs*')) if p.suffix in ('.p', '.json')}
    if split_by:
        found = {p: author for p, author in found.items() if author == split_by}
    if not found or not (folder / 'instances.json').is_file():
        wanted = f'refs({split_by}).p' if split_by else 'refs(*).p'
        raise InputError(f'no {wanted} or no instances.json', where=str(folder), do='give the RefCOCO folder')
    rank = {author: n for n, author in enumerate(PREFERRED)}
    return min(found, key=lambda p: (rank.get(found[p], len(rank)), p.name))


def _author(path: Path) -> str:
    match = re.search(r'\((\w+)\)', path.name)
    return match.group(1) if match else ''


def samples_of_refcoco(folder: Path, images: Path, split: str = 'val', split_by: str = '') -> list[Sample]:
    """Read a folder of `refs(*).p` or `refs*.json`, and `instances.json` in COCO's format; see refs_file.

    Every sentence of every reference is one sample; images are found in `images` by their COCO file name.
    """
    path = refs_file(folder, split_by)
    try:
        refs = _PlainUnpickler(path.open('rb')).load() if path.suffix == '.p' else json.loads(path.read_text())
        coco = json.loads((folder / 'instances.json').read_text())
        names = {i['id']: i for i in coco['images']}
        annotations = {a['id']: a for a in coco['annotations']}
    except (pickle.UnpicklingError, ValueError, KeyError, TypeError, EOFError) as error:
        raise InputError(f'not RefCOCO ({error})', where=str(folder)) from error
    samples = []
    for ref in refs:
        if split and ref.get('split') != split:
            continue
        try:
            image, annotation = names[ref['image_id']], annotations[ref['ann_id']]
            file_name = str(image['file_name'])
            sentences = [str(s.get('sent') or s['raw']) for s in ref['sentences']]
        except (KeyError, TypeError) as error:
            samples.append(broken(f'ref {ref.get("ref_id", "?")}', f'the reference has no {error}'))
            continue
        for k, text in enumerate(sentences):
            samples.append(
                Sample(
                    f'{ref["ref_id"]}-{k}',
                    file_name,
                    text,
                    lambda p=images / file_name: read_view(p),  # type: ignore[misc]
                    lambda a=annotation, i=image: segmentation_mask(a['segmentation'], i['height'], i['width']),  # type: ignore[misc]
                )
            )
    return samples
