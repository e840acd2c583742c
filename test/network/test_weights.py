"""Model folders: what is reported of broken ones, and the table of models."""

from pathlib import Path
import shutil

import pytest

torch = pytest.importorskip('torch')
import numpy as np
from safetensors.torch import load_file, save_file

from converseg_ros.cli import main
from converseg_ros.core import InputError
from converseg_ros.network import load
from converseg_ros.network.registry import find_model
from converseg_ros.network.weights.catalogue import BY_NAME, ENTRIES
from converseg_ros.network.weights.choice import Machine, recommend

ROOT = Path(__file__).resolve().parents[2]
MICRO = find_model('micro')


@pytest.fixture
def folder(tmp_path):
    target = tmp_path / 'model'
    shutil.copytree(MICRO, target)
    return target


def truncate(folder):
    path = folder / 'model.safetensors'
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def resize(folder):
    state = load_file(folder / 'model.safetensors')
    state['adapters.to_sparse.weight'] = torch.zeros(3, 3)
    save_file(state, folder / 'model.safetensors')


def drop(folder):
    state = load_file(folder / 'model.safetensors')
    del state['adapters.scale']
    save_file(state, folder / 'model.safetensors')


def spoil(folder):
    state = load_file(folder / 'model.safetensors')
    state['adapters.scale'] = torch.tensor(float('nan'))
    save_file(state, folder / 'model.safetensors')


BROKEN = {
    'truncated': (truncate, 'truncated'),
    'missing weights': (lambda f: (f / 'model.safetensors').unlink(), 'model.safetensors: the file is missing'),
    'missing tokenizer': (lambda f: (f / 'tokenizer.json').unlink(), 'tokenizer'),
    'wrong size': (resize, r'to_sparse.weight is \(3, 3\), not \(32, 48\)'),
    'missing tensor': (drop, '1 tensors are missing, e.g. adapters.scale'),
    'no json': (lambda f: (f / 'config.json').write_text('{'), 'config.json: not JSON'),
    'unknown family': (
        lambda f: (f / 'config.json').write_text('{"name": "x", "image": {}, "language": {}}'),
        'family',
    ),
    'empty': (lambda f: [p.unlink() for p in f.iterdir()], 'neither a converted folder'),
}


@pytest.mark.parametrize('kind', BROKEN)
def test_broken_folders_are_described(folder, capsys, kind):
    damage, message = BROKEN[kind]
    damage(folder)
    with pytest.raises(InputError, match=message):
        load(folder, device='cpu')
    assert main(['weights', 'check', str(folder)]) == 1
    assert 'WRONG' in capsys.readouterr().out


def test_check_finds_what_loading_does_not(folder, capsys):
    spoil(folder)
    assert main(['weights', 'check', str(folder)]) == 1
    assert 'NaN' in capsys.readouterr().out
    assert main(['weights', 'check', 'micro']) == 0
    assert 'nothing is wrong' in capsys.readouterr().out


def test_list_names_what_there_is(capsys, tmp_path, monkeypatch, folder):
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path))
    assert main(['weights', 'list']) == 0
    out = capsys.readouterr().out
    assert 'micro' in out and 'not calibrated' in out and str(folder) in out


def test_the_table_of_the_docs_is_that_of_the_catalogue(capsys):
    """One place has the facts: `converseg weights list --markdown` prints what docs/models.md shows."""
    assert main(['weights', 'list', '--markdown']) == 0
    assert capsys.readouterr().out in (ROOT / 'docs' / 'models.md').read_text()


def test_list_tells_what_each_model_needs_and_which_are_here(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path))
    (tmp_path / 'clip-base').mkdir()
    (tmp_path / 'clip-base' / 'config.json').write_text('{}')
    assert main(['weights', 'list']) == 0
    lines = capsys.readouterr().out.splitlines()
    for entry in ENTRIES:
        (n,) = (i for i, line in enumerate(lines) if line[:2] in ('+ ', '  ') and line[2:].startswith(f'{entry.name} ')
                and entry.good_for in line)  # fmt: skip
        assert (lines[n][0] == '+') == (entry.name in ('compact', 'clip-base'))
        for fact in (entry.licence, f'commercial use: {entry.commercial_use.strip("*")}', entry.latency):
            assert fact in lines[n + 1]


@pytest.mark.parametrize('gpu_gb', [0.0, 4.0, 8.0, 24.0, 141.0])
def test_what_is_recommended_fits_the_machine_and_can_be_had(gpu_gb):
    choices = recommend(Machine(gpu_gb))
    assert choices[-1].options == '--model compact' and not choices[-1].fetch
    for choice in choices:
        for name in choice.fetch:
            assert BY_NAME[name].repo and BY_NAME[name].gpu_gb <= gpu_gb
            assert name in choice.options
            if not BY_NAME[name].commercial:
                assert 'not for commercial use' in choice.reason and choice is not choices[0]
    assert len(choices) == (1 if not gpu_gb else 2 if gpu_gb < 16 else 3)


def test_doctor_recommends_a_model(capsys):
    main(['doctor'])
    out = capsys.readouterr().out
    first = recommend(
        Machine(torch.cuda.get_device_properties(0).total_memory / 1e9 if torch.cuda.is_available() else 0)
    )
    assert f'recommended here: {first[0].options}' in out


def test_numbers_of_the_micro_model_are_finite():
    state = load_file(MICRO / 'model.safetensors')
    assert all(np.isfinite(v.float().numpy()).all() for v in state.values())
    assert sum(p.stat().st_size for p in MICRO.iterdir()) < 600_000
