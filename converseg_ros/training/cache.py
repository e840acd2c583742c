"""A cache of trunk features of training views on disk, so that a frozen trunk encodes each view once.

A cache is a folder of shards; a shard is a folder of NumPy files (float16 features, uint8 targets) and index.json. A
shard is written under a temporary name and renamed when it is complete, so that a killed run can be resumed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import hashlib
import json
import os
from pathlib import Path
import shutil
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import nn

from converseg_ros.core.files import write_json
from converseg_ros.network.compact import CompactImageEncoder, TrunkOutput
from converseg_ros.network.preprocess import normalise
from converseg_ros.training.config import AugmentConfig
from converseg_ros.training.records import Record
from converseg_ros.training.views import make_view

SHARD = 64  # views
FIELDS = TrunkOutput._fields
# of the augmentation: the fields that views depend on
VIEW_FIELDS = ('crop', 'flip', 'colour', 'blur', 'noise', 'jpeg', 'lens')


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt on one view."""

    text: str
    row: int  # row in the targets of the shard, -1 for a negative
    family: str
    literal: bool
    id: str
    area: float  # share of the view

    @property
    def positive(self) -> bool:
        """Return whether there is a target."""
        return self.row >= 0


@dataclass(frozen=True, slots=True)
class Seen:
    """One view: its shard, its index in the shard, and its prompts."""

    shard: int
    place: int
    image_id: str
    entries: tuple[Entry, ...]


class Cache:
    """The views of one split of one source, opened for reading."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards: list[dict[str, NDArray[Any]]] = []
        self.views: list[Seen] = []
        for shard in sorted(p for p in folder.glob('shard-*') if (p / 'index.json').is_file()):
            index = json.loads((shard / 'index.json').read_text())
            there = [n for n in FIELDS if (shard / f'{n}.npy').is_file()]
            arrays = {n: np.load(shard / f'{n}.npy', mmap_mode='r') for n in (*there, 'targets', 'valid')}
            for place, view in enumerate(index['views']):
                entries = tuple(Entry(**e) for e in view['entries'])
                if entries:
                    self.views.append(Seen(len(self.shards), place, view['image_id'], entries))
            if (shard / 'pixels.npy').is_file():
                arrays['pixels'] = np.load(shard / 'pixels.npy', mmap_mode='r')
            self.shards.append(arrays)

    def __len__(self) -> int:
        """Return the number of views with at least one prompt."""
        return len(self.views)

    def trunk(self, views: Sequence[Seen]) -> TrunkOutput:
        """Return the float32 features of some views."""
        return TrunkOutput(
            **{
                name: torch.from_numpy(
                    np.stack([self.shards[v.shard][name][v.place] for v in views]).astype(np.float32)
                )
                for name in FIELDS
                if name in self.shards[views[0].shard]
            }
        )

    def target(self, view: Seen, entry: Entry) -> NDArray[np.float32]:
        """Return the (h, w) target in 0..1."""
        arrays = self.shards[view.shard]
        if not entry.positive:
            return np.zeros(arrays['valid'].shape[1:], np.float32)
        return np.asarray(arrays['targets'][entry.row]).astype(np.float32) / np.float32(255)

    def picture(self, view: Seen) -> NDArray[np.uint8] | None:
        """Return the (H, W, 3) pixels of a view, if the cache contains them."""
        pixels = self.shards[view.shard].get('pixels')
        return None if pixels is None else np.asarray(pixels[view.place])

    def valid(self, view: Seen) -> NDArray[np.float32]:
        """Return (h, w): 1 inside the image, 0 for padding."""
        return np.asarray(self.shards[view.shard]['valid'][view.place], np.float32)


def build_cache(
    folder: Path,
    records: Sequence[Record],
    encoder: CompactImageEncoder,
    *,
    variants: int,
    augment: AugmentConfig,
    seed: int = 0,
    pictures: bool = False,
    report: Any = None,
) -> Cache:
    """Encode `variants` views of every record (the first one plain) unless they exist; return the cache.

    The plain views of all records come first, then all second views, and so on. A shard is encoded again if its
    records, their prompts, the trunk or the augmentation changed. pictures: also store the pixels, for panels.
    """
    work = [(variant, record) for variant in range(variants) for record in records]
    trunk = fingerprint(encoder)
    for number in range(0, len(work), SHARD):
        part = work[number : number + SHARD]
        target = folder / f'shard-{number // SHARD:05d}'
        key = _key(part, trunk, augment, seed, encoder.config.image_size)
        if _current(target, key):
            continue
        started = time.monotonic()
        _write(target, part, encoder, augment, seed, key, pictures)
        if report:
            report(min(number + SHARD, len(work)), len(work), time.monotonic() - started)
    for extra in sorted(folder.glob('shard-*')):
        if int(extra.name[6:]) * SHARD >= len(work):
            shutil.rmtree(extra)
    return Cache(folder)


def fingerprint(encoder: CompactImageEncoder) -> str:
    """Return a hash of the frozen trunk's weights."""
    return (
        weights_hash(encoder, ('trunk.', 'class_text', 'detector.')) + f'/{encoder.temperature}/{encoder.config.things}'
    )


def weights_hash(module: nn.Module, prefixes: tuple[str, ...] = ('',)) -> str:
    """Return a hash of a module's tensors whose names start with one of `prefixes`."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        if name.startswith(prefixes):
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _key(part: Sequence[tuple[int, Record]], trunk: str, augment: AugmentConfig, seed: int, size: Any) -> str:
    """Return a hash of everything that a shard depends on."""
    names = [[v, r.image_id, [(i.id, i.prompt) for i in r.items]] for v, r in part]
    return hashlib.sha256(
        json.dumps([names, trunk, [getattr(augment, n) for n in VIEW_FIELDS], seed, list(size)]).encode()
    ).hexdigest()


def _current(target: Path, key: str) -> bool:
    """Return whether the shard exists with this key."""
    try:
        return bool(json.loads((target / 'index.json').read_text())['key'] == key)
    except (OSError, ValueError, KeyError):
        return False


def _write(
    target: Path,
    part: Sequence[tuple[int, Record]],
    encoder: CompactImageEncoder,
    augment: AugmentConfig,
    seed: int,
    key: str,
    pictures: bool,
) -> None:
    """Encode one shard."""
    size = encoder.config.image_size
    views: list[dict[str, Any]] = []
    features: list[dict[str, NDArray[Any]]] = []
    targets: list[NDArray[np.uint8]] = []
    valid: list[NDArray[np.uint8]] = []
    seen: list[NDArray[np.uint8]] = []
    for pixels, mask, index, rows in see_views(part, size, augment, seed):
        image = normalise(
            torch.from_numpy(pixels).permute(2, 0, 1)[None], encoder.config.mean, encoder.config.std, torch.float32
        )
        with torch.no_grad():
            seen_now = encoder.trunk_output(image)._asdict()
            features.append({n: t[0].to(torch.float16).numpy() for n, t in seen_now.items() if t is not None})
        for entry in index['entries']:
            if entry['row'] >= 0:
                entry['row'] += len(targets)
        views.append(index)
        seen.append(pixels)
        targets += rows
        valid.append(mask)
    temporary = target.with_name(f'.{target.name}.{os.getpid()}')
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for name in features[0]:
        np.save(temporary / f'{name}.npy', np.stack([f[name] for f in features]))
    np.save(temporary / 'targets.npy', np.stack(targets) if targets else np.zeros((0, *valid[0].shape), np.uint8))
    np.save(temporary / 'valid.npy', np.stack(valid))
    if pictures:
        np.save(temporary / 'pixels.npy', np.stack(seen))
    write_json(temporary / 'index.json', {'key': key, 'views': views}, indent=None)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(temporary, target)


def see_views(
    part: Sequence[tuple[int, Record]], size: tuple[int, int], augment: AugmentConfig, seed: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], dict[str, Any], list[NDArray[np.uint8]]]]:
    """Yield pixels, validity, index entry and targets of each view."""
    for variant, record in part:
        number = int.from_bytes(hashlib.sha256(record.image_id.encode()).digest()[:4], 'big')
        made = make_view(
            record,
            size,
            augment if variant else None,
            np.random.default_rng([seed, variant, number]),
        )
        entries: list[dict[str, Any]] = []
        rows: list[NDArray[np.uint8]] = []
        for ask in made.asks:
            area = 0.0 if ask.target is None else float(ask.target.mean()) / 255
            entries.append(
                {
                    'text': ask.text,
                    'row': len(rows) if ask.target is not None else -1,
                    'family': ask.family,
                    'literal': ask.literal,
                    'id': ask.id,
                    'area': area,
                }
            )
            if ask.target is not None:
                rows.append(ask.target)
        yield made.pixels, made.valid, {'image_id': record.image_id, 'entries': entries}, rows
