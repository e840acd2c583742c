"""Read and validate the data files of `knowledge`; every error names the file and the line."""

from collections.abc import Iterator, Mapping
import csv
from functools import cache
from pathlib import Path
import re
from types import MappingProxyType
from typing import Any

import yaml

from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.errors import InputError
from converseg_ros.knowledge.entries import Appearance, Kind, Knowledge, Statement, Tag, Thing, Use

DATA = Path(__file__).with_name('data')
LABELLED = 'labelled'
"""Stem of the file that lists the classes of COCO and of the rendered scenes."""
MATERIALS = (
    'metal', 'wood', 'plastic', 'glass', 'ceramic', 'paper', 'cardboard', 'fabric', 'leather', 'rubber', 'stone',
    'food', 'plant', 'foam', 'wax', 'straw',
)  # fmt: skip
COLUMNS = ('name', 'number', 'other names', 'loose names', 'kinds', 'tags', 'size', 'materials')
MIN_SIZE, MAX_SIZE = 0.0005, 150.0
"""Metres; a size outside of this range is rejected as a typing error."""


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ('FILE, line N', row) of a CSV file that must have exactly these columns; lines with '#' are comments."""
    if not path.is_file():
        raise InputError('the file is missing', where=str(path), do='install the package again')
    with path.open(newline='', encoding='utf-8') as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if tuple(header) != columns:
            raise InputError(f'the columns are {header}', where=f'{path}, line 1', do=f'use {", ".join(columns)}')
        for cells in reader:
            where = f'{path}, line {reader.line_num}'
            if not cells or cells[0].startswith('#'):
                continue
            if len(cells) != len(columns):
                raise InputError(f'{len(cells)} cells instead of {len(columns)}', where=where)
            yield where, dict(zip(columns, (c.strip() for c in cells)))


def _items(cell: str) -> tuple[str, ...]:
    return tuple(x.strip() for x in cell.split(';') if x.strip())


def _use(data: Any, where: str) -> Use | None:
    if data is None:
        return None
    if not isinstance(data, dict) or data.keys() - {'sub_concept', 'verbs', 'sayings'}:
        raise InputError('it needs sub_concept and may have verbs and sayings', where=where)
    if data.get('sub_concept') not in SUB_CONCEPTS:
        raise InputError(f'unknown sub-concept {data.get("sub_concept")!r}', where=where)
    return Use(data['sub_concept'], tuple(data.get('verbs', ())), tuple(data.get('sayings', ())))


def _tag_lines(text: str) -> dict[str, int]:
    return {m[1]: n for n, line in enumerate(text.splitlines(), 1) if (m := re.match(r'([a-z_]+):', line))}


def _read_tags(path: Path) -> dict[str, Tag]:
    text = path.read_text(encoding='utf-8')
    try:
        data = yaml.load(text, getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise InputError(f'not YAML ({error})', where=str(path)) from error
    if not isinstance(data, dict):
        raise InputError('it is not a mapping from tags to their description', where=str(path))
    lines, found = _tag_lines(text), dict[str, Tag]()
    known = {'meaning', 'decided_by', 'use', 'hazard', 'adjective', 'substitute', 'excludes'}
    for name, row in data.items():
        where = f'{path}, line {lines.get(name, 0)}, tag {name}'
        if not isinstance(row, dict) or not row.get('meaning') or row.keys() - known:
            raise InputError('it needs a meaning and may have ' + ', '.join(sorted(known)), where=where)
        if row.get('decided_by', 'object') not in ('class', 'object'):
            raise InputError(f'decided_by is {row["decided_by"]!r}', where=where, do='use class or object')
        adjective, substitute = row.get('adjective'), row.get('substitute', {})
        if adjective and adjective.get('sub_concept') not in SUB_CONCEPTS:
            raise InputError(f'unknown sub-concept {adjective.get("sub_concept")!r}', where=where)
        if unknown := {*substitute.get('tags', ()), *row.get('excludes', ())} - data.keys():
            raise InputError(f'unknown tags {sorted(unknown)}', where=where)
        found[name] = Tag(
            name,
            str(row['meaning']),
            row.get('decided_by') == 'class',
            _use(row.get('use'), where),
            _use(row.get('hazard'), where),
            (adjective['sub_concept'], adjective['words']) if adjective else None,
            tuple(substitute.get('tags', ())),
            tuple(substitute.get('sayings', ())),
            tuple(row.get('excludes', ())),
        )
    return found


def _split_tags(cell: str, tags: Mapping[str, Tag], where: str) -> tuple[set[str], set[str], set[str]]:
    """Return the tags that a cell asserts, doubts (`?tag`) and denies (`!tag`)."""
    sure, doubtful, denied = set[str](), set[str](), set[str]()
    for token in cell.split():
        group, name = (
            (doubtful, token[1:]) if token[0] == '?' else (denied, token[1:]) if token[0] == '!' else (sure, token)
        )
        if name not in tags:
            raise InputError(f'unknown tag {name!r}', where=where, do='describe it in tags.yaml or correct it')
        if name in sure | doubtful | denied:
            raise InputError(f'the tag {name!r} is given twice', where=where, do='keep one of the two')
        group.add(name)
    return sure, doubtful, denied


def _read_kinds(path: Path, tags: Mapping[str, Tag]) -> dict[str, Kind]:
    kinds, places = dict[str, Kind](), dict[str, str]()
    for where, row in read_rows(path, ('kind', 'wider kinds', 'other names', 'one', 'many', 'tags')):
        name = row['kind']
        if name in kinds:
            raise InputError(f'the kind {name!r} is given twice', where=where)
        sure, doubtful, denied = _split_tags(row['tags'], tags, where)
        if denied:
            raise InputError('a kind denies no tag', where=where)
        wider, names = _items(row['wider kinds']), _items(row['other names'])
        kinds[name] = Kind(name, wider, names, row['one'], row['many'], frozenset(sure), frozenset(doubtful))
        places[name] = where
    for name, kind in kinds.items():
        if unknown := set(kind.wider) - kinds.keys():
            raise InputError(f'unknown kinds {sorted(unknown)}', where=places[name])
        if name in wider_kinds(kind.wider, kinds):
            raise InputError(f'the kind {name!r} is wider than itself', where=places[name])
    return kinds


def wider_kinds(direct: tuple[str, ...], kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """Return the given kinds and all wider ones, each once, in order."""
    found = list(direct)
    for name in found:  # the list grows during the iteration
        found += [w for w in kinds[name].wider if w not in found]
    return tuple(found)


def _read_size(cell: str, where: str) -> tuple[float, float, float] | None:
    if not cell:
        return None
    try:
        longer, shorter, height = (float(x) for x in cell.split('x'))
    except ValueError as error:
        raise InputError(f'the size is {cell!r}', where=where, do='write LONGERxSHORTERxHEIGHT in metres') from error
    if not all(MIN_SIZE <= x <= MAX_SIZE for x in (longer, shorter, height)) or shorter > longer:
        raise InputError(f'the size {cell} is implausible', where=where, do='write LONGERxSHORTERxHEIGHT in metres')
    return longer, shorter, height


def _read_thing(
    row: dict[str, str], where: str, tags: Mapping[str, Tag], kinds: Mapping[str, Kind], labelled: bool
) -> Thing:
    if row['number'] not in ('', 'mass', 'plural'):
        raise InputError(f'the number is {row["number"]!r}', where=where, do='leave it empty or use mass or plural')
    direct = _items(row['kinds'])
    if unknown := set(direct) - kinds.keys():
        raise InputError(f'unknown kinds {sorted(unknown)}', where=where, do='add them to kinds.csv or correct them')
    every = wider_kinds(direct, kinds)
    inherited = set[str]().union(*(kinds[k].tags for k in every))
    inherited_doubts = set[str]().union(*(kinds[k].doubtful for k in every))
    sure, doubtful, denied = _split_tags(row['tags'], tags, where)
    if vain := denied - inherited - inherited_doubts:
        raise InputError(f'denies {sorted(vain)}, which none of its kinds has', where=where, do='remove them')
    if again := sure & inherited:
        raise InputError(f'repeats {sorted(again)}, which its kinds have', where=where, do='remove them')
    sure |= inherited - doubtful - denied
    doubtful |= inherited_doubts - sure - denied
    for tag in sorted(sure):
        if both := sure.intersection(tags[tag].excludes):
            raise InputError(f'{tag} excludes {sorted(both)}', where=where, do='deny or doubt one of them')
    materials = _items(row['materials'])
    if unknown := set(materials) - set(MATERIALS):
        raise InputError(f'unknown materials {sorted(unknown)}', where=where, do=f'use {", ".join(MATERIALS)}')
    names, loose = _items(row['other names']), _items(row['loose names'])
    name = row['name']
    if not name or len({name, *names, *loose}) != 1 + len(names) + len(loose):
        raise InputError(f'{name!r} has a duplicate or an empty name', where=where)
    return Thing(
        name,
        (name, *names),
        loose,
        every,
        frozenset(sure),
        frozenset(doubtful),
        row['number'] == 'mass',
        row['number'] == 'plural',
        _read_size(row['size'], where),
        materials,
        labelled,
    )


@cache
def knowledge() -> Knowledge:
    """Return the contents of the data files of the package, read once."""
    return load(DATA)


def load(folder: Path) -> Knowledge:
    """Read all data files of a folder; raise InputError with file and line for unknown or contradictory entries."""
    tags = _read_tags(folder / 'tags.yaml')
    kinds = _read_kinds(folder / 'kinds.csv', tags)
    things, places = dict[str, Thing](), dict[str, str]()
    files = sorted((folder / 'things').glob('*.csv'), key=lambda p: (p.stem != LABELLED, p.stem))
    for path in files:
        for where, row in read_rows(path, COLUMNS):
            thing = _read_thing(row, where, tags, kinds, path.stem == LABELLED)
            if thing.name in things:
                raise InputError(f'{thing.name!r} is also in {places[thing.name]}', where=where)
            things[thing.name], places[thing.name] = thing, where
    return Knowledge(
        MappingProxyType(tags),
        MappingProxyType(kinds),
        MappingProxyType(things),
        _read_look_alikes(folder / 'look_alikes.csv', things),
        MappingProxyType(_read_appearances(folder / 'appearances.csv', things)),
        MappingProxyType(_read_pairs(folder / 'coco_names.csv', ('spelling', 'name'), things)),
        MappingProxyType(_read_pairs(folder / 'irregular_plurals.csv', ('singular', 'plural'), None)),
        _read_statements(folder / 'statements.csv', things),
    )


def _read_look_alikes(path: Path, things: Mapping[str, Thing]) -> tuple[frozenset[str], ...]:
    groups = []
    for where, row in read_rows(path, ('classes',)):
        group = _items(row['classes'])
        if unknown := set(group) - things.keys():
            raise InputError(f'unknown classes {sorted(unknown)}', where=where)
        if len(group) < 2 or len(set(group)) < len(group):
            raise InputError('a group has at least two different classes', where=where)
        groups.append(frozenset(group))
    return tuple(groups)


def _read_appearances(path: Path, things: Mapping[str, Thing]) -> dict[str, Appearance]:
    found: dict[str, Appearance] = {}
    for where, row in read_rows(path, ('noun', 'alike', 'similar')):
        noun, alike, similar = row['noun'], _items(row['alike']), _items(row['similar'])
        if unknown := {*alike, *similar} - things.keys():
            raise InputError(f'unknown classes {sorted(unknown)}', where=where)
        if not noun or noun in found or len({noun, *alike, *similar}) < 1 + len(alike) + len(similar):
            raise InputError(f'{noun!r} is given twice, or looks like a class twice', where=where)
        found[noun] = Appearance(alike, similar)
    return found


def _read_statements(path: Path, things: Mapping[str, Thing]) -> tuple[Statement, ...]:
    members: dict[str, list[str]] = {}
    for name, thing in things.items():
        for kind in thing.kinds:
            members.setdefault(kind, []).append(name)
    found, seen = [], set[str]()
    for where, row in read_rows(path, ('wordings', 'classes and kinds')):
        wordings, named = _items(row['wordings']), _items(row['classes and kinds'])
        if unknown := set(named) - things.keys() - members.keys():
            raise InputError(f'unknown classes or kinds {sorted(unknown)}', where=where)
        if not wordings or not named:
            raise InputError('a statement has wordings and classes', where=where)
        for wording in wordings:
            if wording in seen:
                raise InputError(f'the wording {wording!r} is given twice', where=where)
            seen.add(wording)
        classes = dict.fromkeys(c for n in named for c in (n, *members.get(n, ())) if c in things)
        found.append(Statement(wordings, tuple(classes)))
    return tuple(found)


def _read_pairs(path: Path, columns: tuple[str, str], things: Mapping[str, Thing] | None) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for where, row in read_rows(path, columns):
        key, value = row[columns[0]], row[columns[1]]
        if not key or not value or key in pairs:
            raise InputError(f'{key!r} is given twice or incomplete', where=where)
        if things is not None and value not in things:
            raise InputError(f'unknown class {value!r}', where=where)
        pairs[key] = value
    return pairs
