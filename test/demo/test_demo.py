"""The demo as a user runs it: the shipped bag through a real node, over real topics, to pictures on the disk."""

import json
from pathlib import Path
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

ROOT = Path(__file__).resolve().parents[2]
BAG = ROOT / 'demo' / 'bag'


def demo(tmp_path: Path, *arguments: str) -> 'subprocess.CompletedProcess[str]':
    command = [sys.executable, '-m', 'converseg_ros', 'demo', '--out', str(tmp_path / 'out'), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)


@pytest.mark.ros
@pytest.mark.slow
def test_the_demo_answers_every_instruction_and_leaves_its_files(tmp_path: Path) -> None:
    done = demo(tmp_path, '--model', 'micro')
    assert done.returncode == 0, done.stdout + done.stderr
    out = tmp_path / 'out'
    answers = json.loads((out / 'answers.json').read_text())
    assert len(answers) >= 7
    assert {a['family'] for a in answers} == {'entities', 'spatial', 'relations', 'affordances', 'physics'}
    page = (out / 'index.html').read_text()
    for a in answers:
        assert a['text'] in page and a['text'][:48] in done.stdout
        mask = cv2.imread(str(out / a['mask']), cv2.IMREAD_GRAYSCALE)
        assert mask.shape == (480, 640) and set(np.unique(mask)) <= {0, 255}
        assert int((mask > 0).sum()) == a['area']
        assert (out / a['overlay']).is_file() and a['overlay'] in page
        assert a['points'] <= a['area'] and bool(a['clouds']) == (a['points'] > 0)
    assert (out / 'scene.ply').stat().st_size > 1_000_000
    assert not [a for a in answers if a['status'] == 'STALE']


def test_a_bag_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = demo(tmp_path, '--bag', str(tmp_path / 'nowhere'))
    assert done.returncode == 1
    assert 'nowhere' in done.stderr and 'Traceback' not in done.stderr


def test_the_shipped_bag_is_small() -> None:
    assert sum(p.stat().st_size for p in BAG.iterdir()) <= 8 * 2**20
