"""The safety gate: decides whether the keep-out cloud is complete, and forbids the whole scene if it is not."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import ConversegError
from converseg_ros.core.frame import Frame
from converseg_ros.core.instruction import Instruction, Role
from converseg_ros.core.options import check_options, option
from converseg_ros.core.region import Region
from converseg_ros.core.stamps import SECOND
from converseg_ros.core.status import Status
from converseg_ros.lifting.clouds import voxelize
from converseg_ros.lifting.depth import DepthScene
from converseg_ros.lifting.keepout import keep_out
from converseg_ros.lifting.options import LiftOptions

Cloud = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]
"""Points (N, 3) in metres, the flat pixel (N,) of each, and the mask (H, W)."""


@dataclass(frozen=True, slots=True)
class SafetyOptions:
    """Options of the safety gate."""

    max_age: float = option(1.0, 0.01, 60.0)
    """Seconds after the stamp of the network's image until its answer is stale, independent of the tracker."""
    clock_slack: float = option(0.1, 0.0, 10.0)
    """Seconds by which the stamp of an image may be ahead of the clock; more is a clock jump."""
    min_depth_ratio: float = option(0.05, 0.0, 1.0)
    """Minimum share of the image with depth; less counts as a sensor without depth."""
    voxel: float = option(0.05, 0.001, 1.0)
    """Edge in metres of the voxels of ~/safety/voxels."""

    def __post_init__(self) -> None:
        """Validate the options."""
        check_options(self, 'safety options')


@dataclass(frozen=True, slots=True)
class SafetyReport:
    """The verdict of the gate, in the optical frame of the frame.

    Attributes:
        ok: whether the cloud is everything that is forbidden. Otherwise `reason` says why not, and the cloud is the
            whole observed scene plus the keep-out space of the available answers.
        points: (N, 3) float32 metres.
        pixels: (N,) int64, the flat pixel index of each point.
        mask: (H, W) bool, the dilated safety masks.
        unknown: names or texts of the instructions without a usable answer.
        valid_until_ns: time from which a consumer must treat the report as not ok.
    """

    ok: bool
    reason: str
    stamp_ns: int = 0
    frame_id: str = ''
    valid_until_ns: int = 0
    points: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    mask: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    unknown: tuple[str, ...] = ()

    def voxels(self, size: float, clearance: float = 0.0) -> NDArray[np.float32]:
        """Return the cloud as voxel centres (M, 3), dilated by `clearance` metres, for occupancy maps."""
        return voxelize(self.points, size, clearance=clearance)


def unusable(region: Region | None, frame: Frame, now_ns: int, options: SafetyOptions) -> str:
    """Return why a region is not a usable answer to its safety instruction, '' if it is."""
    if region is None:
        return 'no answer yet'
    if region.status == Status.ERROR:
        return f'failed ({region.prediction.reason or "no reason given"})'
    if region.stamp_ns != frame.stamp_ns or region.prediction.mask.shape != frame.rgb.shape[:2]:
        return 'the answer belongs to another image'
    seen = region.segmented_ns or region.stamp_ns
    if region.status == Status.STALE or region.stale(now_ns) or now_ns - seen > options.max_age * SECOND:
        return f'stale ({(now_ns - seen) / SECOND:.1f} s old)'
    if seen - now_ns > options.clock_slack * SECOND:
        return 'stamped in the future: the clock jumped'
    if not np.isfinite(region.prediction.score):
        return 'the score is not a number'
    if region.status == Status.NO_TARGET and not region.prediction.calibrated:
        return 'nothing found, but the network is not calibrated'
    if region.status != Status.NO_TARGET and not region.prediction.mask.any():
        return 'something may be there, but it has no mask'
    return ''


@dataclass(frozen=True, slots=True)
class _Cached:
    """The last keep-out space with its frame and masks; holding references prevents that their ids are reused."""

    frame: Frame
    masks: list[NDArray[np.bool_]]
    cloud: Cloud


class SafetyGate:
    """Fails closed: an answer that is stale, failed, missing, uncalibrated or without depth is never safe."""

    def __init__(self, options: SafetyOptions | None = None, lift: LiftOptions | None = None) -> None:
        """Create a gate; `lift` has the dilation of the masks and the frustum sizes."""
        self.options, self.lift = options or SafetyOptions(), lift or LiftOptions()
        self._cached: _Cached | None = None

    def assess(
        self,
        frame: Frame | None,
        regions: Sequence[Region],
        instructions: Sequence[Instruction],
        now_ns: int,
        *,
        active: bool = True,
        unclear: Sequence[str] = (),
    ) -> SafetyReport:
        """Judge the latest answers at `now_ns` (the clock of the stamps); call it at a fixed rate and on each answer.

        Sensor data and answers of the network never raise an exception.

        Args:
            frame: the image of the regions.
            regions: the latest answers.
            instructions: all instructions in force; those with Role.SAFETY are judged.
            now_ns: current time.
            active: False while the node is deactivated.
            unclear: refused prohibitions that are not resolved; what they forbid is unknown, so the result is not ok.
        """
        if frame is None:
            return SafetyReport(False, 'no image yet')
        wanted = [i for i in instructions if i.role == Role.SAFETY]
        answers = {(r.instruction.id, r.instruction.resolved): r for r in regions if r.instruction.role == Role.SAFETY}
        found = {i: answers.get((i.id, i.resolved)) for i in wanted}
        problems = [] if active else ['deactivated']
        if not wanted:
            problems.append('no safety instruction is in force, nothing is guarded')
        problems += [f'the meaning of {text[:80]!r} has not been resolved' for text in unclear]
        problems += [frame.depth_doubt] if frame.depth_doubt else []
        unknown = []
        for instruction, region in found.items():
            why = unusable(region, frame, now_ns, self.options)
            if why:
                unknown.append(instruction.name or instruction.text)
                problems.append(f'{unknown[-1]!r}: {why}')
        if now_ns - frame.stamp_ns > self.options.max_age * SECOND:
            problems.append(f'the image is {(now_ns - frame.stamp_ns) / SECOND:.1f} s old')
        present = [r for r in found.values() if r is not None and r.prediction.mask.shape == frame.rgb.shape[:2]]
        try:
            scene = self._scene(frame)
            cloud = self._forbidden(scene, present)
            if problems and (wanted or unclear):
                cloud = self._everything(scene, cloud)
        except ConversegError as error:
            problems.append(error.what)
            cloud = (np.zeros((0, 3), np.float32), np.zeros(0, np.int64), np.zeros(frame.rgb.shape[:2], bool))
        valid_until = min(
            [(r.segmented_ns or r.stamp_ns) + int(self.options.max_age * SECOND) for r in present]
            + [r.valid_until_ns for r in present if r.valid_until_ns],
            default=0,
        )
        return SafetyReport(
            not problems,
            '; '.join(problems),
            frame.stamp_ns,
            frame.frame_id,
            valid_until,
            *cloud,
            unknown=tuple(unknown),
        )

    def _scene(self, frame: Frame) -> DepthScene:
        """Return the depth of the frame; raise InputError if it is missing or not sufficient."""
        if frame.depth is None:
            raise ConversegError('no depth image')
        if frame.intrinsics is None:
            raise ConversegError('no camera_info')
        scene = DepthScene(frame, self.lift)
        share = np.count_nonzero(scene.valid) / scene.valid.size
        if share < self.options.min_depth_ratio:
            raise ConversegError(f'only {share:.1%} of the image has depth')
        return scene

    def _forbidden(self, scene: DepthScene, regions: Sequence[Region]) -> Cloud:
        """Return points, pixels and dilated mask of the keep-out space of the regions; the last result is cached."""
        masks = [r.prediction.mask for r in regions]
        kept = self._cached
        same = kept is not None and kept.frame is scene.frame and len(kept.masks) == len(masks)
        if kept is not None and same and all(a is b for a, b in zip(kept.masks, masks)):
            return kept.cloud
        grown = np.zeros(scene.frame.rgb.shape[:2], bool)
        points, pixels = [np.zeros((0, 3), np.float32)], [np.zeros(0, np.int64)]
        for region in regions:
            if not region.prediction.mask.any():
                continue
            space = keep_out(scene, np.ascontiguousarray(region.prediction.mask))
            grown |= space.mask
            points += [space.points, space.extra]
            pixels += [space.pixels, space.extra_pixels]
        result = (np.concatenate(points), np.concatenate(pixels), grown)
        self._cached = _Cached(scene.frame, masks, result)
        return result

    @staticmethod
    def _everything(scene: DepthScene, cloud: Cloud) -> Cloud:
        """Return the whole observed scene, with the points of `cloud` that were not measured."""
        seen = np.flatnonzero(scene.valid.view(np.bool_))
        points, pixels, grown = cloud
        return np.concatenate([scene.points(seen), points]), np.concatenate([seen, pixels]), grown
