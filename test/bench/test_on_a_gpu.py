"""Benchmarks on a simulated GPU: the device, its memory, and that its work is finished when the clock is read."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')

from simulated_gpu import SimulatedGpu

from converseg_ros.bench.timing import timed
from converseg_ros.cli import main


def test_the_clock_is_read_when_the_device_has_finished() -> None:
    with SimulatedGpu() as gpu, pytest.MonkeyPatch.context() as patch:
        events: list[str] = []
        patch.setattr(torch.cuda, 'synchronize', lambda device: events.append('finished'))
        timed(lambda: events.append('work'), 2, gpu.device)
    assert events == ['finished', 'work', 'finished'] * 2


def test_bench_net_reports_the_device_and_its_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'net.json'
    call = ['bench', 'net', '--config', 'micro', '--prompts', '1', '--resolution', '160x120', '--repeat', '1']
    with SimulatedGpu():
        assert main([*call, '--no-baseline', '--device', 'cuda', '--json', str(out)]) == 0
    found = json.loads(out.read_text())
    assert 'device cuda (simulated)' in capsys.readouterr().out and found['precision'] == 'bfloat16'
    assert found['memory_mib']['peak'] >= found['memory_mib']['now'] > found['memory_mib']['after_close'] == 0
    assert found['cases'][0]['graph_captures'] > 0
