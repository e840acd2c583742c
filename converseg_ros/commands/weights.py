"""List, fetch, convert and check model folders.

converseg weights list
converseg weights fetch converseg-net-3b            shows the licences; with --accept, downloads
converseg weights convert RELEASE_DIR TARGET_DIR    merges the LoRA, writes safetensors
converseg weights check NAME_OR_DIR                 reports what is wrong
converseg weights assemble TARGET_DIR --frozen DIR --segments FILE --names FILE --parser FILE
                                                    creates a folder of kind things from trained parts, and
                                                    computes statements.safetensors anew

Only `fetch --accept` downloads. An interrupted fetch is resumed; checksums are compared with those of the hub.
"""

import argparse
from pathlib import Path
import sys
from typing import Any

from converseg_ros.core import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, description=text)

    listed = add('list', 'the models here, and all that are known: hardware, size, licence, latency')
    listed.add_argument('--markdown', action='store_true', help='only the table of docs/models.md')
    fetch = add('fetch', 'download released weights')
    fetch.add_argument('name', help='e.g. converseg-net-3b, siglip2-base, or OWNER/NAME of a transformers model')
    fetch.add_argument('--accept', action='store_true', help='accept the licences that are shown, and download')
    fetch.add_argument('--out', type=Path, metavar='DIR', help="where to (default: NAME in the user's cache)")
    fetch.add_argument('--repo', help='another hub repository in the same format')
    fetch.add_argument('--language', help="the language model's hub repository (default: the 3B's)")
    convert = add('convert', 'convert released weights to a model folder (merges the LoRA)')
    convert.add_argument('source', type=Path, metavar='RELEASE_DIR', help='folder of the released files')
    convert.add_argument('target', type=Path, metavar='TARGET_DIR', help='model folder to write')
    convert.add_argument('--name', default='', help='name of the model (default: that of TARGET_DIR)')
    convert.add_argument(
        '--precision', choices=('bf16', 'fp32'), default='bf16', help="of the language model's weights"
    )
    convert.add_argument(
        '--qwen', type=Path, metavar='DIR', help='its config.json and tokenizer.json, if not next to it'
    )
    assembled = add('assemble', 'combine trained parts in a model folder of kind things')
    assembled.add_argument('target', type=Path, metavar='TARGET_DIR', help='model folder to write')
    assembled.add_argument('--frozen', default='compact', metavar='NAME_OR_DIR', help='backbone and text encoder')
    for part in ('segments', 'names', 'parser', 'intents'):
        assembled.add_argument(
            f'--{part}', type=Path, metavar='FILE', help=f'{part}.safetensors (default: of --frozen)'
        )
    assembled.add_argument(
        '--adapter', type=Path, metavar='FILE', help='parser_adapter.safetensors, an update of the parser (optional)'
    )
    assembled.add_argument('--name', default='', help='name of the model (default: that of TARGET_DIR)')
    assembled.add_argument('--version', default='1', help='version of the model (default: %(default)s)')
    check = add('check', 'read all files of a model folder and report what is wrong')
    check.add_argument('model', help='name or folder')
    check.add_argument('--qwen', type=Path, metavar='DIR', help='as in convert')


def run(args: argparse.Namespace) -> int:
    """Run the chosen subcommand."""
    actions = {'list': show, 'fetch': fetch, 'convert': convert, 'assemble': assemble, 'check': check}
    return actions[args.action](args)


def show(args: argparse.Namespace) -> int:
    """List the models on this machine, and all that can be had."""
    from converseg_ros.network.registry import cache_folder, installed
    from converseg_ros.network.weights.catalogue import ENTRIES
    from converseg_ros.network.weights.choice import markdown, plain
    from converseg_ros.network.weights.inspection import describe

    if args.markdown:
        print(markdown(), end='')
        return 0
    here = installed()
    print('On this machine:')
    for name, folder in here.items():
        print(f'  {name:18} {describe(folder)}\n{"":20}   {folder}')
    print(f'\nAll that are known (+ here; `converseg weights fetch NAME` gets the others, into {cache_folder()}):')
    print(plain(ENTRIES, list(here)))
    print('\nAny other model of transformers: converseg weights fetch OWNER/NAME. `converseg doctor` recommends one.')
    return 0


def fetch(args: argparse.Namespace) -> int:
    """Show the licences; download what was accepted."""
    from converseg_ros.network.registry import cache_folder
    from converseg_ros.network.weights.catalogue import BY_NAME, folder_name
    from converseg_ros.network.weights.choice import plain
    from converseg_ros.network.weights.hub import TRANSFORMERS, parts_of
    from converseg_ros.network.weights.hub import fetch as download

    if args.name.startswith(('.', '/')) or (args.repo and '/' in args.name):
        raise InputError('not a name', where=args.name, do='use OWNER/NAME for a repository, --out for a folder')
    parts = parts_of(args.name, args.repo, args.language)
    if args.name in BY_NAME and not args.repo:
        print(plain([BY_NAME[args.name]]))
    for part in parts:
        print(f'https://huggingface.co/{part.repo}\n    licence: {part.licence}')
    if not args.accept:
        print('Nothing was downloaded. To accept these licences and download, add --accept.', file=sys.stderr)
        return 1
    target = args.out or cache_folder() / folder_name(args.name)
    files = download(parts, target)
    print(f'{len(files)} files, checksums verified, in {target}')
    if parts[0].patterns != TRANSFORMERS:
        print(f'to make it load in seconds: converseg weights convert {target} {target}-merged')
    return 0


def convert(args: argparse.Namespace) -> int:
    """Write a release folder as a converted one."""
    from converseg_ros.network.file_names import CONFIG
    from converseg_ros.network.weights.checkpoints import convert as write

    if (args.target / CONFIG).exists() or args.target.resolve() == args.source.resolve():
        raise InputError('there is a model already', where=str(args.target), do='choose another target folder')
    name = args.name or args.target.resolve().name
    config = write(args.source, args.target, qwen=args.qwen, half=args.precision == 'bf16', name=name)
    print(f'{config.name} written to {args.target}')
    return 0


def assemble(args: argparse.Namespace) -> int:
    """Write a model folder of kind things."""
    from converseg_ros.network.file_names import ADAPTER, INTENTS, NAMES, PARSER, SEGMENTS
    from converseg_ros.network.registry import find_model
    from converseg_ros.network.weights.assembly import assemble as write

    trained = {SEGMENTS: args.segments, NAMES: args.names, PARSER: args.parser, INTENTS: args.intents}
    given = {name: path for name, path in (trained | {ADAPTER: args.adapter}).items() if path is not None}
    config = write(
        args.target,
        find_model(args.frozen),
        given,
        name=args.name or args.target.resolve().name,
        version=args.version,
        command=args.command_line,
    )
    print(f'{config.name} {config.version} written to {args.target}; calibrate it: converseg eval ... --calibrate')
    return 0


def check(args: argparse.Namespace) -> int:
    """Check a folder; 1 if it cannot be used."""
    from converseg_ros.network.registry import find_model
    from converseg_ros.network.weights.inspection import inspect_folder
    from converseg_ros.network.weights.things_folder import is_grounded

    folder = find_model(args.model)
    found = _check_grounded(folder) if is_grounded(folder) else inspect_folder(folder, args.qwen)
    print(folder)
    for note in found.notes:
        print(f'  {note}')
    for problem in found.problems:
        print(f'  WRONG: {problem}')
    print('this model cannot be used as it is' if found.problems else 'nothing is wrong')
    return 1 if found.problems else 0


def _check_grounded(folder: Path) -> Any:
    """Load a folder of kind grounded or sam3 with all of its parts; nothing is sent to an endpoint."""
    from converseg_ros.network.registry import load
    from converseg_ros.network.weights.inspection import Findings

    found = Findings()
    try:
        network: Any = load(folder, device='cpu', precision='fp32', agree_remote=True)
    except InputError as error:
        found.problems.append(str(error))
        return found
    found.notes += [network.finder.name, *network.notes]
    found.notes.append('calibrated' if network.calibrated else 'not calibrated; converseg eval calibrate')
    network.close()
    return found
