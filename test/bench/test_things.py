"""`converseg bench things`: the times of the stages; a precision that the processor does not have is left out."""

import json
from pathlib import Path

import pytest

from converseg_ros.cli import main
from converseg_ros.network import precision


def test_stages_are_timed_in_the_precisions_that_the_processor_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(precision, 'has_bfloat16', lambda: False)
    out = tmp_path / 'things.json'
    arguments = ['bench', 'things', '--device', 'cpu', '--threads', '1', '--prompts', '1', '--repeat', '1']
    assert main([*arguments, '--json', str(out)]) == 0
    assert 'bf16 is not measured' in capsys.readouterr().out
    result = json.loads(out.read_text())
    [case] = result['cases']
    assert case['precision'] == 'fp32' and case['prompts'] == 1 and result['depth']
    stages = {name: times['median'] for name, times in case['stages_ms'].items()}
    assert set(stages) == {'segments', 'names', 'text', 'facts', 'masks'} and min(stages.values()) >= 0
