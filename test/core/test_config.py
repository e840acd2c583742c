"""Options come from YAML and flags by one builder, checked key by key."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import pytest

from converseg_ros.core import InputError
from converseg_ros.core.config import add_flags, from_flags
from converseg_ros.core.options import check_options, option


@dataclass(frozen=True)
class Options:
    """For the test."""

    name: str = ''
    """A name, 100 % free."""
    speed_limit: float = option(1.5, 0.0, 10.0)
    """How fast."""
    count: int = option(2, 1, 9)
    """How many."""
    mode: str = option('a', choices=('a', 'b'))
    """Which."""
    loud: bool = False
    """Whether it is."""

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        check_options(self, 'test')


def parse(*flags: str, file: Path | None = None) -> Options:
    parser = argparse.ArgumentParser()
    add_flags(parser, Options)
    options: Options = from_flags(Options, parser.parse_args(flags), file)
    return options


def test_defaults_file_and_flags_come_in_this_order(tmp_path: Path) -> None:
    file = tmp_path / 'o.yaml'
    file.write_text('speed-limit: 3\ncount: 4\nname: 2024\n')
    assert parse() == Options()
    assert parse(file=file) == Options('2024', 3.0, 4)
    assert parse('--count', '5', '--loud', '--mode', 'b', file=file) == Options('2024', 3.0, 5, 'b', True)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('sped_limit: 1', 'sped_limit'),
        ('speed_limit: fast', 'fast'),
        ('speed_limit: 11', 'speed_limit is 11'),
        ('count: 1.5', 'count'),
        ('count: true', 'count'),
        ('mode: c', 'mode'),
        ('loud: 1', 'loud'),
        ('- 1', 'mapping'),
        ('a: [', 'cannot be read'),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / 'o.yaml').write_text(text)
    with pytest.raises(InputError, match=words):
        parse(file=tmp_path / 'o.yaml')


def test_help_shows_the_description_and_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse('--help')
    text = capsys.readouterr().out
    assert '--speed-limit' in text and 'How fast. (default: 1.5)' in text and '100 % free' in text
