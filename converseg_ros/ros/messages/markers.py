"""Regions as RViz markers: boxes, captions, free discs, grasp axes."""

from collections.abc import Sequence

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from converseg_ros.core.palette import color_of
from converseg_ros.core.region import Region
from converseg_ros.core.status import Status
from converseg_ros.ros.messages import conversion

LIFETIME = Duration(sec=2)


def region_markers(regions: Sequence[Region]) -> MarkerArray:
    """Return markers that replace all earlier ones: boxes, captions, discs for placements, grasp arrows."""
    markers = [Marker(action=Marker.DELETEALL)]
    for n, region in enumerate(regions):
        geometry = region.geometry
        if geometry.box is None:
            continue
        r, g, b = (c / 255 for c in color_of(n, region.instruction.role))
        head = conversion.header(region.stamp_ns, geometry.frame_id or region.frame_id)

        def add(kind: int, space: str, head=head, rgb=(r, g, b), alpha: float = 0.5) -> Marker:  # type: ignore[no-untyped-def]
            marker = Marker(header=head, ns=space, id=len(markers), type=kind, action=Marker.ADD, lifetime=LIFETIME)
            marker.color = ColorRGBA(r=rgb[0], g=rgb[1], b=rgb[2], a=alpha)
            markers.append(marker)
            return marker

        box = add(Marker.CUBE, 'boxes', alpha=0.3)
        box.pose = conversion.to_pose(geometry.box.center, geometry.box.rotation)
        x, y, z = (max(float(v), 0.001) for v in geometry.box.size)
        box.scale = Vector3(x=x, y=y, z=z)
        caption = add(Marker.TEXT_VIEW_FACING, 'captions', alpha=1.0)
        caption.pose.position = box.pose.position
        caption.scale = Vector3(z=0.04)
        note = '' if region.status == Status.OK else f' [{region.status.name.lower()}]'
        caption.text = region.instruction.text + note
        for placement in geometry.placements:
            disc = add(Marker.CYLINDER, 'placements', alpha=0.6)
            disc.pose = conversion.to_pose(placement.position, placement.rotation)
            disc.scale = Vector3(x=2 * placement.free_radius, y=2 * placement.free_radius, z=0.002)
        if geometry.grasp is not None:
            arrow = add(Marker.ARROW, 'grasps', alpha=0.9)
            arrow.pose = conversion.to_pose(geometry.grasp.position, geometry.grasp.rotation)
            arrow.scale = Vector3(x=max(geometry.grasp.width, 0.01), y=0.01, z=0.01)
    return MarkerArray(markers=markers)
