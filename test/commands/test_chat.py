"""The terminal chat: completion, and what is printed for an answer."""

from types import SimpleNamespace

import pytest

from converseg_ros.commands.chat import answer, complete, status
from converseg_ros.core import ConversegError


def test_completion_offers_beginnings_and_what_is_in_view():
    assert 'keep away from ' in complete('keep', [])
    assert complete('show me th', ['the mug', 'the plate', 'a cup', 'the mug']) == [
        'show me the mug',
        'show me the plate',
    ]
    assert complete('/re', []) == ['/regions', '/reset']
    assert complete('xyz', ['the mug']) == []


class Robot:
    """What the chat sees of the client, at the other end of the wire."""

    safe = False

    def __init__(self, *regions, up=True):
        self.seen, self.up = list(regions), up

    def regions(self):
        return self.seen

    def caught_up(self, timeout):
        return self.up

    def say(self, text):
        if text == 'gone':
            raise ConversegError('no segmenter answers', do='start one')
        understood = SimpleNamespace(resolved_text='the handle of the mug', role=1)
        return SimpleNamespace(instructions=[understood], reason='so taken', accepted=True, question='Really?')

    def reset(self):
        self.seen = []


def test_an_answer_shows_what_was_understood_and_asked():
    pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')
    lines: list[str] = []
    assert answer(Robot(), 'now its handle', lines.append)
    assert lines == ['  understood as: the handle of the mug  [affordance]', '  so taken', '  Really? (yes/no)']
    assert answer(Robot(), 'gone', lines.append)
    assert lines[-1] == 'error: no segmenter answers; start one'
    assert not answer(Robot(), '/quit', lines.append)


def test_the_chat_asks_of_the_client_only_what_it_has():
    client = pytest.importorskip('converseg_ros.client', reason='ROS 2 is not installed').ConversegClient
    for name, kind in vars(Robot).items():
        if not name.startswith('_'):
            assert callable(getattr(client, name)) == callable(kind), name


def test_the_status_line_says_whether_it_is_safe():
    robot = Robot(SimpleNamespace(instruction=SimpleNamespace(resolved_text='the mug', text='it'), status=2))
    assert status(robot) == ' NOT SAFE | 1 the mug: not sure'


def test_a_list_says_when_it_does_not_know_yet_what_was_just_said():
    pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')
    lines: list[str] = []
    stands = SimpleNamespace(instruction=SimpleNamespace(name='stove', resolved_text='the stove', standing=True))
    robot = Robot(stands)
    assert answer(robot, '/safety', lines.append) and lines == ['stove: the stove']
    robot.up = False
    assert answer(robot, '/safety', lines.append)
    assert lines[1:] == ['no image has been answered since the last text; before:', 'stove: the stove']
