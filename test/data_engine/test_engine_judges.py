# ruff: noqa: E501 - long lines of data
"""The engine with a model judge over real HTTP: agreement, faults, cache, budget, keys, rate."""

from collections import Counter
from dataclasses import replace
import json
import logging
from pathlib import Path
import time

from judge_server import JudgeServer
import pytest

from converseg_ros.cli import main
from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.core.item import read_items
from converseg_ros.data_engine.build import Plan, gather, make_pipeline
from converseg_ros.data_engine.options import RunOptions

KEY = 'sk-very-secret-0123456789'
SMALL = {'prompts': 5, 'negatives': 0.3, 'workers': 2}


@pytest.fixture
def serve(rooms: Path):
    servers = []

    def start(fault=lambda task, number: '', count: int = 2) -> tuple[JudgeServer, list]:
        shots = gather([rooms], count)
        servers.append(JudgeServer(shots, fault))
        return servers[-1], shots

    yield start
    for server in servers:
        server.close()


def plan(server: JudgeServer, rooms: Path, out: Path, *, max_images: int = 2, **more) -> Plan:
    options = (
        {'judge': 'openai', 'proposer': 'graph', 'model': 'test', 'timeout': 20.0, 'back_off': 0.01} | SMALL | more
    )
    return Plan([rooms], out, RunOptions(base_url=server.url, **options), max_images=max_images)


def run(p: Plan) -> dict:
    shots = gather(p.sources, p.max_images)
    return make_pipeline(p, shots).run(shots, p.out)


def test_a_model_judge_makes_items_that_agree_with_the_facts(serve, rooms, tmp_path):
    server, shots = serve()
    manifest = run(plan(server, rooms, tmp_path / 'd'))
    items = read_items(tmp_path / 'd')
    assert manifest['items'] == len(items) >= 8 and not manifest['failed']
    assert manifest['judge'].startswith('openai/test')
    meanings = {}
    for shot in shots:
        from converseg_ros.data_engine.grammar.drafts import enumerate_drafts

        world = shot.world()
        meanings[shot.image_id] = {d.text: world.union(d.keys) for d in enumerate_drafts(world)}
    for item in items:
        truth = meanings[item.image_id][item.prompt]
        mask = item.mask()
        assert (mask & truth).sum() >= 0.75 * (mask | truth).sum()
    assert {i.positive for i in items} == {True, False}


def test_a_finished_run_calls_nobody_again_and_a_new_folder_reuses_the_cache(serve, rooms, tmp_path):
    server, _ = serve()
    run(plan(server, rooms, tmp_path / 'd'))
    calls, before = len(server.calls), (tmp_path / 'd/items.jsonl').read_bytes()
    run(plan(server, rooms, tmp_path / 'd'))
    assert len(server.calls) == calls
    (tmp_path / 'e').mkdir()
    (tmp_path / 'd/cache').rename(tmp_path / 'e/cache')
    run(plan(server, rooms, tmp_path / 'e'))
    assert len(server.calls) == calls and (tmp_path / 'e/items.jsonl').read_bytes() == before


@pytest.mark.parametrize('fault', ['nonsense', 'half', 'cut', '503', 'fenced', 'timeout'])
def test_passing_faults_change_nothing(serve, rooms, tmp_path, fault):
    """Every fifth answer is spoiled; asked again, the judge answers, and the data set is as good as without."""
    server, _ = serve(lambda task, number: fault if number % 5 == 2 else '')
    timeout = 0.5 if fault == 'timeout' else 20.0
    manifest = run(
        plan(server, rooms, tmp_path / 'd', timeout=timeout, max_images=1, prompts=4, negatives=0.25, workers=1)
    )
    clean, _ = serve()
    run(plan(clean, rooms, tmp_path / 'c', max_images=1, prompts=4, negatives=0.25, workers=1))
    assert not manifest['failed']
    assert (tmp_path / 'd/items.jsonl').read_bytes() == (tmp_path / 'c/items.jsonl').read_bytes()


def test_boxes_outside_the_image_are_cut_or_dropped(serve, rooms, tmp_path):
    server, shots = serve(lambda task, number: 'outside')
    p = plan(server, rooms, tmp_path / 'd', max_images=1)
    from converseg_ros.data_engine.contracts import Picture
    from converseg_ros.data_engine.stages.understanding import understand
    from converseg_ros.datasets.images import load_upright

    rgb, _ = load_upright(shots[0].path)
    regions = understand(make_pipeline(p, shots).judge, Picture(shots[0].key, rgb))
    names = {r.category for r in regions}
    assert 'ghost' not in names and 'line' not in names
    wide = next(r for r in regions if r.text == 'the wide thing')
    assert wide.box == (0, 0, rgb.shape[1], rgb.shape[0])


def test_a_refused_image_is_reported_and_the_others_are_made(serve, rooms, tmp_path):
    server, _ = serve(lambda task, number: 'refusal' if (task, number) == ('describe', 1) else '')
    manifest = run(plan(server, rooms, tmp_path / 'd', prompts=6, workers=1))
    assert len(manifest['failed']) == 1 and 'refuses' in manifest['failed'][0]['why']
    assert len({i.image_id for i in read_items(tmp_path / 'd')}) == 1


def test_a_judge_that_is_down_stops_the_run_and_the_next_run_goes_on(serve, rooms, tmp_path):
    down = True
    server, _ = serve(lambda task, number: '503' if down and number > 12 else '')
    p = plan(server, rooms, tmp_path / 'd', tries=2)
    with pytest.raises(ConversegError, match='does not answer'):
        run(p)
    answered = Counter(server.calls[:12])
    down = False
    run(p)
    repeated = [b for b in server.bodies[:12] if server.bodies.count(b) > 1]
    assert not repeated and answered  # what was answered was not asked again


def test_the_budget_stops_the_run_and_counts_earlier_runs(serve, rooms, tmp_path):
    server, _ = serve()
    money = {'budget': 0.05, 'price_in': 5.0, 'price_out': 10.0}  # 0.006 a call
    p = plan(server, rooms, tmp_path / 'd', prompts=6, workers=1, **money)
    for _ in range(2):
        with pytest.raises(ConversegError, match='budget'):
            run(p)
        assert len(server.calls) == 9


def test_the_rate_is_kept(serve, rooms, tmp_path):
    server, _ = serve()
    p = plan(server, rooms, tmp_path / 'd', max_images=1, per_minute=1200, prompts=3, workers=1)
    start = time.monotonic()
    run(p)
    assert time.monotonic() - start >= 0.05 * (len(server.calls) - 1)


def test_the_estimate_covers_what_a_run_uses(serve, rooms, tmp_path, capsys):
    server, _ = serve()
    arguments = [
        'engine',
        'run',
        '--source',
        str(rooms),
        '--max-images',
        '1',
        '--judge',
        'openai',
        '--model',
        'm',
        '--base-url',
        server.url,
    ]
    assert main([*arguments, '--out', str(tmp_path / 'd'), '--proposer', 'graph', '--dry-run', '--price-in', '1']) == 0
    told = capsys.readouterr().out
    assert not server.calls and not (tmp_path / 'd').exists()
    calls = int(told.split('about ')[1].split()[0])
    run(plan(server, rooms, tmp_path / 'd', max_images=1, prompts=13, negatives=0.23, workers=1))
    assert 0.5 * len(server.calls) <= calls <= 2 * len(server.calls)


def test_keys_are_in_no_log_cache_or_data(serve, rooms, tmp_path, monkeypatch, caplog, capsys):
    monkeypatch.setenv('OPENAI_API_KEY', KEY)
    server, _ = serve()
    with caplog.at_level(logging.DEBUG):
        assert main(['engine', 'run', '--source', str(rooms), '--max-images', '1', '--judge', 'openai', '--model', 'm', '--base-url', server.url, '--proposer', 'graph', '--prompts', '4', '--json', '--out', str(tmp_path / 'd')]) == 0  # fmt: skip
    assert any(h.get('authorization', h.get('Authorization')) == f'Bearer {KEY}' for h in server.headers)
    written = capsys.readouterr()
    assert KEY not in caplog.text + written.out + written.err
    for path in tmp_path.rglob('*'):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_photos_leave_this_machine_only_after_agreement(rooms, tmp_path):
    far = RunOptions(judge='openai', model='m', base_url='https://judge.example/v1')
    for options in (far, replace(far, judge='gemini', model='g')):
        with pytest.raises(InputError, match='agree-remote'):
            make_pipeline(Plan([rooms], tmp_path / 'd', options), gather([rooms], 1))
    p = Plan([rooms], tmp_path / 'd', replace(far, judge='gemini', model='g', proposer='graph'), agree_remote=True)
    assert make_pipeline(p, gather([rooms], 1)).judge.name.startswith('gemini/g')


def test_replies_are_remembered_before_they_are_understood(serve, rooms, tmp_path):
    """A reply that cannot be used was paid for as well: it is in the cache and is not bought again."""
    server, _ = serve(lambda task, number: 'nonsense' if task == 'describe' else '')
    p = plan(server, rooms, tmp_path / 'd', max_images=1)
    first = run(p)
    assert first['failed'] and server.calls == ['describe'] * 3
    run(p)
    assert server.calls == ['describe'] * 3
    rows = [json.loads(f.read_text()) for f in (tmp_path / 'd/cache').rglob('*.json')]
    assert len(rows) == 3 and all('meow' in r['text'] for r in rows)
