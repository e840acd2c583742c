"""Train or fine-tune a network: `converseg train config/train/segments.yaml`.

A run resumes from its newest checkpoint. --dry-run prints memory and time and writes nothing but the cache; --make-data
first runs the recipe of the configuration (rendering scenes, generating prompt-mask pairs). A file with nothing but a
recipe, such as config/train/compact.yaml, runs its commands (--dry-run prints them). On several
GPUs or machines: `accelerate launch -m converseg_ros train CONFIG`, or torchrun instead of accelerate launch.
"""

import argparse
from collections.abc import Callable
import math
import os
from pathlib import Path
import shlex
import subprocess
import sys
from typing import Any

from converseg_ros.core import ConversegError, InputError
from converseg_ros.core.progress import Progress, print_event
from converseg_ros.core.stages import JobStage


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('config', type=Path, help='YAML file, see config/train/')
    parser.add_argument('--make-data', action='store_true', help='run the recipe of the configuration first')
    parser.add_argument('--dry-run', action='store_true', help='run a few steps, print memory and time, keep nothing')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='e.g. --set optim.lr=5e-4')
    parser.add_argument('--json', action='store_true', help='print progress and result as JSON lines')
    parser.add_argument('--export', type=Path, metavar='DIR', help='write the result here (default: in the run folder)')
    parser.add_argument(
        '--from', dest='origin', type=Path, metavar='CHECKPOINT', help='start a new run from the weights of another'
    )


def run(args: argparse.Namespace) -> int:
    """Train."""
    os.environ.setdefault('TOKENIZERS_PARALLELISM', 'false')
    from converseg_ros.core.config import read_mapping
    from converseg_ros.training.task import create, read_config

    overrides = _overrides(args.set) | ({'origin': str(args.origin)} if args.origin else {})
    data = read_mapping(args.config, overrides)
    if set(data) == {'recipe'}:  # a list of runs, such as config/train/compact.yaml
        if args.export:
            raise InputError('the file has nothing but a recipe', where='--export', do='give it to one of its commands')
        if args.dry_run:
            print('\n'.join(data['recipe']))
        else:
            run_all(data['recipe'])
        return 0
    config = read_config(args.config, overrides)
    if args.make_data:
        if not config.recipe:
            raise InputError('the configuration has no recipe', where='--make-data')
        run_all(config.recipe)
    if args.dry_run:
        from converseg_ros.training.dry_run import dry_run

        for line in dry_run(config):
            print(line)
        return 0
    from converseg_ros.training.loop import StoppedError, Trainer

    try:
        trainer = Trainer(
            create(config, _report(args)), report=_report(args), progress=print_event if args.json else None
        )
        values = trainer.train()
        if trainer.accelerator.is_main_process:
            path = trainer.export(args.export)
            if args.json:
                result = {'model': str(path), **{k: v for k, v in values.items() if math.isfinite(v)}}
                print_event(Progress(stage=JobStage.DONE, values=values, result=result))
            else:
                print(f'model: {path}')
            name = shlex.quote(str(path))
            run_all([line.replace('{model}', name).replace('{weights}', name) for line in config.finish])
    except StoppedError as error:
        print(error)
        return 143
    trainer.accelerator.end_training()  # an open process group can abort the process when it exits
    return 0


def _report(args: argparse.Namespace) -> Callable[[str], None]:
    """Return a function that prints a line of text, either as text or as an event."""
    if args.json:
        return lambda text: print_event(Progress(text))
    return lambda text: print(text, flush=True)


def run_all(commands: list[str]) -> None:
    """Run commands in order; `converseg` and `pip` are run with this Python; each command can be resumed."""
    for line in commands:
        words = shlex.split(line)
        module = {'converseg': 'converseg_ros', 'pip': 'pip'}.get(words[0])
        command = [sys.executable, '-m', module, *words[1:]] if module else words
        print(f'+ {line}', flush=True)
        code = subprocess.run(command, check=False).returncode
        if code:
            raise ConversegError(
                f'exit status {code}', where=line, do='correct the error and start again; the run is resumed'
            )


def _overrides(pairs: list[str]) -> dict[str, Any]:
    """Parse KEY=VALUE, the values as YAML."""
    import yaml

    found = {}
    for pair in pairs:
        key, equals, value = pair.partition('=')
        if not equals:
            raise InputError(f'{pair!r} is not KEY=VALUE', where='--set')
        found[key] = yaml.safe_load(value)
    return found
