"""The benchmark beside peers: what it writes, and what it refuses; peers of the real sizes are too large for a test."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')

from converseg_ros.bench.peers import measure
from converseg_ros.cli import main


def test_models_take_turns_and_the_first_run_is_not_timed() -> None:
    calls: list[tuple[str, int]] = []
    answers = {name: lambda count, name=name: calls.append((name, count)) for name in ('a', 'b')}
    times = measure(answers, 8, 2, torch.device('cpu'))
    assert calls == [('a', 8), ('b', 8)] * 3
    assert {name: len(values) for name, values in times.items()} == {'a': 2, 'b': 2}


def test_compact_alone_is_once_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'peers.json'
    asked = ['bench', 'peers', '--peers', '', '--prompts', '1', '--repeat', '1', '--device', 'cpu', '--json', str(out)]
    assert main(asked) == 0
    result = json.loads(out.read_text())
    assert [(c['name'], c['instructions'], c['ratio']) for c in result['cases']] == [('compact', 1, 1.0)]
    assert main(['bench', 'peers', '--peers', 'oracle']) == 1
    assert 'grounding-dino+sam2' in capsys.readouterr().err
