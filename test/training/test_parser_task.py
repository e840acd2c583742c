"""The parser's training: examples are right and repeatable, a run learns, is resumed exactly, and writes a parser."""

from dataclasses import replace
import json
from pathlib import Path

import pytest
import torch

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.network.parser.parser import Parsed, load_parser
from converseg_ros.network.parser.pieces import Pieces
from converseg_ros.network.registry import find_model
from converseg_ros.programs.canonical import equal
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.nodes import Except, Filter, Select, Things, program_to_json
from converseg_ros.programs.phrasing import Part
from converseg_ros.training.config import read_mapping
from converseg_ros.training.parser import examples
from converseg_ros.training.parser.config import ParserTraining, parse
from converseg_ros.training.parser.examples import Examples
from converseg_ros.training.parser.source import read
from converseg_ros.training.parser.task import ParserTask, fit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def grammar() -> Grammar:
    return Grammar(tuple(knowledge.tags()))


@pytest.fixture(scope='module')
def pieces() -> Pieces:
    return Pieces.load(find_model('compact'))


def settings(out: Path, steps: int) -> ParserTraining:
    sizes = {'width': 32, 'encoder_layers': 1, 'decoder_layers': 1}
    pace = {
        'batch': 16,
        'pool': 2,
        'workers': 0,
        'warmup': 5,
        'checkpoint_every': 5,
        'validate_every': 20,
        'validate': 4,
        'calibrate': 20,
    }
    return ParserTraining('parser', str(out), steps, **sizes, **pace, decay=0.01, bf16=False)


@pytest.mark.parametrize('part', ['train', 'held_out'])
def test_examples_read_back_as_their_programs(grammar: Grammar, pieces: Pieces, part) -> None:
    data = Examples(grammar, pieces, part, size=200, batches=1, seed=3)
    right = 0
    for example in data.examples(0, 200):
        program = grammar.read(example.tokens, example.words)
        right += equal(program, example.program)
    assert right >= 180  # the others have a typing error in a copied noun
    assert sum(data.lost.values()) < 20


def test_examples_are_normalized_as_the_parser_normalizes(
    grammar: Grammar, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Select('all', Except(Things(), Filter('name', 'mug')))
    monkeypatch.setattr(examples, 'phrased', lambda *_: ('everything but the mugs', program))
    made = Examples(grammar, pieces, 'train', size=20, batches=1, seed=0).examples(0, 20)
    assert {e.words[1] for e in made} == {'except'}


def test_a_pool_is_the_same_each_time_and_others_differ(grammar: Grammar, pieces: Pieces) -> None:
    data = Examples(grammar, pieces, 'train', size=8, batches=2, seed=0)
    again = Examples(grammar, pieces, 'train', size=8, batches=2, seed=0)
    assert [e.words for e in data.examples(5, 16)] == [e.words for e in again.examples(5, 16)]
    assert [e.words for e in data.examples(5, 16)] != [e.words for e in data.examples(6, 16)]
    assert len(data[5]) == 2 and data[5][0].follow.shape[0] == 8


def test_prompts_of_items_are_trained_with_and_held_out_phrases_stay_as_they_are(
    grammar: Grammar, pieces: Pieces, tmp_path: Path
) -> None:
    path = tmp_path / 'items.jsonl'
    program = program_to_json(Select('one', Filter('name', 'zither')))
    rows = [{'prompt': 'tune the zither', 'program': program}, {'prompt': 'no program', 'program': None}]
    path.write_text('\n'.join(json.dumps(row) for row in rows))

    def words(part: Part, pairs: str) -> list[list[str]]:
        data = Examples(grammar, pieces, part, size=300, batches=1, seed=0, pairs=pairs)
        return [e.words for e in data.examples(0, 300)]

    mixed = words('train', str(path))
    assert 5 < sum('tune' in w and 'zither' in w for w in mixed) < 60
    assert words('held_out', str(path)) == words('held_out', '')
    path.write_text('{"prompt": "no program"}')
    read.cache_clear()
    with pytest.raises(InputError, match='no item has a program'):
        words('train', str(path))


def test_a_run_that_is_stopped_and_resumed_is_bit_exact(tmp_path: Path) -> None:
    whole = ParserTask(settings(tmp_path / 'whole', 10), report=lambda text: None)
    whole.train()
    ParserTask(settings(tmp_path / 'parts', 5), report=lambda text: None).train()
    second = ParserTask(settings(tmp_path / 'parts', 10), report=lambda text: None)
    assert second.step == 5
    second.train()
    assert all(torch.equal(value, second.master[name]) for name, value in whole.master.items())


def test_a_run_learns_and_its_file_parses(tmp_path: Path) -> None:
    losses = []
    task = ParserTask(settings(tmp_path, 40), report=lambda text: losses.append(text))
    update = task.update
    values: list[float] = []
    task.update = lambda batch: values.append(update(batch)) or values[-1]  # type: ignore[method-assign,func-returns-value]
    scores = task.train()
    assert sum(values[-10:]) < 0.8 * sum(values[:10])
    assert set(scores) == {'held_out', 'train'}
    load_parser(find_model('compact'), task.file).parse('the red mug')


def test_the_confidence_is_calibrated_on_a_file_of_texts(tmp_path: Path) -> None:
    path = tmp_path / 'texts.jsonl'
    mug, plate = (program_to_json(Select('one', Filter('name', noun))) for noun in ('mug', 'plate'))
    rows = [{'text': f'the mug number {i}', 'program': mug if i % 4 else plate} for i in range(40)]
    path.write_text('\n'.join(json.dumps(row) for row in rows))
    task = ParserTask(replace(settings(tmp_path / 'run', 1), calibrate_on=str(path)), report=lambda text: None)

    class Sure:
        def parse(self, text: str) -> Parsed:
            return Parsed(Select('one', Filter('name', 'mug')), 0.999)

    found = task.calibrate(Sure())  # type: ignore[arg-type]
    assert found(0.999) == pytest.approx(0.75, abs=0.03)  # as often as it is right
    with pytest.raises(InputError, match='missing'):
        ParserTask(replace(settings(tmp_path / 'run', 1), calibrate_on=str(tmp_path / 'missing.jsonl')))


def test_the_shipped_configuration_is_valid_and_wrong_ones_are_named() -> None:
    data = read_mapping(ROOT / 'config/train/parser.yaml')
    assert parse(data, Path('parser.yaml')).steps > 0
    with pytest.raises(InputError, match='batch'):
        parse(data | {'batch': 0}, Path('parser.yaml'))
    with pytest.raises(InputError, match='bach'):
        parse(data | {'bach': 3}, Path('parser.yaml'))


def test_calibration_finds_what_confidence_is_worth() -> None:
    generator = torch.Generator().manual_seed(0)
    odds = torch.randn(4000, generator=generator, dtype=torch.float64) * 2
    right = (torch.rand(4000, generator=generator, dtype=torch.float64) < torch.sigmoid(0.5 * odds - 1)).double()
    found = fit(torch.stack((odds, right), 1))
    assert found.slope == pytest.approx(0.5, abs=0.1) and found.offset == pytest.approx(-1, abs=0.15)
