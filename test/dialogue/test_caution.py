"""A prohibition guards what it names or is refused; it never becomes a request, and never ends a guard."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import pytest
import yaml

from converseg_ros.core import Instruction, Role
from converseg_ros.dialogue import CommandKind, Dialogue, Options, SceneMemory
from converseg_ros.dialogue.memory import Interpretation

HERE = Path(__file__).parent
PROHIBITIONS = (HERE / 'prohibitions.txt').read_text().split('\n')[:-1]
WIDE = (HERE / 'prohibitions_wide.txt').read_text().split('\n')[:-1]  # not all of them are understood
HARMLESS = yaml.safe_load((HERE / 'harmless.yaml').read_text())
STOVE = Instruction('the stove', Role.SAFETY, name='stove', standing=True)


def guards(heard: Interpretation) -> list[str]:
    """Return what stands as safety because of a text, and fail on anything else it asked for."""
    assert all(i.role == Role.SAFETY and i.standing for i in heard.instructions), heard
    return [i.resolved for i in heard.instructions]


def assert_guards_or_refuses(text: str) -> list[str]:
    dialogue = Dialogue()
    heard = dialogue.hear(text, SceneMemory(standing=(STOVE,)))
    found = guards(heard)
    assert not heard.commands or not heard.accepted, heard
    assert CommandKind.REMOVE_SAFETY not in [c.kind for c in heard.commands]
    if found:
        assert heard.accepted
    else:
        assert not heard.accepted and heard.question and heard.reason, (text, heard)
        assert list(dialogue.refused.texts.values()), 'safety must not count as given until it is settled'
    return found


def test_the_lists_are_as_long_as_promised():
    assert len(set(PROHIBITIONS)) >= 100 and len({e['say'] for e in HARMLESS}) >= 100


@pytest.mark.parametrize('text', PROHIBITIONS)
def test_a_plain_prohibition_guards(text):
    assert assert_guards_or_refuses(text), 'this one is understood'


@pytest.mark.parametrize('text', WIDE)
def test_a_prohibition_in_other_words_guards_or_is_refused(text):
    assert_guards_or_refuses(text)


@pytest.mark.parametrize('case', HARMLESS, ids=lambda case: case['say'])
def test_a_harmless_negation_is_answered_as_before(case):
    dialogue = Dialogue()
    dialogue.hear('show me the mug and the red cup')
    heard = dialogue.hear(case['say'])
    asked = [f'{i.resolved} | {i.role.name.lower()}{" standing" if i.standing else ""}' for i in heard.instructions]
    assert asked == case.get('asked', [])
    assert [c.kind.value for c in heard.commands] == case.get('do', [])
    assert heard.accepted == case.get('accepted', True)
    assert not heard.question and not dialogue.refused.texts


@pytest.mark.parametrize(
    ('text', 'found'),
    [
        ("don't, um, touch the knife", 'the knife'),
        ('do not, please, touch the knife', 'the knife'),
        ("Don't. Touch the knife.", 'the knife'),
        ("don't\u2014touch the knife", 'the knife'),
        ("Don't touch the... knife", 'the knife'),
        ('the stove is off-limits', 'the stove'),
        ('under no circumstances touch the drill', 'the drill'),
        ('take care not to touch the drill', 'the drill'),
        ('keep away from the stove unless it is off', 'the stove'),
        ("whatever you do, don't touch the knife", 'the knife'),
        *((f'DON{mark}T TOUCH THE STOVE', 'the stove') for mark in "'\u00b4`\u02bc\u2032\u201b\u02b9\u2019\uff07"),
        *(
            (f"{before}don't touch the stove", 'the stove')
            for before in ('\u26a0\ufe0f ', '\u2022 ', '- ', '1) ', '\ufeff', '(a) ', '[ ] ', '\U0001f6ab ', '\u2026')
        ),
    ],
)
def test_pauses_fillers_bullets_and_quotes_change_nothing(text, found):
    assert assert_guards_or_refuses(text) == [found]


@pytest.mark.parametrize(
    'text',
    [
        'Keep away from everything but the mug',
        "don't touch anything",
        "don't touch anything but the mug",
        "don't touch it",
        "don't touch the \U0001f52a",
        'keep away from the stove and the \U0001f52a',
        "don't let the cup fall",
        'pick up the mug without touching the knife',
        "where can I put the knife don't touch the stove",
        'children must not reach the knife',
        'touch nothing',
        "don't!",
        'careful!',
        'hot!',
        'hands off!',
        "Don't, um, forget the stove",
        "don't stop avoiding the stove",
        "don't touch the knife" + ' very' * 200,
        "don't touch the knife\x00",
    ],
)
def test_what_cannot_be_guarded_is_refused_with_a_question(text):
    assert assert_guards_or_refuses(text) == []


@pytest.mark.parametrize('but', ['but', 'except', 'except for', 'apart from', 'other than'])
def test_everything_but_a_thing_is_not_that_thing(but):
    heard = Dialogue().hear(f'pick up everything {but} the knife')
    assert [i.resolved for i in heard.instructions] == [f'everything {but} the knife']


def test_a_prohibition_beside_a_request_guards_and_asks():
    heard = Dialogue().hear("show me the mug, but don't touch the knife")
    assert [(i.resolved, i.role) for i in heard.instructions] == [
        ('the mug', Role.PLAIN),
        ('the knife', Role.SAFETY),
    ]
    heard = Dialogue().hear('keep away from the stove. the knife')
    assert guards(heard) == ['the stove', 'the knife'], 'what follows without a verb is guarded too'


def test_a_refused_prohibition_ends_no_guard_and_stays_open_until_it_is_settled():
    dialogue, scene = Dialogue(), SceneMemory(standing=(STOVE,))
    for words in ("Don't, um, forget the stove", 'ok', 'yes', 'sure', "don't!"):
        heard = dialogue.hear(words, scene)
        assert not heard.accepted and heard.question and not heard.commands, words
        assert dialogue.refused.texts
    assert dialogue.hear('show me the mug', scene).instructions[0].resolved == 'the mug'
    assert dialogue.refused.texts, 'another request settles nothing'
    assert dialogue.hear('no', scene).accepted
    assert not dialogue.refused.texts


@pytest.mark.parametrize('settles', ['keep away from the knife', 'forget it', 'never mind', 'no', 'undo', 'start over'])
def test_a_guard_or_taking_it_back_settles_a_refused_prohibition(settles):
    dialogue = Dialogue()
    dialogue.hear("don't let the cup fall")
    dialogue.hear(settles, operator='bob')
    assert dialogue.refused.texts, 'only its own operator settles it'
    dialogue.hear(settles)
    assert not dialogue.refused.texts


def test_a_stop_in_a_refused_text_is_obeyed():
    heard = Dialogue().hear("Stop! Don't touch it!")
    assert [c.kind for c in heard.commands] == [CommandKind.STOP] and not heard.accepted


def test_a_refused_prohibition_outlives_a_restart(tmp_path):
    dialogue = Dialogue()
    dialogue.hear("don't let the cup fall")
    dialogue.save(tmp_path / 'dialogue.json')
    other = Dialogue()
    other.load(tmp_path / 'dialogue.json')
    assert other.refused.texts == {'': "don't let the cup fall"}


def test_a_language_model_is_not_asked_about_a_prohibition():
    dialogue = Dialogue(Options('openai', 'http://127.0.0.1:9/v1', 'any'))
    heard = dialogue.begin("don't let the cup fall")
    assert isinstance(heard, Interpretation) and not heard.accepted and heard.question
    heard = dialogue.begin("don't touch the knife")
    assert isinstance(heard, Interpretation) and guards(heard) == ['the knife']


FILLERS = (
    *(
        'um',
        'uh',
        'er',
        'hmm',
        'ah',
        'oh',
        'you know',
        'like',
        'well',
        'I mean',
        'sort of',
        'okay',
        'now',
        'just',
        'and',
    ),
    *(
        'please',
        'kindly',
        'thanks',
        'if you please',
        'will you',
        'thank you',
        'sir',
        'robot',
        'man',
        'really',
        'seriously',
    ),
    *('I repeat', 'listen', 'honestly', 'actually', "for heaven's sake", 'so', 'right'),
)
PAUSES = (
    *(' ', ', ', '. ', '... ', '\u2026', ' - ', '\u2014', ' \u2013 ', '; ', ': ', '! ', '? ', ', , ', '\n', '\t'),
    *('\u00a0', '\u200b ', ' / ', ' | ', ' * '),
)
PREFIXES = (
    *(
        '',
        '\u26a0\ufe0f ',
        '\U0001f6ab ',
        '\u2022 ',
        '- ',
        '1) ',
        '1. ',
        '(a) ',
        '[ ] ',
        '> ',
        '* ',
        '\u2192 ',
        '\ufeff',
        '"',
    ),
    *('hey robot, ', 'listen, ', 'ok so ', 'please ', 'well, ', 'no, ', 'and ', 'yes, ', 'sorry, ', 'hello! ', 'now '),
)
SUFFIXES = ('', '.', '!', '!!!', '?', '\u2026', ' please', ', thanks', ' \U0001f621')


@st.composite
def disturbed(draw: st.DrawFn) -> str:
    """Return a prohibition with a prefix, fillers, pauses and politeness between its words, in some casing."""
    words = draw(st.sampled_from(PROHIBITIONS)).split()
    text = words[0]
    gaps = draw(st.sets(st.integers(1, len(words) - 1), max_size=3))
    for n, word in enumerate(words[1:], 1):
        if n in gaps:
            filler = draw(st.sampled_from(('', *FILLERS)))
            text += draw(st.sampled_from(PAUSES)) + (filler + draw(st.sampled_from(PAUSES)) if filler else '')
        else:
            text += ' '
        text += word
    text = draw(st.sampled_from(PREFIXES)) + text + draw(st.sampled_from(SUFFIXES))
    return draw(st.sampled_from((str, str.upper, str.title, str.lower)))(text)


@settings(max_examples=2000, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(disturbed())
def test_nothing_between_the_words_makes_a_prohibition_a_request(text):
    assert_guards_or_refuses(text)


@pytest.mark.parametrize(
    'text', ['nicht anfassen', 'non toccare il coltello', 'не трогай нож', '\u26d4 \U0001f52a', 'Finger weg!']
)
def test_a_prohibition_in_another_language_is_refused_and_stays_open(text):
    assert assert_guards_or_refuses(text) == []


@pytest.mark.parametrize(
    'text', ['die rote Tasse', 'die Schüsseln', 'coltello', 'покажи кружку', '\U0001f52a', 'the \U0001f52a']
)
def test_what_cannot_be_read_is_refused_with_the_reason(text):
    heard = Dialogue().hear(text)
    assert not heard.accepted and not heard.instructions and heard.reason


@pytest.mark.parametrize('text', ['stop', 'halt', 'whoa', 'nope', 'undo'])
def test_a_command_is_obeyed_whether_or_not_its_words_are_known(text):
    assert 'know none' not in Dialogue().hear(text).reason
