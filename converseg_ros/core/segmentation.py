"""What everything downstream expects of a network: set one image, ask many things of it."""

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.prediction import Prediction


class SegmentationNetwork(Protocol):
    """A loaded network; not thread-safe, one owner calls it."""

    @property
    def name(self) -> str:
        """Name and version of the model folder, for `Region.model`."""
        ...

    @property
    def calibrated(self) -> bool:
        """Whether the folder carries a calibration.json."""
        ...

    @property
    def device(self) -> str:
        """Where it runs, e.g. 'cpu' or 'cuda:0'."""
        ...

    def set_image(self, rgb: NDArray[np.uint8], key: Hashable = None) -> None:
        """Encode an (H, W, 3) uint8 image; a `key` seen lately comes from the cache."""
        ...

    def predict(
        self,
        texts: Sequence[str],
        *,
        recall: Sequence[bool] | None = None,
        checkpoint: Callable[[str], None] | None = None,
    ) -> list[Prediction]:
        """Answer K texts on the image that is set; texts seen lately are not encoded again.

        recall: for each text, whether the safety threshold (chosen for recall) decides instead of the usual one.
        checkpoint: called with the name of each stage before it starts; it may raise to cancel.
        """
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...
