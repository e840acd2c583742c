"""Replies of models: thinking is never read as the answer, and the answer is found whatever is around it."""

from pydantic import BaseModel, ConfigDict
import pytest

from converseg_ros.llm.reply import UnusableError, parse, without_thinking


class Answer(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra='forbid')
    ok: bool
    reason: str


GOOD = '{"ok": true, "reason": "it {fits}"}'
BAD = '{"ok": false, "reason": "only thought"}'


@pytest.mark.parametrize(
    'reply',
    [
        GOOD,
        f'Sure! Here it is:\n```json\n{GOOD}\n```\nAnything {{else}}?',
        f'<think>maybe {BAD}, or {{x}}?</think>{GOOD}',
        f'<THINK>\n{BAD}\n</THINK>\n\n{GOOD}',
        f'maybe {BAD}</think>{GOOD}',  # the template opened the tag in the prompt
        f'<think>a</think>{BAD}<think>no, {{</think>{GOOD}',
        f'<reasoning>{BAD}</reasoning>\n{GOOD}',
        f'I looked at {{the mug}} and {BAD}. My final answer: {GOOD}',
        f'{GOOD} {{"note": 1}}',
        f'{{"meow": [}} {GOOD}',
    ],
)
def test_the_answer_is_found(reply: str) -> None:
    answer = parse(reply, Answer)
    assert answer.ok and answer.reason == 'it {fits}'


@pytest.mark.parametrize(
    ('reply', 'why'),
    [
        (f'<think>perhaps {BAD}', 'no JSON'),  # cut off before the answer
        (f'<think>a</think> well <think>{BAD}', 'no JSON'),
        ('I would rather not.', 'no JSON'),
        ('', 'no JSON'),
        (GOOD[:-3], 'no JSON'),
        ('{"ok": true}', 'schema'),
        ('{"ok": true, "reason": "x", "more": 1}', 'schema'),
        ('[1, 2]', 'no JSON'),
    ],
)
def test_what_is_no_answer_is_refused_with_the_reason(reply: str, why: str) -> None:
    with pytest.raises(UnusableError, match=why):
        parse(reply, Answer)


def test_a_reply_without_thinking_is_left_alone() -> None:
    assert without_thinking('a < b and <b>c</b>') == 'a < b and <b>c</b>'


@pytest.mark.parametrize('thought', ['maybe "the knife" {x}', '{"instructions": [], "command": "stop"}'])
def test_the_dialogue_does_not_take_thinking_for_an_answer(thought: str) -> None:
    from converseg_ros.dialogue.language_model import Understood

    answer = '{"instructions": [{"resolved": " the mug ", "role": "plain", "standing": false}]}'
    understood = parse(f'<think>{thought}</think>{answer}', Understood)
    assert [i.resolved for i in understood.instructions] == ['the mug'] and not understood.command
    with pytest.raises(UnusableError):
        parse(f'<think>{thought}', Understood)
