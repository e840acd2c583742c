"""The camera of the benchmarks: RGB-D of the first image of the shipped bag, rotating to and fro."""

import signal
from threading import Event
import time

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.paths import share

BASE = '/bench'
TURN_PX, TURN_S = 32, 6.0  # amplitude in pixels and period in seconds


def run(width: int, height: int, rate: float, seconds: float) -> int:
    """Publish images of width x height at `rate` for `seconds`, or until SIGTERM; return the exit status."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions
    from sensor_msgs.msg import CameraInfo, Image

    from converseg_ros.ros.camera.qos import reliable
    from converseg_ros.ros.messages import conversion

    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    node = rclpy.create_node('bench_camera', namespace=BASE)
    publishers = [node.create_publisher(t, n, reliable(2)) for t, n in
                  ((Image, 'image'), (Image, 'depth'), (CameraInfo, 'camera_info'))]  # fmt: skip
    rgb, depth, focal = wide_picture(width + 2 * TURN_PX, height + 2 * TURN_PX)
    k = np.array([focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1], np.float64)
    begin = time.monotonic()
    frame = 0
    while not ended.is_set() and time.monotonic() - begin < seconds:
        phase = 2 * np.pi * (time.monotonic() - begin) / TURN_S
        x, y = round(TURN_PX * (1 + np.sin(phase))), round(TURN_PX * (1 + np.sin(phase / 2)))
        window = np.s_[y : y + height, x : x + width]
        head = conversion.header(time.time_ns(), 'camera')
        messages = (
            conversion.to_image(rgb[window], 'rgb8', head),
            conversion.to_image(depth[window], '16UC1', head),
            CameraInfo(header=head, width=width, height=height, k=k),
        )
        for publisher, message in zip(publishers, messages):
            publisher.publish(message)
        frame += 1
        time.sleep(max(0.0, begin + frame / rate - time.monotonic()))
    node.destroy_node()
    rclpy.shutdown()
    return 0


def wide_picture(width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16], float]:
    """Return the first image of the shipped bag at a size: (H, W, 3) RGB, depth (H, W) in mm, focal length."""
    import cv2

    from converseg_ros.evaluation.bag.reader import Bag

    with Bag(share('demo', 'bag')) as bag:
        frame = next(bag.frames()).frame
    assert frame is not None and frame.depth is not None and frame.intrinsics is not None
    rgb = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA)
    metres = cv2.resize(np.nan_to_num(frame.depth), (width, height), interpolation=cv2.INTER_NEAREST)
    millimetres = np.rint(1e3 * np.asarray(metres)).astype(np.uint16)
    return np.asarray(rgb, np.uint8), millimetres, frame.intrinsics.fx * width / frame.width
