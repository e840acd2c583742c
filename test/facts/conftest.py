"""The view of most tests, with and without depth."""

from facts_blocks import BLOCKS, facts
import pytest

from converseg_ros.facts.table import Facts


@pytest.fixture(scope='module')
def seen() -> Facts:
    """Return the facts of the view of most tests, with depth."""
    return facts(BLOCKS, noise=0.001)


@pytest.fixture(scope='module')
def flat() -> Facts:
    """Return the same view without depth."""
    return facts(BLOCKS, depth=False)
