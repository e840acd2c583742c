"""What ConverSeg-Net asks of a language encoder."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from converseg_ros.network.features import LanguageFeatures

Run = Callable[..., Any]  # run(function, key, *tensors) -> function(*tensors), recorded where the device can


class LanguageEncoder(nn.Module):
    """Encodes texts; one that `sees` looks at the image with them, the others at the text alone."""

    sees: ClassVar[bool] = False

    def forward(self, texts: Sequence[str], image: Any = None) -> LanguageFeatures:
        """Return the features of K texts, all about the `image` that `prepare_image` returned."""
        raise NotImplementedError

    def prepare_image(self, rgb: NDArray[np.uint8]) -> Any:
        """Return what `forward` needs of an (H, W, 3) image; None for an encoder that does not see."""
        return None

    def unreadable(self, text: str) -> str:
        """Return why a text cannot be encoded as it is meant, '' if it can."""
        return ''

    def materialise(self) -> None:
        """Make the buffers that no file holds, after the module was built on the meta device."""

    def limit_pixels(self, max_pixels: int) -> None:
        """Look at no more pixels of an image than this."""

    def accelerate(self, run: Run, bucket: Callable[[int], int]) -> None:
        """Let `run` execute the device's part, with lengths filled up to those of `bucket`."""
