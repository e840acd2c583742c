"""What the dialogue remembers, confirms, saves and asks a language model."""

from http.server import BaseHTTPRequestHandler, HTTPServer
import json
import threading

import numpy as np
import pytest
from talk import Talk

from converseg_ros.core import InputError, Instruction, Prediction, Role, Status
from converseg_ros.core.region import Region
from converseg_ros.core.texts import catalogue, say
from converseg_ros.dialogue import Dialogue, Options, SceneMemory
from converseg_ros.dialogue.language_model import Understood
from converseg_ros.llm.reply import parse


def region(id_: str, text: str, status: Status = Status.OK) -> Region:
    mask = np.zeros((4, 4), bool)
    mask[0, 0] = status == Status.OK
    return Region(id_, Instruction(text), Prediction(mask, 0.9, status))


def test_observed_regions_can_be_named_by_number_and_pointed_at():
    dialogue = Dialogue()
    dialogue.hear('show me the fork and the spoon')
    dialogue.observe([region('r1', 'the fork'), region('r2', 'the spoon')])
    assert dialogue.hear('number two').instructions[0].resolved == 'the spoon'
    heard = dialogue.hear('#r1 what is behind this')
    assert heard.instructions[0].resolved == 'what is behind the fork'
    assert heard.instructions[0].text == 'what is behind this'


def test_a_follow_up_on_something_not_found_says_so():
    dialogue = Dialogue()
    dialogue.hear('the red mug')
    dialogue.observe([region('r1', 'the red mug', Status.NO_TARGET)])
    heard = dialogue.hear('its handle')
    assert heard.accepted
    assert 'the red mug was not found' in heard.reason


def test_an_ambiguous_reference_says_how_it_was_taken():
    dialogue = Dialogue()
    dialogue.hear('show me the fork and the spoon')
    heard = dialogue.hear('what is under it')
    assert heard.instructions[0].resolved == 'what is under the spoon'
    assert 'taken as the spoon' in heard.reason


def test_operators_have_conversations_of_their_own():
    dialogue = Dialogue()
    dialogue.hear('the mug', operator='ann')
    dialogue.hear('the plate', operator='bob')
    assert dialogue.hear('the red one', operator='ann').instructions[0].resolved == 'the red mug'
    dialogue.reset('bob')
    assert not dialogue.hear('its rim', operator='bob').accepted
    assert dialogue.hear('its rim', operator='ann').accepted


def test_history_is_bounded():
    dialogue = Dialogue(Options(history=5))
    for n in range(20):
        dialogue.hear(f'the box {n}')
    assert len(dialogue.conversations[''].turns) == 5
    for n in range(100):
        dialogue.hear('the mug', operator=str(n))
    assert len(dialogue.conversations) <= 32


def test_a_saved_dialogue_goes_on_where_it_was(tmp_path):
    talk, file = Talk(), tmp_path / 'dialogue.json'
    talk.hear('keep away from the stove', operator='ann')
    talk.hear('the red mug', operator='ann')
    talk.dialogue.save(file, talk.book.spoken)
    other = Talk()
    other.book.hear(other.dialogue.load(file))
    assert other.hear('its handle', operator='ann').instructions[0].resolved == 'the handle of the red mug'
    assert other.hear('forget the stove', operator='ann').question
    (tmp_path / 'bad.json').write_text('{"a": 1}')
    with pytest.raises(InputError, match='not a saved dialogue'):
        other.dialogue.load(tmp_path / 'bad.json')


@pytest.mark.parametrize(
    'words', ['stop', 'forget it', 'forget everything', 'start over', 'never mind', 'undo', 'cancel']
)
def test_no_word_alone_removes_standing_safety(words):
    talk = Talk()
    stove = Instruction('the stove', Role.SAFETY, name='stove', standing=True)
    scene = SceneMemory(standing=(stove,))
    talk.hear('keep away from the knife', scene)
    heard = talk.hear(words, scene)
    assert 'remove_safety' not in [c.kind for c in heard.commands]
    assert [i.name for i in talk.book.standing] == ['knife']


def test_removal_needs_a_yes_right_after_the_question():
    talk = Talk()
    talk.hear('keep away from the knife')
    assert talk.hear('forget the knife').question == 'Shall I stop keeping away from the knife?'
    heard = talk.hear('show me the mug')
    assert 'I keep away from the knife' in heard.reason
    assert not talk.hear('yes').accepted
    talk.hear('forget the knife')
    commands = talk.hear('yes').commands
    assert [(c.kind, c.names) for c in commands] == [('remove_safety', ('knife',))]
    assert not talk.book.standing


def test_another_operators_yes_does_not_count():
    talk = Talk()
    talk.hear('keep away from the knife', operator='ann')
    assert talk.hear('forget the knife', operator='ann').question
    assert not talk.hear('yes', operator='bob').accepted
    assert talk.book.standing


def test_what_was_removed_elsewhere_does_not_stand_for_the_dialogue():
    """A service or another program removes a standing instruction: the book is the only store."""
    talk = Talk()
    talk.hear('keep away from the knife')
    talk.book.set_standing([], confirm=True)
    heard = talk.hear('forget the knife')
    assert not heard.question


def test_a_guard_that_the_book_refused_does_not_stand_for_the_dialogue():
    talk = Talk()
    talk.book.limit = 0
    with pytest.raises(InputError, match='limit is 0'):
        talk.hear('keep away from the knife')
    assert not talk.hear('forget the knife').question


def test_a_warning_survives_in_a_sentence_that_is_refused_otherwise():
    heard = Dialogue().hear('pick it up and keep away from the stove')
    assert [(i.resolved, i.role) for i in heard.instructions] == [('the stove', Role.SAFETY)]
    assert '“it”' in heard.reason


def test_standing_names_are_unique_and_stable():
    talk = Talk()
    first = talk.hear('keep away from the hot pan').instructions[0]
    again = talk.hear('keep away from the hot pan').instructions[0]
    assert first.name == again.name == 'hot_pan'


@pytest.mark.parametrize('text', ['', '   ', 'a' * 501, 'the mug\x00', '\ud800'])
def test_unusable_texts_are_refused_with_a_reason(text):
    heard = Dialogue().hear(text)
    assert not heard.accepted
    assert heard.reason


@pytest.mark.parametrize(
    'text',
    [
        '(((',
        '#',
        '# ',
        '#x',
        '-',
        '- - -',
        ', , ,',
        '?!',
        '\\1 \\g<0>',
        'the one ones one',
        'its its',
        'and and and',
        'no no no',
        '| |! |',
    ],
)
def test_odd_texts_do_no_harm(text):
    dialogue = Dialogue()
    for _ in range(2):
        heard = dialogue.hear(text)
        assert heard.accepted or heard.reason
        dialogue.hear('the mug')


def answering(payload: object, status: int = 200):
    """Return a server on the loopback address that speaks the protocol, and what it was asked."""
    asked: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers['content-length']))))
            self.send_response(status)
            self.end_headers()
            content = payload if isinstance(payload, str) else json.dumps(payload)
            self.wfile.write(json.dumps({'choices': [{'message': {'content': content}}]}).encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, asked


def model_dialogue(server: HTTPServer) -> Dialogue:
    return Dialogue(Options('openai', f'http://127.0.0.1:{server.server_port}/v1', 'any'))


@pytest.mark.parametrize(
    ('text', 'language'),
    [
        ('wo ist die rote Tasse', 'German'),
        ('montre moi la tasse rouge sur la table', 'French'),
        ('d\u00f3nde est\u00e1 la taza roja', 'Spanish'),
        ('\u7ea2\u8272\u7684\u676f\u5b50\u5728\u54ea\u91cc', 'Chinese'),
        (
            '\u0433\u0434\u0435 \u043a\u0440\u0430\u0441\u043d\u0430\u044f \u043a\u0440\u0443\u0436\u043a\u0430',
            'Russian',
        ),
    ],
)
def test_another_language_is_refused_by_its_name_and_changes_nothing(text, language):
    dialogue = Dialogue()
    dialogue.hear('the red mug')
    heard = dialogue.hear(text)
    assert not heard.accepted and not heard.instructions
    assert 'only understand English' in heard.reason and language in heard.reason
    assert dialogue.hear('now its handle').instructions[0].resolved == 'the handle of the red mug'


def test_a_language_model_can_understand_instead():
    answer = {
        'instructions': [{'resolved': 'the mug with the dog on it', 'role': 'affordance', 'standing': False}],
        'command': '',
        'remove_safety': [],
    }
    server, asked = answering(answer)
    heard = model_dialogue(server).hear('that mug with the doggy, get it')
    server.shutdown()
    assert heard.backend == 'openai'
    assert [(i.resolved, i.role) for i in heard.instructions] == [('the mug with the dog on it', Role.AFFORDANCE)]
    assert 'get it' in asked[0]['messages'][1]['content']
    assert asked[0]['response_format']['json_schema']['strict'] is True


def test_starting_over_clears_the_conversation_says_so_and_keeps_safety():
    talk = Talk()
    talk.hear('keep away from the knife')
    talk.hear('the red mug')
    heard = talk.hear('start over')
    assert heard.accepted and 'a new conversation' in heard.reason and 'the knife' in heard.reason
    assert [i.name for i in talk.book.standing] == ['knife']
    assert not talk.hear('now its handle').accepted, 'nothing is left that "its" could mean'


def test_a_language_model_can_start_over():
    dialogue = Dialogue()
    dialogue.hear('the red mug')
    server, _ = answering({'instructions': [], 'command': 'reset', 'remove_safety': []})
    dialogue.options = model_dialogue(server).options
    heard = dialogue.hear('let us do something else entirely')
    server.shutdown()
    assert heard.backend == 'openai' and 'a new conversation' in heard.reason
    dialogue.options = Options()
    assert not dialogue.hear('now its handle').accepted


def test_a_language_model_cannot_remove_safety_by_itself():
    server, _ = answering({'instructions': [], 'command': '', 'remove_safety': ['stove']})
    dialogue = model_dialogue(server)
    stove = Instruction('the stove', Role.SAFETY, name='stove', standing=True)
    heard = dialogue.hear('ignore the stove', SceneMemory(standing=(stove,)))
    server.shutdown()
    assert heard.question
    assert not heard.commands


@pytest.mark.parametrize(
    'payload',
    ['no json', {'instructions': [{'resolved': '', 'role': 'plain', 'standing': False}]}, {'instructions': 3}],
)
def test_a_language_model_that_fails_is_replaced_by_rules_visibly(payload):
    server, _ = answering(payload)
    heard = model_dialogue(server).hear('show me the mug')
    server.shutdown()
    assert heard.backend == 'rules'
    assert heard.instructions[0].resolved == 'the mug'
    assert 'understood by rules' in heard.reason


def test_a_missing_server_or_folder_is_replaced_by_rules_visibly(tmp_path):
    for options in (
        Options('openai', 'http://127.0.0.1:9/v1', timeout_s=1),
        Options('openai', 'file:///etc/passwd'),
        Options('local', model=str(tmp_path / 'none')),
    ):
        heard = Dialogue(options).hear('show me the mug')
        assert heard.instructions[0].resolved == 'the mug'
        assert 'understood by rules' in heard.reason


def test_model_answers_may_come_with_words_around():
    data = parse('Sure!\n```json\n{"instructions": [], "command": "stop", "remove_safety": []}\n```', Understood)
    assert data.command == 'stop'
    with pytest.raises(ValueError, match='schema'):
        parse('{"instructions": [], "command": "format the disk"}', Understood)


def test_the_catalogue_has_a_word_for_every_status():
    words = catalogue()
    assert set(words['status']) == {s.name for s in Status}
    assert say('kept', names='the stove') == 'I keep away from the stove'
