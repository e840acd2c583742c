"""Fetching of models from a hub (a small one on loopback): licences, checksums, interrupted downloads."""

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import os
import threading
from typing import ClassVar

import pytest

from converseg_ros.cli import main

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
