"""Segments of a view without the pixels that show the robot itself."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame
from converseg_ros.core.mask import resize_mask
from converseg_ros.core.segments import Segments

LEFT = 0.5  # share of a region outside of the robot from which it is kept


def robot_share(view: Frame) -> float:
    """Return the share of the pixels of a view that show the robot itself, 0 if it is not known."""
    return 0.0 if view.robot is None else float(np.mean(view.robot))


def without_robot(segments: Segments, robot: NDArray[np.bool_]) -> Segments:
    """Return the segments without the pixels of the robot, an (H, W) mask of any size.

    Regions that mostly show the robot are removed, and parts of removed regions too. The robot counts as explained.
    """
    height, width = segments.masks.shape[1:]
    own = resize_mask(robot, height, width)
    masks = segments.masks & ~own
    keep = masks.sum((1, 2)) >= np.maximum(LEFT * segments.masks.sum((1, 2)), 1)
    keep &= (segments.parent < 0) | keep[segments.parent]
    kept = np.flatnonzero(keep)
    place = np.full(len(segments), -1, np.intp)
    place[kept] = np.arange(len(kept))
    parent = segments.parent[kept]
    rest = segments.unexplained
    return replace(
        segments,
        masks=masks[kept],
        kinds=segments.kinds[kept],
        quality=segments.quality[kept],
        flat=segments.flat[kept],
        parent=np.where(parent >= 0, place[parent], -1).astype(np.intp),
        plane=segments.plane[kept],
        unexplained=None if rest is None else np.where(own, 0, rest).astype(np.float32),
    )
