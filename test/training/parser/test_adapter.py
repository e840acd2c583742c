"""An adapter is trained, resumed and exported as the other networks are, and the parser below it stays as it is."""

from collections.abc import Iterable
from dataclasses import replace
import json
from pathlib import Path
import shutil

import pytest
import torch

from converseg_ros.cli import main
from converseg_ros.core.config import read_mapping
from converseg_ros.core.errors import InputError
from converseg_ros.evaluation.programs import read_gold
from converseg_ros.network.file_names import ADAPTER, PARSER
from converseg_ros.network.parser.adapter import AdaptedParser
from converseg_ros.network.parser.parser import load_model, load_parser, save_parser
from converseg_ros.network.registry import find_model
from converseg_ros.network.weights.assembly import assemble
from converseg_ros.programs.nodes import Act, Everything, Filter, Like, Relate, Select, Things, program_to_json
from converseg_ros.programs.nouns import main_noun
from converseg_ros.programs.spans import split
from converseg_ros.training.checkpoints import weights_hash
from converseg_ros.training.loop import Trainer
from converseg_ros.training.parser.config import ParserTraining, parse
from converseg_ros.training.parser.source import read
from converseg_ros.training.parser.task import ParserTask, create

ROOT = Path(__file__).resolve().parents[3]
FAST = {'batch': 16, 'pool': 1, 'workers': 0, 'warmup': 2, 'validate': 4, 'calibrate': 20, 'ema': 0.5, 'steps': 8}


pytestmark = pytest.mark.usefixtures('few_statements')


@pytest.fixture(scope='module')
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of texts that the parser does not know: a new word for a relation, and a free text."""
    rows = []
    for first, second in (('mug', 'plate'), ('fork', 'bowl'), ('pen', 'book'), ('key', 'phone')):
        near = Select('one', Relate('next_to', Filter('name', first), Filter('name', second)))
        loose = Select('one', Like('wobbly', Filter('name', first)))
        rows.append({'text': f'the {first} a stone throw from the {second}', 'program': program_to_json(near)})
        rows.append({'text': f'the wobbly {first}', 'program': program_to_json(loose)})
    path = tmp_path_factory.mktemp('pairs') / 'pairs.jsonl'
    path.write_text('\n'.join(json.dumps(row) for row in rows))
    return path


def settings(out: Path, pairs: Path, **changes: object) -> ParserTraining:
    data = read_mapping(ROOT / 'config/train/parser_adapter.yaml') | FAST
    data |= {'out': str(out), 'pairs': str(pairs), 'calibrate_on': str(pairs), 'pairs_share': 0.8}
    return parse(data | changes, Path('parser_adapter.yaml'))


def trainer_of(config: ParserTraining) -> Trainer:
    return Trainer(create(config, lambda text: None), report=lambda text: None)


@torch.no_grad()
def loss(task: ParserTask, network: AdaptedParser) -> float:
    """Return the loss on one batch of pairs, without dropout."""
    network.eval()
    value = float(task.loss(network, task.batch(0, 0))['total'])
    network.train()
    return value


def test_a_run_lowers_the_loss_on_its_pairs_and_its_file_updates_the_parser(tmp_path: Path, pairs: Path) -> None:
    trainer = trainer_of(settings(tmp_path / 'run', pairs, pairs_share=1.0, swap_nouns=False, lr=3e-3))
    task, network = trainer.task, trainer.network
    assert isinstance(task, ParserTask) and isinstance(network, AdaptedParser) and task.frozen is not None
    frozen, before = weights_hash(network.base), loss(task, network)
    scores = trainer.train()
    assert loss(task, network) < 0.7 * before
    assert weights_hash(network.base) == frozen
    assert set(scores) == {'held_out', 'train'}
    path = trainer.export()
    assert path == tmp_path / 'run' / ADAPTER
    compact = find_model('compact')
    model, _ = load_model(compact / PARSER, task.grammar, path)
    assert model.config == load_model(compact / PARSER, task.grammar)[0].config  # its dropout is not that of the run
    for name, value in network.merged().state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, atol=2e-3, rtol=2e-3)
    assemble(tmp_path / 'model', compact, {ADAPTER: path}, name='adapted', version='1')
    parser = load_parser(tmp_path / 'model')
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in parser.model.state_dict().items())


def test_a_run_that_is_killed_and_resumed_is_bit_exact(tmp_path: Path, pairs: Path) -> None:
    changes = {'workers': 1, 'validate_every': 100, 'validate': 1}
    whole = trainer_of(settings(tmp_path / 'whole', pairs, **changes))
    whole.train()
    killed = trainer_of(settings(tmp_path / 'parts', pairs, **changes))
    killed.model.train()
    while killed.step < 5:
        killed.update()
    killed.save(False)
    killed.update()  # lost with the process
    del killed
    resumed = trainer_of(settings(tmp_path / 'parts', pairs, **changes))
    assert resumed.step == 5
    resumed.train()
    assert whole.state and all(name.startswith('changes.') for name in whole.state)
    for one, two in ((whole.state, resumed.state), (whole.average, resumed.average)):
        assert one.keys() == two.keys() and all(torch.equal(value, two[name]) for name, value in one.items())


def test_dropout_is_for_training_alone(tmp_path: Path, pairs: Path) -> None:
    task = create(settings(tmp_path / 'run', pairs, dropout=0.5), lambda text: None)
    network, batch = task.build(), task.batch(0, 0)

    def losses() -> list[float]:
        return [float(task.loss(network, batch)['total'].detach()) for _ in range(2)]

    first, second = losses()
    assert first != second
    network.eval()
    first, second = losses()
    assert first == second


def test_an_adapter_of_another_parser_is_neither_assembled_nor_checked(
    tmp_path: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = trainer_of(settings(tmp_path / 'run', pairs))
    path = trainer.task.export(trainer.network, 0, None)
    folder = tmp_path / 'model'
    assert main(['weights', 'assemble', str(folder), '--adapter', str(path)]) == 0
    assert main(['weights', 'check', str(folder)]) == 0
    assert ADAPTER in capsys.readouterr().out
    model, calibration = load_model(folder / PARSER, trainer.task.grammar)
    other = tmp_path / PARSER
    shutil.copy(folder / PARSER, other)
    with torch.no_grad():
        model.bias.add_(1.0)
    save_parser(other, model, trainer.task.grammar, calibration)
    with pytest.raises(InputError, match='another parser'):
        assemble(tmp_path / 'wrong', folder, {PARSER: other, ADAPTER: path}, name='wrong', version='1')
    assert not (tmp_path / 'wrong').exists()
    assemble(tmp_path / 'without', folder, {PARSER: other}, name='without', version='1')
    assert not (tmp_path / 'without' / ADAPTER).exists()
    shutil.copy(other, folder / PARSER)
    assert main(['weights', 'check', str(folder)]) == 1
    assert 'another parser' in capsys.readouterr().out


def test_what_an_adapter_cannot_start_from_is_an_error(tmp_path: Path, pairs: Path) -> None:
    config = settings(tmp_path / 'run', pairs, origin=str(find_model('compact') / PARSER))
    with pytest.raises(InputError, match='starts from the parser of `pieces`'):
        trainer_of(config)
    folder = tmp_path / 'small'
    folder.mkdir()
    for file in find_model('compact').iterdir():
        (folder / file.name).symlink_to(file)
    task = create(settings(tmp_path / 'run', pairs), lambda text: None)
    model, calibration = load_model(folder / PARSER, task.grammar)
    with torch.no_grad():
        model.bias[3] = -1e4  # as load_model returns a token that the file does not have
    (folder / PARSER).unlink()
    save_parser(folder / PARSER, model, task.grammar, calibration)
    with pytest.raises(InputError, match='does not know'):
        create(replace(config, pieces=str(folder)), lambda text: None)


def test_no_text_of_a_test_set_is_trained_with() -> None:
    sets = sorted((ROOT / 'test/data/programs').glob('*.jsonl')) + sorted(
        (ROOT / 'test/data/labels/programs').glob('*')
    )
    tested = {text for path in sets for text in plain(gold.text for gold in read_gold(path))}
    labels = [json.loads(path.read_text()) for path in (ROOT / 'test/data/labels').glob('*.json')]
    tested |= plain(row['prompt'] for rows in labels if isinstance(rows, list) for row in rows)
    config = read_mapping(ROOT / 'config/train/parser_adapter.yaml')
    trained = plain(text for text, _ in read(str(ROOT / config['pairs'])))
    assert len(trained) > 2000 and len(tested) > 1000 and not trained & tested


def test_written_texts_follow_the_conventions() -> None:
    """docs/programs.md lists them; a parser cannot learn what the same words mean in two ways."""
    config = read_mapping(ROOT / 'config/train/parser_adapter.yaml')
    for text, program in read(str(ROOT / config['pairs'])):
        words = split(text)
        for node in program.walk():
            if isinstance(node, Like):
                assert node.text.split()[0] not in {'he', 'she', 'could', 'might', 'would', 'been', 'being'}, text
            if isinstance(node, Act) and node.kind == 'falling':
                assert node.role == 'agent', text
        if not isinstance(program, Select) or not isinstance(program.of, Filter | Like) or main_noun(program):
            continue
        alone = isinstance(program.of.of, Things | Everything)
        if alone and isinstance(program.of, Filter) and program.of.by == 'physics':
            assert program.of.value not in {'tips', 'rolls', 'removable'} or program.of.of == Things(), text
        if words[0] == 'what' and not any(word in {'most', 'first', 'best'} for word in words):
            assert program.quantity == 'all', text


def plain(texts: Iterable[str]) -> set[str]:
    """Return texts without case and closing marks."""
    return {text.lower().strip(' .?!') for text in texts}


def test_the_shipped_configuration_is_valid_and_wrong_ones_are_named() -> None:
    path = ROOT / 'config/train/parser_adapter.yaml'
    data = read_mapping(path)
    assert parse(data, path).adapter_rank > 0
    assert all((ROOT / file).is_file() for file in parse(data, path).calibrate_on)
    assert parse(data | {'calibrate_on': 'one.jsonl'}, path).calibrate_on == ['one.jsonl']
    for key, value in (('adapter_rank', -1), ('pairs_share', 1.5), ('pairs', '')):
        with pytest.raises(InputError, match=key):
            parse(data | {key: value}, path)
