"""Which texts can be read as English, by vocabulary."""

from pathlib import Path

import pytest
import yaml

from converseg_ros.core import InputError
from converseg_ros.knowledge import things
from converseg_ros.knowledge.english import check_readable, forbids_in_another_language, unreadable

DIALOGUE = Path(__file__).resolve().parents[1] / 'dialogue'


@pytest.mark.parametrize(
    ('text', 'why'),
    [
        ('нож', 'Russian'),
        ('los platos', 'Spanish'),
        ('la mesa', 'Spanish'),
        ('la pizza', 'Spanish'),
        ('el sofa', 'Spanish'),
        ('das Radio', 'German'),
        ('les cups', 'French'),
        ('ナイフ', 'Japanese'),
        ('不要碰刀', 'Chinese'),
        ('سكين', 'Arabic'),
        ('the нож', 'Russian'),
        ('🔪', 'symbol 🔪'),
        ('the 🔪', 'symbol 🔪'),
        ('!!!', 'no words'),
        ('123', 'no words'),
        ('die Schüsseln', 'German'),
        ('die rote Tasse', 'German'),
        ('das Messer', 'German'),
        ('nicht anfassen', 'German'),
        ('Finger weg vom Herd', 'German'),
        ('ein Glas', 'German'),
        ('non toccare il coltello', 'Italian'),
        ('il tavolo', 'Italian'),
        ('le couteau', 'French'),
        ('où est la tasse', 'French'),
        ('no toques el cuchillo', 'Spanish'),
        ('raak het mes niet aan', 'Dutch'),
        ('não toque na faca', 'Portuguese'),
        ('nie dotykaj noża', 'Polish'),
        ('rör inte kniven', 'Swedish'),
        ('coltello', 'none of these words: coltello'),
        ('Schüsseln', 'none of these words'),
    ],
)
def test_what_is_not_english_is_said(text, why):
    assert why in unreadable(text)
    with pytest.raises(InputError, match='English'):
        check_readable(text)


@pytest.mark.parametrize(
    'text',
    [
        'los angeles poster',
        'la croix can',
        *(
            'the knife',
            'colander',
            'the zester',
            'the Makita drill',
            'the café table',
            'jalapeño peppers',
            'the crème brûlée',
        ),
        *(
            'the die casting mold',
            'will the plant die',
            'pour the water',
            'a gift',
            'the war memorial',
            'no pasta',
            'dice',
        ),
        *(
            'the doner kebab',
            'the colour of the wall',
            'the 3.5 mm jack',
            'un-opened box',
            'main door',
            "mum's bag",
            'TV',
        ),
        *('the thing that is leaning', 'something unbreakable', 'red one', 'forget it', 'left', 'the hottest thing'),
    ],
)
def test_english_is_read_also_with_words_of_other_origin(text):
    assert unreadable(text) == ''
    check_readable(text)


def test_all_that_is_written_for_the_dialogue_is_read():
    texts = (DIALOGUE / 'prohibitions.txt').read_text().splitlines()
    texts += [e['say'] for e in yaml.safe_load((DIALOGUE / 'harmless.yaml').read_text())]
    texts += [name for thing in things().values() for name in thing.names]
    assert {t: unreadable(t) for t in texts if unreadable(t)} == {}


@pytest.mark.parametrize(
    'text',
    [
        'nicht anfassen',
        'non toccare il coltello',
        'не трогай нож',
        '不要碰刀',
        'ne touche pas',
        'Vorsicht heiß',
        'დანა',
    ],
)
def test_a_prohibition_in_another_language_is_told_from_a_request(text):
    assert forbids_in_another_language(text)


@pytest.mark.parametrize('text', ['die rote Tasse', 'покажи кружку', '杯子在哪里', 'la tazza rossa'])
def test_a_request_in_another_language_is_no_prohibition(text):
    assert not forbids_in_another_language(text)
