"""Atomic writes, after which a reader sees either the old or the complete new file, and checked reads of JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import tempfile
from typing import Any

from converseg_ros.core.errors import InputError


def _umask() -> int:
    """Return the umask of the process, read once at import, because reading it requires setting it."""
    value = os.umask(0o077)
    os.umask(value)
    return value


UMASK = _umask()


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path next to `path`; on success fsync and rename it to `path`, on failure remove it."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f'.{target.stem}.', suffix=target.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open('rb') as f:
            os.fsync(f.fileno())
        temporary.chmod(0o666 & ~UMASK)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], data: Any, *, indent: int | None = 2) -> None:
    """Write `data` as JSON to `path` atomically; raise ValueError for NaN, which is not valid JSON."""
    write_text(path, json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + '\n')


def read_object(path: Path, do: str) -> dict[str, Any]:
    """Return the JSON object of a file; raise InputError with the advice `do` for anything else."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f'not JSON ({error})', where=str(path), do=do) from error
    if not isinstance(data, dict):
        raise InputError('not a JSON object', where=str(path), do=do)
    return data
