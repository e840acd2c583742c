"""Configuration files are checked key by key."""

from pathlib import Path
import shlex

import pytest
import yaml

from converseg_ros.cli import main, make_parser
from converseg_ros.core import InputError
from converseg_ros.core.config import read_mapping
from converseg_ros.training.task import read_config

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'config' / 'train'


@pytest.mark.parametrize('path', sorted(p for p in CONFIGS.glob('*.yaml') if p.stem != 'compact'), ids=lambda p: p.stem)
def test_shipped_configurations_are_read(path):
    config = read_config(path)
    assert config.steps > 0 and config.out


def test_the_recipe_of_compact_trains_each_part_and_assembles_them():
    trained, folders, parsers = [], [], {}
    for line in read_mapping(CONFIGS / 'compact.yaml')['recipe']:
        words = shlex.split(line)[1:]
        args = make_parser(words).parse_args(words)
        if args.command == 'train':
            overrides = dict(pair.split('=') for pair in args.set)
            config = read_config(ROOT / args.config, {k: yaml.safe_load(v) for k, v in overrides.items()})
            adapter = getattr(config, 'adapter_rank', 0) > 0
            trained.append(f'{config.out}/{config.task}{"_adapter" if adapter else ""}.safetensors')
            folders.append(config.out)
            assert args.origin is None or str(args.origin) in (trained + folders[:-1])
            if adapter:
                adapted = parsers[config.pieces]
        else:
            given = [args.segments, args.names, args.parser, args.intents, args.adapter]
            assert {str(path) for path in given if path} <= set(trained)
            parsers[str(args.target)] = args.parser
    assert len(trained) == 7 and args.command == 'weights' and all(given)
    assert args.parser == adapted, 'an adapter belongs to one parser file'


def test_a_recipe_runs_its_commands_until_one_fails(tmp_path, capfd):
    path = tmp_path / 'all.yaml'
    path.write_text('recipe: [echo one, "false", echo two]')
    assert main(['train', str(path)]) == 1
    out, error = capfd.readouterr()
    assert '\none\n' in out and '\ntwo\n' not in out and 'exit status 1' in error


def test_a_dry_run_of_a_recipe_runs_nothing(tmp_path, capfd):
    made = tmp_path / 'made'
    path = tmp_path / 'all.yaml'
    path.write_text(f'recipe: ["touch {made}"]')
    assert main(['train', str(path), '--dry-run']) == 0
    assert f'touch {made}' in capfd.readouterr().out and not made.exists()
    assert main(['train', str(path), '--export', str(tmp_path / 'out')]) == 1 and not made.exists()


@pytest.mark.parametrize(
    'change, said',
    [
        ({'stepz': 3}, 'stepz'),
        ({'optim.lr': 'fast'}, 'lr'),
        ({'batch.images': 0}, 'batch'),
        ({'batch.negatives': 1.5}, 'negatives'),
        ({'train': [{'path': 'x', 'format': 'csv'}]}, 'csv'),
        ({'seed': 'a'}, 'seed'),
        ({'task': 'walls'}, 'segments'),
        ({'optim.ema': 1.0}, 'ema'),
        ({'patience': -1}, 'patience'),
    ],
)
def test_what_is_wrong_is_named(settings, change, said):
    with pytest.raises(InputError, match=said):
        read_config(settings, change)


def test_overrides_and_curriculum(settings):
    config = read_config(settings, {'optim.lr': '2e-4', 'batch.prompts': 7})
    assert config.optim.lr == pytest.approx(2e-4)
    assert config.batch.prompts == 7
    assert [config.phase(s).literal for s in (0, 1, 2, 1000)] == [1.0, 1.0, 0.5, 0.5]
