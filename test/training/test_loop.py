"""The loop learns, resumes bit for bit after a kill, and runs in several processes."""

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest
import torch

from converseg_ros.core import InputError
from converseg_ros.training import checkpoints
from converseg_ros.training.loop import Trainer
from converseg_ros.training.task import create, read_config

ROOT = Path(__file__).resolve().parents[2]


def silent(_: str) -> None:
    """Swallow a report."""


def trainer_of(settings, **changes) -> Trainer:
    """Return the trainer of a run."""
    return Trainer(create(read_config(settings, changes), silent), report=silent)


def run(settings, **changes) -> Trainer:
    """Train in this process; return the trainer."""
    trainer = trainer_of(settings, **changes)
    trainer.train()
    return trainer


def weights(folder) -> dict[str, torch.Tensor]:
    """Return the newest checkpoint's weights and averages."""
    snapshot = checkpoints.load(checkpoints.steps(Path(folder) / 'checkpoints')[-1])
    return {f'{k}/{n}': v for k in ('weights', 'average') for n, v in getattr(snapshot, k).items()}


def same(one, two) -> bool:
    """Whether two states are equal bit for bit."""
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


def test_it_learns_the_toy_world(settings):
    trainer = run(
        settings, steps=120, validate_every=120, checkpoint_every=120, **{'batch.images': 4, 'batch.prompts': 4}
    )
    lines = (Path(trainer.config.out) / 'scores.jsonl').read_text().splitlines()
    scores = json.loads(lines[-1])
    assert scores['giou_mask'] > 0.2, scores  # a blind guess of a random square reaches about 0.1
    assert (Path(trainer.config.out) / 'panels' / '0000120' / '000.png').is_file()
    assert list((Path(trainer.config.out) / 'tensorboard').glob('events*'))


def test_progress_and_result_are_events_for_programs(settings, tmp_path, capsys):
    from converseg_ros.cli import main
    from converseg_ros.core.progress import Progress

    changes = ['--set', f'out={tmp_path / "run"}', '--set', 'steps=6', '--set', 'validate_every=3']
    assert main(['train', str(settings), '--json', *changes]) == 0
    events = [e for line in capsys.readouterr().out.splitlines() if (e := Progress.from_line(line))]
    assert any(e.stage == 'training' and 0 < e.done <= e.total == 6 and e.values['loss'] > 0 for e in events)
    assert [e.done for e in events if e.stage == 'validation'] == [3, 6]
    assert events[-1].result['model'] == str(tmp_path / 'run/model') and 0 <= events[-1].result['giou'] <= 1


def test_resuming_changes_nothing(settings, tmp_path):
    whole = run(settings, out=str(tmp_path / 'whole'))
    half = trainer_of(settings, out=str(tmp_path / 'half'))
    while half.step < 2:
        half.update()
    half.save(False)
    del half
    rest = run(settings, out=str(tmp_path / 'half'))
    assert rest.step == whole.step == 6
    assert same(weights(tmp_path / 'whole'), weights(tmp_path / 'half'))


def test_kill_and_resume_in_a_process_of_its_own(settings, tmp_path):
    def start(out: str) -> subprocess.Popen:
        command = [sys.executable, '-m', 'converseg_ros', 'train', str(settings)]
        command += ['--set', f'out={tmp_path / out}', '--set', 'steps=8']
        env = os.environ | {'OMP_NUM_THREADS': '1'}
        return subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    killed = start('killed')
    folder = tmp_path / 'killed' / 'checkpoints'
    deadline = time.monotonic() + 120
    while not checkpoints.steps(folder) and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    again = start('killed')
    text, _ = again.communicate(timeout=120)
    assert again.returncode == 0, text
    trainer = run(settings, out=str(tmp_path / 'whole'), steps=8)
    assert trainer.step == 8
    assert same(weights(tmp_path / 'whole'), weights(tmp_path / 'killed'))
    assert (tmp_path / 'killed' / 'model' / 'model.safetensors').is_file()


def test_two_processes_agree(settings, tmp_path):
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc-per-node=2', '--master-port=29641']
    command += ['-m', 'converseg_ros', 'train', str(settings), '--set', f'out={tmp_path / "two"}', '--set', 'steps=3']
    env = os.environ | {'OMP_NUM_THREADS': '1', 'ACCELERATE_USE_CPU': 'true'}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    snapshot = checkpoints.load(checkpoints.steps(tmp_path / 'two' / 'checkpoints')[-1])
    assert snapshot.step == 3 and len(snapshot.random) == 2
    # One process with both processes' batches in one accumulation sees the same draws.
    changes = {'out': str(tmp_path / 'one'), 'batch.accumulation': 2, 'steps': 3}
    one = trainer_of(settings, **changes)
    begin = {n: p.detach().clone() for n, p in one.parameters.items()}
    while one.step < 3:
        one.update()
    apart = sum(float((p.detach() - snapshot.weights[n]).square().sum()) for n, p in one.parameters.items())
    moved = sum(float((p.detach() - begin[n]).square().sum()) for n, p in one.parameters.items())
    assert moved > 0 and apart < 0.01 * moved, (apart, moved)  # Adam makes rounding of tiny gradients visible


def test_another_configuration_is_not_resumed(settings, tmp_path):
    run(settings, steps=2)
    with pytest.raises(InputError, match='another configuration'):
        trainer_of(settings, steps=2, **{'optim.lr': 1e-5})


def test_a_broken_checkpoint_is_named(tmp_path):
    (tmp_path / 'step-0000001.pt').write_bytes(b'half a file')
    with pytest.raises(InputError, match='step-0000001'):
        checkpoints.load(tmp_path / 'step-0000001.pt')


def test_old_checkpoints_go_and_the_best_stays(settings):
    trainer = run(settings, steps=6, checkpoint_every=1)
    folder = Path(trainer.config.out) / 'checkpoints'
    assert [p.name for p in checkpoints.steps(folder)] == ['step-0000005.pt', 'step-0000006.pt']
    assert (folder / checkpoints.BEST).is_file()


def test_dry_run_keeps_nothing(settings):
    from converseg_ros.training.dry_run import dry_run

    config = read_config(settings)
    lines = dry_run(config)
    assert any('peak memory' in line for line in lines) and any('s an update' in line for line in lines)
    assert not Path(config.out).exists()
