"""Let the tests of this folder use a browser."""

from browser import browser, speaking

__all__ = ['browser', 'speaking']
