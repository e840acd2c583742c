"""Create the network of a model folder of kind `things` from its files."""

from collections.abc import Callable, Sequence
import math
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from converseg_ros.core.instruction import without_closing_marks
from converseg_ros.facts.geometry.planes import view_geometry
from converseg_ros.network.encoders.fused import can_fuse, fuse
from converseg_ros.network.encoders.minilm import load_tokenizer
from converseg_ros.network.file_names import CALIBRATION, NAMES, SEGMENTS, STATEMENTS
from converseg_ros.network.names.namer import load_namer
from converseg_ros.network.names.statements import load_statements
from converseg_ros.network.names.weights import load_names
from converseg_ros.network.once import OncePerView
from converseg_ros.network.options import Options, Precision, device_of
from converseg_ros.network.parser.context import Context, load_context
from converseg_ros.network.parser.parser import load_parser
from converseg_ros.network.precision import autocast, has_bfloat16, precision_on
from converseg_ros.network.segments.backbone import Backbone, load_backbone
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.segments.weights import load_segments
from converseg_ros.network.things.existence import Existence
from converseg_ros.network.things.parts import Parts
from converseg_ros.network.things.things_network import ThingsNetwork
from converseg_ros.network.weights.other_parts import Chosen, other_namer, other_proposer
from converseg_ros.network.weights.things_folder import ThingsConfig, seeing_fingerprint

MAX_PIECES = 62  # word pieces of a text: MiniLM was trained with 64, of which two are [CLS] and [SEP]
REMEMBERED, BATCH = 4096, 64  # numbers of cached texts, and of texts that are encoded at once
CLEARLY = 0.8  # share of float32's time below which bfloat16 is used


def load_things(
    folder: Path,
    *,
    device: str | None = None,
    calibration: bool = True,
    options: Options | None = None,
    others: Chosen | None = None,
) -> ThingsNetwork:
    """Return the network of a folder of this kind; see registry.load.

    others: parts that replace those of the folder. Raises InputError for a missing or invalid file.
    """
    config, chosen, others = ThingsConfig.load(folder), options or Options(), others or Chosen()
    where = device_of(device)
    backbone = load_backbone(folder).to(where)
    dtype = precision_of(chosen.precision, backbone)
    networks = load_segments(folder / SEGMENTS).to(where)
    if can_fuse(where, dtype):
        for part in (backbone.trunk, backbone.detector, networks.boundary):
            fuse(part, dtype)
    # texts are read on the CPU, which need not have instructions for the precision of a GPU
    language = load_context(folder, dtype=dtype if where.type == 'cpu' else torch.float32, packed=True)
    encoder = load_text_encoder(folder, language)
    geometry = OncePerView(view_geometry)
    tree = TreeProposer(backbone, *networks, dtype=dtype, geometry=geometry)
    own = load_namer(backbone, folder / NAMES, encode=encoder, dtype=dtype, detections=tree.detections)
    namer, note = other_namer(others, own, load_names(folder / NAMES), encode=encoder, device=where, dtype=dtype)
    proposer, cost = other_proposer(others, tree, device=where, dtype=dtype)
    parts = Parts(
        proposer,
        namer,
        load_parser(folder, language=language),
        where,
        others.fingerprint(seeing_fingerprint(folder)),
        tuple(n for n in (cost, note) if n),
        geometry,
        load_statements(folder / STATEMENTS, encoder).classes,
    )
    path = others.calibration(parts.fingerprint) or folder / CALIBRATION
    fitted = Existence.load(path) if calibration and path.is_file() else None
    name = f'{config.name} {config.version}{others.name()}'
    return ThingsNetwork(parts, name=name, existence=fitted, calibration_file=path, images=chosen.images)


def precision_of(precision: Precision, backbone: Backbone) -> torch.dtype:
    """Return the precision of the convolutions: the given one, or the faster one.

    bfloat16 takes half the time on processors with instructions for it, and several times as long on others. It is
    measured on a CPU for which oneDNN has bfloat16 at all, once in a process for each number of threads.
    """
    device = next(backbone.parameters()).device
    if precision != 'auto' or device.type != 'cpu':
        return precision_on(precision, device)
    if not has_bfloat16():
        return torch.float32
    threads = torch.get_num_threads()
    if threads not in _measured:
        _measured[threads] = _faster(backbone)
    return _measured[threads]


_measured: dict[int, torch.dtype] = {}  # the faster precision by the number of threads


def _faster(backbone: Backbone) -> torch.dtype:
    """Return the precision that takes clearly less time on this CPU, float32 if they are nearly equal."""
    pixels = torch.zeros(1, 3, 256, 320).contiguous(memory_format=torch.channels_last)
    times: dict[torch.dtype, float] = {}
    for dtype in (torch.float32, torch.bfloat16):
        for _ in range(3):  # the first run selects kernels
            begin = perf_counter()
            with torch.inference_mode(), autocast(pixels.device, dtype):
                backbone.trunk(pixels)
            times[dtype] = min(times.get(dtype, math.inf), perf_counter() - begin)
    return torch.bfloat16 if times[torch.bfloat16] < CLEARLY * times[torch.float32] else torch.float32


def load_text_encoder(folder: Path, language: Context | None = None) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Return a function for the (K, D) unit vectors of K texts by the folder's MiniLM, with a cache.

    language: the MiniLM, if it is loaded already. Punctuation at the ends of a text is ignored, and a text of more than
    MAX_PIECES word pieces is truncated.
    """
    context, tokenizer = language or load_context(folder), load_tokenizer(folder)
    known: dict[str, NDArray[np.float32]] = {}

    def pooled_of(texts: Sequence[str]) -> Tensor:
        encoded = tokenizer.encode_batch([without_closing_marks(t) for t in texts], add_special_tokens=False)
        pieces = [torch.tensor(e.ids[:MAX_PIECES], dtype=torch.long) for e in encoded]
        lengths = torch.tensor([len(ids) for ids in pieces])
        return context.hidden(pad_sequence(pieces, batch_first=True), lengths).mean

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [t for t in dict.fromkeys(texts) if t not in known]
        if new:
            parts = [pooled_of(new[i : i + BATCH]) for i in range(0, len(new), BATCH)]
            pooled = torch.nn.functional.normalize(torch.cat(parts), dim=1).numpy()
            if len(known) + len(new) > REMEMBERED:
                kept = {t: known[t] for t in texts if t in known}
                known.clear()
                known.update(kept)
            known.update(zip(new, pooled))
        return np.stack([known[t] for t in texts])

    return encode
