"""Replacements for parts of a model folder: a namer of transformers, another proposer of segments."""

from dataclasses import dataclass
import hashlib
from pathlib import Path

import torch

from converseg_ros.core.errors import InputError
from converseg_ros.core.segments import Namer, SegmentProposer
from converseg_ros.network.encoders.pretrained import model_type, weights_hash
from converseg_ros.network.names import clipseg, open_namer, towers
from converseg_ros.network.names.scores import Encoder
from converseg_ros.network.names.weights import NameWeights
from converseg_ros.network.segments import sam2
from converseg_ros.network.segments.promptable import Promptable
from converseg_ros.network.segments.prompted import PromptedProposer
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.segments.sam import load_sam

TEXTS, CALIBRATIONS = '.texts', '.calibrations'  # folders of the user's cache; names with a dot are not models


@dataclass(frozen=True, slots=True)
class Chosen:
    """Folders or files of replacement parts, None for the model's own; cache: the user's folder of models."""

    namer: Path | None = None
    segments: Path | None = None
    cache: Path | None = None

    def fingerprint(self, own: str) -> str:
        """Return the fingerprint of segments and names, given that of the model folder."""
        others = [f'{part} {weights_hash(path)}' for part, path in self._given()]
        return hashlib.sha256(' '.join([own, *others]).encode()).hexdigest()[:16] if others else own

    def name(self) -> str:
        """Return the suffix of the model's name."""
        return ''.join(f' + {path.name}' for _, path in self._given())

    def calibration(self, fingerprint: str) -> Path | None:
        """Return the file of the calibration with these parts; None for that of the model folder."""
        if not self._given() or self.cache is None:
            return None
        return self.cache / CALIBRATIONS / f'{fingerprint}.json'

    def _given(self) -> list[tuple[str, Path]]:
        both = (('namer', self.namer), ('segments', self.segments))
        return [(part, path) for part, path in both if path is not None]


def other_namer(
    chosen: Chosen, own: Namer, weights: NameWeights, *, encode: Encoder, device: torch.device, dtype: torch.dtype
) -> tuple[Namer, str]:
    """Return the selected namer, by default that of the folder, and a note about its speed."""
    folder = chosen.namer
    if folder is None:
        return own, ''
    kind = model_type(folder)
    if kind == 'clipseg':
        by_map = clipseg.ClipSegNamer(clipseg.ClipSeg(folder, device, dtype), own)
        return by_map, by_map.note
    if kind not in towers.KINDS:
        raise InputError(
            f'a folder of kind {kind!r} cannot name regions',
            where=str(folder),
            do=f'give one of kind clipseg, {", ".join(towers.KINDS)}',
        )
    texts = None if chosen.cache is None else chosen.cache / TEXTS / f'{weights_hash(folder)}.safetensors'
    by_crop = open_namer.load_open_namer(folder, weights, device=device, dtype=dtype, encode=encode, texts=texts)
    return by_crop, by_crop.note


def other_proposer(
    chosen: Chosen, own: TreeProposer, *, device: torch.device, dtype: torch.dtype
) -> tuple[SegmentProposer, str]:
    """Return the selected proposer, by default that of the folder, and a note about its speed."""
    if chosen.segments is None:
        return own, ''
    drawn = PromptedProposer(load_promptable(chosen.segments, device, dtype), own.maps, measured=device.type == 'cpu')
    return drawn, drawn.note


def load_promptable(path: Path, device: torch.device, dtype: torch.dtype = torch.float32) -> Promptable:
    """Return SAM 2 of a transformers folder, or SAM of a checkpoint file; raise InputError for others."""
    if path.is_file():
        return load_sam(path, device, dtype)
    kind = model_type(path)
    if kind not in sam2.KINDS:
        raise InputError(
            f'a folder of kind {kind!r} cannot find regions',
            where=str(path),
            do='give a SAM 2 folder of transformers, or a checkpoint file of segment-anything (sam_vit_*.pth)',
        )
    return sam2.load_sam2(path, device, dtype)
