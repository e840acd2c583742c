"""The written dialogues: those from before the rules are scored apart from those written after."""

from pathlib import Path

import pytest
from talk import Talk
import yaml

from converseg_ros.core import Role, Status
from converseg_ros.dialogue import Dialogue, SceneMemory, Thing
from converseg_ros.dialogue.noun_phrases import as_thing

HERE = Path(__file__).parent
BEFORE = yaml.safe_load((HERE / 'dialogues_before.yaml').read_text())
FRESH = yaml.safe_load((HERE / 'dialogues_fresh.yaml').read_text())
SECOND = yaml.safe_load((HERE / 'dialogues_second.yaml').read_text())
AFTER = yaml.safe_load((HERE / 'dialogues_after.yaml').read_text())


def complaints(dialogue: dict) -> list[str]:
    """Play one dialogue; return what came out differently from what is written."""
    talk, wrong, things = Talk(), [], ()
    for turn in dialogue['turns']:
        pointed = things[turn['point'] - 1].region if 'point' in turn else ''
        heard = talk.hear(turn['say'], SceneMemory(things, pointed))
        got = [(i.resolved, i.role.name.lower(), i.family.value, i.standing) for i in heard.instructions]
        note = f'{turn["say"]!r}: {got} {[c.kind.value for c in heard.commands]} {heard.question!r} {heard.reason!r}'
        asked = turn.get('ask', [])
        ok = heard.accepted != turn.get('refuse', False)
        ok &= bool(heard.question) == turn.get('asks', False)
        ok &= [c.kind.value for c in heard.commands] == turn.get('do', [])
        ok &= len(got) == len(asked)
        for have, want in zip(got, asked):
            ok &= have[0].casefold() in want['r']
            ok &= have[1] == want.get('role', have[1])
            ok &= have[2] in want.get('family', [have[2]])
            ok &= have[3] == want.get('standing', False)
        if not ok:
            wrong.append(note)
        if not heard.accepted and not heard.reason:
            wrong.append(f'{turn["say"]!r} was refused without a reason')
        if heard.instructions:
            status = Status[turn.get('seen', 'OK')]
            things = tuple(
                Thing(*as_thing(i.resolved), i.role, f'r{n}', status) for n, i in enumerate(heard.instructions)
            )
    return wrong


def test_enough_dialogues_are_written():
    assert len(BEFORE) == 60
    assert len(BEFORE) + len(AFTER) >= 150
    ids = [d['id'] for d in BEFORE + AFTER + FRESH + SECOND]
    assert len(ids) == len(set(ids))


def test_ninety_percent_of_the_dialogues_from_before_the_rules_come_out_right(record_property):
    wrong = {d['id']: c for d in BEFORE if (c := complaints(d))}
    record_property('right_of_60', 60 - len(wrong))
    print(f'before the rules: {60 - len(wrong)} of 60 right')
    for id_, notes in wrong.items():
        print(id_, *notes, sep='\n   ')
    assert len(wrong) <= 6, wrong


@pytest.mark.parametrize(
    ('name', 'dialogues', 'least'),
    [('fresh', FRESH, 38), ('second', SECOND, 20)],  # 14 of 40 and 6 of 20 when they were first played
)
def test_dialogues_that_once_failed_stay_right(name, dialogues, least):
    wrong = {d['id']: c for d in dialogues if (c := complaints(d))}
    print(f'{name}: {len(dialogues) - len(wrong)} of {len(dialogues)} right')
    assert len(dialogues) - len(wrong) >= least, wrong


@pytest.mark.parametrize(
    'words',
    [
        'sing along with me over there to me',
        'do not vacuum them up',
        'yeah well if you were going to',
        'hop up a little',
        'to me',
        'where does this belong',
        'the one behind it',
        'they are both fine I guess going to be',
    ],
)
def test_what_is_not_understood_is_refused_with_a_reason_not_asked(words):
    heard = Dialogue().hear(words)
    assert not heard.accepted and heard.reason and not heard.instructions


@pytest.mark.parametrize('dialogue', AFTER, ids=[d['id'] for d in AFTER])
def test_dialogue(dialogue):
    assert not complaints(dialogue)


def test_roles_are_those_of_the_interface():
    assert [r.name for r in Role] == ['PLAIN', 'AFFORDANCE', 'SAFETY']
