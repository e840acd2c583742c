"""The benchmark of free texts counts choices among ten nouns."""

import json
from pathlib import Path

import numpy as np
import pytest

from converseg_ros.bench.statements import read_texts, share_right
from converseg_ros.cli import main
from converseg_ros.core.errors import InputError
from converseg_ros.core.image_files import write_image
from converseg_ros.network.registry import find_model

TEXTS = Path(__file__).parents[1] / 'data' / 'knowledge' / 'free_texts.tsv'
NOUNS = tuple(f'noun {k}' for k in range(12))


def test_the_right_noun_is_chosen_if_its_weight_is_the_largest() -> None:
    right = np.array([3])
    assert share_right({'noun 3': 0.5, 'noun 4': 0.4}, right, NOUNS) == 1
    assert share_right({noun: 1.0 for noun in NOUNS if noun != 'noun 3'}, right, NOUNS) == 0


def test_equal_nouns_are_chosen_by_chance() -> None:
    assert share_right({}, np.array([3]), NOUNS) == pytest.approx(0.1)


def test_a_text_describes_the_nouns_that_the_namer_has(tmp_path: Path) -> None:
    path = tmp_path / 'texts.tsv'
    path.write_text('text\tnouns\nsqueeze for "juice"\tnoun 2; lemon;noun 0\nthink about\t\n')
    (first, nouns), (second, none) = read_texts(path, NOUNS)
    assert (first, second) == ('squeeze for "juice"', 'think about')
    assert nouns.tolist() == [0, 2] and not len(none)


@pytest.mark.parametrize(
    'content', ['', 'text\tanswers\n', 'text\tnouns\nsqueeze for juice\n', 'text\tnouns\n\tlemon\n']
)
def test_an_invalid_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / 'texts.tsv'
    path.write_text(content)
    with pytest.raises(InputError, match=r'texts\.tsv, line [12]'):
        read_texts(path, NOUNS)


@pytest.mark.skipif(
    not (find_model('compact') / 'statements.safetensors').is_file(), reason='compact has no statements.safetensors'
)
def test_compact_chooses_far_better_than_by_chance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = tmp_path / 'grey.png'
    write_image(image, np.full((96, 128, 3), 128, np.uint8))
    asked = ['--images', str(image), '--json', str(tmp_path / 'out.json')]
    assert main(['bench', 'statements', str(TEXTS), *asked]) == 0
    found = json.loads((tmp_path / 'out.json').read_text())
    assert found['texts'] > 200 and found['right'] > 0.5
    assert sum(part['texts'] for part in found['cosine']) == found['texts']
    assert sum(part['texts'] for part in found['answered']) >= found['texts']
    assert all(part['answered'] < 0.5 for part in found['answered']), 'a grey image shows nothing that a text describes'
    assert f'{found["texts"]} of ' in capsys.readouterr().out
