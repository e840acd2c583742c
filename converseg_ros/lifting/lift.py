"""Geometry of masks in the optical frame."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
import math

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import Geometry, Placement, Plane
from converseg_ros.core.instruction import Instruction, Role
from converseg_ros.core.mask import NO_BOX, Box, mask_box
from converseg_ros.core.status import GeometryStatus
from converseg_ros.lifting.boxes import (
    hull_axes,
    oriented_box,
    outermost,
    principal_axes,
    start_hull_axes,
    upright_axes,
)
from converseg_ros.lifting.clouds import voxel_pick
from converseg_ros.lifting.depth import DepthScene, flat_pixels, row_wise
from converseg_ros.lifting.grasps import grasp_hint
from converseg_ros.lifting.keepout import keep_out
from converseg_ros.lifting.options import LiftOptions
from converseg_ros.lifting.placement import find_placements, free_discs
from converseg_ros.lifting.planes import fit_plane, subsample, unit
from converseg_ros.lifting.roles import outputs_of
from converseg_ros.lifting.select import select_pixels

# If depth discontinuities remove more than a tenth of a support, most of them are artefacts: at a small viewing angle
# depth changes from row to row, and only the nearest part of the support would remain. RANSAC then uses all points.
PLAIN_VIEW = 0.9
# share of those points that must lie on the plane; at small angles the front and objects on it resemble planes too
FLAT_RATIO = 0.6
NO_GRAVITY = 'gravity is unknown (no transform to a level frame): the support is assumed to face the camera'
UPSIDE_DOWN = (
    'the surface faces the lower edge of the image: the camera is upside down, or this is a ceiling; '
    'provide a transform to a level frame'
)


def lift_regions(
    frame: Frame, requests: Sequence[tuple[Instruction, NDArray[np.bool_]]], options: LiftOptions | None = None
) -> list[Geometry]:
    """Return one Geometry for each (instruction, (H, W) bool mask), in the optical frame of the frame, in metres.

    Computations that regions share (cleaning depth, rays, safety masks that placements must avoid) are done once.
    Sensor data never raise an exception; InputError is raised for a mask of another size.

    Args:
        frame: image with depth and intrinsics; without them the geometry is NO_DEPTH.
        requests: pairs of an instruction, whose role and verb select the outputs, and its mask.
        options: thresholds and sizes.

    Returns:
        One Geometry for each request, in the same order.
    """
    options = options or LiftOptions()
    for instruction, mask in requests:
        if mask.dtype != np.bool_ or mask.shape != frame.rgb.shape[:2]:
            raise InputError(
                f'mask is {mask.dtype} {mask.shape}, the image is {frame.rgb.shape[:2]}',
                where=f'lifting {instruction.text!r}',
            )
    if frame.depth is None or frame.intrinsics is None:
        what = 'no depth image' if frame.depth is None else 'no camera_info'
        return [_nothing(frame, mask, f'{what} for this frame') for _, mask in requests]
    scene = DepthScene(frame, options)
    safety = [mask for instruction, mask in requests if instruction.role == Role.SAFETY and mask.any()]
    forbidden = np.logical_or.reduce(safety) if safety else None
    chosen = [_choose(scene, mask) for _, mask in requests]
    return [_lift(scene, instruction, pixels, forbidden) for (instruction, _), pixels in zip(requests, chosen)]


def _nothing(frame: Frame, mask: NDArray[np.bool_], reason: str) -> Geometry:
    """Return the geometry of a region without 3D data."""
    if not mask.any():
        return Geometry(GeometryStatus.NOT_COMPUTED, 'the mask is empty', frame.frame_id)
    return Geometry(GeometryStatus.NO_DEPTH, reason, frame.frame_id)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The pixels of a mask (H, W) for its geometry, by flat index, and the future of their hull axes."""

    mask: NDArray[np.bool_]
    area: int
    box: Box = NO_BOX
    with_depth: int = 0
    pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    axes: Future[NDArray[np.float64]] | None = None


def _choose(scene: DepthScene, mask: NDArray[np.bool_]) -> _Chosen:
    """Select the pixels of one region and start computing its hull."""
    mask = np.ascontiguousarray(mask)
    area = int(np.count_nonzero(mask))
    if not area:
        return _Chosen(mask, area)
    box = mask_box(mask)
    chosen, with_depth = select_pixels(scene, mask, box)
    pixels = flat_pixels(chosen, box, scene.frame.width)
    axes = None
    if scene.options.box == 'hull' and pixels.size >= max(scene.options.min_points, 1):
        axes = start_hull_axes(outermost(scene, chosen, box))
    return _Chosen(mask, area, box, with_depth, pixels, axes)


def _lift(
    scene: DepthScene, instruction: Instruction, region: _Chosen, forbidden: NDArray[np.bool_] | None
) -> Geometry:
    """Return the geometry of one region."""
    frame, options = scene.frame, scene.options
    mask, area, pixels, with_depth = region.mask, region.area, region.pixels, region.with_depth
    if not area:
        return _nothing(frame, mask, '')
    outputs = outputs_of(instruction)
    extra = np.zeros((0, 3), np.float32)
    if outputs.keep_out:
        forbidden_space = keep_out(scene, mask)
        extra = forbidden_space.extra
    ratio = with_depth / area
    if pixels.size < max(options.min_points, 1):
        reason = f'{pixels.size} of {area} pixels have usable depth, {options.min_points} are needed'
        return Geometry(GeometryStatus.NO_DEPTH, reason, frame.frame_id, extra=extra, valid_depth_ratio=ratio)
    planar = scene.planar(pixels)
    measured = row_wise(planar)
    centroid = planar.mean(1).astype(np.float64)
    sample = subsample(measured, options.box_points)
    axis = principal_axes(sample)[:, 0]
    up = None if frame.gravity is None else -unit(frame.gravity)
    reasons = []
    if outputs.placement:
        surface, least = measured, 0.5 * options.plane_min_ratio
        if pixels.size < PLAIN_VIEW * with_depth:
            surface, least = _all_points(scene, region), max(least, FLAT_RATIO)
        plane, placements, reason = _place(scene, mask, region.box, surface, least, up, forbidden)
        reasons.append(reason)
    else:
        plane = fit_plane(sample, tolerance=options.plane_tolerance)
        if plane is not None and plane.inlier_ratio < options.plane_min_ratio:
            plane = None
        if outputs.front and plane is None:
            reasons.append('no front plane: the region is not flat')
        placements = ()
    grasp = None
    if outputs.grasp:
        grasp, reason = grasp_hint(sample, axis, up=up, widest=options.gripper_width)
        reasons.append(reason and f'no grasp hint: {reason}')
    if region.axes is not None:
        axes = region.axes.result()
    else:
        vertical = up if up is not None else (plane.normal if plane is not None else None)
        if vertical is None:
            reasons.append('the box is not upright: neither gravity nor a plane is known')
            axes = hull_axes(measured.astype(np.float64))
        else:
            axes = upright_axes(sample, vertical)
    if ratio < options.partial_below:
        reasons.insert(0, f'{ratio:.0%} of the mask has depth')
    if outputs.keep_out:
        measured, pixels = forbidden_space.points, forbidden_space.pixels  # never thinned
    elif options.voxel > 0:
        chosen = voxel_pick(measured, options.voxel)
        measured, pixels = measured[chosen], pixels[chosen]
    return Geometry(
        GeometryStatus.PARTIAL if ratio < options.partial_below else GeometryStatus.OK,
        '; '.join(r for r in reasons if r),
        frame.frame_id,
        points=measured,
        pixels=pixels,
        extra=extra,
        valid_depth_ratio=ratio,
        centroid=centroid,
        distance=float(np.linalg.norm(centroid)),
        box=oriented_box(planar, axes),
        plane=plane,
        principal_axis=axis,
        placements=placements,
        grasp=grasp,
    )


def _all_points(scene: DepthScene, region: _Chosen) -> NDArray[np.float32]:
    """Return the points (N, 3) of all pixels of a region with depth, including those at depth discontinuities."""
    box = region.box
    inner = box.cells
    seen = region.mask[inner].view(np.uint8) & scene.valid[inner]
    return scene.points(flat_pixels(seen, box, scene.frame.width))


def _place(
    scene: DepthScene,
    mask: NDArray[np.bool_],
    box: Box,
    points: NDArray[np.float32],
    least: float,
    up: NDArray[np.float64] | None,
    forbidden: NDArray[np.bool_] | None,
) -> tuple[Plane | None, tuple[Placement, ...], str]:
    """Return the support plane that at least a share `least` of the points lies on, its placements, and a reason."""
    options = scene.options
    chosen = subsample(points, options.plane_points)
    plane = fit_plane(chosen, tolerance=options.plane_tolerance, up=up, tilt=options.support_tilt)
    if plane is None or plane.inlier_ratio < least:
        level = 'flat' if up is None else f'level within {options.support_tilt:.0f} degrees'
        return None, (), f'no placement: no surface in the mask is {level}'
    if plane.d <= 0:
        return plane, (), 'no placement: the support is seen from below'
    if up is None and plane.normal[1] > 0.5:  # optical y points down: an upright camera sees supports with y < 0
        return plane, (), f'no placement: {UPSIDE_DOWN}'
    middle = chosen.mean(0, np.float64)
    angle = math.degrees(math.asin(min(abs(float(plane.normal @ unit(middle))), 1.0)))
    if angle < options.support_view:
        return None, (), f'no placement: the surface is seen at {angle:.0f} degrees, which is too flat to measure it'
    view = free_discs(scene, plane, mask, box, chosen, forbidden)
    placements = find_placements(view, footprint=options.footprint, most=options.max_placements)
    reasons = [NO_GRAVITY] if up is None else []
    if not placements:
        reasons.append(f'no placement: no free disc of radius {options.footprint:.2f} m')
    return plane, placements, '; '.join(reasons)
