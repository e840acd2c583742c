"""Free texts are answered by the statements and the text encoder of `compact`, on a table whose objects are known."""

from dataclasses import replace

from facts_blocks import Block, facts
import pytest

pytest.importorskip('torch')

from converseg_ros.core import Status
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.naming import Described, Seen
from converseg_ros.facts.table import Facts
from converseg_ros.network.file_names import STATEMENTS
from converseg_ros.network.names.statements import missing_wordings
from converseg_ros.network.registry import find_model, load
from converseg_ros.programs.nodes import Filter, Like, Select

NAMES = ('lemon', 'hammer', 'candle', 'umbrella', 'clock')
FILE = find_model('compact') / STATEMENTS

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f'compact has no {STATEMENTS}')


@pytest.fixture(scope='module')
def described() -> Described:
    """Return what the network of the shipped folder takes texts to describe."""
    network = load('compact', device='cpu', precision='fp32')
    yield network.parts.described
    network.close()


@pytest.fixture(scope='module')
def seen(described: Described) -> Facts:
    """Return the facts about five objects on a table, with the statements of the shipped folder."""
    blocks = [Block(name, 0.25 * (k - 2), 0.1, (0.1, 0.1, 0.1)) for k, name in enumerate(NAMES)]
    found = facts(blocks)
    assert isinstance(found.properties, Seen)
    return replace(found, properties=replace(found.properties, described=described), _cache={})


@pytest.mark.parametrize(
    ('text', 'name'),
    [
        ('squeeze for juice', 'lemon'),
        ('drive in nails with', 'hammer'),
        ('give us light when the power is out', 'candle'),
        ('keep the rain off me', 'umbrella'),
        ('tell me how late it is', 'clock'),
    ],
)
def test_a_text_without_a_noun_finds_what_it_describes(seen: Facts, text: str, name: str) -> None:
    answer = execute(Select('one', Like(text)), seen)
    assert answer.status == Status.LOW_CONFIDENCE
    assert (answer.mask == seen.segments.masks[NAMES.index(name)]).all()


def test_a_noun_is_not_overruled_by_what_its_text_describes(seen: Facts) -> None:
    answer = execute(Select('one', Like('that I could squeeze for juice', Filter('name', 'hammer'))), seen)
    assert (answer.mask == seen.segments.masks[NAMES.index('hammer')]).all()


def test_the_shipped_file_has_all_wordings() -> None:
    """Otherwise they are encoded whenever the model is loaded; `converseg weights assemble` writes the file anew."""
    assert missing_wordings(FILE) == ()
