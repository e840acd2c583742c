"""A hint for a parallel gripper, from the visible surface alone."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Grasp
from converseg_ros.lifting.planes import cross, unit

STANDING = np.cos(np.deg2rad(35.0))  # an axis closer than this to the vertical is grasped from the side


def approach_direction(
    axis: NDArray[np.float64], view: NDArray[np.float64], up: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the unit direction (3,) into the object, at right angles to its axis.

    Lying things are approached from above where the camera can see their top, standing ones level along the view,
    and without gravity everything along the view.
    """
    towards = view
    if up is not None:
        if abs(axis @ up) > STANDING:
            towards = view - up * (view @ up)
        elif view @ up < 0.2:
            towards = -up
    approach = unit(towards - axis * (towards @ axis))
    if approach.any():
        return approach
    # looking along the axis itself: any direction across it will do, take the one nearest to the image's x
    return unit(np.eye(3)[0] - axis * axis[0])


def grasp_hint(
    sample: NDArray[np.float32], axis: NDArray[np.float64], *, up: NDArray[np.float64] | None, widest: float
) -> tuple[Grasp | None, str]:
    """Return a grasp of (N, 3) points across their principal axis (3,), or None and the reason.

    widest: the gripper's opening in metres.
    """
    centre = sample.mean(0, dtype=np.float64)
    if up is not None and axis @ up < 0:
        axis = -axis
    approach = approach_direction(axis, unit(centre), up)
    closing = cross(axis, approach)
    axial, across = np.stack([axis, closing]).astype(np.float32) @ (sample - centre.astype(np.float32)).T
    near = np.sort(across[np.abs(axial) <= max(0.01, 0.15 * float(np.ptp(axial)))])
    if not near.size:
        return None, 'the region is hollow where it would be grasped'
    trim = near.size // 100  # one point in a hundred may still be astray
    low, high = float(near[trim]), float(near[near.size - 1 - trim])
    width = high - low
    if width > widest:
        return None, f'{width:.2f} m wide where it would be grasped, the gripper opens {widest:.2f} m'
    return Grasp(centre + closing * (low + high) / 2, np.column_stack([closing, axis, approach]), width), ''
