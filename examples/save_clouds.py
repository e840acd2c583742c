"""Save the cloud of a colour and a depth image, whole or within a mask, as PLY and PCD.

    python examples/save_clouds.py COLOR.png DEPTH.png CAMERA.json OUT_DIR [--mask MASK.png]

DEPTH is 16-bit millimetres; CAMERA has width, height and K (row-major 3x3), as `converseg predict` takes it. A mask is
8-bit, anything but 0 belongs to the region; `converseg predict` writes such masks.
"""

import argparse
import json
from pathlib import Path
import sys

import cv2
import numpy as np

from converseg_ros.core import Frame, Instruction, Intrinsics
from converseg_ros.lifting import depth_to_metres, lift_regions
from converseg_ros.lifting.clouds import organized
from converseg_ros.lifting.export import write_pcd, write_ply


def load_frame(color: Path, depth: Path, camera: Path) -> Frame:
    """Return the frame of three files."""
    data = json.loads(camera.read_text())
    k = data['K']
    rgb = np.ascontiguousarray(cv2.imread(str(color), cv2.IMREAD_COLOR)[..., ::-1])
    metres = depth_to_metres(cv2.imread(str(depth), cv2.IMREAD_UNCHANGED), '16UC1')
    return Frame(rgb, metres, Intrinsics(k[0], k[4], k[2], k[5], data['width'], data['height']), frame_id='camera')


def main(argv: list[str] | None = None) -> int:
    """Write scene.ply, scene.pcd and, with a mask, region.ply and region.pcd."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('color', 'depth', 'camera', 'out'):
        parser.add_argument(name, type=Path)
    parser.add_argument('--mask', type=Path)
    args = parser.parse_args(argv)
    frame = load_frame(args.color, args.depth, args.camera)
    cloud = organized(frame).ravel()
    points = np.column_stack([cloud['x'], cloud['y'], cloud['z']])
    write_ply(args.out / 'scene.ply', points, frame.rgb)
    write_pcd(args.out / 'scene.pcd', points, frame.rgb)
    print(f'{np.count_nonzero(np.isfinite(cloud["z"]))} points in {args.out / "scene.ply"} and .pcd')
    if args.mask is not None:
        mask = cv2.imread(str(args.mask), cv2.IMREAD_GRAYSCALE) > 0
        region = lift_regions(frame, [(Instruction('the masked region'), mask)])[0]
        colors = frame.rgb.reshape(-1, 3)[region.pixels]
        write_ply(args.out / 'region.ply', region.points, colors, 1)
        write_pcd(args.out / 'region.pcd', region.points, colors, 1)
        print(f'{len(region.points)} points of the region ({region.status.name}), filtered, in region.ply and .pcd')
    return 0


if __name__ == '__main__':
    sys.exit(main())
