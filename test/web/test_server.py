"""The web module lets in the page and nobody else."""

import asyncio
import json
from pathlib import Path
import threading
import time

import pytest

pytest.importorskip('fastapi')
httpx = pytest.importorskip('httpx')
websockets = pytest.importorskip('websockets.sync.client')

from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import InvalidStatus

from converseg_ros.core import palette
from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.web.broadcast import Broadcaster
from converseg_ros.web.guard import Limits, is_loopback
from converseg_ros.web.server import Running, make_app, serve_by_id


def app_with_echo(**options):
    app = make_app('Test', **options)

    @app.post('/api/echo')
    def echo(value: dict) -> dict:
        return value

    @app.post('/api/fail')
    def fail() -> dict:
        raise InputError('the text is empty', where='instruction', do='say what to look for')

    return app


@pytest.fixture
def server():
    with Running(app_with_echo(limits=Limits(body=2000))) as running:
        yield running


def test_serves_palette_and_base_style(server):
    css = httpx.get(server.url + 'static/palette.css')
    assert f'--safety: rgb{palette.SAFETY};' in css.text
    assert css.text.count('--region-') == len(palette.REGIONS)
    assert 'var(--safety)' in httpx.get(server.url + 'static/base.css').text
    assert "default-src 'self'" in css.headers['content-security-policy']


@pytest.mark.parametrize('path', ['/static/../server.py', '/static/%2e%2e/server.py', '/static/..%2f..%2fcli.py'])
def test_no_path_leads_out_of_the_static_folder(server, path):
    with httpx.Client() as client:
        request = client.build_request('GET', server.url)
        request.url = request.url.copy_with(raw_path=path.encode())
        assert client.send(request).status_code in (403, 404)


@pytest.mark.parametrize(
    'headers',
    [
        {'host': 'evil.example'},
        {'origin': 'http://evil.example'},
        {'origin': 'null'},
        {'sec-fetch-site': 'cross-site'},
    ],
)
def test_other_sites_are_refused(server, headers):
    assert httpx.post(server.url + 'api/echo', json={}, headers=headers).status_code == 403


def test_own_origin_and_plain_clients_are_served(server):
    for headers in ({}, {'origin': f'http://{server.address}'}):
        assert httpx.post(server.url + 'api/echo', json={'a': 1}, headers=headers).json() == {'a': 1}


def test_errors_reach_the_page_in_words(server):
    answer = httpx.post(server.url + 'api/fail')
    assert answer.status_code == 400
    assert answer.json() == {'error': 'instruction: the text is empty; say what to look for'}


def test_large_bodies_are_refused_announced_or_not(server):
    assert httpx.post(server.url + 'api/echo', content=b'x' * 3000).status_code == 413

    def chunks():
        for _ in range(10):
            yield b'x' * 500

    assert httpx.post(server.url + 'api/echo', content=chunks()).status_code == 413


def test_too_many_requests_are_refused():
    with Running(app_with_echo(limits=Limits(requests_per_s=2))) as server, httpx.Client() as client:
        codes = [client.post(server.url + 'api/echo', json={}).status_code for _ in range(12)]
    assert codes[0] == 200
    assert 429 in codes


def test_token_is_needed_where_one_is_set_and_kept_in_a_cookie():
    with Running(app_with_echo(token='secret')) as server, httpx.Client() as client:
        base = f'http://{server.address}/'
        assert client.post(base + 'api/echo', json={}).status_code == 401
        assert client.post(base + 'api/echo?token=wrong', json={}).status_code == 401
        assert client.post(base + 'api/echo', json={}, headers={'authorization': 'Bearer secret'}).status_code == 200
        assert client.get(server.url.replace('?', 'static/base.css?')).status_code == 200
        assert client.post(base + 'api/echo', json={}).status_code == 200  # the cookie


def test_other_addresses_always_get_a_token():
    assert make_app('Test', host='0.0.0.0').state.token
    assert not make_app('Test').state.token
    assert [is_loopback(h) for h in ('127.0.0.1', '::1', 'localhost', '0.0.0.0', 'robot.local')] == [True] * 3 + [
        False
    ] * 2


def test_port_in_use_says_what_to_do(server):
    with pytest.raises(ConversegError, match='--port'):
        Running(make_app('Test'), port=server.port)


def test_files_only_by_key(tmp_path: Path):
    (tmp_path / 'a.txt').write_text('hello')
    app = make_app('Test')
    serve_by_id(app, '/file/{key}', {'a': tmp_path / 'a.txt', 'gone': tmp_path / 'gone.txt'}.get)
    with Running(app) as server:
        assert httpx.get(server.url + 'file/a').text == 'hello'
        for key in ('gone', 'b', '..%2fa.txt', '%2fetc%2fpasswd'):
            assert httpx.get(server.url + f'file/{key}').status_code == 404


@pytest.fixture
def stream():
    hub = Broadcaster(max_clients=3)
    app = make_app('Test')

    @app.websocket('/ws')
    async def ws(socket: WebSocket) -> None:
        try:
            async with hub.joined(socket):
                while True:
                    await socket.receive()
        except (WebSocketDisconnect, RuntimeError):
            pass

    with Running(app) as server:
        yield hub, f'ws://{server.address}/ws'


def wait_for(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_websocket_from_another_origin_is_refused(stream):
    _, url = stream
    with pytest.raises(InvalidStatus):
        websockets.connect(url, origin='http://evil.example')


def test_pages_get_kept_messages_first_and_the_number_of_pages_is_limited(stream):
    hub, url = stream
    hub.publish('state', json.dumps({'a': 1}), keep=True)
    pages = [websockets.connect(url) for _ in range(3)]
    assert [json.loads(p.recv(5)) for p in pages] == [{'a': 1}] * 3
    wait_for(lambda: hub.count == 3)
    with pytest.raises(InvalidStatus):
        websockets.connect(url)
    for page in pages:
        page.close()
    wait_for(lambda: hub.count == 0)


def test_slow_page_drops_frames_and_the_others_get_them(stream):
    hub, url = stream
    frame = bytes(200_000)
    fast = websockets.connect(url, max_size=None)
    got: list[int] = []
    reader = threading.Thread(target=lambda: got.extend(len(fast.recv(5)) for _ in range(100)), daemon=True)
    slow = websockets.connect(url, max_size=None, max_queue=1, close_timeout=0.2)
    wait_for(lambda: hub.count == 2)
    clients = list(hub.clients)
    reader.start()
    for n in range(100):
        hub.publish('frame', frame)
        wait_for(lambda n=n: max(c.sent for c in clients) > n)  # as fast as the fast page reads
    reader.join(5)
    assert got == [len(frame)] * 100
    wait_for(lambda: sorted(c.dropped > 50 for c in clients) == [False, True])
    slow.close()
    fast.close()


def test_publishing_without_pages_or_after_the_server_ended_is_harmless(stream):
    hub, url = stream
    hub.publish('frame', b'1')
    websockets.connect(url).close()
    wait_for(lambda: hub.count == 0)
    hub.loop = asyncio.new_event_loop()
    hub.loop.close()
    hub.clients.add(None)
    hub.publish('frame', b'2')
