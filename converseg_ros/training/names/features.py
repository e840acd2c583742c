"""Cached trunk features of labelled objects, in rounds: round 0 has each object unchanged, others three variants.

The trunk is frozen, so a round is computed once; the file of a source and round is written atomically, and a killed run
resumes with the first missing one.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
import json
from pathlib import Path
import zlib

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file
import torch
from torch import Tensor

from converseg_ros.core.files import atomic_path
from converseg_ros.network.encoders.efficientnet import EfficientNetLite0
from converseg_ros.network.names.crops import FADED, MASKED, PLAIN, cut
from converseg_ros.network.names.detector import EVIDENCE, Evidence
from converseg_ros.network.precision import autocast, low_precision
from converseg_ros.training.names.augment import Augmenter, patch_of
from converseg_ros.training.names.instances import Picture, read_source

VIEWS = (PLAIN, FADED, MASKED)  # backgrounds: of one crop in round 0, of one variant each in later rounds
BATCH = 96


@dataclass(frozen=True, slots=True)
class Features:
    """A round of a source: pooled (N, 3, 1280) float16, the detector's evidence (N, 160) of round 0, and N rows."""

    pooled: NDArray[np.float16]
    evidence: NDArray[np.float16]
    keys: tuple[str, ...]
    images: tuple[str, ...]
    labels: tuple[str, ...]
    areas: tuple[int, ...]


def read_features(path: Path) -> Features:
    """Read a file of `cache_round`."""
    with safe_open(path, 'np') as file:
        rows = json.loads(file.metadata()['rows'])
        pooled, evidence = file.get_tensor('pooled'), file.get_tensor('evidence')
    return Features(pooled, evidence, *(tuple(r[i] for r in rows) for i in range(4)))


def path_of(folder: Path, source: Path, number: int) -> Path:
    """Return the file of a source's round."""
    return folder / f'{source.name}-{number:02d}.safetensors'


def cache_round(
    folder: Path,
    source: Path,
    number: int,
    trunk: EfficientNetLite0,
    evidence: Evidence,
    say: Callable[[str], None],
    most: int = 0,
) -> None:
    """Compute round `number` of `source` and write it, unless it exists.

    most: maximum number of objects of a label, the first ones; 0 for all.
    """
    path = path_of(folder, source, number)
    if path.is_file():
        return
    draw = Augmenter(np.random.default_rng([number, zlib.crc32(source.name.encode())]))
    rows: list[tuple[str, str, str, int]] = []
    pooled: list[NDArray[np.float16]] = []
    seen: list[NDArray[np.float16]] = []
    waiting: list[NDArray[np.uint8]] = []
    taken: Counter[str] = Counter()
    for picture in read_source(source):
        picture = limited(picture, taken, most)
        if not picture.instances:
            continue
        if number == 0:
            masks = np.stack([i.mask for i in picture.instances])
            seen.append(evidence(picture.rgb, masks).astype(np.float16))
        for instance in picture.instances:
            patch = patch_of(picture.rgb, instance.mask)
            for view in VIEWS:
                shown = draw.variant(patch) if number else patch
                waiting.append(cut(shown.rgb, shown.mask[None], view)[0])
            rows.append((instance.key, instance.image, instance.label, int(np.count_nonzero(instance.mask))))
        if len(waiting) >= BATCH:
            pooled.append(encode(trunk, np.stack(waiting)))
            waiting = []
    if waiting:
        pooled.append(encode(trunk, np.stack(waiting)))
    tensors = {'pooled': np.concatenate(pooled).reshape(len(rows), len(VIEWS), -1)}
    tensors['evidence'] = np.concatenate(seen) if seen else np.zeros((0, EVIDENCE), np.float16)
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, {'rows': json.dumps(rows)})
    say(f'{path.name}: {len(rows)} things')


def limited(picture: Picture, taken: Counter[str], most: int) -> Picture:
    """Leave out things of labels that enough things were taken of; count those that are left."""
    kept = []
    for instance in picture.instances:
        if not most or taken[instance.label] < most:
            taken[instance.label] += 1
            kept.append(instance)
    return replace(picture, instances=tuple(kept))


def encode(trunk: EfficientNetLite0, crops: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Return the trunk's pooled features (N, 1280) of crops (N, side, side, 3)."""
    out: list[Tensor] = []
    with torch.inference_mode(), autocast(torch.device('cpu'), low_precision()):
        for start in range(0, len(crops), BATCH):
            pixels = (torch.from_numpy(crops[start : start + BATCH]).permute(0, 3, 1, 2).float() - 127) / 128
            out.append(trunk.pooled(pixels.contiguous(memory_format=torch.channels_last)).float())
    return torch.cat(out).numpy().astype(np.float16)
