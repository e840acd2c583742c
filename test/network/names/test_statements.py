"""Free texts describe classes by the statements that are similar to them, with the text encoder of `compact`."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import Statement
from converseg_ros.network.file_names import STATEMENTS
from converseg_ros.network.names.scores import Encoder
from converseg_ros.network.names.statements import (
    FAR,
    NEAR,
    Statements,
    load_statements,
    missing_wordings,
    save_statements,
)
from converseg_ros.network.registry import find_model
from converseg_ros.network.weights.things_loader import load_text_encoder


@pytest.fixture(scope='module')
def encode() -> Encoder:
    return load_text_encoder(find_model('compact'))


@pytest.fixture(scope='module')
def file() -> Path:
    """Return the file of `compact`, which was computed with the same encoder."""
    return find_model('compact') / STATEMENTS


@pytest.fixture(scope='module')
def statements(file: Path, encode: Encoder) -> Statements:
    return load_statements(file, encode)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[Statement]:
    """Replace the statements of `knowledge` by two, to which a test may add more."""
    given = [Statement(('squeeze for juice', 'press the juice out of'), ('lemon', 'orange'))]
    given.append(Statement(('could run me over', 'may hit somebody who crosses the street'), ('car', 'truck')))
    monkeypatch.setattr(knowledge, 'statements', lambda: tuple(given))
    return given


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('squeeze for juice', {'lemon', 'orange'}),
        ('run me over', {'car', 'truck', 'bus', 'motorcycle', 'scooter'}),
        ('shows me what time it is', {'clock', 'watch'}),
    ],
)
def test_what_a_text_describes_has_the_largest_weights(statements: Statements, text: str, expected: set[str]) -> None:
    found = statements.classes(text)
    assert max(found, key=lambda name: found[name]) in expected
    assert all(0 <= weight <= 1 for weight in found.values())
    assert min(found.get(name, 0.0) for name in expected) > max(found.get('spoon', 0.0), found.get('cloud', 0.0))


def test_the_similarity_is_that_of_the_most_similar_wording(few: list[Statement], encode: Encoder) -> None:
    vectors = encode([w for s in few for w in s.wordings])
    found = Statements(few, vectors, encode)
    assert found.similarity('press the juice out of') == pytest.approx(1, abs=1e-4)
    assert found.similarity('make juice from') == pytest.approx(float((vectors @ encode(['make juice from'])[0]).max()))


@pytest.mark.parametrize('text', ['quantum chromodynamics', 'xyzzy', ''])
def test_a_text_that_is_far_from_all_statements_describes_nothing(statements: Statements, text: str) -> None:
    assert not statements.classes(text)


def test_the_weights_grow_with_the_similarity_of_the_best_statement(few: list[Statement], encode: Encoder) -> None:
    vectors = encode([w for s in few for w in s.wordings])
    found = Statements(few, vectors, encode)
    assert found.classes('squeeze for juice')['lemon'] == pytest.approx(1)
    similarity = found.similarity('make juice from')
    part = (similarity - FAR) / (NEAR - FAR)
    assert 0 < part < 1, 'between the two bounds'
    assert 0 < found.classes('make juice from')['lemon'] < part, (
        'what is only a little similar weighs less than in proportion'
    )


def test_the_first_members_of_a_statement_are_the_most_typical(few: list[Statement], encode: Encoder) -> None:
    few[0] = Statement(few[0].wordings, ('lemon', 'orange', 'lime', 'pomegranate', 'car'))
    found = Statements(few, encode([w for s in few for w in s.wordings]), encode).classes('squeeze for juice')
    order = ['lemon', 'orange', 'lime', 'pomegranate', 'car']
    assert sorted(found, key=lambda name: -found[name])[:5] == order
    few[1] = Statement(('squeeze to get juice',), ('orange', 'lime'))
    both = Statements(few, encode([w for s in few for w in s.wordings]), encode).classes('squeeze for juice')
    assert both['orange'] / both['lemon'] > 1.5 * found['orange'] / found['lemon']


def test_a_file_gives_the_weights_of_the_exact_vectors(few: list[Statement], encode: Encoder, tmp_path: Path) -> None:
    path = tmp_path / 'statements.safetensors'
    save_statements(path, encode)
    exact = Statements(few, encode([w for s in few for w in s.wordings]), encode)
    again = load_statements(path, encode)
    for text in ('press for juice', 'what might run somebody over'):
        assert again.classes(text) == pytest.approx(exact.classes(text), abs=0.02)


def test_a_wording_that_the_file_does_not_have_is_encoded(
    few: list[Statement], encode: Encoder, tmp_path: Path
) -> None:
    path = tmp_path / 'statements.safetensors'
    save_statements(path, encode)
    assert missing_wordings(path) == () and 'umbrella' not in load_statements(path, encode).classes('keep me dry')
    few.insert(0, Statement(('keeps me dry in the rain',), ('umbrella',)))
    assert missing_wordings(path) == ('keeps me dry in the rain',)
    changed = load_statements(path, encode)
    assert changed.classes('keep me dry when it rains')['umbrella'] > 0.9
    assert changed.classes('squeeze for juice')['lemon'] > 0.9


def test_a_wording_that_was_removed_counts_no_more(few: list[Statement], encode: Encoder, tmp_path: Path) -> None:
    path = tmp_path / 'statements.safetensors'
    save_statements(path, encode)
    del few[0]
    found = load_statements(path, encode)
    assert not found.classes('squeeze for juice') and found.classes('run me over')['car'] > 0.5


def test_without_a_file_nothing_is_described(tmp_path: Path, encode: Encoder) -> None:
    assert not load_statements(tmp_path / 'statements.safetensors', encode).classes('squeeze for juice')


@pytest.mark.parametrize('content', [b'', b'no tensors', None])
def test_an_invalid_file_is_named(file: Path, tmp_path: Path, encode: Encoder, content: bytes | None) -> None:
    path = tmp_path / 'statements.safetensors'
    path.write_bytes(file.read_bytes()[:-1000] if content is None else content)
    with pytest.raises(InputError, match=r'statements\.safetensors') as error:
        load_statements(path, encode)
    assert 'assemble' in str(error.value)


def test_a_file_whose_wordings_and_vectors_differ_in_number_is_invalid(tmp_path: Path, encode: Encoder) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / 'statements.safetensors'
    save_file({'vectors': np.zeros((3, 384), np.int8)}, path, {'wordings': 'one\ntwo'})
    with pytest.raises(InputError, match='not vectors of statements'):
        load_statements(path, encode)
    save_file({'vectors': np.zeros((3, 384), np.int8)}, path)
    with pytest.raises(InputError, match='not vectors of statements'):
        load_statements(path, encode)
