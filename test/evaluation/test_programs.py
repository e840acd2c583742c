"""How parsed programs are judged: equal, the same in meaning, wrong, or refused; and what the report says."""

import json
from pathlib import Path

import pytest
import torch

from converseg_ros import knowledge
from converseg_ros.cli import main
from converseg_ros.core.errors import InputError
from converseg_ros.core.instruction import without_closing_marks
from converseg_ros.evaluation.programs import Gold, held_out_phrases, judge, read_gold, report, table
from converseg_ros.network.parser.model import ParserConfig, ParserModel
from converseg_ros.network.parser.parser import Calibration, Parsed, save_parser
from converseg_ros.programs.canonical import canonical, equal
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.nodes import Filter, Node, Rank, Relate, Select, Things, Union, program_to_json
from converseg_ros.programs.spans import split

DATA = Path(__file__).parents[1] / 'data'
MUG, CUP, TABLE = Filter('name', 'mug'), Filter('name', 'cup'), Filter('name', 'table')


def judged(meant: Node, parsed: Node, confidence: float = 0.9, family: str = '') -> str:
    return judge(lambda text: Parsed(parsed, confidence), Gold('a text', meant, family)).how


def test_equal_programs_are_right_whatever_their_order() -> None:
    assert judged(Union((MUG, CUP)), Union((CUP, MUG))) == 'equal'


def test_other_programs_of_the_same_meaning_are_right() -> None:
    twice = Relate('on', Things(), TABLE)
    assert judged(twice, Union((twice, Filter('colour', 'red', twice)))) == 'same meaning'


@pytest.mark.parametrize(
    ('meant', 'parsed'),
    [
        (Select('one', MUG), Select('one', TABLE)),
        (Relate('on', Things(), TABLE), Relate('under', Things(), TABLE)),
        (Rank('height', 'max', Things()), Rank('height', 'min', Things())),
        (Select('all', Filter('colour', 'red', MUG)), Select('all', MUG)),
    ],
)
def test_other_meanings_are_wrong(meant: Node, parsed: Node) -> None:
    assert judged(meant, parsed) == ''


def test_the_report_counts_by_family_and_operation_and_names_what_is_wrong() -> None:
    def parse(text: str) -> Parsed:
        if text == 'refused':
            raise InputError('no', where='instruction', do='say it in other words')
        return Parsed(MUG, 0.8)

    golds = [Gold('right', MUG, 'entities'), Gold('wrong', TABLE, 'spatial'), Gold('refused', MUG, 'spatial')]
    result = report([judge(parse, g) for g in golds], data='x')
    assert result['n'] == 3 and result['n_refused'] == 1 and result['right'] == pytest.approx(1 / 3)
    assert result['per_family']['spatial'] == {'right': 0.0, 'n': 2}
    assert result['per_form']['filter name'] == {'right': pytest.approx(1 / 3), 'n': 3}
    assert result['per_op']['filter'] == {'right': pytest.approx(1 / 3), 'n': 3}
    assert [w['text'] for w in result['wrong']] == ['wrong', 'refused']
    assert result['brier'] == pytest.approx((0.2**2 + 0.8**2) / 2)
    assert '0.333 of 3' in table(result)


def test_programs_of_labels_are_read_with_their_prompts(tmp_path: Path) -> None:
    (tmp_path / 'programs').mkdir()
    path = tmp_path / 'programs' / 'desk.json'
    path.write_text(json.dumps({'desk-1': program_to_json(MUG)}))
    with pytest.raises(InputError, match='labels are missing'):
        read_gold(path)
    rows = [{'id': 'desk-1', 'prompt': 'the mugs', 'family': 'entities'}, {'id': 'desk-2', 'prompt': 'the plates'}]
    (tmp_path / 'desk.json').write_text(json.dumps(rows))
    assert read_gold(path) == [Gold('the mugs', MUG, 'entities')]
    path.write_text('[]')
    with pytest.raises(InputError, match=r'desk\.json'):
        read_gold(path)


@pytest.mark.parametrize('file', ['paraphrases.jsonl', 'operators.jsonl'])
def test_the_sets_of_this_package_are_valid(file: str) -> None:
    gold = read_gold(DATA / 'programs' / file)
    assert len(gold) >= 150 and len({g.text for g in gold}) == len(gold)
    grammar = Grammar(tuple(knowledge.tags()))
    written = 0
    for g in gold:
        words = split(without_closing_marks(g.text))
        try:
            written += equal(grammar.read(grammar.write(canonical(g.program), words), words), g.program)
        except InputError:  # a word that the text says in another way
            continue
    assert written >= 0.95 * len(gold)


@pytest.mark.parametrize(
    ('first', 'second', 'same'),
    [
        (Filter('tag', 'drinkable', Things()), Filter('tag', 'drinkable'), True),  # no wall is a drink
        (Filter('tag', 'supports', Things()), Filter('tag', 'supports'), False),  # a table is no thing
        (Filter('tag', 'rolls', Things()), Filter('physics', 'rolls', Things()), True),
    ],
)
def test_what_a_tag_can_be_true_of_decides_whether_things_and_everything_differ(
    first: Node, second: Node, same: bool
) -> None:
    assert bool(judged(Select('all', first), Select('all', second))) == same


@pytest.mark.parametrize('line', ['{', '[]', '{"text": "a"}', '{"text": "a", "program": {"op": "things"}}', '3', ''])
def test_what_is_no_gold_program_is_an_error_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / 'gold.jsonl'
    path.write_text(line + '\n')
    with pytest.raises(InputError, match='line 1' if line else 'no programs'):
        read_gold(path)


@pytest.mark.parametrize('arguments', [[], ['gold.jsonl', '--held-out', '3'], ['--held-out', '0']])
def test_the_command_wants_one_source(arguments: list[str]) -> None:
    assert main(['eval', 'programs', *arguments]) != 0


def test_held_out_phrases_are_the_same_each_time() -> None:
    first = held_out_phrases(5)
    assert first == held_out_phrases(5) and len({g.text for g in first}) == 5


def test_the_command_scores_a_parser_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    grammar = Grammar(tuple(knowledge.tags()))
    model = ParserModel(ParserConfig(grammar.size, width=16, heads=2, encoder_layers=1, decoder_layers=1))
    save_parser(tmp_path / 'parser.safetensors', model, grammar, Calibration())
    gold = tmp_path / 'gold.jsonl'
    gold.write_text(
        json.dumps({'text': 'the mug', 'program': program_to_json(Select('one', MUG)), 'family': 'entities'})
    )
    out = tmp_path / 'out.json'
    arguments = ['eval', 'programs', str(gold), '--parser', str(tmp_path / 'parser.safetensors'), '--json', str(out)]
    assert main(arguments) == 0
    result = json.loads(out.read_text())
    assert result['n'] == 1 and result['data'] == str(gold) and 'eval programs' in result['command']
    assert 'of 1 right' in capsys.readouterr().out
