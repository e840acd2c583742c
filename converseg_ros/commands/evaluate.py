"""Evaluate a model on items, data sets, manual labels, the published benchmark or a rosbag; compare two results.

converseg eval items ITEMS.json --model compact --json out.json --html out.html
converseg eval labels test/data/labels/tabletops.json --root DATA --model compact --json out.json
converseg eval bag BAG --instructions config/eval/instructions.yaml --model compact --json out.json
converseg eval programs paraphrases.jsonl --json out.json
converseg eval programs --held-out 2000 --json out.json
converseg eval compare first.json second.json
"""

import argparse
from collections.abc import Callable
import json
from pathlib import Path
import sys
from typing import Any

from converseg_ros.core import InputError, Role
from converseg_ros.core.files import write_json
from converseg_ros.core.progress import Progress, print_event
from converseg_ros.core.stages import JobStage
from converseg_ros.evaluation.arguments import add_bag_arguments, add_run_arguments
from converseg_ros.lifting.alignment import DepthOffset
from converseg_ros.perception.topics import parse_topics


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    kinds = parser.add_subparsers(dest='kind', required=True, metavar='WHAT')

    def add(name: str, text: str, action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        sub = kinds.add_parser(name, help=text, description=text)
        sub.set_defaults(action=action)
        return sub

    items = add('items', "the reference's items.json", _score)
    items.add_argument('data', type=Path, metavar='ITEMS.json', help='see docs/formats.md')
    dataset = add('dataset', "the engine's own data set (items.jsonl)", _score)
    dataset.add_argument('data', type=Path, nargs='+', metavar='DIR', help='folders with items.jsonl')
    dataset.add_argument('--split', default='test', help="train, val or test; '' selects all (default: test)")
    labels = add('labels', 'hand-made labels', _score)
    labels.add_argument('data', type=Path, nargs='+', metavar='LABELS.json', help='see docs/evaluation.md')
    labels.add_argument('--root', type=Path, required=True, help='the folder that contains the sources (images, bags)')
    calibrate = add('calibrate', 'fit calibration.json on labels and data sets together', _calibrate_on_all)
    calibrate.add_argument('--labels', type=Path, nargs='*', default=[], metavar='LABELS.json', help='labels')
    calibrate.add_argument(
        '--absent', type=Path, nargs='*', default=[], metavar='LABELS.json', help='further labels, which count half'
    )
    calibrate.add_argument('--root', type=Path, help='the folder that contains the sources of the labels')
    calibrate.add_argument('--dataset', type=Path, nargs='*', default=[], metavar='DIR', help='items.jsonl folders')
    calibrate.add_argument('--split', default='val', help="of the data sets; '' selects all (default: val)")
    hub = add('hub', 'the published benchmark; downloads it', _score)
    hub.add_argument('--repo', default='aadarsh99/ConverSeg', help='data set on the hub (default: %(default)s)')
    hub.add_argument('--split', default='human_annotated', help='human_annotated or sam_seeded')
    hub.add_argument('--parquet', type=Path, nargs='+', metavar='FILE', help='local files; nothing is downloaded')
    refcoco = add('refcoco', 'a RefCOCO, + or g folder', _score)
    refcoco.add_argument('data', type=Path, metavar='DIR', help='folder with refs(*).p or json, instances.json')
    refcoco.add_argument('--images', type=Path, required=True, help='the folder of the COCO images')
    refcoco.add_argument('--split', default='val', help='split of the expressions (default: %(default)s)')
    refcoco.add_argument(
        '--split-by', default='', help="unc, umd or google (default: UNC's, else UMD's, else Google's)"
    )
    reasonseg = add('reasonseg', 'a ReasonSeg folder', _score)
    reasonseg.add_argument('data', type=Path, metavar='DIR', help='folder with NAME.jpg and NAME.json')
    bag = add('bag', 'a rosbag2, without ROS', _bag)
    bag.add_argument('data', type=Path, metavar='BAG', help='folder of the bag (mcap or sqlite3)')
    given = bag.add_mutually_exclusive_group(required=True)
    given.add_argument('--instructions', type=Path, metavar='FILE', help='YAML list of {id, text, ...}')
    given.add_argument(
        '--labels',
        type=Path,
        nargs='+',
        metavar='LABELS.json',
        help='hand-made labels of this bag; each prompt is asked from the first key frame to the labelled one',
    )
    bag.add_argument('--every', type=int, default=1, metavar='N', help='take each N-th frame only')
    bag.add_argument('--start', type=int, default=0, metavar='K', help='index of the first frame')
    bag.add_argument('--truth', type=Path, metavar='FILE', help='JSON list of {id, stamp_ns, rle}')
    bag.add_argument('--predictions', type=Path, metavar='FILE', help='write every answer as COCO RLE')
    bag.add_argument('--overlay-bag', type=Path, metavar='DIR', help='write the overlays as a rosbag2 (mcap)')
    for sub in (labels, calibrate, bag):
        add_bag_arguments(sub)
    for sub in (items, dataset, labels, hub, refcoco, reasonseg):
        sub.add_argument('--no-baselines', action='store_true', help='score the network alone')
        sub.add_argument('--also', action='append', default=[], metavar='MODEL', help='another model in the same table')
        sub.add_argument(
            '--programs', type=Path, metavar='FILE', help='JSON {item id: program}, executed instead of the prompts'
        )
        sub.add_argument('--gold', type=Path, metavar='FILE', help='JSON {item id: program} that the prompts mean')
        sub.add_argument(
            '--op', default='', help='only the items whose program (--programs, --gold) has this node, e.g. free'
        )
        sub.add_argument('--safety', action='store_true', help='ask as safety instructions: see recall and marked')
        sub.add_argument('--rgb', action='store_true', help='leave out depth, intrinsics and gravity')
        sub.add_argument('--calibrate', action='store_true', help='fit calibration.json of the model on this data')
    for sub in (items, dataset, labels, calibrate, hub, refcoco, reasonseg, bag):
        add_run_arguments(sub)
    programs = add('programs', 'the parser: texts with the programs that they mean', _programs)
    programs.add_argument(
        'data', type=Path, nargs='?', metavar='FILE.jsonl', help='lines of {"text", "program", "family"}'
    )
    programs.add_argument('--held-out', type=int, metavar='N', help='N texts of held-out phrases instead of a file')
    programs.add_argument('--model', default='compact', help='name or folder (default: compact)')
    programs.add_argument('--parser', type=Path, metavar='FILE', help='another parser than that of the model')
    programs.add_argument('--json', type=Path, metavar='OUT', help='write the results here')
    compare = add('compare', 'paired differences of two results', _compare)
    compare.add_argument('first', type=Path, metavar='A.json', help='--json of an evaluation')
    compare.add_argument('second', type=Path, metavar='B.json', help='--json of another one on the same items')
    compare.add_argument('--json', type=Path, metavar='OUT', help='write the differences here')


def run(args: argparse.Namespace) -> int:
    """Run the selected evaluation."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _weights(args: argparse.Namespace) -> str:
    from converseg_ros.evaluation.record import weights_of

    weights = weights_of([args.model, *getattr(args, 'also', [])], args.namer, args.segments)
    return weights if args.precision == 'auto' else f'{weights}+{args.precision}'


def _load(args: argparse.Namespace, *, calibration: bool = True) -> Any:
    """Return the network with the parts that were chosen."""
    from converseg_ros import network as networks

    parts = {'namer': args.namer, 'segments': args.segments, 'facts': args.facts, 'agree_remote': args.agree_remote}
    network = networks.load(args.model, device=args.device, calibration=calibration, precision=args.precision, **parts)
    for note in getattr(network, 'notes', ()):
        _say(f'note: {note}')
    return network


def _record(args: argparse.Namespace, suffix: str = '') -> Path:
    from converseg_ros.evaluation.record import record_of

    return record_of(args.json.with_suffix(f'{suffix}.record.jsonl'), fresh=args.fresh)


def _score(args: argparse.Namespace) -> int:
    """Evaluate a model on samples and write the report."""
    from converseg_ros import network as networks
    from converseg_ros.datasets.samples import check_ids, with_programs
    from converseg_ros.evaluation.baselines import OtherModel, standard
    from converseg_ros.evaluation.html import write_html
    from converseg_ros.evaluation.report import build_report, latency_of, table_text
    from converseg_ros.evaluation.runner import MODEL, Runner
    from converseg_ros.evaluation.selection import READERS, colour_alone, with_node

    data, samples = READERS[args.kind](args, _say)
    samples = with_programs(check_ids(samples), args.programs)
    samples = with_node(with_programs(samples, args.gold, 'gold'), args.op)
    samples = (colour_alone(samples) if args.rgb else samples)[: args.limit or None]
    if not samples:
        raise InputError('there are no items', where=data, do='check the path, --split and --op')
    if args.calibrate:
        _calibrate(args, data, samples)
    network = _load(args)
    try:
        baselines = [] if args.no_baselines else standard(network, _say)
        baselines += [OtherModel(name, networks.load(name, device=args.device)) for name in args.also]
        role = Role.SAFETY if args.safety else Role.PLAIN
        runner = Runner(network, baselines, _record(args), _say, _weights(args), role)
        runner.progress = print_event if args.events else None
        answers = runner.run(samples)
        report = build_report(
            answers,
            model=network.name,
            command=args.command_line,
            data=data,
            calibrated=network.calibrated,
            threshold=getattr(network.calibration, 'no_target', None),
            latency=latency_of(answers[MODEL], runner.image_ms),
        )
    finally:
        network.close()
    write_json(args.json, report)
    if args.html:
        write_html(args.html, report, samples, answers[MODEL])
    if args.events:
        _print_result(args, report)
    else:
        print(table_text(report))
    return 0


def _print_result(args: argparse.Namespace, report: dict[str, Any]) -> None:
    """Print the last event: the result, and the files that were written."""
    print_event(Progress(stage=JobStage.DONE, result={'report': str(args.json), 'giou': report.get('giou')}))


def _calibrate_on_all(args: argparse.Namespace) -> int:
    """Calibrate on labels and data sets together, so that views with and without depth are both fitted."""
    from converseg_ros.evaluation.selection import of_calibration

    data, samples = of_calibration(args, _say)
    _calibrate(args, data, samples[: args.limit or None])
    return 0


def _calibrate(args: argparse.Namespace, data: str, samples: list[Any]) -> None:
    """Fit the calibration on this data and write it next to the weights."""
    from converseg_ros.evaluation.runner import MODEL, Runner
    from converseg_ros.network.file_names import CALIBRATION
    from converseg_ros.network.registry import find_model

    network = _load(args, calibration=False)
    try:
        runner = Runner(network, (), _record(args, '.uncalibrated'), _say, _weights(args), proposals=True)
        answers = runner.run(samples)[MODEL]
        provenance = {'data': data, 'model': network.name, 'command': args.command_line}
        path = getattr(network, 'calibration_file', None) or find_model(args.model) / CALIBRATION
        scores = [a.score for a in answers if not a.score.error]
        network.calibrate(scores, provenance).save(path)
    finally:
        network.close()
    _say(f'calibrated on {len(scores)} items: {path}')


def _bag(args: argparse.Namespace) -> int:
    """Run over a bag and write the results."""
    from converseg_ros.evaluation.bag.files import key_stamps, read_instructions, read_labels_in_sequence, read_truth
    from converseg_ros.evaluation.bag.overlay import write_overlay_bag
    from converseg_ros.evaluation.bag.reader import Bag
    from converseg_ros.evaluation.bag.report import bag_report, bag_samples
    from converseg_ros.evaluation.bag.run import BagRun
    from converseg_ros.evaluation.html import write_html

    with Bag(args.data, parse_topics(args.topic), DepthOffset(*args.depth_offset)) as bag:
        if args.labels:
            stamps = key_stamps(bag.stamps(), args.every, args.start)
            asked, truth = read_labels_in_sequence(args.labels, args.data.resolve().name, stamps)
        else:
            asked, truth = read_instructions(args.instructions), read_truth(args.truth) if args.truth else {}
        network = _load(args)
        try:
            bag_run = BagRun(network, bag, asked, record=_record(args), report=_say, weights=_weights(args))
            bag_run.progress = print_event if args.events else None
            bag_run.run(limit=args.limit, every=args.every, start=args.start)
            scored = bag_run.scored(truth)
            report = bag_report(bag_run, scored, command=args.command_line, data=str(args.data))
        finally:
            network.close()
        write_json(args.json, report)
        if args.predictions:
            write_json(args.predictions, bag_run.predictions(), indent=None)
        if args.overlay_bag:
            _say(f'{write_overlay_bag(args.overlay_bag, bag_run)} pictures in {args.overlay_bag}')
        if args.html:
            samples = bag_samples(bag_run, scored, truth)
            write_html(args.html, report, samples, scored)
    if args.events:
        _print_result(args, report)
        return 0
    shown = ('n_frames', 'status_counts', 'temporal_consistency', 'steadiness', 'latency')
    print(json.dumps({k: report[k] for k in shown}, indent=2))
    return 0


def _programs(args: argparse.Namespace) -> int:
    """Print and write the accuracy of the parser."""
    from converseg_ros.evaluation.programs import held_out_phrases, judge, read_gold, report, table
    from converseg_ros.network.parser.parser import load_parser
    from converseg_ros.network.registry import find_model

    if (args.data is None) == (args.held_out is None) or (args.held_out is not None and args.held_out < 1):
        raise InputError('there is not one source of texts', where='eval programs', do='give a file or --held-out N')
    gold = read_gold(args.data) if args.data else held_out_phrases(args.held_out)
    data = str(args.data) if args.data else f'{args.held_out} texts of held-out phrases'
    parser = load_parser(find_model(args.model), args.parser)
    result = report([judge(parser.parse, g) for g in gold], data=data, command=args.command_line)
    if args.json:
        write_json(args.json, result)
    print(table(result))
    return 0


def _compare(args: argparse.Namespace) -> int:
    """Print and write the paired differences."""
    from converseg_ros.evaluation.report import compare, comparison_text, read_report

    result = compare(read_report(args.first), read_report(args.second))
    print(comparison_text(result))
    if args.json:
        write_json(args.json, result)
    return 0
