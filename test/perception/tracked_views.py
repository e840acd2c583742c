"""A textured wall seen by a moving camera, and regions on it, for the tests of the tracker."""

import cv2
import numpy as np

from converseg_ros.core import Frame, Instruction, Intrinsics, Prediction, Status
from converseg_ros.core.region import Region

H, W = 240, 320
MS = 1_000_000
MUG, TABLE = Instruction('the mug', id='mug'), Instruction('the table', id='table')


def texture(seed=0) -> np.ndarray:

    noise = np.random.default_rng(seed).integers(0, 255, (2 * H, 2 * W, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 6).astype(np.float32)


WALL = texture()
WALL = np.clip((WALL - WALL.mean()) * 8 + 128, 0, 255).astype(np.uint8)


def view(dx=0, dy=0, ms=0, wall=WALL, **more) -> Frame:
    """Return what a camera that moved by whole pixels sees of a textured wall."""
    return Frame(np.ascontiguousarray(wall[60 + dy : 60 + dy + H, 80 + dx : 80 + dx + W]), stamp_ns=ms * MS, **more)


def square(x=120, y=90, size=50) -> np.ndarray:
    mask = np.zeros((H, W), bool)
    mask[max(y, 0) : y + size, max(x, 0) : x + size] = True
    return mask


def region(mask, frame, instruction=MUG, status=Status.OK, **more) -> Region:
    prediction = Prediction(mask, 0.9, status, calibrated=True)
    stamp = frame.stamp_ns
    return Region(
        'x', instruction, prediction, stamp_ns=stamp, segmented_ns=stamp, valid_until_ns=stamp + 1000 * MS, **more
    )


def iou(a, b) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


CAMERA = Intrinsics(300.0, 300.0, 159.5, 119.5, W, H)
