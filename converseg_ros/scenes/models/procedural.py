"""Procedural household and workshop objects: each category is a family of shapes with numbered variants.

They complement the furniture catalogue (many different mugs, bowls, boxes, tools) and have exact parts.
"""

from converseg_ros.scenes.models import procedural_home, procedural_kitchen, procedural_workshop
from converseg_ros.scenes.models.procedural_maker import MAKERS, Shape, fixed, painted, steel, wooden

__all__ = [
    'MAKERS',
    'Shape',
    'fixed',
    'painted',
    'procedural_home',
    'procedural_kitchen',
    'procedural_workshop',
    'steel',
    'wooden',
]
