"""Procedural household and workshop things: each category is a family of shapes, a variant number picks one.

They fill what the furniture catalogue lacks (many different mugs, bowls, boxes, tools) and have exact parts.
"""

from converseg_ros.scenes import wares_home, wares_kitchen, wares_workshop
from converseg_ros.scenes.ware import MAKERS, Shape, fixed, painted, steel, wooden

__all__ = ['MAKERS', 'Shape', 'fixed', 'painted', 'steel', 'wares_home', 'wares_kitchen', 'wares_workshop', 'wooden']
