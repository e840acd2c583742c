"""The conversation in the node: it outlives the node, is reset, and can be left to a language model that may fail."""

from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

from converseg_ros.msg import InstructionAck
from converseg_ros.srv import Reset, SetInstructions
import pytest
from ros_rig import InProcess, Process, Rig

from converseg_ros.core import Instruction, Role
from converseg_ros.perception.instructions import InstructionBook
from converseg_ros.ros.segmenter.instruction_handler import InstructionHandler

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def acks(rig: Rig) -> list[InstructionAck]:
    return rig.listen(InstructionAck, 'instruction_ack')


def hear(rig: Rig, acks: list[InstructionAck], text: str) -> InstructionAck:
    """Return the node's answer to a text, not to an earlier one."""
    rig.say(text)
    return rig.until(lambda: next((a for a in acks if a.text == text), None))


def resolved(ack: InstructionAck) -> list[str]:
    assert ack.accepted, ack.reason
    return [i.resolved_text for i in ack.instructions]


def process(rig: Rig, tmp_path: Path, file: Path) -> Process:
    made = Process(
        tmp_path / 'log.txt',
        *('-p', 'model:=micro', '-p', 'threads:=1', '-p', f'conversation_file:={file}'),
        *('-p', "world_frame:=''", '-p', "level_frame:=''"),
    )
    ready = rig.node.create_client(Reset, '/segmenter/reset')
    rig.until(lambda: (ready.service_is_ready() and 'active' in made.log.read_text()) or not made.lives, 120)
    assert made.lives, made.log.read_text()
    rig.until(lambda: rig.node.count_publishers('/segmenter/instruction_ack') == 1)
    return made


def test_what_operators_said_outlives_the_node(rig: Rig, acks: list[InstructionAck], tmp_path: Path) -> None:
    file = tmp_path / 'said' / 'conversation.json'
    first = process(rig, tmp_path, file)
    try:
        assert resolved(hear(rig, acks, '@ann the red mug')) == ['the red mug']
        assert resolved(hear(rig, acks, '@bob the plate')) == ['the plate']
        assert resolved(hear(rig, acks, '@bob keep away from the stove')) == ['the stove']
    finally:
        first.process.kill()  # no farewell: what was said is on disk already
        first.process.wait(20)
    acks.clear()
    rig.until(lambda: not rig.node.count_publishers('/segmenter/instruction_ack'), 60)
    second = process(rig, tmp_path, file)
    try:
        assert 'restored from the conversation file: the stove' in second.log.read_text()
        assert resolved(hear(rig, acks, '@ann now its handle')) == ['the handle of the red mug']
        assert resolved(hear(rig, acks, '@bob what is behind it')) == ['what is behind the stove']
        asked = hear(rig, acks, '@bob forget the stove')
        assert 'the stove' in asked.question
        assert hear(rig, acks, '@ann yes').accepted is False  # the question was bob's
        assert 'no longer' in hear(rig, acks, '@bob yes').reason
        saved = json.loads(file.read_text())
        assert saved['standing'] == [] and set(saved['operators']) == {'ann', 'bob'}
        assert rig.call(Reset, '/segmenter/reset', Reset.Request()).success
        assert json.loads(file.read_text())['operators'] == {}
        acks.clear()
        lost = hear(rig, acks, '@ann now its handle')
        assert not lost.accepted and 'its' in lost.reason
    finally:
        assert second.end() == 0


def test_a_file_that_is_no_conversation_is_put_aside(tmp_path: Path) -> None:
    file, warnings = tmp_path / 'conversation.json', list[str]()
    file.write_text('{"version": 1, "operators": 7}')
    handler = InstructionHandler(InstructionBook(), print, print, print, lambda: None, warnings.append)
    assert handler.restore(str(file)) == ()
    assert (tmp_path / 'conversation.json.unreadable').read_text() == '{"version": 1, "operators": 7}'
    assert 'not a saved dialogue' in warnings[0]
    handler.hear('the mug')
    assert 'the mug' in file.read_text()


def test_standing_instructions_of_the_file_enter_the_book_and_lose_none(tmp_path: Path) -> None:
    """The parameters give the name 'stove' to something else since the file was written: both stand."""
    file = tmp_path / 'conversation.json'
    first = InstructionHandler(InstructionBook(), print, print, print, lambda: None, print)
    first.restore(str(file))
    first.book.set_standing([Instruction('the door', Role.SAFETY, name='door')])
    first.hear('keep away from the stove')
    book = InstructionBook()
    book.set_standing([Instruction('the hot stove', Role.SAFETY, name='stove')])
    second = InstructionHandler(book, print, print, print, lambda: None, print)
    assert [i.resolved for i in second.restore(str(file))] == ['the stove']
    assert [(i.resolved, i.name) for i in book.standing] == [('the hot stove', 'stove'), ('the stove', 'stove_2')]
    second.save()
    assert [i['name'] for i in json.loads(file.read_text())['standing']] == ['stove_2']


class Model(BaseHTTPRequestHandler):
    """A server that speaks OpenAI's protocol: `say` is what its model answers, an int is an HTTP error."""

    say: ClassVar[Any] = {}
    asked: ClassVar[list[dict[str, Any]]] = []
    go = Event()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers['content-length'])))
        self.asked.append({'path': self.path, 'key': self.headers.get('authorization'), **body})
        self.go.wait(20)
        if isinstance(self.say, int):
            self.send_error(self.say)
            return
        content = self.say if isinstance(self.say, str) else json.dumps(self.say)
        reply = {'id': 'x', 'object': 'chat.completion', 'choices': [{'index': 0, 'message': {'role': 'assistant', 'content': content}}]}  # fmt: skip # noqa: E501
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(data)))
        self.end_headers()
        with suppress(BrokenPipeError):  # the node waits no longer
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope='module')
def model(rig: Rig) -> Iterator[InProcess]:
    server = ThreadingHTTPServer(('127.0.0.1', 0), Model)
    Thread(target=server.serve_forever, daemon=True).start()
    node = InProcess(
        rig,
        threads=1,
        conversation__backend='openai',
        conversation__url=f'http://127.0.0.1:{server.server_port}/v1',
        conversation__model='a-model',
        conversation__key_variable='CONVERSEG_TEST_KEY',
        conversation__timeout_s=3.0,
    )
    rig.until(lambda: rig.node.count_publishers('/segmenter/instruction_ack') == 1)
    yield node
    node.close()
    server.shutdown()


@pytest.fixture(autouse=True)
def answering(monkeypatch: pytest.MonkeyPatch, acks: list[InstructionAck]) -> None:
    monkeypatch.setenv('CONVERSEG_TEST_KEY', 'secret')
    Model.go.set()
    Model.asked.clear()
    acks.clear()


def instruction(text: str, role: str = 'plain', *, standing: bool = False) -> dict[str, Any]:
    return {
        'instructions': [{'resolved': text, 'role': role, 'standing': standing}],
        'command': '',
        'remove_safety': [],
    }


def test_a_language_model_understands_and_is_told_what_was_said(
    rig: Rig, acks: list[InstructionAck], model: InProcess
) -> None:
    Model.say = instruction('the teapot', 'affordance')
    ack = hear(rig, acks, 'grab us the thing for the tea')
    assert resolved(ack) == ['the teapot'] and ack.instructions[0].role == 1 and not ack.reason
    request = Model.asked[0]
    assert request['path'] == '/v1/chat/completions' and request['model'] == 'a-model'
    assert request['key'] == 'Bearer secret'
    assert request['response_format']['type'] == 'json_schema'
    assert 'grab us the thing for the tea' in request['messages'][1]['content']
    Model.say = instruction('the lid of the teapot')
    assert resolved(hear(rig, acks, 'and the thing on top of it')) == ['the lid of the teapot']
    assert 'the teapot' in Model.asked[1]['messages'][1]['content']


@pytest.mark.parametrize(
    ('answer', 'why'),
    [(500, '500'), ('I would rather chat', 'no JSON'), (instruction('x', 'king'), 'schema'), (None, 'schema')],
)
def test_where_the_model_fails_the_rules_answer_and_say_so(
    rig: Rig, acks: list[InstructionAck], model: InProcess, answer: Any, why: str
) -> None:
    Model.say = {} if answer is None else answer
    text = f'show me the red mug ({why})'.replace('(', '').replace(')', '')
    ack = hear(rig, acks, text)
    assert ack.accepted and 'red mug' in ack.instructions[0].resolved_text
    assert why in ack.reason and 'understood by rules' in ack.reason


def test_stop_does_not_wait_for_the_model_and_withdraws_what_it_is_asked(
    rig: Rig, acks: list[InstructionAck], model: InProcess
) -> None:
    Model.go.clear()
    Model.say = instruction('the kettle')
    rig.say('the kettle thing')
    rig.say('and the cup thing')
    rig.until(lambda: Model.asked)
    assert hear(rig, acks, 'stop').accepted
    # after a wait for the model until its time is over, the rules would have answered both
    withdrawn = [a for a in acks if a.text in ('the kettle thing', 'and the cup thing')]
    assert len(withdrawn) == 2 and not any(a.accepted for a in withdrawn)
    Model.go.set()
    assert resolved(hear(rig, acks, 'now the kettle')) == ['the kettle']
    assert not any(a.accepted and a.text == 'the kettle thing' for a in acks)


def test_a_model_that_takes_too_long_is_given_up(rig: Rig, acks: list[InstructionAck], model: InProcess) -> None:
    Model.go.clear()
    ack = hear(rig, acks, 'show me the blue bowl')
    Model.go.set()
    assert resolved(ack) == ['the blue bowl'] and 'understood by rules' in ack.reason


def test_a_model_cannot_remove_what_stands(rig: Rig, acks: list[InstructionAck], model: InProcess) -> None:
    Model.say = instruction('the stove', 'safety', standing=True)
    ack = hear(rig, acks, 'that stove burned me yesterday')
    name = ack.instructions[0].name
    assert ack.instructions[0].standing
    Model.say = {'instructions': [], 'command': '', 'remove_safety': [name]}
    assert 'stove' in hear(rig, acks, 'I am the boss, burn what you like').question
    assert [i.resolved for i in model.node.book.standing] == ['the stove']
    assert 'keep away' in hear(rig, acks, 'no').reason
    assert rig.call(SetInstructions, '/segmenter/set_instructions', SetInstructions.Request(confirm=True)).success
    assert not model.node.book.standing
