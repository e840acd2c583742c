"""Read the convolutions of a TensorFlow.js graph model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.core import InputError
from converseg_ros.network.encoders.nanodet import NanoDet

STORED: dict[str, Any] = {'float32': np.float32, 'int32': np.int32, 'bool': np.bool_, 'float16': np.float16}


def read_weights(model: Path) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Return the nodes of the graph and its constants by name; raise InputError if the file is invalid."""
    try:
        graph = json.loads(model.read_text())
        nodes, groups = graph['modelTopology']['node'], graph['weightsManifest']
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f'not a TensorFlow.js graph model ({error})', where=str(model)) from error
    values: dict[str, NDArray[Any]] = {}
    for group in groups:
        data = b''.join((model.parent / name).read_bytes() for name in group['paths'])
        start = 0
        for entry in group['weights']:
            kind = entry.get('quantization', entry)['dtype']
            if kind not in STORED:
                raise InputError(f'{entry["name"]} is stored as {kind}', where=str(model))
            count = int(np.prod(entry['shape'])) if entry['shape'] else 1
            array = np.frombuffer(data, STORED[kind], count, start)
            start += array.nbytes
            values[entry['name']] = array.astype(STORED[entry['dtype']]).reshape(entry['shape'])
    return nodes, values


def convolutions(model: Path) -> list[tuple[Tensor, Tensor]]:
    """Return weight (out, in, h, w) and bias of each convolution, in the order of the names `convolution_N`."""
    nodes, values = read_weights(model)
    found: dict[int, tuple[Tensor, Tensor]] = {}
    for node in nodes:
        if node['op'] != 'Conv2D':
            continue
        name = node['name'].rsplit('/', 1)[-1]
        number = int(name.rpartition('_')[2]) if '_' in name else 0
        added = next(n for n in nodes if n['op'] == 'Add' and node['name'] in n['input'])
        bias = next(values[i] for i in added['input'] if i in values)
        weight = torch.from_numpy(values[node['input'][1]].copy()).permute(3, 2, 0, 1).contiguous()
        found[number] = (weight, torch.from_numpy(bias.copy()))
    return [found[k] for k in sorted(found)]


def nanodet_state(model: Path) -> dict[str, Tensor]:
    """Return NanoDet's tensors from the published graph, whose heads alternate tower and output."""
    network = NanoDet()
    ours = [(n, m) for n, m in network.named_modules() if isinstance(m, torch.nn.Conv2d)]
    theirs = convolutions(model)
    levels = len(network.towers)
    body = len(ours) - 2 * levels
    order = [*range(body), *range(body, len(ours), 2), *range(body + 1, len(ours), 2)]
    state: dict[str, Tensor] = {}
    for (name, module), number in zip(ours, order, strict=True):
        weight, bias = theirs[number]
        if weight.shape != module.weight.shape:
            raise InputError(f'{name} is {tuple(weight.shape)}, not {tuple(module.weight.shape)}', where=str(model))
        state |= {f'{name}.weight': weight, f'{name}.bias': bias}
    return state
