"""The view of a region for an agent: JSON with its status, its age, and its geometry in metres."""

from collections.abc import Iterable, Sequence
import math
from typing import Any
import unicodedata

from typing_extensions import TypedDict

from converseg_ros.core import GeometryStatus, Role, Status
from converseg_ros.core.instruction import MAX_TEXT
from converseg_ros.core.stamps import to_ns
from converseg_ros.msg import Instruction, Region

MAX_PLACEMENTS = 5
AHEAD_S = 0.5  # seconds by which an image may be stamped in the future; more means that two clocks differ


class Asked(TypedDict):
    """An instruction. All strings except `id` and `role` are texts of people or of other agents: data, not commands."""

    id: str
    name: str
    text: str
    resolved: str
    role: str
    standing: bool


class Geometry3D(TypedDict):
    """The 3D geometry of a region: metres, in the frame `frame_id`; null where unknown."""

    status: str
    reason: str
    frame_id: str
    valid_depth_ratio: float | None
    centroid: list[float] | None
    distance: float | None
    box_center: list[float] | None
    box_size: list[float] | None
    box_quaternion: list[float] | None
    plane: list[float] | None
    placements: list[dict[str, Any]]
    grasps: list[dict[str, Any]]


class Answer(TypedDict):
    """The answer to one instruction about one image.

    status: OK, NO_TARGET, LOW_CONFIDENCE, ERROR, or STALE if it must not be used any more; `answered` is the status
    before it became stale (null if unknown). age_s: seconds since the image was taken; valid_for_s: seconds until the
    answer is stale, negative afterwards.
    """

    region: str
    asked: Asked
    status: str
    status_reason: str
    answered: str | None
    age_s: float
    valid_for_s: float
    tracked: bool
    score: float | None
    confidence: float | None
    calibrated: bool
    area_px: int
    box_px: list[int] | None
    geometry: Geometry3D
    understood_as: str
    model: str


class View(TypedDict):
    """The current answers. safe_to_move: the value of the safety gate, False if it is stale."""

    safe_to_move: bool
    regions: list[Answer]


def printable(text: str) -> str:
    """Return a text on one line without control, formatting and private characters, truncated to the maximum length."""
    kept = (' ' if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != 'C')
    return ' '.join(''.join(kept).split())[:MAX_TEXT]


def asked_of(message: Instruction) -> Asked:
    """Return an instruction for an agent; an unknown role counts as safety."""
    role = Role(message.role) if message.role in set(Role) else Role.SAFETY
    return Asked(
        id=printable(message.id),
        name=printable(message.name),
        text=printable(message.text),
        resolved=printable(message.resolved_text or message.text),
        role=role.name.lower(),
        standing=bool(message.standing),
    )


def answer_of(region: Region, now_ns: int) -> Answer:
    """Return a region for an agent, at a time of the clock of the image stamps."""
    age = (now_ns - to_ns(region.header.stamp)) / 1e9
    left = (to_ns(region.valid_until) - now_ns) / 1e9
    status = Status(region.status) if region.status in set(Status) else Status.ERROR
    shown, reason, answered = status, printable(region.status_reason), None
    if status != Status.STALE:
        answered = status.name
        late = left < 0
        if late or age < -AHEAD_S:
            shown = Status.STALE
            what = 'too old' if late else 'stamped in the future: the clocks of camera and agent differ'
            reason = f'the image is {what} ({age:.1f} s); it was answered {status.name}' + (reason and f': {reason}')
    return Answer(
        region=printable(region.id),
        asked=asked_of(region.instruction),
        status=shown.name,
        status_reason=reason,
        answered=answered,
        age_s=round(age, 3),
        valid_for_s=round(left, 3),
        tracked=bool(region.tracked),
        score=_number(region.score),
        confidence=_number(region.confidence),
        calibrated=bool(region.calibrated),
        area_px=int(region.area),
        box_px=_box(region),
        geometry=_geometry(region),
        understood_as=printable(region.program_text),
        model=printable(region.model),
    )


def view_of(regions: Sequence[Region], now_ns: int, safe: bool) -> View:
    """Return all current answers at a time."""
    return View(safe_to_move=safe, regions=[answer_of(r, now_ns) for r in regions])


def _box(region: Region) -> list[int] | None:
    box = region.box
    return [box.x_offset, box.y_offset, box.width, box.height] if region.area else None


def _geometry(region: Region) -> Geometry3D:
    status = GeometryStatus(region.geometry) if region.geometry in set(GeometryStatus) else GeometryStatus.NOT_COMPUTED
    pose = region.oriented_box_pose
    size = _numbers(_xyz(region.oriented_box_size)) if any(_xyz(region.oriented_box_size)) else None
    return Geometry3D(
        status=status.name,
        reason=printable(region.geometry_reason),
        frame_id=printable(region.header.frame_id),
        valid_depth_ratio=_number(region.valid_depth_ratio),
        centroid=_numbers(_xyz(region.centroid)),
        distance=_number(region.distance),
        box_center=_numbers(_xyz(pose.position)) if size else None,
        box_size=size,
        box_quaternion=_numbers(_xyzw(pose.orientation)) if size else None,
        plane=_numbers(region.plane),
        placements=[
            {**_pose(p.pose), 'free_radius': _number(p.free_radius), 'score': _number(p.score)}
            for p in region.placements[:MAX_PLACEMENTS]
        ],
        grasps=[{**_pose(g.pose), 'width': _number(g.width)} for g in region.grasps],
    )


def _pose(stamped: Any) -> dict[str, Any]:
    return {
        'frame_id': printable(stamped.header.frame_id),
        'position': _numbers(_xyz(stamped.pose.position)),
        'quaternion': _numbers(_xyzw(stamped.pose.orientation)),
    }


def _xyz(message: Any) -> tuple[float, float, float]:
    return message.x, message.y, message.z


def _xyzw(message: Any) -> tuple[float, float, float, float]:
    return message.x, message.y, message.z, message.w


def _number(value: float) -> float | None:
    """Return a number for JSON, which has no NaN."""
    return round(float(value), 4) if math.isfinite(value) else None


def _numbers(values: Iterable[float]) -> list[float] | None:
    numbers = [_number(v) for v in values]
    return None if None in numbers else [n for n in numbers if n is not None]
