"""Table scenes with exactly known geometry, and metrics of lifting; for tests, examples and benchmarks."""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.geometry import OrientedBox, Placement, Plane, look_at

FLOOR, TABLE = 1, 2  # labels; the objects have the following numbers
VGA = Intrinsics(615.0, 615.0, 319.5, 239.5, 640, 480)


class RayCaster(Protocol):
    """Ray casting against the true surfaces."""

    def first(
        self, origins: NDArray[np.float64], directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return distance (N,) in units of the direction (inf: no hit) and label (N,) of the first surface."""
        ...


@dataclass(frozen=True, slots=True)
class Solid:
    """A box (size x, y, z), a cylinder (diameter, diameter, height along z) or a sphere (diameter), with its pose."""

    kind: Literal['box', 'cylinder', 'sphere']
    label: int
    size: NDArray[np.float64]
    pose: NDArray[np.float64]

    @property
    def box(self) -> OrientedBox:
        """Return the tightest box around it, in the world frame."""
        return OrientedBox(self.pose[:3, 3].copy(), self.pose[:3, :3].copy(), self.size.copy())

    def hit(self, origins: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance (N,) of the first intersection along each ray, inf if there is none."""
        o = (origins - self.pose[:3, 3]) @ self.pose[:3, :3]
        d = directions @ self.pose[:3, :3]
        with np.errstate(all='ignore'):
            if self.kind == 'box':
                near, far = _slab(o, d, self.size / 2)
            elif self.kind == 'sphere':
                near, far = _quadratic((d * d).sum(1), (o * d).sum(1), (o * o).sum(1) - (self.size[0] / 2) ** 2)
            else:
                x, e = o[:, :2], d[:, :2]
                a, b = _quadratic((e * e).sum(1), (x * e).sum(1), (x * x).sum(1) - (self.size[0] / 2) ** 2)
                c, f = _slab(o[:, 2:], d[:, 2:], self.size[2:] / 2)
                near, far = np.maximum(a, c), np.minimum(b, f)
        return np.where((near <= far) & (near > 1e-6), near, np.inf)


def _slab(o: NDArray[Any], d: NDArray[Any], half: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the entry and exit distances of rays for an axis-aligned box around the origin."""
    d = np.where(np.abs(d) < 1e-12, 1e-12, d)
    a, b = (-half - o) / d, (half - o) / d
    return np.minimum(a, b).max(1), np.maximum(a, b).min(1)


def _quadratic(a: NDArray[Any], b: NDArray[Any], c: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both roots of a t^2 + 2 b t + c; (inf, -inf) if there is none."""
    a = np.maximum(a, 1e-15)
    root = b * b - a * c
    s = np.sqrt(np.maximum(root, 0))
    return np.where(root >= 0, (-b - s) / a, np.inf), np.where(root >= 0, (-b + s) / a, -np.inf)


@dataclass(slots=True)
class TruthScene:
    """Solids on a level table, and one camera: pose 4x4 from its optical frame to the world (z up)."""

    solids: list[Solid]
    camera: NDArray[np.float64]
    intrinsics: Intrinsics = VGA
    depth: NDArray[np.float32] = field(init=False)
    labels: NDArray[np.uint16] = field(init=False)

    def __post_init__(self) -> None:
        """Render exact depth (H, W) metres, 0 = nothing, and labels (H, W)."""
        k = self.intrinsics
        u, v = np.meshgrid(np.arange(k.width), np.arange(k.height))
        rays = np.column_stack([((u - k.cx) / k.fx).ravel(), ((v - k.cy) / k.fy).ravel(), np.ones(u.size)])
        t, label = self.first(np.broadcast_to(self.camera[:3, 3], rays.shape), rays @ self.camera[:3, :3].T)
        self.depth = np.where(np.isfinite(t), t, 0).reshape(u.shape).astype(np.float32)
        self.labels = label.reshape(u.shape).astype(np.uint16)

    def first(
        self, origins: NDArray[np.float64], directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return distance and label of the first surface on each ray; see RayCaster."""
        t, label = np.full(len(origins), np.inf), np.zeros(len(origins), np.int64)
        for solid in self.solids:
            near = solid.hit(origins, directions)
            closer = near < t
            t[closer], label[closer] = near[closer], solid.label
        return t, label

    @property
    def gravity(self) -> NDArray[np.float64]:
        """Return the unit vector (3,) that points down, in the optical frame."""
        return -self.camera[2, :3]

    @property
    def table(self) -> Plane:
        """Return the plane of the table top in the optical frame."""
        top = next(s for s in self.solids if s.label == TABLE)
        height = top.pose[2, 3] + top.size[2] / 2
        return level_plane(self.camera, float(height))

    def frame(self, depth: NDArray[np.float32] | None = None, *, gravity: bool = True) -> Frame:
        """Return the frame that a camera would send, optionally with other depth; each label has a different colour."""
        colors = np.random.default_rng(0).integers(40, 255, (int(self.labels.max()) + 1, 3)).astype(np.uint8)
        depth = self.depth if depth is None else depth
        return Frame(
            colors[self.labels], depth, self.intrinsics, 1, 'camera', gravity=self.gravity if gravity else None
        )


def level_plane(camera: NDArray[np.float64], height: float) -> Plane:
    """Return the level plane at a height in the world, seen from a camera at a 4x4 pose."""
    return Plane(camera[2, :3].copy(), float(camera[2, 3]) - height, 1.0, 0.0)


def _standing(
    kind: Literal['box', 'cylinder', 'sphere'], label: int, size: NDArray[Any], x: float, y: float, z: float, yaw: float
) -> Solid:
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    pose[:3, 3] = x, y, z + size[2] / 2
    return Solid(kind, label, size, pose)


def random_object(rng: np.random.Generator, label: int, x: float, y: float, height: float) -> Solid:
    """Return an object that stands on a table: a carton, a mug, a plate, a knife, a ball or a lying can."""
    shape = rng.integers(6)
    yaw = float(rng.uniform(0, np.pi))
    if shape == 0:
        return _standing('box', label, rng.uniform([0.04, 0.06, 0.05], [0.12, 0.25, 0.25]), x, y, height, yaw)
    if shape == 1:
        d = rng.uniform(0.05, 0.12)
        return _standing('cylinder', label, np.array([d, d, rng.uniform(0.06, 0.25)]), x, y, height, yaw)
    if shape == 2:
        d = rng.uniform(0.15, 0.28)
        return _standing('cylinder', label, np.array([d, d, rng.uniform(0.015, 0.03)]), x, y, height, yaw)
    if shape == 3:
        return _standing(
            'box', label, np.array([rng.uniform(0.02, 0.03), rng.uniform(0.18, 0.3), 0.012]), x, y, height, yaw
        )
    d = rng.uniform(0.05, 0.1)
    if shape == 4:
        return _standing('sphere', label, np.array([d, d, d]), x, y, height, yaw)
    lying = _standing('cylinder', label, np.array([d, d, rng.uniform(0.1, 0.22)]), x, y, height, yaw)
    lying.pose[2, 3] = height + d / 2
    lying.pose[:3, :3] = lying.pose[:3, :3] @ np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    return lying


def random_scene(seed: int, *, objects: int | None = None, intrinsics: Intrinsics = VGA) -> TruthScene:
    """Return a table with up to eight objects that do not touch, seen from 0.7 to 1.5 m away, 25 to 65 degrees down."""
    rng = np.random.default_rng(seed)
    height = float(rng.uniform(0.4, 0.9))
    top = np.array([rng.uniform(0.7, 1.4), rng.uniform(0.6, 0.9), 0.04])
    solids = [
        _standing('box', FLOOR, np.array([12.0, 12.0, 0.1]), 0, 0, -0.1, 0),
        _standing('box', TABLE, top, 0, 0, height - top[2], 0),
    ]
    taken: list[tuple[float, float, float]] = []
    count = int(rng.integers(2, 9)) if objects is None else objects
    for label in range(TABLE + 1, TABLE + 1 + count):
        for _ in range(30):
            x, y = (rng.uniform(-0.5, 0.5, 2) * (top[:2] - 0.15)).tolist()
            candidate = random_object(rng, label, x, y, height)
            reach = float(np.linalg.norm(candidate.size)) / 2
            if all(np.hypot(x - a, y - b) > reach + r + 0.01 for a, b, r in taken):
                taken.append((x, y, reach))
                solids.append(candidate)
                break
    away, down, turn = rng.uniform(0.7, 1.5), np.deg2rad(rng.uniform(25, 65)), rng.uniform(0, 2 * np.pi)
    target = np.array([*rng.uniform(-0.1, 0.1, 2), height])
    eye = target + away * np.array([np.cos(down) * np.cos(turn), np.cos(down) * np.sin(turn), np.sin(down)])
    return TruthScene(solids, look_at(eye, target, float(rng.normal(0, 0.05))), intrinsics)


def plane_error(plane: Plane, truth: Plane, at: NDArray[np.float64]) -> tuple[float, float]:
    """Return the angle in degrees between two planes, and their distance in metres at a point (3,)."""
    angle = np.rad2deg(np.arccos(np.clip(plane.normal @ truth.normal, -1, 1)))
    return float(angle), float(abs((plane.normal @ at + plane.d) - (truth.normal @ at + truth.d)))


def placement_faults(
    placement: Placement,
    caster: RayCaster,
    camera: NDArray[np.float64],
    support: int,
    *,
    footprint: float,
    margin: float,
    tall: float = 0.3,
    tolerance: float = 0.005,
) -> list[str]:
    """Return the errors of a placement in the true scene; [] if an object could be set down there.

    Rays are cast vertically from `tall` metres above, over the footprint enlarged by `margin`. Free: no ray hits
    anything higher than `tolerance` above the support. Supported: all rays within the footprint hit the support, within
    a centimetre of the height of the placement.
    """
    at = camera[:3, :3] @ placement.position + camera[:3, 3]
    i = np.arange(800) + 0.5
    r, angle = np.sqrt(i / i.size) * (footprint + margin), np.pi * (1 + 5**0.5) * i  # Vogel's spiral: uniform coverage
    offsets = np.column_stack([r * np.cos(angle), r * np.sin(angle), np.full(i.size, tall)])
    t, label = caster.first(at + offsets, np.broadcast_to([0, 0, -1.0], offsets.shape))
    height = tall - t
    on = (label == support) & (np.abs(height) < 0.01)
    faults = []
    level = float(np.median(height[on])) if on.any() else 0.0
    if (height > level + tolerance).any():
        faults.append('not free')
    if not on[r <= footprint].all():
        faults.append('not supported')
    return faults


def box_iou(a: OrientedBox, b: OrientedBox, samples: int = 20000) -> float:
    """Return the intersection over union of two boxes, estimated with points distributed evenly over the first."""
    from scipy.stats import qmc

    inside = (qmc.Sobol(3, seed=0).random(2 ** int(np.ceil(np.log2(samples)))) - 0.5) * a.size
    local = (inside @ a.rotation.T + a.center - b.center) @ b.rotation
    share = float(np.all(np.abs(local) <= b.size / 2 + 1e-12, axis=1).mean())
    volume_a, volume_b = float(np.prod(a.size)), float(np.prod(b.size))
    both = share * volume_a
    return both / max(volume_a + volume_b - both, 1e-12)
