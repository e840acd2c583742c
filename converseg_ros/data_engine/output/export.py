"""Export of a data set: the reference's dataset.jsonl and items.json, COCO, parquet."""

from collections.abc import Iterable, Iterator
import json
from pathlib import Path
import shutil
from typing import Any

import numpy as np

from converseg_ros.core.errors import InputError, import_extra, writing
from converseg_ros.core.files import atomic_path, write_json, write_text
from converseg_ros.core.image_files import write_image
from converseg_ros.core.item import Item, read_items
from converseg_ros.core.mask import mask_box


def export(dataset: Path, out: Path, formats: Iterable[str], splits: Iterable[str]) -> Iterator[str]:
    """Write each format of each split under `out`, and yield a line about each file.

    Images and masks are written once per split (`out/SPLIT/images`, `out/SPLIT/masks`); masks are PNGs of 0 and 255 at
    image size, all zero for no target. Raise InputError if there are no items, ConversegError if the disk is full.
    """
    items = read_items(dataset)
    if not items:
        raise InputError('there are no items in it', where=str(dataset))
    writers = {'dataset': _dataset, 'items': _items, 'coco': _coco, 'parquet': _parquet}
    with writing(out, do='free disk space and export again'):
        for split in splits:
            chosen = [i for i in items if i.split == split]
            if not chosen:
                continue
            folder = out / split
            images = _copy_images(chosen, dataset, folder)
            for name in formats:
                path = writers[name](chosen, images, folder, split)
                yield f'{path}: {len(chosen)} items'


def _copy_images(items: list[Item], dataset: Path, folder: Path) -> dict[str, str]:
    """Copy each image once; return its path relative to `folder`, by the item's image path."""
    names: dict[str, str] = {}
    for item in items:
        if item.image in names:
            continue
        source = item.image_path(dataset)
        name = f'images/{item.image_id.replace("/", "_")}'
        if not Path(name).suffix:
            name += source.suffix
        target = folder / name
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(target) as temporary:
                shutil.copyfile(source, temporary)
        names[item.image] = name
    return names


def _mask_file(item: Item, folder: Path) -> str:
    """Write the mask of an item if it does not exist; return its path relative to `folder`."""
    name = f'masks/{item.id}.png'
    if not (folder / name).is_file():
        write_image(folder / name, item.mask().astype(np.uint8) * 255)
    return name


def _dataset(items: list[Item], images: dict[str, str], folder: Path, split: str) -> Path:
    """Write the reference's training format; in contrast to it, items without a target are kept, with an empty mask."""
    rows = [
        {'image': images[i.image], 'mask_merged': _mask_file(i, folder), 'prompt': i.prompt, 'phase': i.phase}
        for i in items
    ]
    path = folder / 'dataset.jsonl'
    write_text(path, ''.join(json.dumps(r, ensure_ascii=False) + '\n' for r in rows))
    return path


def _items(items: list[Item], images: dict[str, str], folder: Path, split: str) -> Path:
    """Write the reference's evaluation format."""
    rows = [
        {
            'id': i.id,
            'image': images[i.image],
            'mask': _mask_file(i, folder),
            'prompt': i.prompt,
            'concept': str(i.family or ''),
        }
        for i in items
    ]
    path = folder / 'items.json'
    write_json(path, {'dataset': f'converseg-{split}', 'count': len(rows), 'items': rows})
    return path


def _coco(items: list[Item], images: dict[str, str], folder: Path, split: str) -> Path:
    """Write COCO annotations: one category per family, uncompressed RLE, the prompt in each annotation.

    An item without a target has an annotation with area 0 and an empty RLE, so that no prompt is lost.
    """
    families = sorted({str(i.family or 'none') for i in items})
    categories = [{'id': n + 1, 'name': f, 'supercategory': 'concept'} for n, f in enumerate(families)]
    numbers = {name: n + 1 for n, name in enumerate(images)}
    sizes = {i.image: i.rle['size'] for i in items}
    image_rows = [
        {'id': numbers[name], 'file_name': images[name], 'height': sizes[name][0], 'width': sizes[name][1]}
        for name in images
    ]
    rows: list[dict[str, Any]] = []
    for n, i in enumerate(items):
        mask = i.mask()
        box = mask_box(mask)
        rows.append(
            {
                'id': n + 1,
                'image_id': numbers[i.image],
                'category_id': families.index(str(i.family or 'none')) + 1,
                'segmentation': i.rle,
                'area': int(np.count_nonzero(mask)),
                'bbox': [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0],
                'iscrowd': 1,
                'caption': i.prompt,
                'sub_concept': i.sub_concept,
                'item_id': i.id,
                'program': i.program,
            }
        )
    path = folder / 'annotations.json'
    info = {'description': f'converseg prompt-mask pairs, {split}'}
    write_json(path, {'info': info, 'images': image_rows, 'annotations': rows, 'categories': categories}, indent=None)
    return path


def _parquet(items: list[Item], images: dict[str, str], folder: Path, split: str) -> Path:
    """Write a Hugging Face table: encoded images and masks, with the feature types in the schema's metadata."""
    with import_extra('engine'):
        import pyarrow as pa
        import pyarrow.parquet as pq
    image_type = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
    texts = ('id', 'prompt', 'concept', 'sub_concept', 'phase', 'image_id', 'room')
    schema = pa.schema([('image', image_type), ('mask', image_type), *((t, pa.string()) for t in texts)])
    features = {t: {'dtype': 'string', '_type': 'Value'} for t in texts} | {
        'image': {'_type': 'Image'},
        'mask': {'_type': 'Image'},
    }
    schema = schema.with_metadata({'huggingface': json.dumps({'info': {'features': features}})})
    path = folder / f'{split}.parquet'
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression='zstd') as writer:
        for start in range(0, len(items), 64):  # one row group at a time, to limit memory
            rows = []
            for i in items[start : start + 64]:
                mask = _mask_file(i, folder)
                rows.append(
                    {
                        'image': {'bytes': (folder / images[i.image]).read_bytes(), 'path': images[i.image]},
                        'mask': {'bytes': (folder / mask).read_bytes(), 'path': mask},
                        'id': i.id,
                        'prompt': i.prompt,
                        'concept': str(i.family or ''),
                        'sub_concept': i.sub_concept,
                        'phase': i.phase,
                        'image_id': i.image_id,
                        'room': i.room,
                    }
                )
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return path
