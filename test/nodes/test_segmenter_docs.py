"""The node's page says what the node is."""

from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
import pytest

from converseg_ros.core import InputError

PAGE = (Path(__file__).resolve().parents[2] / 'docs' / 'segmenter_node.md').read_text()


def test_every_parameter_stands_in_the_table_with_its_default() -> None:
    from converseg_ros.ros.settings import TABLE

    rows = {
        m[1]: (m[2], m[3]) for m in re.finditer(r'^\| `([\w.]+)` \| `(.*?)` \|.*?\| (yes|configure) \|', PAGE, re.M)
    }
    assert set(rows) == {p.name for p in TABLE}
    for p in TABLE:
        default = str(p.default).lower() if isinstance(p.default, bool) else repr(p.default)
        default = '[]' if p.default == [''] else default
        assert rows[p.name] == (default, 'yes' if p.live else 'configure'), p.name


@pytest.mark.parametrize('white', [np.uint8(255), np.uint8(1), np.uint16(1)])
def test_the_mask_of_the_robot_is_read_as_by_the_command(tmp_path: Path, white: np.integer[Any]) -> None:
    from converseg_ros.datasets.images import read_mask
    from converseg_ros.ros.settings import TABLE, Settings

    def mask(path: Path) -> np.ndarray | None:
        return Settings({p.name: p.default for p in TABLE} | {'robot_mask': str(path)}).frames.robot

    drawn = np.zeros((4, 6), white.dtype)
    drawn[2:] = white
    cv2.imwrite(str(tmp_path / 'robot.png'), drawn)
    found = mask(tmp_path / 'robot.png')
    assert found is not None and found.tolist() == (drawn > 0).tolist()
    assert (read_mask(tmp_path / 'robot.png') == found).all()
    with pytest.raises(InputError, match=r'gone.png.*robot_mask'):
        mask(tmp_path / 'gone.png')


def test_the_node_passes_precision_and_resolution_to_the_network() -> None:
    from converseg_ros.network.options import Options
    from converseg_ros.ros.settings import TABLE, Settings

    defaults = {p.name: p.default for p in TABLE}
    assert Options(**Settings(defaults).network) == Options()
    chosen = Options(**Settings(defaults | {'precision': 'fp32', 'max_pixels': 63504}).network)
    assert (chosen.precision, chosen.max_pixels) == ('fp32', 63504)


def test_every_topic_stands_in_the_page() -> None:
    from converseg_ros.ros.segmenter.publishers import STREAMS

    for name in (*STREAMS, 'label_info', 'safety_ok', 'instruction_ack'):
        assert f'`~/{name}`' in PAGE
    for name in ('segment', 'set_instructions', 'reset', 'segment_task'):
        assert f'| `~/{name}` |' in PAGE


def test_the_examples_of_the_client_name_verbs_it_has() -> None:
    from converseg_ros.client import ConversegClient

    text = (Path(__file__).resolve().parents[2] / 'docs' / 'integrator.md').read_text()
    for block in re.findall(r'```python\n(.*?)```', text, re.S):
        compile(block, 'integrator.md', 'exec')
        for verb in re.findall(r'robot\.(\w+)', block):
            assert hasattr(ConversegClient, verb), verb
