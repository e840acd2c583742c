"""Locations of the installed files: configuration, launch files and the demo bag."""

import os
from pathlib import Path
import sys

from converseg_ros.core.errors import ConversegError


def share(*parts: str) -> Path:
    """Return a file or folder of the package's share directory: in the source tree, or installed (ament or wheel)."""
    roots = [Path(__file__).resolve().parents[2]]
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    roots += [Path(p) / 'share' / 'converseg_ros' for p in prefixes if p]
    for root in roots:
        if (found := root.joinpath(*parts)).exists():
            return found
    raise ConversegError(f'{"/".join(parts)} is not installed', where='converseg_ros', do='build the package again')
