"""Conversion of camera messages to arrays; messages of rclpy and of rosbags are both accepted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Depth
from converseg_ros.perception import images
from converseg_ros.perception.camera import Calibration


def raw_fields(message: Any) -> tuple[Any, str, int, int, int]:
    """Return the fields of a sensor_msgs/Image for the decoders of `images`, in their order."""
    return message.data, message.encoding, message.height, message.width, message.step


def to_rgb(message: Any) -> NDArray[np.uint8]:
    """Return (H, W, 3) RGB of an Image or CompressedImage; cv_bridge, if installed, converts other encodings.

    Raise InputError if the message is not a colour or grey image.
    """
    if hasattr(message, 'format'):
        return images.decode_compressed_color(message.data, message.format)
    if message.encoding not in images.LAYOUT:
        return _by_cv_bridge(message)
    return images.decode_color(*raw_fields(message), big_endian=bool(message.is_bigendian))


def _by_cv_bridge(message: Any) -> NDArray[np.uint8]:
    unknown = f'unknown encoding {message.encoding!r}'
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except ImportError:
        do = f'use one of {", ".join(images.COLOR_ENCODINGS)}'
        raise InputError(unknown, where='image', do=do) from None
    try:
        return np.asarray(CvBridge().imgmsg_to_cv2(message, 'rgb8'), np.uint8)
    except (CvBridgeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f'{unknown} ({error})', where='image', do='configure the camera driver') from error


def to_depth(message: Any) -> Depth:
    """Return (H, W) metres, NaN where unknown; uncompressed depth is decoded on access."""
    if hasattr(message, 'format'):
        return images.decode_compressed_depth(message.data, message.format)
    return images.stored_depth(*raw_fields(message), big_endian=bool(message.is_bigendian))


def to_calibration(message: Any) -> Calibration:
    """Return the calibration of a CameraInfo."""
    roi = message.roi
    k, d, p = (tuple(float(v) for v in row) for row in (message.k, message.d, message.p))
    return Calibration(
        message.width,
        message.height,
        k,
        d,
        message.distortion_model or 'plumb_bob',
        p,
        message.binning_x,
        message.binning_y,
        (roi.x_offset, roi.y_offset, roi.width, roi.height),
    )
