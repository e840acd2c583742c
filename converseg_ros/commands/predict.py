"""Segment one image file without ROS: one mask for each instruction, and with depth one point cloud for each.

converseg predict --model compact --image photo.png --prompt "something to drink from" --out out/
converseg predict --image kitchen.png --prompt "where can I put the pan?" --role affordance --out out/
converseg predict --image kitchen.png --prompt "the mug" --depth depth.png --camera camera.json --out out/

Without --depth and --camera, NAME-depth.png and camera.json in the folder of the image are used (docs/formats.md).

Writes DIR/mask_00.png (0 or 255, image size), DIR/overlay.png, DIR/region_00.ply with depth, and DIR/result.json, a
list with one entry per prompt: prompt, status, reason, score, confidence, calibrated, area_px, box [x0, y0, x1, y1],
stage_ms, geometry, and, for a network that executes programs, program, program_text and candidates (name, score, box,
evidence). The score is the probability of a target only if calibrated is true; confidence is the probability that the
mask is right, null if it is not known. docs/models.md describes the options.
"""

import argparse
from dataclasses import asdict
import json
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Any

from converseg_ros.core import Frame, InputError, Instruction, Prediction, Role, Status
from converseg_ros.core.files import write_json
from converseg_ros.core.image_files import write_image
from converseg_ros.core.segmentation import Query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from converseg_ros.core.geometry import Geometry


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--model', default='compact', help='name or folder (default: %(default)s)')
    parser.add_argument('--image', type=Path, required=True, help='PNG or JPEG file')
    parser.add_argument('--prompt', action='append', default=[], help='an instruction; may be repeated')
    parser.add_argument(
        '--program',
        type=Path,
        action='append',
        default=[],
        metavar='FILE',
        help='JSON file of a program, instead of a text',
    )
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='folder for the results')
    parser.add_argument('--depth', type=Path, help='16-bit PNG (see depth_scale) or .npy in metres, registered')
    parser.add_argument('--camera', type=Path, help='JSON: width, height, K (nine numbers), depth_scale per metre')
    parser.add_argument('--robot-mask', type=Path, help='image that is not black where the robot itself is seen')
    parser.add_argument('--explain', action='store_true', help='write DIR/explain_00.png: regions, names, candidates')
    parser.add_argument(
        '--role',
        choices=[r.name.lower() for r in Role],
        default='plain',
        help='role of all prompts (default: %(default)s)',
    )
    parser.add_argument(
        '--preprocess', choices=('pad', 'stretch'), help='how the image is made square (default: of the model)'
    )
    parser.add_argument(
        '--select', choices=('token0', 'best', 'stable'), help='mask of the decoder (default: of the model)'
    )
    parser.add_argument('--outline', choices=('network', 'image'), help='outlines of masks (default: of the model)')
    parser.add_argument(
        '--precision', choices=('auto', 'fp32', 'bf16'), default='auto', help='of the network (default: %(default)s)'
    )
    parser.add_argument('--max-pixels', type=int, help='limit on the image for the language model, e.g. 63504')
    parser.add_argument('--device', help="'cpu', 'cuda', 'cuda:1' (default: a GPU if there is one)")
    parser.add_argument(
        '--namer', default='', help='another model that names regions, e.g. siglip2-base (docs/models.md)'
    )
    parser.add_argument('--segments', default='', help='another model that finds regions, e.g. sam2 (docs/models.md)')
    parser.add_argument(
        '--facts', choices=('off', 'on'), default='off', help='measure the regions of a model of kind converseg'
    )
    parser.add_argument('--agree-remote', action='store_true', help='images may be sent to a model on another machine')
    parser.add_argument(
        '--qwen',
        type=Path,
        metavar='DIR',
        help='folder of the language model of a release, if it is not in the folder of the release',
    )


def run(args: argparse.Namespace) -> int:
    """Predict, write, and print one line per prompt."""
    from converseg_ros.datasets.views import read_view

    role = Role[args.role.upper()]
    instructions = [Instruction(text, role) for text in [*args.prompt, *(path.stem for path in args.program)]]
    if not instructions:
        raise InputError('nothing is asked', where='predict', do='give --prompt TEXT or --program FILE')
    programs = [*(None for _ in args.prompt), *(read_program(path) for path in args.program)]
    queries = [Query(i.resolved, program, role) for i, program in zip(instructions, programs)]
    frame = read_view(args.image, args.depth, args.camera, robot=args.robot_mask, frame_id='camera')
    from converseg_ros.network import load

    predictor = load(
        args.model,
        device=args.device,
        qwen=args.qwen,
        preprocess=args.preprocess,
        select=args.select,
        outline=args.outline,
        precision=args.precision,
        max_pixels=args.max_pixels,
        namer=args.namer,
        segments=args.segments,
        facts=args.facts,
        agree_remote=args.agree_remote,
    )
    for note in getattr(predictor, 'notes', ()):
        print(f'note: {note}', file=sys.stderr)
    predictor.set_image(frame)
    predictions = predictor.predict(queries)
    geometries = lift(frame, instructions, predictions) if frame.depth is not None else None
    write(args.out, frame.rgb, instructions, predictions, geometries)
    if args.explain:
        explain(args.out, predictor, frame.rgb, predictions)
    if not predictor.calibrated:
        print(f'{predictor.name} is not calibrated: only an empty mask counts as no target', file=sys.stderr)
    for k, (instruction, p) in enumerate(zip(instructions, predictions)):
        say = f'{p.status.name:14} {p.area:8d} px  mask_{k:02d}.png  {instruction.text}'
        print(
            say
            + (
                f'  ({p.reason})'
                if p.reason and (predictor.calibrated or p.program is not None or p.status == Status.ERROR)
                else ''
            )
        )
        if p.program_text:
            print(f'{"":14} understood as: {p.program_text}')
    predictor.close()
    return 0


def explain(out: Path, network: Any, rgb: 'NDArray[np.uint8]', predictions: list[Prediction]) -> None:
    """Write a picture of how each answer was computed."""
    from converseg_ros.evaluation.explain import draw_explanation

    if not hasattr(network, 'facts'):
        raise InputError('this network executes no programs', where='--explain', do='use a model of kind things')
    for k, prediction in enumerate(predictions):
        picture = draw_explanation(rgb, network.facts.segments, network.names(), prediction)
        write_image(out / f'explain_{k:02d}.png', picture)


def read_program(path: Path) -> dict[str, Any]:
    """Return the JSON object of a program; raise InputError with the name of the file if it is invalid."""
    from converseg_ros.programs.nodes import program_from_json, program_to_json

    try:
        return program_to_json(program_from_json(json.loads(path.read_text())))
    except InputError as error:
        raise InputError(error.what, where=str(path), do=error.do) from error
    except (OSError, ValueError) as error:
        raise InputError(f'not JSON ({error})', where=str(path), do='see docs/programs.md') from error


def lift(frame: Frame, instructions: list[Instruction], predictions: list[Prediction]) -> 'list[Geometry]':
    """Return the geometry of each mask, in the optical frame of the camera."""
    from converseg_ros.lifting import lift_regions

    return lift_regions(frame, [(i, p.mask) for i, p in zip(instructions, predictions)])


def write(
    out: Path,
    rgb: 'NDArray[np.uint8]',
    instructions: list[Instruction],
    predictions: list[Prediction],
    geometries: 'list[Geometry] | None',
) -> None:
    """Write masks, overlay, clouds and result.json; result.json is written last, so that all files in it exist."""
    import numpy as np

    from converseg_ros.core.overlay import Layer, draw_overlay

    out.mkdir(parents=True, exist_ok=True)
    results: list[dict[str, Any]] = []
    for k, (instruction, p) in enumerate(zip(instructions, predictions)):
        write_image(out / f'mask_{k:02d}.png', p.mask.astype(np.uint8) * 255)
        entry: dict[str, Any] = {
            'prompt': instruction.text,
            'status': p.status.name,
            'reason': p.reason,
            'score': round(p.score, 6),
            'confidence': None if p.confidence is None else round(p.confidence, 6),
            'calibrated': p.calibrated,
            'area_px': p.area,
            'box': list(p.box),
            'stage_ms': p.stage_ms,
            'mask': f'mask_{k:02d}.png',
            'program': p.program,
            'program_text': p.program_text,
            'candidates': [asdict(c) for c in p.candidates],
        }
        if geometries is not None:
            entry['geometry'] = _geometry(out, k, rgb, geometries[k])
        results.append(entry)
    layers = [Layer(p.mask, i.text, i.role, p.status) for i, p in zip(instructions, predictions)]
    write_image(out / 'overlay.png', draw_overlay(rgb, layers))
    write_json(out / 'result.json', results)


def _geometry(out: Path, k: int, rgb: 'NDArray[np.uint8]', g: 'Geometry') -> dict[str, Any]:
    """Write the cloud of a region and return the geometry for result.json; lengths in metres."""
    import numpy as np

    cloud = None
    if len(g.points) or len(g.extra):
        from converseg_ros.lifting.export import write_ply

        cloud = f'region_{k:02d}.ply'
        colors = np.concatenate([rgb.reshape(-1, 3)[g.pixels], np.full((len(g.extra), 3), 255, np.uint8)])
        write_ply(out / cloud, np.concatenate([g.points, g.extra]), colors)
    return {
        'status': g.status.name,
        'reason': g.reason,
        'cloud': cloud,
        'points': len(g.points),
        'extra_points': len(g.extra),
        'valid_depth_ratio': round(g.valid_depth_ratio, 4),
        'centroid': None if g.centroid is None else np.round(g.centroid, 4).tolist(),
        'distance': None if not np.isfinite(g.distance) else round(g.distance, 4),
        'box': None
        if g.box is None
        else {
            'center': np.round(g.box.center, 4).tolist(),
            'size': np.round(g.box.size, 4).tolist(),
            'rotation': np.round(g.box.rotation, 5).tolist(),
        },
        'placements': [
            {'position': np.round(p.position, 4).tolist(), 'free_radius': round(p.free_radius, 4)} for p in g.placements
        ],
    }
