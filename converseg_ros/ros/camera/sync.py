"""Synchronisation of colour, depth and camera_info by stamp, independent of message types."""

from bisect import insort
from collections import Counter
from dataclasses import dataclass
from typing import Any

from converseg_ros.core.stamps import SECOND
from converseg_ros.perception.frames import Bundle


@dataclass(slots=True)
class _Waiting:
    stamp_ns: int
    message: Any

    def __lt__(self, other: '_Waiting') -> bool:
        return self.stamp_ns < other.stamp_ns


class Synchronizer:
    """Approximate time synchronisation that counts why messages are dropped; called by one thread.

    slop: maximum difference of two stamps in seconds. queue: messages of a kind that wait. depth: whether a colour
    image waits for a depth image. jump: seconds that stamps must go back for a clock jump (a looping bag, /clock).
    counts: matched, no_depth, no_image, queue_full, late, no_info, old_info, clock_jumps.
    """

    def __init__(self, slop: float = 0.02, queue: int = 10, *, depth: bool = True, jump: float = 0.5) -> None:
        self.depth, self.jump_ns = depth, int(jump * SECOND)
        self.configure(slop, queue)
        self.counts: Counter[str] = Counter()
        self._images: list[_Waiting] = []
        self._depths: list[_Waiting] = []
        self._infos: list[_Waiting] = []
        self._last_info: Any = None  # kept after a clock jump, because it may be published only once
        self._newest: dict[str, int] = {}
        self._last = -1  # stamp of the last match
        self._paired = False  # every image seems to have a camera_info with its own stamp, so waiting for it is useful

    def configure(self, slop: float, queue: int) -> None:
        """Set new settings."""
        self.slop_ns, self.queue = int(slop * SECOND), queue

    def clear(self) -> None:
        """Clear waiting messages; the counters and the newest camera_info are kept."""
        self._images, self._depths, self._infos = [], [], []
        self._newest, self._last, self._paired = {}, -1, False

    def add(self, kind: str, stamp_ns: int, message: Any) -> tuple[list[Bundle], bool]:
        """Add an 'image', 'depth' or 'info'; return the completed bundles and whether the clock jumped back."""
        jumped = self._newest.get(kind, stamp_ns) - stamp_ns > self.jump_ns
        if jumped:
            self.counts['clock_jumps'] += 1
            self.clear()
        self._newest[kind] = max(stamp_ns, self._newest.get(kind, stamp_ns))
        waiting = {'image': self._images, 'depth': self._depths, 'info': self._infos}[kind]
        if kind == 'image' and stamp_ns <= self._last:
            self.counts['late'] += 1
            return [], jumped
        if kind == 'info':
            self._last_info = message
        insort(waiting, _Waiting(stamp_ns, message))
        bundles = self._match()
        if len(waiting) > self.queue:
            del waiting[0]
            if kind == 'image':
                self.counts['no_info' if self._paired else 'no_depth'] += 1
                self._paired = False
            elif kind == 'depth':
                self.counts['no_image'] += 1
        return bundles, jumped

    def _match(self) -> list[Bundle]:
        out = []
        while self._images:
            image = self._images[0]
            depth = None
            if self.depth:
                depth, settled = self._nearest(image.stamp_ns)
                if depth is None and not settled:
                    # an older image must not delay a newer one that is complete
                    if not self._skip_to_complete():
                        break
                    continue
                if depth is None:
                    del self._images[0]
                    self.counts['no_depth'] += 1
                    continue
            if self._paired and self._infos[-1].stamp_ns < image.stamp_ns:
                break
            if depth is not None:
                before = [d for d in self._depths if d.stamp_ns < depth.stamp_ns]
                self.counts['no_image'] += len(before)
                self._depths[:] = [d for d in self._depths if d.stamp_ns > depth.stamp_ns]
            del self._images[0]
            self._last = image.stamp_ns
            self.counts['matched'] += 1
            out.append(Bundle(image.stamp_ns, image.message, depth.message if depth else None, self._info(image)))
        return out

    def _skip_to_complete(self) -> bool:
        """Drop images before the first one with depth of exactly its stamp; return whether there is one."""
        stamps = {d.stamp_ns for d in self._depths}
        for index, image in enumerate(self._images):
            if image.stamp_ns in stamps:
                self.counts['no_depth'] += index
                del self._images[:index]
                return index > 0
        return False

    def _nearest(self, stamp_ns: int) -> tuple[_Waiting | None, bool]:
        """Return the depth message nearest to a stamp if no nearer one can arrive, and whether the search has ended."""
        if not self._depths:
            return None, False
        best = min(self._depths, key=lambda d: abs(d.stamp_ns - stamp_ns))
        gap = best.stamp_ns - stamp_ns
        later = self._depths[-1].stamp_ns >= stamp_ns
        if abs(gap) <= self.slop_ns:
            return (best, True) if gap == 0 or later else (None, False)
        return None, later

    def _info(self, image: _Waiting) -> Any:
        """Return the camera_info with the stamp of an image, else the newest one (K hardly ever changes)."""
        if not self._infos:
            self.counts['no_info' if self._last_info is None else 'old_info'] += 1
            return self._last_info
        best = min(self._infos, key=lambda i: abs(i.stamp_ns - image.stamp_ns))
        if abs(best.stamp_ns - image.stamp_ns) > self.slop_ns:
            best = self._infos[-1]
            self.counts['old_info'] += 1
        else:
            self._paired = best.stamp_ns == image.stamp_ns
        return best.message
