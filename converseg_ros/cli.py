"""The entry point of the command line.

converseg predict --model compact --image photo.png --prompt "something to drink from" --out out/
converseg doctor
"""

import argparse
from importlib import import_module
import shlex
import sys

from converseg_ros import __version__
from converseg_ros.core.errors import ConversegError

# name -> (module in converseg_ros.commands, one-line help); a module is imported only when its command is selected
COMMANDS = {
    'predict': ('predict', 'segment one image file, without ROS'),
    'eval': ('evaluate', 'evaluate a model on items, a data set, the published benchmark or a rosbag; compare results'),
    'weights': ('weights', 'list, fetch, convert and check model folders'),
    'train': ('train', 'train or fine-tune a network'),
    'scenes': ('scenes', 'render labelled scenes, view them, write them as a rosbag'),
    'engine': ('engine', 'generate, view and export prompt-mask pairs'),
    'label': ('label', 'label masks on images or bag frames in the browser'),
    'ask': ('ask', 'ask a running segmenter node and wait for the answer'),
    'watch': ('watch', "print a running segmenter node's regions"),
    'chat': ('chat', 'send instructions to a running segmenter node from the terminal'),
    'console': ('console', "serve the operator's web page"),
    'mcp': ('mcp', 'serve a running segmenter node to language-model agents'),
    'demo': ('demo', 'replay a bag through the node and write pictures of its answers'),
    'bench': ('bench', 'run benchmarks: node, net, lift, engine, console, ...'),
    'doctor': ('doctor', 'check this machine, and print what to do about what is missing'),
}


def make_parser(argv: list[str]) -> argparse.ArgumentParser:
    """Return a parser with all commands by name, and the arguments of the command in `argv`."""
    parser = argparse.ArgumentParser(prog='converseg', description='Conversational image segmentation for robots.')
    parser.add_argument('--version', action='version', version=f'converseg {__version__}')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    chosen = next((a for a in argv if not a.startswith('-')), '')
    for name, (module, text) in COMMANDS.items():
        sub = commands.add_parser(name, help=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == chosen:
            loaded = import_module(f'converseg_ros.commands.{module}')
            sub.description = loaded.__doc__
            loaded.configure(sub)
            sub.set_defaults(run=loaded.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; errors with a remedy are printed in one line and exit with 1, wrong usage with 2."""
    argv = sys.argv[1:] if argv is None else argv
    args = make_parser(argv).parse_args(argv)
    args.command_line = shlex.join(['converseg', *argv])  # reports contain the command that produced them
    try:
        return int(args.run(args) or 0)
    except ConversegError as error:
        print(f'converseg {args.command}: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141


if __name__ == '__main__':
    sys.exit(main())
