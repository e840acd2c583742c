"""Turn the objects of a scene into MoveIt collision objects: upright boxes, and voxels for what must not be touched.

    python examples/moveit_collision_objects.py [--seed N] [--json FILE]

With moveit_msgs installed these are moveit_msgs/CollisionObject messages, ready for a PlanningScene's world; without,
dictionaries of the same shape, which are printed or written as JSON.
"""

import argparse
import json
from pathlib import Path
import sys
from typing import Any

import numpy as np

from converseg_ros.core import InputError, Instruction, Role
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.lifting.export import collision_object
from converseg_ros.lifting.transform import transform_geometry
from converseg_ros.lifting.truth import TABLE, random_scene


def collision_objects(seed: int) -> list[dict[str, Any]]:
    """Return the objects of one scene in the world frame; the first of them counts as hot, so it becomes voxels."""
    scene = random_scene(seed)
    frame = scene.frame()
    labels = [s.label for s in scene.solids if s.label > TABLE and np.count_nonzero(scene.labels == s.label) > 300]
    hot, *rest = labels
    requests = [(Instruction('it is hot', role=Role.SAFETY), scene.labels == hot)]
    requests += [(Instruction('an obstacle'), scene.labels == label) for label in rest]
    geometries = lift_regions(frame, requests, LiftOptions(box='upright'))
    keep_out, *boxes = (transform_geometry(g, scene.camera, 'world') for g in geometries)
    objects = [collision_object(keep_out, 'hot', voxel=0.03)]
    objects += [
        collision_object(g, f'obstacle_{label}', padding=0.01)
        for g, label in zip(boxes, rest, strict=True)
        if g.box is not None
    ]
    return objects


def messages(seed: int) -> list[Any]:
    """Return the objects as moveit_msgs/CollisionObject; raise InputError where moveit_msgs is not installed."""
    from converseg_ros.ros.messages.moveit import as_message

    return [as_message(data) for data in collision_objects(seed)]


def main(argv: list[str] | None = None) -> int:
    """Print or write the objects."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seed', type=int, default=4)
    parser.add_argument('--json', type=Path, help='write them here, as dictionaries')
    args = parser.parse_args(argv)
    if args.json is not None:
        args.json.write_text(json.dumps(collision_objects(args.seed), indent=1))
        return 0
    try:
        for message in messages(args.seed):
            first = list(message.primitives[0].dimensions)
            print(f'{type(message).__name__} {message.id}: {len(message.primitives)} primitives, first {first}')
    except (InputError, ImportError) as error:
        print(f'dictionaries, not messages ({error})', file=sys.stderr)
        for thing in collision_objects(args.seed):
            print(f'{thing["id"]}: {len(thing["primitives"])} primitives, first {thing["primitives"][0]["dimensions"]}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
