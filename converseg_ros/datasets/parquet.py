"""Read the parquet files of the published benchmark, and download them from the Hugging Face hub."""

from collections.abc import Mapping
from functools import lru_cache
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from converseg_ros.core import ConversegError, Frame, InputError
from converseg_ros.core.errors import import_extra
from converseg_ros.datasets.images import read_mask, read_rgb
from converseg_ros.datasets.samples import Sample, broken, family_of


class Parquet:
    """A parquet file whose image columns are read by row; the column of one row group is cached."""

    def __init__(self, path: Path) -> None:
        with import_extra('eval'):
            import pyarrow.parquet as pq
        try:
            self.path, self.file = path, pq.ParquetFile(path)
        except (OSError, ValueError) as error:
            raise InputError(f'not a parquet file ({error})', where=str(path)) from error
        self.names: list[str] = self.file.schema_arrow.names
        counts = [self.file.metadata.row_group(g).num_rows for g in range(self.file.num_row_groups)]
        self.starts = np.cumsum([0, *counts])
        self.column = lru_cache(maxsize=2)(self._column)  # the last image column and mask column

    def _column(self, group: int, name: str) -> Any:
        return self.file.read_row_group(group, columns=[name]).column(0)

    def texts(self) -> list[dict[str, Any]]:
        """Return the existing columns of id, prompt and concept for every row."""
        names = [n for n in ('id', 'prompt', 'concept') if n in self.names]
        return list(self.file.read(columns=names).to_pylist())

    def image(self, row: int, name: str) -> bytes:
        """Return the bytes of one image, stored in the cell or in the file that the cell names."""
        group = int(np.searchsorted(self.starts, row, 'right')) - 1
        cell = self.column(group, name)[row - int(self.starts[group])].as_py()
        cell = {'path': cell} if isinstance(cell, str) else {'bytes': cell} if isinstance(cell, bytes) else cell
        data, path = (cell.get('bytes'), cell.get('path')) if isinstance(cell, Mapping) else (None, None)
        if not data and path:
            try:
                data = (self.path.parent / path).read_bytes()
            except OSError as error:
                raise InputError(f'row {row} names {path} ({error.strerror})', where=str(self.path)) from error
        if not data:
            raise InputError(f'row {row} has no {name}', where=str(self.path))
        return bytes(data)


def samples_of_parquet(path: Path, prefix: str = '') -> list[Sample]:
    """Read a file with columns id, image, mask, prompt, concept.

    Images are bytes, {'bytes', 'path'} or paths relative to the file. Rows with the same image bytes belong to one
    image. A row without a prompt or an image is a broken sample.
    """
    table = Parquet(path)
    missing = {'image', 'mask', 'prompt'} - set(table.names)
    if missing:
        raise InputError(f'no column {", ".join(sorted(missing))}', where=str(path))
    samples = []
    for row, data in enumerate(table.texts()):
        id_ = f'{prefix}{row if data.get("id") is None else data["id"]}'
        concept = str(data.get('concept') or '')
        family = family_of(concept)
        try:
            if not str(data['prompt'] or '').strip():
                raise InputError(f'row {row} has no prompt', where=str(path))
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


def fetch_hub(repo: str, split: str) -> list[Path]:
    """Download the parquet files of a split of a Hugging Face data set and return their paths."""
    with import_extra('eval'):
        from huggingface_hub import HfApi, hf_hub_download
    try:
        names = [n for n in HfApi().list_repo_files(repo, repo_type='dataset') if n.endswith('.parquet')]
        chosen = sorted(n for n in names if split in Path(n).name or f'/{split}/' in f'/{n}')
        if not chosen:
            raise InputError(f'no split {split!r}', where=repo, do=f'its files are {", ".join(names) or "none"}')
        return [Path(hf_hub_download(repo, n, repo_type='dataset')) for n in chosen]
    except InputError:
        raise
    except Exception as error:
        raise ConversegError(
            f'cannot be reached ({type(error).__name__})', where=f'hub {repo}', do='go online, or give --parquet FILE'
        ) from error
