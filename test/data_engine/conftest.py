"""Let the tests of this folder import its helpers and use its rooms."""

from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).parent))

from small_rooms import rooms

__all__ = ['rooms']
