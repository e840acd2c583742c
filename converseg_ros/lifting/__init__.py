"""Geometry for planners from masks and depth: clouds, boxes, planes, placement poses, grasp hints, keep-out space."""

from converseg_ros.core.depth import depth_to_metres
from converseg_ros.lifting.lift import lift_regions
from converseg_ros.lifting.options import LiftOptions
from converseg_ros.lifting.roles import Outputs, outputs_of

__all__ = ['LiftOptions', 'Outputs', 'depth_to_metres', 'lift_regions', 'outputs_of']
