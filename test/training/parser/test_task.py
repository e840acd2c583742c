"""The parser's training: examples are right and repeatable, a run learns, is resumed exactly, and writes a parser."""

from dataclasses import replace
import json
from pathlib import Path

import pytest
import torch

from converseg_ros import knowledge
from converseg_ros.core.config import read_mapping
from converseg_ros.core.errors import InputError
from converseg_ros.network.parser.parser import Parsed, load_parser
from converseg_ros.network.parser.pieces import Pieces
from converseg_ros.network.registry import find_model
from converseg_ros.programs.canonical import equal
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.nodes import Except, Filter, Select, Things, program_to_json
from converseg_ros.programs.phrasing import Part
from converseg_ros.training.loop import Trainer
from converseg_ros.training.parser import examples
from converseg_ros.training.parser.config import ParserTraining, parse
from converseg_ros.training.parser.examples import Examples
from converseg_ros.training.parser.source import Pairs, read
from converseg_ros.training.parser.task import create, fit

ROOT = Path(__file__).resolve().parents[3]


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
    sizes |= pace
    return ParserTraining(task='parser', out=str(out), steps=steps, **sizes, decay=0.01, bf16=False)


def trainer_of(config: ParserTraining) -> Trainer:
    return Trainer(create(config, lambda text: None), report=lambda text: None)


@pytest.mark.parametrize('part', ['train', 'held_out'])
def test_examples_read_back_as_their_programs(grammar: Grammar, pieces: Pieces, part) -> None:
    data = Examples(grammar, pieces, part, seed=3)
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
    made = Examples(grammar, pieces, 'train', seed=0).examples(0, 20)
    assert {e.words[1] for e in made} == {'except'}


def test_a_pool_is_the_same_each_time_and_others_differ(grammar: Grammar, pieces: Pieces) -> None:
    data = Examples(grammar, pieces, 'train', seed=0)
    again = Examples(grammar, pieces, 'train', seed=0)
    assert [e.words for e in data.examples(5, 16)] == [e.words for e in again.examples(5, 16)]
    assert [e.words for e in data.examples(5, 16)] != [e.words for e in data.examples(6, 16)]
    assert [batch.follow.shape[0] for batch in data.pool(5, 8, 2)] == [8, 8]


def test_prompts_of_items_are_trained_with_and_held_out_phrases_stay_as_they_are(
    grammar: Grammar, pieces: Pieces, tmp_path: Path
) -> None:
    path = tmp_path / 'items.jsonl'
    program = program_to_json(Select('one', Filter('name', 'zither')))
    rows = [{'prompt': 'tune the zither', 'program': program}, {'prompt': 'no program', 'program': None}]
    path.write_text('\n'.join(json.dumps(row) for row in rows))

    def words(part: Part, pairs: str) -> list[list[str]]:
        data = Examples(grammar, pieces, part, seed=0, pairs=Pairs(pairs, 0.08) if pairs else None)
        return [e.words for e in data.examples(0, 300)]

    mixed = words('train', str(path))
    assert 5 < sum('tune' in w and 'zither' in w for w in mixed) < 60
    assert words('held_out', str(path)) == words('held_out', '')
    path.write_text('{"prompt": "no program"}')
    read.cache_clear()
    with pytest.raises(InputError, match='no item has a program'):
        words('train', str(path))


def test_a_run_that_is_killed_and_resumed_is_bit_exact(tmp_path: Path) -> None:
    changes = {'bf16': True, 'workers': 1, 'dropout': 0.1, 'validate_every': 100, 'validate': 1}
    whole = trainer_of(replace(settings(tmp_path / 'whole', 8), **changes))
    whole.train()
    killed = trainer_of(replace(settings(tmp_path / 'parts', 8), **changes))
    while killed.step < 5:
        killed.update()
    killed.save(False)
    killed.update()  # lost with the process
    del killed
    resumed = trainer_of(replace(settings(tmp_path / 'parts', 8), **changes))
    assert resumed.step == 5
    resumed.train()
    for one, two in ((whole.state, resumed.state), (whole.average, resumed.average)):
        assert one.keys() == two.keys() and all(torch.equal(value, two[name]) for name, value in one.items())


def test_a_run_learns_and_its_file_parses(tmp_path: Path) -> None:
    trainer = trainer_of(settings(tmp_path / 'run', 40))
    losses = []
    while trainer.step < 39:
        losses.append(trainer.update()['total'])
    scores = trainer.train()
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
    assert set(scores) == {'held_out', 'train'}
    path = trainer.export()
    assert path == tmp_path / 'run' / 'parser.safetensors'
    load_parser(find_model('compact'), path).parse('the red mug')
    more = trainer_of(replace(settings(tmp_path / 'more', 1), origin=str(path)))
    for name, value in more.state.items():  # the file has float16
        torch.testing.assert_close(value, trainer.state[name], atol=1e-3, rtol=1e-3)


def test_each_worker_generates_whole_pools(tmp_path: Path) -> None:
    task = create(replace(settings(tmp_path, 8), workers=2), lambda text: None)
    numbers: list[int] = []
    task.examples.pool = lambda number, size, count: numbers.append(number) or [number] * count  # type: ignore[method-assign,func-returns-value]
    assert [task.batch(n, n) for n in (0, 2, 4, 6)] == [0, 0, 2, 2]  # of the first worker, pools of two batches
    assert [task.batch(n, n) for n in (1, 3, 5, 7)] == [1, 1, 3, 3]
    assert numbers == [0, 2, 1, 3]


def test_the_confidence_is_calibrated_on_files_of_texts(tmp_path: Path) -> None:
    paths = [tmp_path / 'right.jsonl', tmp_path / 'half.jsonl']
    mug, plate = (program_to_json(Select('one', Filter('name', noun))) for noun in ('mug', 'plate'))
    rows = [{'text': f'the mug number {i}', 'program': mug if i % 4 else plate} for i in range(40)]
    for path, part in zip(paths, (rows[1::2], rows[::2])):
        path.write_text('\n'.join(json.dumps(row) for row in part))
    config = replace(settings(tmp_path / 'run', 1), calibrate_on=[str(path) for path in paths])
    task = create(config, lambda text: None)

    class Sure:
        def parse(self, text: str) -> Parsed:
            return Parsed(Select('one', Filter('name', 'mug')), 0.999)

    found = task.calibrate(Sure())  # type: ignore[arg-type]
    assert found(0.999) == pytest.approx(0.75, abs=0.03)  # as often as it is right
    with pytest.raises(InputError, match='missing'):
        create(
            replace(settings(tmp_path / 'run', 1), calibrate_on=[str(tmp_path / 'missing.jsonl')]), lambda text: None
        )


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
