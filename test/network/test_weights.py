"""Model folders: what is said of broken ones, conversion, and fetching from a hub (a small one on loopback)."""

from functools import partial
import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import os
from pathlib import Path
import shutil
import threading
from typing import ClassVar

import pytest

torch = pytest.importorskip('torch')
import numpy as np
from safetensors.torch import load_file, save_file

from converseg_ros.cli import main
from converseg_ros.core import InputError
from converseg_ros.network import load
from converseg_ros.network.registry import find_model
from converseg_ros.network.weights.catalogue import BY_NAME, ENTRIES
from converseg_ros.network.weights.checkpoints import load_network, merge_lora
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


def test_merging_adds_the_update_in_float32():
    generator = torch.Generator().manual_seed(0)
    w, a, b = (torch.randn(s, generator=generator).bfloat16() for s in ((6, 4), (2, 4), (6, 2)))
    state = {
        'x.base_layer.weight': w,
        'x.base_layer.bias': torch.ones(6),
        'x.lora_A.default.weight': a,
        'x.lora_B.default.weight': b,
    }
    merged = merge_lora(state, 2.0)
    assert set(merged) == {'x.weight', 'x.bias'}
    assert torch.equal(merged['x.weight'], w.float() + 2 * b.float() @ a.float())


@pytest.fixture
def release(shared):
    path = shared / 'parity'
    if not path.is_dir():
        pytest.skip('no parity files')
    return path


def test_a_converted_release_answers_as_the_release(release, tmp_path, picture, capsys):
    target = tmp_path / 'converted'
    assert main(['weights', 'convert', str(release), str(target), '--precision', 'fp32']) == 0
    assert main(['weights', 'convert', str(release), str(target)]) == 1  # never over a model
    a, b = load_network(release), load_network(target)
    rgb = picture(0)
    for network in (a, b):
        network.float()
    with torch.no_grad():
        x, y = (n.encode_text(['a cup'], n.language_encoder.prepare_image(rgb)) for n in (a, b))
    assert torch.allclose(x.pooled, y.pooled, atol=1e-5)
    ours, theirs = a.decoder.state_dict(), b.decoder.state_dict()
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)


@pytest.mark.parametrize('name', ['doubled ending', 'missing plm', 'truncated', 'no qwen'])
def test_release_folders(release, tmp_path, name, monkeypatch):
    monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'none'))
    target = tmp_path / 'release'
    shutil.copytree(release, target, copy_function=partial(shutil.copyfile))
    for path in [target, *target.rglob('*')]:
        path.chmod(0o755)
    sam, plm = target / 'ConverSeg-Net_sam2_90000.torch', target / 'ConverSeg-Net_plm_90000.torch'
    if name == 'doubled ending':
        sam.rename(sam.with_name(sam.name + '.torch'))
        assert load_network(target).config.image.trunk_dim == 16
        return
    message = {'missing plm': '_plm_', 'truncated': 'truncated', 'no qwen': 'tokenizer.json are missing'}[name]
    if name == 'missing plm':
        plm.unlink()
    elif name == 'truncated':
        sam.write_bytes(sam.read_bytes()[:100_000])
    else:
        shutil.rmtree(target / 'Qwen')
    with pytest.raises(InputError, match=message):
        load_network(target)


FILES = {
    'some/weights': {
        'X_sam2_1.torch.torch': os.urandom(300_000),
        'X_plm_1.torch': os.urandom(1000),
        'lora_plm_adapter_1/adapter_config.json': b'{}',
        'unrelated.bin': b'no',
    },
    'some/language': {
        'config.json': b'{"model_type": "qwen2_5_vl"}',
        'tokenizer.json': b'{}',
        'model.safetensors': b'x',
    },
    'some/siglip': {'config.json': b'{}', 'model.safetensors': b'weights', 'pytorch_model.bin': b'the same again'},
    'some/pickle': {'config.json': b'{}', 'pytorch_model.bin': b'weights'},
    'some/trap': {'../../config.json': b'{}', 'model.safetensors': b'weights'},
    'openai/clip-vit-base-patch32': {'config.json': b'{}', 'model.safetensors': b'weights'},
}


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download needs.

    spoiled: files it sends wrong bytes of. cut: the byte of a file at which the connection breaks, every time.
    """

    spoiled: ClassVar[set[str]] = set()
    cut: ClassVar[dict[str, int]] = {}
    asked: ClassVar[list[str]] = []
    licence: ClassVar[str] = ''
    begun: ClassVar[list[int]] = []  # the first byte of each body that was sent of a file that is or was cut

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, body):
        path = self.path.split('?')[0].strip('/')
        Hub.asked.append(path)
        if path.startswith('api/models/'):
            repo = '/'.join(path.split('/')[2:4])
            names = FILES.get(repo, {})
            info = {'id': repo, 'sha': '0' * 40, 'siblings': [{'rfilename': n} for n in names]}
            info |= {'cardData': {'license': Hub.licence}} if Hub.licence else {}
            return self.send(json.dumps(info).encode(), {'Content-Type': 'application/json'}, body)
        owner, name, _, _, *rest = path.split('/')
        data = FILES[f'{owner}/{name}']['/'.join(rest)]
        etag = hashlib.sha256(data).hexdigest()
        if '/'.join(rest) in self.spoiled:
            data = bytes(len(data))
        headers = {'ETag': f'"{etag}"', 'X-Repo-Commit': '0' * 40, 'Accept-Ranges': 'bytes'}
        return self.send(data, headers, body, self.cut.get('/'.join(rest)))

    def send(self, data, headers, body, cut=None):
        first = int((self.headers.get('Range') or 'bytes=0-').removeprefix('bytes=').split('-')[0])
        self.send_response(206 if first else 200)
        if first:
            headers = {**headers, 'Content-Range': f'bytes {first}-{len(data) - 1}/{len(data)}'}
        for key, value in {**headers, 'Content-Length': str(len(data) - first)}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            if cut is not None:
                self.begun.append(first)
            self.wfile.write(data[first:cut])
            self.close_connection = True


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(('127.0.0.1', 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Hub.spoiled, Hub.cut, Hub.asked, Hub.begun, Hub.licence = set(), {}, [], [], ''
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fetch(monkeypatch, tmp_path):
    """Run the command against a hub."""
    monkeypatch.setenv('HF_HUB_DISABLE_XET', '1')

    def call(hub, *more):
        monkeypatch.setenv('HF_ENDPOINT', hub)
        names = ['--repo', 'some/weights', '--language', 'some/language', '--out', str(tmp_path / 'model')]
        return main(['weights', 'fetch', 'x', *names, *more])

    return call


def test_fetch_shows_licences_and_downloads_only_what_was_accepted(hub, fetch, tmp_path, capsys):
    out = tmp_path / 'model'
    assert fetch(hub) == 1
    shown = capsys.readouterr()
    assert 'licence' in shown.out and '--accept' in shown.err
    assert not out.exists() and not Hub.asked
    assert fetch(hub, '--accept') == 0
    got = {str(p.relative_to(out)) for p in out.rglob('*') if p.is_file() and '.cache' not in p.parts}
    weights = {'X_sam2_1.torch.torch', 'X_plm_1.torch', 'lora_plm_adapter_1/adapter_config.json'}
    assert got == weights | {'some/language/config.json', 'some/language/tokenizer.json'}
    assert (out / 'X_plm_1.torch').read_bytes() == FILES['some/weights']['X_plm_1.torch']


def test_fetch_refuses_a_wrong_checksum(hub, fetch, tmp_path, capsys):
    Hub.spoiled = {'X_plm_1.torch'}
    assert fetch(hub, '--accept') == 1
    assert 'checksum' in capsys.readouterr().err
    assert not (tmp_path / 'model' / 'X_plm_1.torch').exists()


def test_fetch_goes_on_where_the_connection_broke(hub, fetch, tmp_path, capsys, monkeypatch):
    name = 'X_sam2_1.torch.torch'
    data = os.urandom(13_000_000)  # the hub's library writes pieces of 10 MiB
    monkeypatch.setitem(FILES['some/weights'], name, data)
    Hub.cut = {name: 12_000_000}
    assert fetch(hub, '--accept') == 1
    assert 'fetch again: it is resumed' in capsys.readouterr().err
    path = tmp_path / 'model' / name
    assert not path.exists(), 'half a file is never taken for a whole one'
    Hub.cut, Hub.begun = {name: len(data)}, []
    assert fetch(hub, '--accept') == 0
    assert path.read_bytes() == data
    assert Hub.begun and min(Hub.begun) >= 10_000_000, 'what had come is not sent again'


def test_what_is_there_already_is_checked_and_not_sent_again(hub, fetch, tmp_path):
    assert fetch(hub, '--accept') == 0
    path = tmp_path / 'model' / 'X_plm_1.torch'
    path.write_bytes(bytes(path.stat().st_size))  # the right size, the wrong bytes
    Hub.cut = {name: len(data) for repo in FILES.values() for name, data in repo.items()}
    assert fetch(hub, '--accept') == 0
    assert path.read_bytes() == FILES['some/weights']['X_plm_1.torch']
    assert len(Hub.begun) == 1, 'only the damaged one'


def test_fetch_says_when_the_hub_is_away(fetch, capsys):
    assert fetch('http://127.0.0.1:9', '--accept') == 1
    assert 'hub did not answer' in capsys.readouterr().err


def test_only_what_is_published_can_be_fetched(capsys):
    assert main(['weights', 'fetch', 'converseg-net-9000b']) == 1
    assert 'converseg-net-3b' in capsys.readouterr().err


def test_a_model_of_transformers_is_fetched_by_its_hub_name(hub, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('HF_ENDPOINT', hub)
    monkeypatch.setenv('HF_HUB_DISABLE_XET', '1')
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path))
    assert main(['weights', 'fetch', 'some/siglip']) == 1 and not Hub.asked
    assert main(['weights', 'fetch', 'some/siglip', '--accept']) == 0
    assert {p.name for p in (tmp_path / 'some--siglip').iterdir()} == {'config.json', 'model.safetensors'}
    assert main(['weights', 'fetch', 'some/pickle', '--accept']) == 1
    assert 'safetensors' in capsys.readouterr().err
    assert main(['weights', 'fetch', 'siglip2-base']) == 1
    assert 'google/siglip2-base-patch16-224' in capsys.readouterr().out


@pytest.mark.parametrize(('stated', 'fetched'), [('', True), ('mit', True), ('cc-by-nc-4.0', False)])
def test_a_licence_that_was_not_shown_is_not_accepted(hub, tmp_path, monkeypatch, capsys, stated, fetched):
    monkeypatch.setenv('HF_ENDPOINT', hub)
    monkeypatch.setenv('HF_HUB_DISABLE_XET', '1')
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path))
    Hub.licence = stated
    assert main(['weights', 'fetch', 'clip-base', '--accept']) == (0 if fetched else 1)
    shown = capsys.readouterr()
    assert 'commercial use: yes' in shown.out and '600 MB' in shown.out
    assert (tmp_path / 'clip-base' / 'model.safetensors').exists() == fetched
    if not fetched:
        assert 'cc-by-nc-4.0' in shown.err
        assert main(['weights', 'fetch', 'openai/clip-vit-base-patch32', '--accept']) == 0  # having read its page


def test_no_file_is_written_outside_of_the_folder(hub, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('HF_ENDPOINT', hub)
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'a' / 'b'))
    assert main(['weights', 'fetch', 'some/trap', '--accept']) == 1
    assert 'outside' in capsys.readouterr().err and not list(tmp_path.rglob('*.json'))


def test_numbers_of_the_micro_model_are_finite():
    state = load_file(MICRO / 'model.safetensors')
    assert all(np.isfinite(v.float().numpy()).all() for v in state.values())
    assert sum(p.stat().st_size for p in MICRO.iterdir()) < 600_000
