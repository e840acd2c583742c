"""Every number that lifting depends on, with its unit."""

from dataclasses import dataclass, fields
from typing import Literal

from converseg_ros.core.errors import InputError


@dataclass(frozen=True, slots=True)
class LiftOptions:
    """Settings of `lift_regions`; lengths in metres, angles in degrees."""

    min_depth: float = 0.1
    """Depth below this is no measurement."""
    max_depth: float = 8.0
    """Depth above this is no measurement."""
    edge_px: int = 2
    """Pixels on either side of a depth discontinuity that must agree with the inside of the mask; 0 keeps them all."""
    edge_jump: float = 0.02
    """A depth step larger than this share of the depth is a discontinuity."""
    min_points: int = 12
    """With fewer points a region has no geometry."""
    min_part: float = 0.02
    """Connected parts of a mask (in 3D) smaller than this share of it are outliers."""
    partial_below: float = 0.9
    """A smaller share of valid depth in the mask makes the geometry PARTIAL."""
    voxel: float = 0.0
    """Edge of the voxel grid that thins `Geometry.points` (one measured point a voxel); 0 keeps every point."""
    box: Literal['hull', 'upright'] = 'hull'
    """'hull': principal axes of the convex hull, as Open3D's oriented box. 'upright': one axis along gravity (or, where
    that is unknown, along the fitted plane's normal), the others along the sides of the region seen from there."""
    box_points: int = 1500
    """Points the axes of a box are computed from; its size always comes from all points."""
    plane_points: int = 4000
    """Points a support plane is fitted to; other planes get `box_points`."""
    plane_tolerance: float = 0.008
    """Distance within which a point may support a plane; depth noise is added to it."""
    plane_min_ratio: float = 0.5
    """A plane with a smaller share of the region's points is not reported."""
    support_tilt: float = 15.0
    """Largest angle between a support plane's normal and the direction against gravity."""
    support_view: float = 8.0
    """Smallest angle between a support and the ray to its middle; one that is seen flatter is no support."""
    footprint: float = 0.05
    """Radius of the object to set down; smaller free discs are no placements."""
    clearance: float = 0.02
    """Distance that placements keep from everything above the support plane."""
    edge_margin: float = 0.02
    """Distance that placements keep from the edge of the support and from what was not seen."""
    obstacle_height: float = 0.006
    """What rises higher than this above the support plane is an obstacle; depth noise is added to it."""
    cell: float = 0.005
    """Edge of a cell of the grid that free area is measured on; grows on supports wider than 400 cells."""
    hole: float = 0.02
    """Widest hole in depth (in any direction) that still counts as free if the support surrounds it: sensors lose
    such spots at random, and nothing that small and upright is invisible all round. 0: every hole is an obstacle."""
    max_placements: int = 5
    """Placements kept, best first."""
    gripper_width: float = 0.10
    """Widest opening of the gripper; wider regions get no grasp hint."""
    safety_dilation_px: int = 4
    """Pixels by which safety masks grow at least."""
    safety_clearance: float = 0.05
    """Distance by which safety masks grow at the depth of the region."""
    safety_depth: float = 0.3
    """Longest frustum put where a safety mask has no depth and nothing behind it bounds it."""
    safety_step: float = 0.02
    """Spacing of the points along such a frustum."""

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == 'box':
                if value not in ('hull', 'upright'):
                    raise InputError(f'box is {value!r}', where='lift options', do="choose 'hull' or 'upright'")
            elif not 0 <= value < float('inf'):
                raise InputError(f'{f.name} is {value}', where='lift options', do='give a number of at least 0')
        for name in ('min_depth', 'edge_jump', 'plane_tolerance', 'cell', 'footprint', 'safety_step'):
            if getattr(self, name) <= 0:
                raise InputError(f'{name} is {getattr(self, name)}', where='lift options', do='give a positive number')
        if self.max_depth <= self.min_depth:
            raise InputError('max_depth is not above min_depth', where='lift options')
        if self.box_points < 16 or self.plane_points < 16:
            raise InputError('box_points and plane_points must be at least 16', where='lift options')
