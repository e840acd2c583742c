"""`converseg doctor`: the supported versions of Python, and recordings whose depth is registered or not."""

from pathlib import Path
import sys

import pytest

from converseg_ros.commands.doctor import Finding, check_bag, check_python, check_sound
from converseg_ros.core.paths import share


@pytest.mark.parametrize(
    ('version', 'level'), [((3, 10), 'missing'), ((3, 11), 'ok'), ((3, 14), 'ok'), ((3, 15), 'missing')]
)
def test_the_supported_versions_of_python_are_accepted(
    version: tuple[int, int], level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'version_info', (*version, 0, 'final', 0))
    assert next(check_python()).level == level


@pytest.mark.parametrize(
    ('code', 'remedy'),
    [("raise OSError('PortAudio library not found')", 'libportaudio2'), ('raise ImportError', 'speech'), ('', '')],
)
def test_a_microphone_without_its_library_is_reported(
    code: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'sounddevice.py').write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'sounddevice', raising=False)
    found = [f for f in check_sound() if f.what == 'PortAudio']
    sys.modules.pop('sounddevice', None)  # monkeypatch would put this one back after the test
    assert [remedy in f.do and f.level == 'note' for f in found] == [True] * bool(remedy)


def registration(bag: Path) -> Finding:
    (found,) = [f for f in check_bag(bag) if f.what == 'depth registration']
    return found


def test_depth_of_the_shipped_bag_is_registered() -> None:
    found = registration(share('demo', 'bag'))
    assert found.level == 'ok' and not found.do


def test_a_real_recording_with_depth_of_another_camera_gets_the_values_that_register_it(shared: Path) -> None:
    """The depth camera has 585 pixels and the colour camera 525, 25 mm beside it (docs/evaluation.md)."""
    found = registration(shared / 'data' / 'kitchen_raw')
    assert found.level == 'note' and 'not registered' in found.found
    focal, x, _ = (float(v) for v in found.do.rpartition('--depth-offset ')[2].rstrip(')').split())
    assert abs(focal - 585 / 525) < 0.02 and abs(x + 0.025) < 0.006
