"""The newest messages of a segmenter, as a client keeps them."""

from collections.abc import Callable
from copy import copy
from threading import Condition
import time
from typing import Any

from converseg_ros.msg import InstructionAck, Region, RegionArray


class Received:
    """The newest messages of one segmenter; an executor's thread stores them, another thread reads them.

    changed: notified after each message; it also guards `acks`.
    count: the number of messages with regions so far.
    acks: the acknowledgements by their texts, until they are cleared.
    """

    def __init__(self) -> None:
        """Create a store without messages."""
        self.changed = Condition()
        self.count = 0
        self.acks: dict[str, InstructionAck] = {}
        self._regions: RegionArray | None = None
        self._arrived = 0.0  # monotonic time of the regions
        self._safe, self._heard = False, 0.0  # value of ~/safety_ok, and its monotonic time

    def take_regions(self, message: RegionArray) -> None:
        """Store regions."""
        with self.changed:
            self._regions, self.count, self._arrived = message, self.count + 1, time.monotonic()
            self.changed.notify_all()

    def take_ack(self, message: InstructionAck) -> None:
        """Store an acknowledgement."""
        with self.changed:
            self.acks[message.text] = message
            self.changed.notify_all()

    def take_safe(self, message: Any) -> None:
        """Store a value of ~/safety_ok."""
        self._safe, self._heard = bool(message.data), time.monotonic()

    def notify(self) -> None:
        """Let `until` look at its condition again."""
        with self.changed:
            self.changed.notify_all()

    def until(self, done: Callable[[], bool], timeout: float) -> bool:
        """Wait until a condition is true after a message; return False on timeout (seconds)."""
        with self.changed:
            return self.changed.wait_for(done, timeout)

    def ack(self, text: str, timeout: float) -> InstructionAck | None:
        """Wait for the acknowledgement of exactly this text; return None on timeout (seconds)."""
        return self.acks[text] if self.until(lambda: text in self.acks, timeout) else None

    def regions(self, silence: float) -> list[Region]:
        """Return the newest regions, [] before the first; STALE ones if nothing newer arrived in time.

        silence: seconds after the end of a region's validity (`valid_until`) from which it is stale.
        """
        if self._regions is None:
            return []
        age = time.monotonic() - self._arrived
        return [_stale(r, age) if age > _validity(r) + silence else r for r in self._regions.regions]

    def safe(self, silence: float) -> bool:
        """Return the value of ~/safety_ok; False if there was none, or if it is older than `silence` seconds."""
        return self._safe and time.monotonic() - self._heard <= silence


def _validity(region: Region) -> float:
    """Return the number of seconds after its image that a region is valid."""
    begin, end = region.header.stamp, region.valid_until
    return max(0.0, float(end.sec - begin.sec) + float(end.nanosec - begin.nanosec) * 1e-9)


def _stale(region: Region, age: float) -> Region:
    """Return a region with the status STALE."""
    old = copy(region)
    old.status, old.status_reason = Region.STATUS_STALE, f'nothing newer has come for {age:.1f} s'
    return old
