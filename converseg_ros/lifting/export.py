"""Export of clouds as PLY and PCD files, and of regions as MoveIt collision objects."""

import os
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_bytes
from converseg_ros.core.geometry import Geometry
from converseg_ros.lifting.clouds import pack_rgb, voxelize
from converseg_ros.lifting.tf import matrix_quaternion


def _columns(
    points: ArrayLike, colors: ArrayLike | None, labels: ArrayLike | None
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint16] | None]:
    """Return finite points with colours (white by default) and labels; raise InputError if lengths differ."""
    xyz = np.asarray(points, np.float32).reshape(-1, 3)
    rgb = np.full((len(xyz), 3), 255, np.uint8) if colors is None else np.asarray(colors, np.uint8).reshape(-1, 3)
    tags = None if labels is None else np.broadcast_to(np.asarray(labels, np.uint16), len(xyz))
    if len(rgb) != len(xyz):
        raise InputError(f'{len(xyz)} points but {len(rgb)} colours', where='point cloud')
    finite = np.isfinite(xyz).all(1)
    return xyz[finite], rgb[finite], None if tags is None else tags[finite]


def write_ply(
    path: str | os.PathLike[str], points: ArrayLike, colors: ArrayLike | None = None, labels: ArrayLike | None = None
) -> None:
    """Write a binary PLY: (N, 3) points in metres, (N, 3) uint8 colours, (N,) labels or one; only finite points."""
    xyz, rgb, tags = _columns(points, colors, labels)
    fields: list[tuple[str, str]] = [
        ('x', '<f4'),
        ('y', '<f4'),
        ('z', '<f4'),
        ('red', 'u1'),
        ('green', 'u1'),
        ('blue', 'u1'),
    ]
    if tags is not None:
        fields.append(('label', '<i4'))
    names = {'<f4': 'float', 'u1': 'uchar', '<i4': 'int'}
    header = ['ply', 'format binary_little_endian 1.0', f'element vertex {len(xyz)}']
    header += [f'property {names[kind]} {name}' for name, kind in fields]
    rows = np.empty(len(xyz), np.dtype(fields))
    for i, name in enumerate('xyz'):
        rows[name] = xyz[:, i]
    for i, name in enumerate(('red', 'green', 'blue')):
        rows[name] = rgb[:, i]
    if tags is not None:
        rows['label'] = tags
    write_bytes(path, '\n'.join([*header, 'end_header', '']).encode() + rows.tobytes())


def write_pcd(
    path: str | os.PathLike[str], points: ArrayLike, colors: ArrayLike | None = None, labels: ArrayLike | None = None
) -> None:
    """Write a binary PCD 0.7 with packed rgb as read by PCL; arguments as in `write_ply`."""
    xyz, rgb, tags = _columns(points, colors, labels)
    fields: list[tuple[str, str]] = [('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('rgb', '<f4')]
    if tags is not None:
        fields.append(('label', '<u4'))
    rows = np.empty(len(xyz), np.dtype(fields))
    for i, name in enumerate('xyz'):
        rows[name] = xyz[:, i]
    rows['rgb'] = pack_rgb(rgb)
    if tags is not None:
        rows['label'] = tags
    header = [
        '# .PCD v0.7 - Point Cloud Data file format',
        'VERSION 0.7',
        'FIELDS ' + ' '.join(name for name, _ in fields),
        'SIZE ' + ' '.join('4' for _ in fields),
        'TYPE ' + ' '.join('U' if kind == '<u4' else 'F' for _, kind in fields),
        'COUNT ' + ' '.join('1' for _ in fields),
        f'WIDTH {len(xyz)}',
        'HEIGHT 1',
        'VIEWPOINT 0 0 0 1 0 0 0',
        f'POINTS {len(xyz)}',
        'DATA binary',
        '',
    ]
    write_bytes(path, '\n'.join(header).encode() + rows.tobytes())


def collision_object(
    geometry: Geometry,
    id_: str,
    *,
    operation: Literal['add', 'remove'] = 'add',
    padding: float = 0.0,
    voxel: float = 0.0,
) -> dict[str, Any]:
    """Return a region as a dictionary with the fields of moveit_msgs/CollisionObject.

    `ros.messages.moveit` converts it to a message. The object is the oriented box, enlarged by `padding` metres on
    every side; with `voxel` > 0 it consists of one cube of that edge for each occupied voxel (for safety regions with
    frustums, which a box does not fit). Raises InputError for a region without geometry.
    """
    if geometry.box is None and not len(geometry.extra):
        raise InputError(
            f'region has no geometry ({geometry.reason or geometry.status.name})', where=f'collision object {id_!r}'
        )
    primitives: list[dict[str, Any]] = []
    poses: list[dict[str, Any]] = []
    if voxel > 0:
        upright = [0.0, 0.0, 0.0, 1.0]
        for centre in voxelize(np.concatenate([geometry.points, geometry.extra]), voxel, clearance=padding):
            primitives.append({'type': 1, 'dimensions': [voxel] * 3})
            poses.append(_pose(centre, upright))
    elif geometry.box is None:
        raise InputError('region has no box', where=f'collision object {id_!r}', do='give a voxel size')
    else:
        primitives.append(
            {'type': 1, 'dimensions': (geometry.box.size + 2 * padding).tolist()}
        )  # 1 = SolidPrimitive.BOX
        poses.append(_pose(geometry.box.center, matrix_quaternion(geometry.box.rotation)))
    return {
        'header': {'frame_id': geometry.frame_id},
        'id': id_,
        'pose': _pose((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
        'primitives': primitives,
        'primitive_poses': poses,
        'operation': {'add': 0, 'remove': 1}[operation],
    }


def _pose(position: ArrayLike, quaternion: ArrayLike) -> dict[str, Any]:
    """Return geometry_msgs/Pose as a dictionary."""
    p, q = np.asarray(position, float).tolist(), np.asarray(quaternion, float).tolist()
    return {'position': dict(zip('xyz', p)), 'orientation': dict(zip('xyzw', q))}
