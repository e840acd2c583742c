"""Write the overlays of a run as a rosbag2."""

from pathlib import Path

import numpy as np

from converseg_ros.core import InputError
from converseg_ros.core.image_files import encode_image
from converseg_ros.core.stamps import SECOND
from converseg_ros.evaluation.bag.run import BagRun


def write_overlay_bag(path: Path, run: BagRun, jpeg_quality: int = 85) -> int:
    """Write `path`, a rosbag2 (mcap) with the overlays on /converseg/overlay/compressed; return their number.

    The writer rejects an existing folder; it never overwrites one.
    """
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    from converseg_ros.core.overlay import draw_overlay

    store = get_typestore(Stores.ROS2_JAZZY)
    types = store.types
    count = 0
    if path.exists():
        raise InputError('exists already', where=str(path), do='give another name or remove it')
    path.parent.mkdir(parents=True, exist_ok=True)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        kind = 'sensor_msgs/msg/CompressedImage'
        connection = writer.add_connection('/converseg/overlay/compressed', kind, typestore=store)
        wanted = set(run.answers)
        for item in run.bag.frames(skip={s for s in run.bag.stamps() if s not in wanted}):
            frame = item.frame
            if frame is None:
                continue
            drawn = draw_overlay(frame.rgb, run.layers(frame.stamp_ns))
            data = encode_image(drawn, '.jpg', quality=jpeg_quality)
            stamp = types['builtin_interfaces/msg/Time'](sec=frame.stamp_ns // SECOND, nanosec=frame.stamp_ns % SECOND)
            header = types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame.frame_id)
            message = types[kind](header=header, format='jpeg', data=np.frombuffer(data, np.uint8))
            writer.write(connection, frame.stamp_ns, store.serialize_cdr(message, kind))
            count += 1
    return count
