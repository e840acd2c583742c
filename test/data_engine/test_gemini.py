"""Google's protocol over real HTTP, with the scene judge behind it and faults put in."""

import json
from pathlib import Path

from judge_server import JudgeServer
import pytest

from converseg_ros.core.errors import ConversegError
from converseg_ros.core.item import read_items
from converseg_ros.data_engine.build import Plan, gather, make_pipeline
from converseg_ros.data_engine.grammar.drafts import enumerate_drafts
from converseg_ros.data_engine.options import RunOptions
from converseg_ros.llm.chat import Question
from converseg_ros.llm.http import GeminiChat

KEY = 'AIza-very-secret-0123456789'


@pytest.fixture
def serve(rooms: Path):
    servers = []

    def start(fault=lambda task, number: '') -> JudgeServer:
        servers.append(JudgeServer(gather([rooms], 1), fault, 'gemini'))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def run(server: JudgeServer, rooms: Path, out: Path, timeout: float = 20.0) -> dict:
    judge = {'judge': 'gemini', 'model': 'gemini-test', 'base_url': server.url, 'timeout': timeout, 'workers': 1}
    limits = {'back_off': 0.01, 'price_in': 1.0, 'price_out': 10.0}
    options = RunOptions(**judge, **limits, proposer='graph', prompts=4, negatives=0.25)
    p = Plan([rooms], out, options, max_images=1)
    shots = gather(p.sources, 1)
    return make_pipeline(p, shots).run(shots, out)


def test_a_gemini_judge_makes_items_that_agree_with_the_facts(serve, rooms, tmp_path, monkeypatch):
    monkeypatch.setenv('GEMINI_API_KEY', KEY)
    server = serve()
    manifest = run(server, rooms, tmp_path / 'd')
    items = read_items(tmp_path / 'd')
    assert manifest['judge'].startswith('gemini/gemini-test') and len(items) >= 3 and not manifest['failed']
    world = gather([rooms], 1)[0].world()
    meant = {d.text: world.union(d.keys) for d in enumerate_drafts(world)}
    for item in items:
        truth, mask = meant[item.prompt], item.mask()
        assert (mask & truth).sum() >= 0.75 * (mask | truth).sum()
    assert set(server.paths) == {'/v1beta/models/gemini-test:generateContent'}  # no key in any address
    assert all({k.lower(): v for k, v in h.items()}['x-goog-api-key'] == KEY for h in server.headers)
    body = json.loads(server.bodies[0])
    assert body['generationConfig']['responseMimeType'] == 'application/json'
    assert body['generationConfig']['responseJsonSchema']['properties']['regions']['type'] == 'array'
    for path in tmp_path.rglob('*'):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize('fault', ['nonsense', 'half', 'cut', '503', 'fenced', 'timeout', 'empty'])
def test_passing_faults_change_nothing(serve, rooms, tmp_path, fault):
    """Every fifth answer is spoiled; asked again, the judge answers, and the data set is as good as without."""
    server = serve(lambda task, number: fault if number % 5 == 2 else '')
    manifest = run(server, rooms, tmp_path / 'd', 0.5 if fault == 'timeout' else 20.0)
    run(serve(), rooms, tmp_path / 'c')
    assert not manifest['failed']
    assert (tmp_path / 'd/items.jsonl').read_bytes() == (tmp_path / 'c/items.jsonl').read_bytes()


@pytest.mark.parametrize('fault', ['refusal', 'unsafe'])
def test_a_refusal_is_reported_and_not_asked_again(serve, rooms, tmp_path, fault):
    server = serve(lambda task, number: fault)
    manifest = run(server, rooms, tmp_path / 'd')
    assert len(manifest['failed']) == 1 and 'refuses' in manifest['failed'][0]['why']
    run(server, rooms, tmp_path / 'd')
    assert server.calls == ['describe']


def test_thinking_is_counted_but_not_read(serve):
    server = serve()
    shot_image = Path(server.shots[next(iter(server.shots))].path).read_bytes()
    question = Question('describe', 'You look.', 'TASK: describe\n', (shot_image,), {'type': 'object'})
    reply = GeminiChat('m', server.url).ask(question)
    assert json.loads(reply.text)['regions'] and (reply.tokens_in, reply.tokens_out) == (1000, 100)


def test_a_server_that_wants_a_key_says_so(rooms, tmp_path):
    from http.server import BaseHTTPRequestHandler, HTTPServer
    import threading

    class Refuse(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers['content-length']))
            self.send_response(403)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(('127.0.0.1', 0), Refuse)
    threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()
    try:
        question = Question('verify', '', 'x', (), {})
        with pytest.raises(ConversegError, match='key'):
            GeminiChat('m', f'http://127.0.0.1:{server.server_port}').ask(question)
    finally:
        server.shutdown()
        server.server_close()
