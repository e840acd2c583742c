"""A camera path through a room as a rosbag2: colour (JPEG), depth (compressedDepth PNG), camera_info and tf."""

from pathlib import Path
import shutil
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.geometry import look_at
from converseg_ros.core.image_files import encode_image
from converseg_ros.datasets.images import read_image16, read_rgb
from converseg_ros.scenes.graph import Scene, View
from converseg_ros.scenes.layout import cameras
from converseg_ros.scenes.layout.build import Built, build
from converseg_ros.scenes.render import scene_folder

COLOR = '/camera/color/image_raw/compressed'
DEPTH = '/camera/aligned_depth_to_color/image_raw/compressedDepth'
INFO = '/camera/color/camera_info'
FRAME = 'camera_color_optical_frame'
CHUNK = 5  # frames that are rendered at a time
START_NS = 1_700_000_000_000_000_000


def path_scene(seed: int, split: str, frames: int, room: str = '') -> Built:
    """Build a scene whose views are `frames` steps of a smooth hand-held path through three selected views."""
    built = build(seed, split, 3, room)
    keys = built.scene.views
    focal = float(np.mean([v.k[0] for v in keys]))
    rng = np.random.default_rng([seed, 77])
    shake = rng.normal(0, 0.0035, (frames, 3)).cumsum(0)
    shake -= np.linspace(0, 1, frames)[:, None] * shake[-1]
    eyes = np.array([np.array(v.pose)[:3, 3] for v in keys])
    aims = np.array([np.array(v.pose)[:3, 3] + np.array(v.pose)[:3, 2] * 1.1 for v in keys])
    views = []
    for i in range(frames):
        s = 2 * i / max(frames - 1, 1)
        a = np.array([(1 - s / 2) ** 2, s * (1 - s / 2), (s / 2) ** 2])  # quadratic Bezier
        pose = look_at(a @ eyes + shake[i], a @ aims, float(np.radians(1.5) * np.sin(i / 7)))
        rows = [[round(float(v), 6) for v in row] for row in pose]
        views.append(View(f'frame{i:04d}', cameras.WIDTH, cameras.HEIGHT, [focal, focal, 319.5, 239.5], rows))
    built.scene.views = views
    return built


def render_path(seed: int, split: str, frames: int, folder: Path, renderer: str, room: str = '') -> None:
    """Render the frames of a path into a scene folder; existing frames are reused, so a killed run can be resumed."""
    built = path_scene(seed, split, frames, room)
    folder.mkdir(parents=True, exist_ok=True)
    scene = built.scene
    done = {}
    if (folder / 'scene.json').is_file():
        done = {v.name: v for v in Scene.load(folder).views if v.renderer == renderer}
    scene.views = [done.get(v.name, v) for v in scene.views]
    for chunk in range(0, frames, CHUNK):
        views = [v for v in scene.views[chunk : chunk + CHUNK] if not v.renderer]
        if views:
            for view, picture in zip(views, scene_folder.pictures(built, views, renderer)):
                scene_folder.write_view(folder, built, view, picture, renderer)
            scene.save(folder)


def compressed_depth(depth: NDArray[np.uint16]) -> bytes:
    """Return a compressedDepth payload: 12 bytes of configuration (format 0, no depth quantization), then a PNG."""
    import cv2

    return struct.pack('<iff', 0, 0.0, 0.0) + encode_image(depth, '.png', options=[cv2.IMWRITE_PNG_COMPRESSION, 9])


def disparity_steps(depth: NDArray[np.uint16], focal: float) -> NDArray[np.uint16]:
    """Quantize millimetres like a stereo camera (5 cm baseline, 1/8 px disparity): coarser with distance."""
    scale = focal * 50.0 * 8
    with np.errstate(divide='ignore'):
        steps = np.rint(scale / depth)
    return np.where(depth > 0, np.rint(scale / np.maximum(steps, 1)), 0).astype(np.uint16)


def _quaternion(matrix: NDArray[np.floating]) -> tuple[float, float, float, float]:
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(np.asarray(matrix)).as_quat()
    return float(x), float(y), float(z), float(w)


def write_bag(folder: Path, out: Path, hz: float, quality: int = 80, storage: str = 'mcap') -> int:
    """Write the views of a scene folder, in order, as a rosbag2 folder `out`; return its size in bytes.

    Topics are those of a RealSense driver with registered depth; `tf` has map -> the optical frame. Raise InputError if
    `out` exists.
    """
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    if out.exists():
        raise InputError('the bag exists', where=str(out), do='choose another name or remove it')
    scene = Scene.load(folder)
    types = get_typestore(Stores.ROS2_JAZZY)
    t = types.types
    unfinished = out.with_name(f'.{out.name}.part')
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    temporary = unfinished / out.name  # the data file is named after its folder
    plugin = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}[storage]

    def header(stamp: int, frame: str) -> Any:
        return t['std_msgs/msg/Header'](t['builtin_interfaces/msg/Time'](stamp // 10**9, stamp % 10**9), frame)

    with Writer(temporary, version=9, storage_plugin=plugin) as writer:
        kinds = {
            COLOR: 'sensor_msgs/msg/CompressedImage',
            DEPTH: 'sensor_msgs/msg/CompressedImage',
            INFO: 'sensor_msgs/msg/CameraInfo',
            '/tf': 'tf2_msgs/msg/TFMessage',
        }
        links = {topic: writer.add_connection(topic, kind, typestore=types) for topic, kind in kinds.items()}

        def write(topic: str, stamp: int, message: Any) -> None:
            writer.write(links[topic], stamp, types.serialize_cdr(message, kinds[topic]))

        for i, view in enumerate(scene.views):
            stamp = START_NS + round(i * 1e9 / hz)
            depth = read_image16(folder / f'{view.name}.noisy.png')
            jpeg = np.frombuffer(encode_image(read_rgb(folder / f'{view.name}.png'), '.jpg', quality=quality), np.uint8)
            image = t['sensor_msgs/msg/CompressedImage']
            write(COLOR, stamp, image(header(stamp, FRAME), 'rgb8; jpeg compressed bgr8', jpeg))
            payload = np.frombuffer(compressed_depth(disparity_steps(depth, view.k[0])), np.uint8)
            write(DEPTH, stamp, image(header(stamp, FRAME), '16UC1; compressedDepth png', payload))
            fx, fy, cx, cy = view.k
            roi = t['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
            info = t['sensor_msgs/msg/CameraInfo'](
                header(stamp, FRAME),
                view.height,
                view.width,
                'plumb_bob',
                np.zeros(5),
                np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1.0]),
                np.eye(3).reshape(-1),
                np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1.0, 0]),
                0,
                0,
                roi,
            )
            write(INFO, stamp, info)
            pose = np.array(view.pose)
            x, y, z = (float(v) for v in pose[:3, 3])
            move = t['geometry_msgs/msg/Transform'](
                t['geometry_msgs/msg/Vector3'](x, y, z), t['geometry_msgs/msg/Quaternion'](*_quaternion(pose[:3, :3]))
            )
            link = t['geometry_msgs/msg/TransformStamped'](header(stamp, 'map'), FRAME, move)
            write('/tf', stamp, t['tf2_msgs/msg/TFMessage']([link]))
    temporary.rename(out)
    unfinished.rmdir()
    return sum(f.stat().st_size for f in out.iterdir())
