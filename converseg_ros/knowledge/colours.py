"""Colours with the basic term that people use for each of them."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge.loader import DATA, read_rows

COLUMNS = ('term', 'name', 'colour')
Rgb = tuple[int, int, int]


@cache
def colour_samples() -> Mapping[str, tuple[Rgb, ...]]:
    """Return sRGB colours (0 to 255) for each basic colour term, from `data/colours.csv`."""
    found: dict[str, list[Rgb]] = {}
    for where, row in read_rows(DATA / 'colours.csv', COLUMNS):
        try:
            red, green, blue = bytes.fromhex(row['colour'].removeprefix('#'))
        except ValueError as error:
            raise InputError(f'{row["colour"]!r} is no colour', where=where, do='write #rrggbb') from error
        found.setdefault(row['term'], []).append((red, green, blue))
    return MappingProxyType({term: tuple(samples) for term, samples in found.items()})
