"""Frames from files: a colour image with the depth image and the camera file in the same folder.

For an image NAME.png or NAME-color.png, depth is NAME-depth.png (16 bit grey) or NAME-depth.npy (float, metres); for
color.png it is depth.png. The camera is NAME-camera.json or, for all images of a folder, camera.json: `width`,
`height`, `K` (nine numbers in row-major order) and `depth_scale` (units of the depth image per metre, by default 1000).
"""

from pathlib import Path

from converseg_ros.core import Frame, InputError
from converseg_ros.datasets.images import CameraFile, read_depth, read_mask, read_rgb


def read_view(
    image: Path,
    depth: Path | None = None,
    camera: Path | None = None,
    *,
    robot: Path | None = None,
    frame_id: str = '',
) -> Frame:
    """Return the frame of an image file with its depth and camera, which are given or found in the same folder.

    If depth was given, a missing camera is an error; depth that was only found is ignored without a camera. robot: an
    image that is not black where the robot itself is seen.
    """
    rgb, own = read_rgb(image), None if robot is None else read_mask(robot)
    given = depth is not None
    name = image.stem.removesuffix('-color')
    stem = 'depth' if name == 'color' else f'{name}-depth'
    depth = depth or _first(image.parent / f'{stem}.png', image.parent / f'{stem}.npy')
    camera = camera or _first(image.parent / f'{name}-camera.json', image.parent / 'camera.json')
    if depth is not None and camera is None:
        if given:
            raise InputError('depth without a camera cannot be used', where=str(depth), do='give a camera.json')
        depth = None
    if camera is None:
        return Frame(rgb, frame_id=frame_id, robot=own)
    known = CameraFile.read(camera)
    intrinsics = known.intrinsics
    if (intrinsics.height, intrinsics.width) != rgb.shape[:2]:
        raise InputError(
            f'the camera is for {intrinsics.width}x{intrinsics.height}, the image is {rgb.shape[1]}x{rgb.shape[0]}',
            where=str(camera),
            do='give the camera of this image',
        )
    metres = None if depth is None else read_depth(depth, known.depth_scale)
    return Frame(rgb, metres, intrinsics, frame_id=frame_id, robot=own)


def _first(*paths: Path) -> Path | None:
    return next((p for p in paths if p.is_file()), None)
