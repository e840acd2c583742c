"""Regions as MoveIt collision objects."""

from typing import Any

from geometry_msgs.msg import Point, Pose, Quaternion

from converseg_ros.core.errors import InputError
from converseg_ros.core.geometry import Geometry
from converseg_ros.lifting.export import collision_object


def collision_object_message(geometry: Geometry, id_: str, **options: Any) -> Any:
    """Return a region as moveit_msgs/CollisionObject; `options` are those of `lifting.export.collision_object`.

    Raises InputError if moveit_msgs is not installed; `collision_object` returns the same as a dictionary.
    """
    return as_message(collision_object(geometry, id_, **options))


def as_message(data: dict[str, Any]) -> Any:
    """Convert a dictionary of `lifting.export.collision_object` to moveit_msgs/CollisionObject.

    Raises InputError if moveit_msgs is not installed.
    """
    try:
        from moveit_msgs.msg import CollisionObject
        from shape_msgs.msg import SolidPrimitive
    except ImportError as error:
        raise InputError(
            'moveit_msgs is not installed', where='collision object', do='install it, or use the dictionary'
        ) from error
    out = CollisionObject(id=data['id'], pose=_pose(data['pose']))
    out.header.frame_id = data['header']['frame_id']
    out.operation = bytes([data['operation']])
    out.primitives = [SolidPrimitive(type=p['type'], dimensions=p['dimensions']) for p in data['primitives']]
    out.primitive_poses = [_pose(p) for p in data['primitive_poses']]
    return out


def _pose(data: dict[str, Any]) -> Pose:
    return Pose(position=Point(**data['position']), orientation=Quaternion(**data['orientation']))
