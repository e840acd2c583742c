"""The parameters of lifting, with their units."""

from dataclasses import dataclass
from typing import Literal

from converseg_ros.core.errors import InputError
from converseg_ros.core.options import check_options, option


@dataclass(frozen=True, slots=True)
class LiftOptions:
    """Options of `lift_regions`; lengths in metres, angles in degrees."""

    min_depth: float = option(0.1, 0.001, 10.0)
    """Smallest valid depth."""
    max_depth: float = option(8.0, 0.01, 1000.0)
    """Largest valid depth."""
    edge_px: int = option(2, 0, 64)
    """Pixels on either side of a depth discontinuity that must agree with the interior of the mask; 0: all are kept."""
    edge_jump: float = option(0.02, 0.001, 1.0)
    """Relative depth step above which there is a discontinuity."""
    min_points: int = option(12, 1, 1_000_000)
    """Minimum number of points of a region with geometry."""
    min_part: float = option(0.02, 0.0, 1.0)
    """Connected components of a mask (in 3D) below this share of it are removed as outliers."""
    partial_below: float = option(0.9, 0.0, 1.0)
    """Share of valid depth in the mask below which the geometry is PARTIAL."""
    voxel: float = option(0.0, 0.0, 1.0)
    """Edge of the voxel grid that downsamples `Geometry.points` (one measured point per voxel); 0: all points are kept.
    """
    box: Literal['hull', 'upright'] = option('hull', choices=('hull', 'upright'))
    """'hull': principal axes of the convex hull, as Open3D's oriented box. 'upright': one axis along gravity (or, if
    that is unknown, along the normal of the fitted plane), the others along the sides of the region seen along that
    axis.
    """
    box_points: int = option(1500, 16, 1_000_000)
    """Maximum number of points for computing the axes of a box; its size is computed from all points."""
    plane_points: int = option(4000, 16, 1_000_000)
    """Maximum number of points for fitting a support plane; other planes use `box_points`."""
    plane_tolerance: float = option(0.008, 0.0001, 0.5)
    """Distance within which a point belongs to a plane; depth noise is added to it."""
    plane_min_ratio: float = option(0.5, 0.0, 1.0)
    """Minimum share of the points of a region on a plane that is reported."""
    support_tilt: float = option(15.0, 0.0, 90.0)
    """Largest angle between the normal of a support plane and the direction against gravity."""
    support_view: float = option(8.0, 0.0, 90.0)
    """Smallest angle between a support and the ray to its middle; a support at a smaller angle is rejected."""
    footprint: float = option(0.05, 0.001, 5.0)
    """Radius of the object to set down; free discs with a smaller radius are not placements."""
    clearance: float = option(0.02, 0.0, 5.0)
    """Distance of placements from everything above the support plane."""
    edge_margin: float = option(0.02, 0.0, 5.0)
    """Distance of placements from the edge of the support and from unobserved space."""
    obstacle_height: float = option(0.006, 0.0, 1.0)
    """Height above the support plane from which a point is an obstacle; depth noise is added to it."""
    cell: float = option(0.005, 0.0005, 0.5)
    """Edge of a grid cell for the free area; larger on supports wider than 400 cells."""
    hole: float = option(0.02, 0.0, 1.0)
    """Largest hole in depth (in any direction) that counts as free if the support surrounds it: sensors lose such spots
    at random, and an upright object of that size is visible from some side. 0: every hole is an obstacle.
    """
    max_placements: int = option(5, 0, 100)
    """Maximum number of placements."""
    gripper_width: float = option(0.10, 0.0, 2.0)
    """Maximum opening of the gripper; wider regions get no grasp hint."""
    safety_dilation_px: int = option(4, 0, 500)
    """Minimum dilation of safety masks in pixels."""
    safety_clearance: float = option(0.05, 0.0, 5.0)
    """Dilation of safety masks in metres at the depth of the region."""
    safety_depth: float = option(0.3, 0.0, 20.0)
    """Longest frustum where a safety mask has no depth and nothing behind it limits the frustum."""
    safety_step: float = option(0.02, 0.001, 1.0)
    """Distance between points along such a frustum."""

    def __post_init__(self) -> None:
        """Validate the options."""
        check_options(self, 'lift options')
        if self.max_depth <= self.min_depth:
            raise InputError('max_depth is not above min_depth', where='lift options')
