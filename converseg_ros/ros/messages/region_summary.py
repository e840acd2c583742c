"""Regions as text for terminals."""

import math

from converseg_ros.core import GeometryStatus, Status
from converseg_ros.msg import Region


def describe(region: Region) -> str:
    """Return one line: instruction, status, geometry, area, distance, score."""
    i = region.instruction
    what = i.resolved_text or i.text
    parts = [f'{i.id}  {what!r}', Status(region.status).name.replace('_', ' ').lower()]
    if region.status_reason:
        parts[-1] += f' ({region.status_reason})'
    if region.area:
        parts.append(f'{region.area} px')
        geometry = GeometryStatus(region.geometry).name.replace('_', ' ').lower()
        parts.append(f'3D {geometry}' + (f' ({region.geometry_reason})' if region.geometry_reason else ''))
    if math.isfinite(region.distance):
        c, frame = region.centroid, region.header.frame_id
        parts.append(f'{region.distance:.2f} m away at ({c.x:.2f}, {c.y:.2f}, {c.z:.2f}) in {frame}')
    if region.placements:
        parts.append(
            f'{len(region.placements)} placements, the best with {region.placements[0].free_radius:.2f} m free'
        )
    if region.program_text:
        parts.append(f'understood as "{region.program_text}"')
    if math.isfinite(region.confidence):
        parts.append(f'confidence {region.confidence:.2f}')
    parts.append(f'score {region.score:.2f}{"" if region.calibrated else " (not calibrated)"}')
    return ' | '.join(parts)
