"""Readers of other people's data sets: the published benchmark's parquet files, RefCOCO and ReasonSeg folders."""

from collections.abc import Mapping
from functools import lru_cache
import hashlib
import io
import json
from pathlib import Path
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, Frame, InputError, decode_rle
from converseg_ros.datasets.images import read_mask, read_rgb
from converseg_ros.datasets.polygons import rasterize
from converseg_ros.datasets.samples import Sample, broken, family_of
from converseg_ros.datasets.views import read_view

HUB_BENCHMARK = 'aadarsh99/ConverSeg'


class Parquet:
    """A parquet file whose image columns are read by row; the column of one row group is kept at a time."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow.parquet as pq
        except ImportError as error:
            do = "pip install 'converseg_ros[eval]'"
            raise ConversegError('parquet needs pyarrow', where=str(path), do=do) from error
        try:
            self.path, self.file = path, pq.ParquetFile(path)
        except (OSError, ValueError) as error:
            raise InputError(f'not a parquet file ({error})', where=str(path)) from error
        self.names: list[str] = self.file.schema_arrow.names
        counts = [self.file.metadata.row_group(g).num_rows for g in range(self.file.num_row_groups)]
        self.starts = np.cumsum([0, *counts])
        self.column = lru_cache(maxsize=2)(self._column)  # the newest image and mask column

    def _column(self, group: int, name: str) -> Any:
        return self.file.read_row_group(group, columns=[name]).column(0)

    def texts(self) -> list[dict[str, Any]]:
        """Return the columns id, prompt and concept of every row, as far as there are any."""
        names = [n for n in ('id', 'prompt', 'concept') if n in self.names]
        return list(self.file.read(columns=names).to_pylist())

    def image(self, row: int, name: str) -> bytes:
        """Return the bytes of one image."""
        group = int(np.searchsorted(self.starts, row, 'right')) - 1
        cell = self.column(group, name)[row - int(self.starts[group])].as_py()
        data = cell.get('bytes') if isinstance(cell, Mapping) else cell
        if not data:
            raise InputError(f'row {row} has no {name}', where=str(self.path))
        return bytes(data)


def samples_of_parquet(path: Path, prefix: str = '') -> list[Sample]:
    """Read a file with columns id, image, mask, prompt, concept (images as {'bytes', 'path'}).

    Rows with the same image bytes belong to one image.
    """
    table = Parquet(path)
    missing = {'image', 'mask', 'prompt'} - set(table.names)
    if missing:
        raise InputError(f'no column {", ".join(sorted(missing))}', where=str(path))
    samples = []
    for row, data in enumerate(table.texts()):
        id_ = f'{prefix}{data.get("id", row)}'
        concept = str(data.get('concept') or '')
        family = family_of(concept)
        try:
            image_id = hashlib.sha256(table.image(row, 'image')).hexdigest()[:16]
        except InputError as error:
            samples.append(broken(id_, str(error)))
            continue
        samples.append(
            Sample(
                id_,
                image_id,
                str(data['prompt']),
                lambda row=row: Frame(read_rgb(io.BytesIO(table.image(row, 'image')))),  # type: ignore[misc]
                lambda row=row: read_mask(io.BytesIO(table.image(row, 'mask'))),  # type: ignore[misc]
                family,
                '' if family else concept,
            )
        )
    return samples


def fetch_hub(repo: str, split: str, folder: Path | None = None) -> list[Path]:
    """Download the parquet files of a split of a Hugging Face data set (only this command does) and return them."""
    try:
        from huggingface_hub import HfApi, hf_hub_download
    except ImportError as error:
        raise ConversegError('the hub needs huggingface_hub', do="pip install 'converseg_ros[eval]'") from error
    try:
        names = [n for n in HfApi().list_repo_files(repo, repo_type='dataset') if n.endswith('.parquet')]
        chosen = sorted(n for n in names if split in Path(n).name or f'/{split}/' in f'/{n}')
        if not chosen:
            raise InputError(f'no split {split!r}', where=repo, do=f'its files are {", ".join(names) or "none"}')
        return [Path(hf_hub_download(repo, n, repo_type='dataset', local_dir=folder)) for n in chosen]
    except InputError:
        raise
    except Exception as error:
        raise ConversegError(
            f'cannot be reached ({type(error).__name__})', where=f'hub {repo}', do='go online, or give --parquet FILE'
        ) from error


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dicts, texts and numbers and refuses everything that would run code."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse."""
        raise InputError(f'the pickle wants {module}.{name}', where='RefCOCO refs', do='use the published file')


def samples_of_refcoco(folder: Path, images: Path, split: str = 'val') -> list[Sample]:
    """Read a RefCOCO, + or g folder: `refs(*).p` or `refs*.json`, and `instances.json` in COCO's format.

    Every sentence of every reference is one sample; images lie in `images` by their COCO file name.
    """
    refs_file = next((p for p in sorted(folder.glob('refs*')) if p.suffix in ('.p', '.json')), None)
    if refs_file is None or not (folder / 'instances.json').is_file():
        raise InputError('no refs(*).p or no instances.json', where=str(folder), do='give the RefCOCO folder')
    try:
        refs = _PlainUnpickler(refs_file.open('rb')).load() if refs_file.suffix == '.p' else _json(refs_file)
        coco = _json(folder / 'instances.json')
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
            path = images / image['file_name']
            sentences = [str(s.get('sent') or s['raw']) for s in ref['sentences']]
        except (KeyError, TypeError) as error:
            samples.append(broken(f'ref {ref.get("ref_id", "?")}', f'the reference has no {error}'))
            continue
        for k, text in enumerate(sentences):
            samples.append(
                Sample(
                    f'{ref["ref_id"]}-{k}',
                    str(image['id']),
                    text,
                    lambda path=path: read_view(path),  # type: ignore[misc]
                    lambda a=annotation, i=image: coco_mask(a['segmentation'], i['height'], i['width']),  # type: ignore[misc]
                )
            )
    return samples


def coco_mask(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    """Return the (H, W) mask of COCO's polygons or run-length code."""
    if isinstance(segmentation, list):
        return rasterize([np.reshape(p, (-1, 2)) for p in segmentation], (), height, width)  # type: ignore[misc]
    if isinstance(segmentation.get('counts'), list):
        return decode_rle(segmentation)
    from pycocotools import mask as coco

    return np.asarray(coco.decode(segmentation), bool)


def samples_of_reasonseg(folder: Path) -> list[Sample]:
    """Read a ReasonSeg folder (arXiv 2308.00692): NAME.jpg beside NAME.json with `text` and labelled `shapes`.

    Shapes called `target` are the truth; `ignore` regions do not count.
    """
    samples = []
    for path in sorted(folder.glob('*.json')):
        image = next((p for p in (path.with_suffix(s) for s in ('.jpg', '.jpeg', '.png')) if p.is_file()), None)
        try:
            data = _json(path)
            texts = data['text'] if isinstance(data['text'], list) else [data['text']]
            shapes = {n: [s['points'] for s in data['shapes'] if s['label'] == n] for n in ('target', 'ignore')}
            if image is None:
                raise InputError('there is no image beside it')
        except (ValueError, KeyError, TypeError) as error:
            samples.append(broken(path.stem, f'not a ReasonSeg item ({error})'))
            continue

        def draw(name: str, image: Path = image, shapes: dict[str, Any] = shapes) -> NDArray[np.bool_]:
            height, width = read_rgb(image).shape[:2]
            return rasterize([p for p in shapes[name] if len(p) >= 3], (), height, width)

        for k, text in enumerate(texts):
            samples.append(
                Sample(
                    f'{path.stem}-{k}',
                    path.stem,
                    str(text),
                    lambda image=image: read_view(image),  # type: ignore[misc]
                    lambda draw=draw: draw('target'),  # type: ignore[misc]
                    ignore=lambda draw=draw: draw('ignore'),  # type: ignore[misc]
                )
            )
    if not samples:
        raise InputError('no NAME.json with an image beside it', where=str(folder))
    return samples


def _json(path: Path) -> Any:
    return json.loads(path.read_text())
