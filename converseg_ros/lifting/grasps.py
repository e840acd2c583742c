"""Grasp hints for a parallel gripper, from the visible surface."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Grasp
from converseg_ros.lifting.planes import cross, unit

STANDING = np.cos(np.deg2rad(35.0))  # an axis within this angle of the vertical is grasped from the side


def approach_direction(
    axis: NDArray[np.float64], view: NDArray[np.float64], up: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the unit approach direction (3,), perpendicular to the axis of the object.

    Lying objects are approached from above if their top is visible, standing ones horizontally along the view, and all
    objects along the view if gravity is unknown.
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
    # the view is along the axis, so any perpendicular direction is possible: use the one closest to the image's x
    return unit(np.eye(3)[0] - axis * axis[0])


def grasp_hint(
    sample: NDArray[np.float32], axis: NDArray[np.float64], *, up: NDArray[np.float64] | None, widest: float
) -> tuple[Grasp | None, str]:
    """Return a grasp hint for (N, 3) points with a principal axis (3,), or None and the reason.

    widest: opening of the gripper in metres.
    """
    centre = sample.mean(0, dtype=np.float64)
    if up is not None and axis @ up < 0:
        axis = -axis
    approach = approach_direction(axis, unit(centre), up)
    closing = cross(axis, approach)
    axial, across = np.stack([axis, closing]).astype(np.float32) @ (sample - centre.astype(np.float32)).T
    near = np.sort(across[np.abs(axial) <= max(0.01, 0.15 * float(np.ptp(axial)))])
    if not near.size:
        return None, 'the region has no points at the grasp position'
    trim = near.size // 100  # trim 1 % of the points, which may be outliers
    low, high = float(near[trim]), float(near[near.size - 1 - trim])
    width = high - low
    if width > widest:
        return None, f'{width:.2f} m wide at the grasp position, the gripper opens {widest:.2f} m'
    return Grasp(centre + closing * (low + high) / 2, np.column_stack([closing, axis, approach]), width), ''
