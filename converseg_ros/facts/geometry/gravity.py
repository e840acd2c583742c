"""The direction of up in a view: from TF, unless the planes of the view contradict it, or from the planes.

Vectors are in the optical frame of the camera (x right, y down, z forward).
"""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane

LOOKING_DOWN = np.array([0.0, -0.8, -0.6])  # up, in the optical frame of a camera that looks down by 37 degrees
MAX_VERTICAL_COSINE = 0.25  # cosine with up below which a surface is vertical (14 degrees)
MIN_EXPLAINED_BY_GRAVITY = 0.75  # minimum share of the planes that another up explains; else gravity is rejected
MAX_ARM_DISTANCE = 0.8  # metres from a camera on an arm to the surface in front of it
MIN_LEVEL_COSINE = 0.97  # cosine with up above which a surface is horizontal (14 degrees)


def up_from_planes(planes: tuple[Plane, ...]) -> tuple[NDArray[np.float64], bool]:
    """Return up (3,) and whether a plane gives it: the normal of the large plane that is most likely horizontal.

    A camera on a robot or a tripod looks ahead or down and is not rolled by more than 30 degrees. A camera on an arm
    may look down past the vertical; a plane at that angle is only accepted at close range, since it may also be a wall.
    """
    best, most = LOOKING_DOWN, 0.0
    for plane in planes:
        cosine = float(plane.normal @ LOOKING_DOWN)
        if cosine < (0.5 if abs(plane.d) > MAX_ARM_DISTANCE else 0.3) or abs(plane.normal[0]) > 0.5:
            continue
        score = plane.inlier_ratio * cosine**2
        if score > most:
            best, most = plane.normal, score
    return best, most > 0


def up_from_walls(planes: tuple[Plane, ...]) -> NDArray[np.float64] | None:
    """Return up (3,) along the edge of the two largest planes that are perpendicular, like two walls of a room.

    None if no such edge is upright for a camera that is not rolled by more than 30 degrees.
    """
    for i, first in enumerate(planes):
        for second in planes[i + 1 :]:
            edge = np.cross(first.normal, second.normal)
            edge *= -np.sign(edge[1]) / np.linalg.norm(edge)
            if abs(float(first.normal @ second.normal)) < MAX_VERTICAL_COSINE and -edge[1] > 0.5 and abs(edge[0]) < 0.5:
                return np.asarray(edge)
    return None


def choose_up(gravity: NDArray[np.float64] | None, planes: tuple[Plane, ...]) -> tuple[NDArray[np.float64], bool]:
    """Return up (3,) and whether it is known, from gravity by TF unless the view contradicts it.

    Frames that are called `map` are not always level (the first camera pose of a recording is a common origin). Large
    planes of rooms are horizontal or vertical. If many of them are neither for TF's gravity, but are relative to the
    plane that the camera looks down on, or to the edge of two walls, that direction is up.
    """
    by_plane, found = up_from_planes(planes)
    walls = up_from_walls(planes)
    others = ([by_plane] if found else []) + ([walls] if walls is not None else [])
    if gravity is None:
        return (others[0], True) if others else (by_plane, False)
    up = -np.asarray(gravity, np.float64)
    best = max(others, key=lambda other: _squareness(other, planes), default=up)
    if _squareness(up, planes) < MIN_EXPLAINED_BY_GRAVITY * _squareness(best, planes):
        return best, True
    return up, True


def _squareness(up: NDArray[np.float64], planes: tuple[Plane, ...]) -> float:
    """Return how much of the view lies in planes that are horizontal or vertical for a given up."""
    cosines = np.array([abs(float(p.normal @ up)) for p in planes])
    square = (cosines > MIN_LEVEL_COSINE) | (cosines < MAX_VERTICAL_COSINE)
    return float(np.sum(square * np.array([p.inlier_ratio for p in planes])))


def upright_axes(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) with rows right, forward (level) and up, for the optical frame in which `up` is."""
    towards = np.array([0.0, 0.0, 1.0])
    forward = towards - up * (towards @ up)
    if np.linalg.norm(forward) < 0.2:  # the camera looks straight down: forward is the top of the image
        towards = np.array([0.0, -1.0, 0.0])
        forward = towards - up * (towards @ up)
    forward /= np.linalg.norm(forward)
    return np.stack([np.cross(forward, up), forward, up])
