"""Run a benchmark: `converseg bench things --json OUT`. `converseg bench NAME --help` describes each one.

Absolute times depend on the machine; each benchmark also prints ratios to a reference in the same run.
"""

import argparse
from importlib import import_module
from typing import Any

PARTS = {
    'net': 'ConverSeg-Net: stages, caches, operations, compared with a baseline',
    'names': 'the namer: names of labelled objects, top-1 and top-5, calibration',
    'node': 'the ROS node: latency from image to region, dropped frames, memory',
    'lift': "lifting: speed compared with Open3D's chain, errors against exact geometry",
    'engine': 'the data engine: prompts per second, cost of resuming',
    'speech': 'speech: word errors on synthetic voices, instructions from noise',
    'operator': 'time from the last voiced sample to the overlay with the answer, by stage',
    'console': "the operator's page: frames per second with several clients",
    'things': 'networks of kind things: each stage, in both precisions',
    'peers': 'compact compared with Grounding DINO + SAM 2 and CLIPSeg of the real sizes, as ratios',
    'facts': 'facts: relations, states, properties and orders of rendered rooms, compared with the ground truth',
    'statements': 'statements of knowledge: nouns that free texts describe, among ten',
    'segments': 'segments: the best one and the best union for every labelled region',
}


class _Lazy(argparse._SubParsersAction):  # type: ignore[type-arg]
    """Subcommands whose module is imported only when it is selected."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Import the selected module, add its options, and continue."""
        sub = self._name_parser_map.get(values[0])
        if sub is not None:
            module = import_module(f'converseg_ros.bench.{values[0]}')
            sub.description = module.__doc__
            module.configure(sub)
            sub.set_defaults(run_part=module.run)
        super().__call__(parser, namespace, values, option_string)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the parts."""
    parts = parser.add_subparsers(dest='part', required=True, metavar='PART', action=_Lazy)
    for name, text in PARTS.items():
        parts.add_parser(name, help=text, formatter_class=argparse.RawDescriptionHelpFormatter)


def run(args: argparse.Namespace) -> int:
    """Run the chosen part."""
    return int(args.run_part(args) or 0)
