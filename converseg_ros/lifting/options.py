"""Every number that lifting depends on, with its unit."""

from dataclasses import dataclass
from typing import Literal

from converseg_ros.core.errors import InputError
from converseg_ros.core.options import check_options, option


@dataclass(frozen=True, slots=True)
class LiftOptions:
    """Settings of `lift_regions`; lengths in metres, angles in degrees."""

    min_depth: float = option(0.1, 0.001, 10.0)
    """Depth below this is no measurement."""
    max_depth: float = option(8.0, 0.01, 1000.0)
    """Depth above this is no measurement."""
    edge_px: int = option(2, 0, 64)
    """Pixels on either side of a depth discontinuity that must agree with the inside of the mask; 0 keeps them all."""
    edge_jump: float = option(0.02, 0.001, 1.0)
    """A depth step larger than this share of the depth is a discontinuity."""
    min_points: int = option(12, 1, 1_000_000)
    """With fewer points a region has no geometry."""
    min_part: float = option(0.02, 0.0, 1.0)
    """Connected parts of a mask (in 3D) smaller than this share of it are outliers."""
    partial_below: float = option(0.9, 0.0, 1.0)
    """A smaller share of valid depth in the mask makes the geometry PARTIAL."""
    voxel: float = option(0.0, 0.0, 1.0)
    """Edge of the voxel grid that thins `Geometry.points` (one measured point a voxel); 0 keeps every point."""
    box: Literal['hull', 'upright'] = option('hull', choices=('hull', 'upright'))
    """'hull': principal axes of the convex hull, as Open3D's oriented box. 'upright': one axis along gravity (or, where
    that is unknown, along the fitted plane's normal), the others along the sides of the region seen from there."""
    box_points: int = option(1500, 16, 1_000_000)
    """Points the axes of a box are computed from; its size always comes from all points."""
    plane_points: int = option(4000, 16, 1_000_000)
    """Points a support plane is fitted to; other planes get `box_points`."""
    plane_tolerance: float = option(0.008, 0.0001, 0.5)
    """Distance within which a point may support a plane; depth noise is added to it."""
    plane_min_ratio: float = option(0.5, 0.0, 1.0)
    """A plane with a smaller share of the region's points is not reported."""
    support_tilt: float = option(15.0, 0.0, 90.0)
    """Largest angle between a support plane's normal and the direction against gravity."""
    support_view: float = option(8.0, 0.0, 90.0)
    """Smallest angle between a support and the ray to its middle; one that is seen flatter is no support."""
    footprint: float = option(0.05, 0.001, 5.0)
    """Radius of the object to set down; smaller free discs are no placements."""
    clearance: float = option(0.02, 0.0, 5.0)
    """Distance that placements keep from everything above the support plane."""
    edge_margin: float = option(0.02, 0.0, 5.0)
    """Distance that placements keep from the edge of the support and from what was not seen."""
    obstacle_height: float = option(0.006, 0.0, 1.0)
    """What rises higher than this above the support plane is an obstacle; depth noise is added to it."""
    cell: float = option(0.005, 0.0005, 0.5)
    """Edge of a cell of the grid that free area is measured on; grows on supports wider than 400 cells."""
    hole: float = option(0.02, 0.0, 1.0)
    """Widest hole in depth (in any direction) that still counts as free if the support surrounds it: sensors lose
    such spots at random, and nothing that small and upright is invisible all round. 0: every hole is an obstacle."""
    max_placements: int = option(5, 0, 100)
    """Placements kept, best first."""
    gripper_width: float = option(0.10, 0.0, 2.0)
    """Widest opening of the gripper; wider regions get no grasp hint."""
    safety_dilation_px: int = option(4, 0, 500)
    """Pixels by which safety masks grow at least."""
    safety_clearance: float = option(0.05, 0.0, 5.0)
    """Distance by which safety masks grow at the depth of the region."""
    safety_depth: float = option(0.3, 0.0, 20.0)
    """Longest frustum put where a safety mask has no depth and nothing behind it bounds it."""
    safety_step: float = option(0.02, 0.001, 1.0)
    """Spacing of the points along such a frustum."""

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        check_options(self, 'lift options')
        if self.max_depth <= self.min_depth:
            raise InputError('max_depth is not above min_depth', where='lift options')
