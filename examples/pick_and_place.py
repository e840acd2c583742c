"""Plan a pick and a place in a scene whose truth is known, and check the plan against that truth.

    python examples/pick_and_place.py [--seed N] [--camera-like]

No robot, no ROS and no network: the masks are the scene's own, so that what is checked is lifting alone. Prints the
grasp and the placement in the world frame and exits with 1 if the placement is not free and supported or the gripper
would close along the object instead of across it.
"""

import argparse
import sys

import numpy as np

from converseg_ros.core import Instruction, Role
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.lifting.transform import transform_geometry
from converseg_ros.lifting.truth import TABLE, placement_faults, random_scene

PICK = Instruction('pick up the thing nearest to you', role=Role.AFFORDANCE)
PLACE = Instruction('where can I put it down', role=Role.AFFORDANCE)


def main(argv: list[str] | None = None) -> int:
    """Plan and check once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seed', type=int, default=4, help='which scene (default: %(default)s)')
    parser.add_argument('--camera-like', action='store_true', help='with the noise, bleed and holes of a depth camera')
    args = parser.parse_args(argv)

    scene = random_scene(args.seed)
    depth = None
    if args.camera_like:
        from converseg_ros.scenes.render.depth_camera import observe

        depth = observe(scene.depth, np.random.default_rng(args.seed))
    frame = scene.frame(depth)  # what a camera driver and TF would give: colour, depth, K, gravity
    options = LiftOptions(footprint=0.05, clearance=0.02, gripper_width=0.14)

    things = [s for s in scene.solids if s.label > TABLE and np.count_nonzero(scene.labels == s.label) > 500]
    requests = [(PLACE, scene.labels == TABLE), *((PICK, scene.labels == s.label) for s in things)]
    place, *picks = (transform_geometry(g, scene.camera, 'world') for g in lift_regions(frame, requests, options))
    candidates = [(g, s) for g, s in zip(picks, things, strict=True) if g.grasp is not None]
    if not candidates or not place.placements:
        print(f'nothing to do: {place.reason or "no graspable object"}')
        return 1
    geometry, solid = min(candidates, key=lambda pair: pair[0].distance)
    grasp, target = geometry.grasp, place.placements[0]
    assert grasp is not None
    print(f'pick a {solid.kind} of {np.round(solid.size, 3).tolist()} m')
    print(f'  grasp at {np.round(grasp.position, 3).tolist()}, open {grasp.width:.3f} m')
    print(f'  closing along {np.round(grasp.rotation[:, 0], 2).tolist()}')
    print(f'  approach along {np.round(grasp.rotation[:, 2], 2).tolist()}')
    print(f'place at {np.round(target.position, 3).tolist()}, free radius {target.free_radius:.3f} m')

    # the truth: cast rays straight down over the footprint, and across the object along the closing direction
    faults = placement_faults(target, scene, np.eye(4), TABLE, footprint=options.footprint, margin=0.01)
    reach = np.linspace(-0.3, 0.3, 601)
    along = grasp.position + reach[:, None] * grasp.rotation[:, 0]
    local = np.abs((along - solid.pose[:3, 3]) @ solid.pose[:3, :3])
    inside = np.all(local <= solid.size / 2, axis=1)
    across = float(np.ptp(reach[inside])) if inside.any() else 0.0
    if not inside.any():
        faults.append('the fingers close beside the object')
    elif across > grasp.width + 0.04:
        faults.append(f'the object is {across:.3f} m wide there')
    print('truth: ' + (', '.join(faults) if faults else 'the place is free and supported, the fingers fit'))
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
