"""Let the tests of this folder use a browser."""

from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browser import browser, speaking

__all__ = ['browser', 'speaking']
