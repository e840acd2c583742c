"""Measure, as ratios within one run: `converseg bench net|things|node|lift|engine|speech|operator|console --json OUT`.

Absolute times are of the machine that ran; each part prints what it compares with.
"""

import argparse
from importlib import import_module
from typing import Any

PARTS = {
    'net': 'the network: stages, caches, operations, beside the plain way',
    'names': 'the namer: names of labelled things, top-1 and top-5, calibration',
    'node': 'the ROS node: latency from image to region, dropped frames, memory',
    'lift': "lifting: speed beside Open3D's chain, errors against exact geometry",
    'engine': 'the data engine: pairs an hour, cost, cache',
    'speech': 'speech: word errors on generated voices, instructions from noise',
    'operator': 'from the last voiced sample to the overlay that answers, stage by stage',
    'console': "the operator's page: frames a second, bytes, clients",
    'things': 'the network that executes programs: each stage, in both precisions',
    'segments': 'segments: the best one and the best union for every labelled region',
}


class _Lazy(argparse._SubParsersAction):  # type: ignore[type-arg]
    """Subcommands whose module is imported only when it is chosen."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Import the chosen part and let it add its options, then go on as usual."""
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
