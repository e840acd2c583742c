"""Selection of the images of a stream that differ from each other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

COMPARED_SIZE = (32, 24)  # columns and rows at which images are compared


class Keyframes:
    """Accepts an image if it differs from the last accepted one."""

    def __init__(self, change: float) -> None:
        """Create a selection. change: minimum mean difference in grey levels (0 to 255)."""
        self.change = change
        self._last: NDArray[np.float32] | None = None

    def accepts(self, rgb: NDArray[np.uint8]) -> bool:
        """Return whether an (H, W, 3) image differs enough; the next one is then compared with it."""
        import cv2

        small: NDArray[Any] = cv2.resize(rgb, COMPARED_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._last is not None and float(np.abs(small - self._last).mean()) < self.change:
            return False
        self._last = small
        return True
