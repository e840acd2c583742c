"""Encoding of images as PNG and JPEG; datasets.images reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_bytes


def encode_image(image: NDArray[np.generic], kind: str, *, quality: int = 80, options: Sequence[int] = ()) -> bytes:
    """Return the bytes of an image file.

    Args:
        image: (H, W, 3) RGB or (H, W) grey; uint8, or uint16 for a PNG.
        kind: '.png' or '.jpg'.
        quality: of a JPEG, 0 to 100.
        options: flags of cv2.imwrite for a PNG, each followed by its value.

    Raises:
        InputError: OpenCV cannot encode the image.
    """
    import cv2

    pixels: Any = np.ascontiguousarray(image)
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality] if kind == '.jpg' else list(options)
    try:
        done, data = cv2.imencode(kind, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if image.ndim == 3 else pixels, flags)
    except cv2.error:
        done = False
    if not done:
        raise InputError(f'an image of {image.dtype} {image.shape} cannot be written as {kind}', where='image')
    return data.tobytes()


def write_image(path: Path, image: NDArray[np.generic], *, quality: int = 80, options: Sequence[int] = ()) -> None:
    """Write an image as `path` atomically; its suffix selects the format. See `encode_image`."""
    write_bytes(path, encode_image(image, path.suffix, quality=quality, options=options))
