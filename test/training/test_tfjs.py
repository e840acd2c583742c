"""Published weights in TensorFlow.js' form."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from converseg_ros.core import InputError
from converseg_ros.network.encoders.nanodet import NanoDet
from converseg_ros.training.tfjs import convolutions, nanodet_state


def _write(folder: Path, network: NanoDet) -> Path:
    """Write a network as the published graph is: float16, NHWC kernels, the heads' convolutions in turns."""
    mods = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    levels = len(network.towers)
    heads = [m for pair in zip(mods[-2 * levels : -levels], mods[-levels:], strict=True) for m in pair]
    nodes, weights, data = [], [], b''
    for number, module in enumerate([*mods[: -2 * levels], *heads]):
        name = 'P/convolution' + (f'_{number}' if number else '')
        nodes += [
            {'name': f'w{number}', 'op': 'Const'},
            {'name': name, 'op': 'Conv2D', 'input': ['x', f'w{number}']},
            {'name': f'add{number}', 'op': 'Add', 'input': [name, f'b{number}']},
        ]
        for label, value in ((f'w{number}', module.weight.permute(2, 3, 1, 0)), (f'b{number}', module.bias)):
            array = value.detach().numpy().astype(np.float16)
            kind = {'dtype': 'float32', 'quantization': {'dtype': 'float16', 'original_dtype': 'float32'}}
            weights.append({'name': label, 'shape': list(array.shape), **kind})
            data += array.tobytes()
    path = folder / 'model.json'
    (folder / 'model.bin').write_bytes(data)
    manifest = [{'paths': ['model.bin'], 'weights': weights}]
    path.write_text(json.dumps({'modelTopology': {'node': nodes}, 'weightsManifest': manifest}))
    return path


def test_a_published_detector_comes_back_tensor_by_tensor(tmp_path):
    torch.manual_seed(0)
    network = NanoDet()
    state = nanodet_state(_write(tmp_path, network))
    assert state.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        torch.testing.assert_close(state[name], value, atol=1e-3, rtol=1e-3)


def test_what_is_no_graph_is_named(tmp_path):
    path = tmp_path / 'model.json'
    path.write_text('{"modelTopology": 3}')
    with pytest.raises(InputError, match='TensorFlow'):
        convolutions(path)
