"""The interface of a language encoder for ConverSeg-Net."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from converseg_ros.network.features import LanguageFeatures

Run = Callable[..., Any]  # run(function, key, *tensors) -> function(*tensors), recorded if the device supports it


class LanguageEncoder(nn.Module):
    """Encodes texts; an encoder with `sees` uses the image too, others only the text."""

    sees: ClassVar[bool] = False

    def forward(self, texts: Sequence[str], image: Any = None) -> LanguageFeatures:
        """Return the features of K texts about the `image` from `prepare_image`."""
        raise NotImplementedError

    def prepare_image(self, rgb: NDArray[np.uint8]) -> Any:
        """Return the input of `forward` for an (H, W, 3) image; None for an encoder that does not see."""
        return None

    def unreadable(self, text: str) -> str:
        """Return why a text cannot be encoded faithfully, '' if it can."""
        return ''

    def materialise(self) -> None:
        """Create the buffers that no file contains, after the module was built on the meta device."""

    def limit_pixels(self, max_pixels: int) -> None:
        """Set the maximum number of pixels of an image."""

    def accelerate(self, run: Run, bucket: Callable[[int], int]) -> None:
        """Let `run` execute the part on the device, with lengths padded to those of `bucket`."""
