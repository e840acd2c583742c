"""Runs that are killed, or that a full disk stops, lose nothing and continue to the same data set."""

import os
import random
import resource
import signal
import subprocess
import sys

from engine_runs import ROOT, run
import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.core.item import read_items
from converseg_ros.data_engine.build import gather
from converseg_ros.data_engine.output.store import Journal

KILLED = """
import os, sys, random
from pathlib import Path
sys.path.insert(0, {root!r})
real = os.fsync
state = {{'left': int(sys.argv[1])}}
def fsync(handle):
    state['left'] -= 1
    if state['left'] <= 0:
        if state['left'] == 0 and random.Random(sys.argv[1]).random() < 0.5:
            size = os.fstat(handle).st_size  # half of the line reaches the disk
            if os.path.realpath(f'/proc/self/fd/{{handle}}').endswith('.jsonl'):
                os.ftruncate(handle, max(0, size - 7))
        os.kill(os.getpid(), 9)
    real(handle)
os.fsync = fsync
from converseg_ros.data_engine.build import Plan, gather, make_pipeline
from converseg_ros.data_engine.options import RunOptions
p = Plan([Path(sys.argv[2])], Path(sys.argv[3]), RunOptions(judge='scene', prompts=8, negatives=0.25), max_images=3)
shots = gather(p.sources, p.max_images)
for point in sys.argv[4].split(','):
    state['left'] = int(point)
    child = os.fork()
    if child == 0:
        make_pipeline(p, shots).run(shots, p.out)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(point, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)
state['left'] = 10**9
make_pipeline(p, shots).run(shots, p.out)
"""


def test_kill_9_at_twenty_random_points_leaves_the_same_data_set(rooms, tmp_path):
    """Each run is killed at one of its commits, at times with half a line on the disk, and the next one goes on."""
    points = ','.join(str(p) for p in random.Random(4).choices(range(1, 4), k=20))
    script = KILLED.format(root=str(ROOT))
    out = tmp_path / 'killed'
    done = subprocess.run(
        [sys.executable, '-c', script, '1', str(rooms), str(out), points],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert sum(line.endswith(' 9') for line in done.stdout.splitlines()) >= 15, done.stdout
    run([rooms], tmp_path / 'whole', max_images=3, prompts=8, negatives=0.25)
    assert (out / 'items.jsonl').read_bytes() == (tmp_path / 'whole/items.jsonl').read_bytes()


def test_a_killed_command_goes_on(rooms, tmp_path):
    """The real command, killed from outside by the clock."""
    out = tmp_path / 'd'
    words = ['engine', 'run', '--source', str(rooms), '--out', str(out), '--json']
    command = [sys.executable, '-m', 'converseg_ros', *words]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {'OMP_NUM_THREADS': '1'}, cwd=ROOT)
    assert child.stdout is not None
    child.stdout.readline()  # the first image is finished
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (out / 'items.jsonl').exists()
    run([rooms], out)
    assert {i.image_id for i in read_items(out)} == {s.image_id for s in gather([rooms])}


def test_a_torn_line_is_forgotten_and_a_broken_one_told(tmp_path, dataset):
    item = read_items(dataset)[0]
    journal = Journal(tmp_path / 'j.jsonl')
    journal.commit(item)
    whole = (tmp_path / 'j.jsonl').read_bytes()
    (tmp_path / 'j.jsonl').write_bytes(whole + whole[:50])
    again = Journal(tmp_path / 'j.jsonl')
    assert list(again.items) == [item.id] and (tmp_path / 'j.jsonl').read_bytes() == whole
    (tmp_path / 'j.jsonl').write_bytes(b'{"what\n' + whole)
    with pytest.raises(InputError, match='delete this file'):
        Journal(tmp_path / 'j.jsonl')


def test_a_full_disk_is_told_and_loses_nothing(rooms, tmp_path):
    """A file-size limit makes writes fail as a full disk does; with room again the run goes on to the same result."""
    out = tmp_path / 'd'
    call = ['engine', 'run', '--source', str(rooms), '--out', str(out), '--max-images', '2']
    script = (
        f'import sys; sys.path.insert(0, {str(ROOT)!r})\n'
        'import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n'
        f'from converseg_ros.cli import main\nsys.exit(main({call!r}))\n'
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and 'free disk space' in done.stderr, done.stderr[-500:]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 3000
    run([rooms], out, max_images=2)
    run([rooms], tmp_path / 'whole', max_images=2)
    assert (out / 'items.jsonl').read_bytes() == (tmp_path / 'whole/items.jsonl').read_bytes()
