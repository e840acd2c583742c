"""A transform tree in plain Python, for machines without tf2_ros: interpolated in time and bounded in memory."""

from bisect import bisect_left, bisect_right
from collections import deque
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from converseg_ros.core.errors import ConversegError
from converseg_ros.core.stamps import SECOND


class TransformError(ConversegError):
    """A transform is not known at the requested time; `wait` says whether it may still arrive."""

    def __init__(self, what: str, *, wait: bool, do: str = '') -> None:
        """Create the error; `wait`: whether waiting can help."""
        super().__init__(what, where='tf', do=do)
        self.wait = wait


def quaternion_matrix(xyzw: ArrayLike) -> NDArray[np.float64]:
    """Return the rotation (3, 3) of a quaternion x, y, z, w of any non-zero length."""
    q = np.asarray(xyzw, np.float64)
    length = float(np.linalg.norm(q))
    if not np.isfinite(length) or length < 1e-9:
        raise TransformError(f'quaternion {q.tolist()} is not a rotation', wait=False, do='fix its publisher')
    x, y, z, w = q / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def matrix_quaternion(rotation: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the unit quaternion x, y, z, w, w >= 0, of a rotation (3, 3) (Shepperd 1978)."""
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(rotation, np.float64).tolist()
    trace = a + e + i
    largest = max(trace, a, e, i)  # dividing by the root of the largest component keeps the precision of the others
    if largest == trace:
        q = (h - f, c - g, d - b, 1 + trace)
    elif largest == a:
        q = (1 + a - e - i, b + d, c + g, h - f)
    elif largest == e:
        q = (b + d, 1 - a + e - i, f + h, c - g)
    else:
        q = (c + g, f + h, 1 - a - e + i, d - b)
    length = math.copysign(math.hypot(*q), q[3])
    return np.array([v / length for v in q])


def slerp(a: NDArray[np.float64], b: NDArray[np.float64], t: float) -> NDArray[np.float64]:
    """Return the spherical interpolation at `t` in [0, 1] between unit quaternions `a` and `b`, the short way."""
    dot = float(a @ b)
    if dot < 0:
        b, dot = -b, -dot
    if dot > 0.9995:
        mixed = a + t * (b - a)
        return np.asarray(mixed / np.linalg.norm(mixed))
    angle = np.arccos(min(dot, 1.0))
    return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))


class _Edge:
    """The history of the pose of one child frame in its parent frame."""

    def __init__(self, parent: str, static: bool) -> None:
        self.parent, self.static = parent, static
        self.stamps: deque[int] = deque()
        self.poses: deque[tuple[NDArray[np.float64], NDArray[np.float64]]] = deque()

    def add(self, stamp: int, pose: tuple[NDArray[np.float64], NDArray[np.float64]], keep_ns: int) -> None:
        """Insert a pose in order of time; drop poses older than `keep_ns` before the newest."""
        if self.static:
            self.stamps.clear()
            self.poses.clear()
        if not self.stamps or stamp > self.stamps[-1]:
            self.stamps.append(stamp)
            self.poses.append(pose)
        elif stamp >= self.stamps[-1] - keep_ns:
            at = bisect_left(self.stamps, stamp)
            if self.stamps[at] == stamp:
                self.poses[at] = pose
            else:
                self.stamps.insert(at, stamp)
                self.poses.insert(at, pose)
        while self.stamps[-1] - self.stamps[0] > keep_ns:
            self.stamps.popleft()
            self.poses.popleft()

    def at(self, stamp: int, child: str) -> NDArray[np.float64]:
        """Return the 4x4 pose at a time within the history."""
        matrix = np.eye(4)
        if self.static or (len(self.stamps) == 1 and self.stamps[0] == stamp):
            rotation, position = self.poses[-1]
        elif not self.stamps[0] <= stamp <= self.stamps[-1]:
            late = stamp > self.stamps[-1]
            gap = (stamp - self.stamps[-1] if late else self.stamps[0] - stamp) / SECOND
            raise TransformError(
                f'{self.parent} -> {child} is known only {gap:.3f} s {"before" if late else "after"} that time',
                wait=late,
            )
        else:
            after = min(bisect_right(self.stamps, stamp), len(self.stamps) - 1)
            before = max(after - 1, 0)
            span = self.stamps[after] - self.stamps[before]
            t = (stamp - self.stamps[before]) / span if span else 0.0
            (qa, pa), (qb, pb) = self.poses[before], self.poses[after]
            rotation, position = slerp(qa, qb, t), pa + t * (pb - pa)
        matrix[:3, :3] = quaternion_matrix(rotation)
        matrix[:3, 3] = position
        return matrix


class TransformBuffer:
    """All transforms of the last `keep` seconds. Not thread-safe."""

    def __init__(self, keep: float = 10.0) -> None:
        """Create an empty buffer."""
        self.keep_ns = int(keep * SECOND)
        self.failures = 0
        self._edges: dict[str, _Edge] = {}

    def clear(self) -> None:
        """Clear dynamic transforms (after a clock jump); static transforms are kept."""
        self._edges = {child: edge for child, edge in self._edges.items() if edge.static}

    def set(
        self,
        parent: str,
        child: str,
        stamp_ns: int,
        translation: ArrayLike,
        quaternion: ArrayLike,
        *,
        static: bool = False,
    ) -> None:
        """Add the pose of `child` in `parent`: translation (3,) in metres, quaternion x, y, z, w.

        A stamp that is earlier by more than the length of the buffer (a restarted bag) clears dynamic transforms.
        Raises TransformError for an invalid transform.
        """
        parent, child = parent.lstrip('/'), child.lstrip('/')
        position = np.asarray(translation, np.float64)
        rotation = matrix_quaternion(quaternion_matrix(quaternion))
        if not parent or not child or parent == child or position.shape != (3,) or not np.all(np.isfinite(position)):
            raise TransformError(
                f'{parent!r} -> {child!r} is not a valid transform', wait=False, do='fix its publisher'
            )
        edge = self._edges.get(child)
        if edge is not None and not edge.static and not static and edge.stamps[-1] - stamp_ns > self.keep_ns:
            self.clear()
            edge = None
        if edge is None or edge.parent != parent or edge.static != static:
            edge = self._edges[child] = _Edge(parent, static)
        edge.add(stamp_ns, (rotation, position), self.keep_ns)

    def _chain(self, frame: str) -> list[str]:
        """Return the frame and its ancestors."""
        chain = [frame]
        while chain[-1] in self._edges:
            parent = self._edges[chain[-1]].parent
            if parent in chain:
                raise TransformError(f'the tree has a loop at {parent!r}', wait=False, do='fix its publishers')
            chain.append(parent)
        return chain

    def lookup(self, target: str, source: str, stamp_ns: int) -> NDArray[np.float64]:
        """Return the 4x4 transform of points from frame `source` to frame `target` at a time.

        Raises TransformError, counted in `failures`; its `wait` is True if a later message may still provide the
        transform.
        """
        target, source = target.lstrip('/'), source.lstrip('/')
        if target == source:
            return np.eye(4)
        try:
            up, down = self._chain(source), self._chain(target)
            common = next((frame for frame in up if frame in down), None)
            if common is None:
                known = ', '.join(sorted({*self._edges, *(e.parent for e in self._edges.values())})) or 'none'
                raise TransformError(
                    f'{source!r} and {target!r} are not connected (frames: {known})', wait=True, do='publish /tf'
                )
            result = np.eye(4)
            for child in up[: up.index(common)]:
                result = self._edges[child].at(stamp_ns, child) @ result
            back = np.eye(4)
            for child in down[: down.index(common)]:
                back = self._edges[child].at(stamp_ns, child) @ back
        except TransformError:
            self.failures += 1
            raise
        return invert(back) @ result

    def gravity(self, level: str, frame: str, stamp_ns: int) -> NDArray[np.float64]:
        """Return the unit vector (3,) that points down in `frame`; `level` has z up (REP 103, REP 105)."""
        return -self.lookup(frame, level, stamp_ns)[:3, 2]


def invert(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse of a rigid 4x4 transform."""
    out = np.eye(4)
    out[:3, :3] = transform[:3, :3].T
    out[:3, 3] = -transform[:3, :3].T @ transform[:3, 3]
    return out
