"""The data files are checked when they are read, and an error names the line."""

from collections.abc import Callable
from pathlib import Path
import shutil

import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge.loader import DATA, knowledge, load
from converseg_ros.scenes.graph import ATTRIBUTES


@pytest.fixture
def spoilt(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that copies the data files and appends a line to one of them."""

    def make(name: str, line: str) -> Path:
        folder = tmp_path / 'data'
        shutil.copytree(DATA, folder)
        with (folder / name).open('a', encoding='utf-8') as file:
            file.write(line + '\n')
        return folder

    return make


THING = 'things/labelled.csv'


@pytest.mark.parametrize(
    ('file', 'line', 'message'),
    [
        (THING, 'gizmo,,,,tool,sharpp,,', "unknown tag 'sharpp'"),
        (THING, 'gizmo,,,,tool,sharp ?sharp,,', "the tag 'sharp' is given twice"),
        (THING, 'gizmo,,,,tool,sharp !sharp,,', "the tag 'sharp' is given twice"),
        (THING, 'gizmo,,,,tool,heavy light_weight,,', "heavy excludes ['light_weight']"),
        (THING, 'gizmo,,,,fruit,toxic,,', "edible excludes ['toxic']"),
        (THING, 'gizmo,,,,tool,!edible,,', "denies ['edible']"),
        (THING, 'gizmo,,,,fruit,edible,,', "repeats ['edible']"),
        (THING, 'gizmo,,,,gadgetry,,,', "unknown kinds ['gadgetry']"),
        (THING, 'mug,,,,tool,,,', "'mug' is also in"),
        (THING, 'gizmo,several,,,tool,,,', "the number is 'several'"),
        (THING, 'gizmo,,gadget; gadget,,tool,,,', 'has a duplicate or an empty name'),
        (THING, 'gizmo,,,,tool,,0.2x0.3x0.1,', 'implausible'),
        (THING, 'gizmo,,,,tool,,200x200x100,', 'implausible'),
        (THING, 'gizmo,,,,tool,,20cm,', "the size is '20cm'"),
        (THING, 'gizmo,,,,tool,,,unobtainium', "unknown materials ['unobtainium']"),
        (THING, 'gizmo,,,,tool', '5 cells instead of 8'),
        ('kinds.csv', 'tool,,,,,', "the kind 'tool' is given twice"),
        ('kinds.csv', 'gadgetry,gadgetry,,,,', 'wider than itself'),
        ('look_alikes.csv', 'mug; gizmo', "unknown classes ['gizmo']"),
        ('appearances.csv', 'gizmo,mug; gadget,', "unknown classes ['gadget']"),
        ('appearances.csv', 'gizmo,mug,mug', 'looks like a class twice'),
        ('coco_names.csv', 'gizmo-stuff,gizmo', "unknown class 'gizmo'"),
        ('irregular_plurals.csv', 'knife,knifes', "'knife' is given twice"),
        ('statements.csv', 'levitates; hovers,mug; gizmo', "unknown classes or kinds ['gizmo']"),
        ('statements.csv', 'levitates; hovers; levitates,mug', "the wording 'levitates' is given twice"),
        ('statements.csv', '; ,mug', 'a statement has wordings and classes'),
        ('statements.csv', 'levitates,', 'a statement has wordings and classes'),
    ],
)
def test_an_error_names_the_file_and_the_line(
    spoilt: Callable[[str, str], Path], file: str, line: str, message: str
) -> None:
    folder = spoilt(file, line)
    with pytest.raises(InputError) as error:
        load(folder)
    number = len((folder / file).read_text().splitlines())
    assert message in str(error.value)
    assert f'{Path(file).name}, line {number}' in str(error.value)


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('wobbles: {meaning: it wobbles, use: {sub_concept: wobbling}}', 'unknown sub-concept'),
        ('wobbles: {use: {sub_concept: sit}}', 'needs a meaning'),
        ('wobbles: {meaning: it wobbles, decided_by: dice}', "decided_by is 'dice'"),
        ('wobbles: {meaning: it wobbles, substitute: {tags: [jiggles], sayings: [a]}}', "unknown tags ['jiggles']"),
    ],
)
def test_an_error_names_the_tag(spoilt: Callable[[str, str], Path], line: str, message: str) -> None:
    with pytest.raises(InputError, match='tag wobbles') as error:
        load(spoilt('tags.yaml', line))
    assert message in str(error.value)


def test_a_missing_file_is_named(spoilt: Callable[[str, str], Path]) -> None:
    folder = spoilt('kinds.csv', '# a comment is allowed')
    (folder / 'look_alikes.csv').unlink()
    with pytest.raises(InputError, match=r'look_alikes\.csv'):
        load(folder)


def test_tags_are_inherited_from_kinds_unless_they_are_denied(spoilt: Callable[[str, str], Path]) -> None:
    folder = spoilt(THING, 'gizmo,,,,fruit,sharp ?graspable,,\nrelic,,,,fruit,!edible,0.3x0.2x0.1,stone')
    things = load(folder).things
    gizmo, relic = things['gizmo'], things['relic']
    assert gizmo.kinds == ('fruit', 'food')
    assert {'sharp', 'edible'} <= gizmo.tags
    assert 'graspable' in gizmo.doubtful and 'graspable' not in gizmo.tags
    assert 'edible' not in relic.tags | relic.doubtful
    assert relic.size == (0.3, 0.2, 0.1) and relic.materials == ('stone',)


def test_scenes_use_known_attributes_only() -> None:
    assert set(ATTRIBUTES) - {'furniture', 'appliance', 'tool', 'dish', 'cutlery'} <= set(knowledge().tags)
    assert {'furniture', 'appliance', 'tool', 'dish', 'cutlery'} <= set(knowledge().kinds)


def test_no_class_has_a_tag_and_doubts_it() -> None:
    assert not [t.name for t in knowledge().things.values() if t.tags & t.doubtful]


def test_a_wording_of_one_statement_is_not_given_to_another(spoilt: Callable[[str, str], Path]) -> None:
    """The vectors of wordings are stored by their text, so a text has one meaning."""
    wording = knowledge().statements[0].wordings[0]
    with pytest.raises(InputError, match='is given twice'):
        load(spoilt('statements.csv', f'{wording},mug'))


def test_a_kind_in_a_statement_means_all_of_its_members(spoilt: Callable[[str, str], Path]) -> None:
    statement = load(spoilt('statements.csv', 'levitates; hovers,mug; fruit')).statements[-1]
    assert statement.wordings == ('levitates', 'hovers')
    assert statement.classes[0] == 'mug' and {'apple', 'banana'} <= set(statement.classes)
    assert 'carrot' not in statement.classes


def test_statements_are_short_phrases_about_classes() -> None:
    """A wording is compared with the words of an instruction, so it has neither a list nor quotation marks."""
    wordings = [w for s in knowledge().statements for w in s.wordings]
    assert len(wordings) == len(set(wordings)) > 1000
    assert not [w for w in wordings if set(w) & set(',;"\n') or len(w.split()) > 12]
    assert all(set(s.classes) <= knowledge().things.keys() for s in knowledge().statements)
