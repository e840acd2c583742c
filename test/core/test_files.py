"""Files are written whole, with the permissions that the process's umask leaves, from any number of threads."""

import os
from pathlib import Path
import subprocess
import sys
from threading import Thread

import pytest

from converseg_ros.core.files import atomic_path, write_json, write_text


def test_writing_never_touches_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread that makes a file meanwhile would make it with the wrong permissions."""
    monkeypatch.setattr(os, 'umask', lambda _: pytest.fail('the umask was changed'))
    threads = [Thread(target=write_text, args=(tmp_path / str(n), 'x')) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all((tmp_path / str(n)).read_text() == 'x' for n in range(4))


@pytest.mark.parametrize('umask', [0o022, 0o077, 0o002])
def test_files_have_the_permissions_of_the_umask(tmp_path: Path, umask: int) -> None:
    code = (
        f'import os; os.umask({umask}); from converseg_ros.core.files import write_text; '
        f'write_text({str(tmp_path / "f")!r}, "x"); raise SystemExit(os.umask(0) != {umask})'
    )
    subprocess.run([sys.executable, '-c', code], check=True, cwd=Path(__file__).parents[2])
    assert (tmp_path / 'f').stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / 'a.json', {'a': 1})
    with pytest.raises(ValueError, match='nan'):
        write_json(tmp_path / 'a.json', {'a': float('nan')})
    with pytest.raises(RuntimeError), atomic_path(tmp_path / 'a.json') as temporary:
        temporary.write_text('half')
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ['a.json'] and '1' in (tmp_path / 'a.json').read_text()
