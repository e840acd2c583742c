"""Reading photos of any origin: upright, 8-bit RGB, of a size that a machine survives."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError

MAX_PIXELS = 40_000_000


def load_upright(path: Path) -> tuple[NDArray[np.uint8], bool]:
    """Return (H, W, 3) uint8 pixels turned as the EXIF tag asks, and whether the file already lies so.

    Raise InputError for a file that is no image, is cut off, or has more than MAX_PIXELS.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f'{image.width}x{image.height} is more than {MAX_PIXELS / 1e6:.0f} megapixels',
                    where=str(path),
                    do='scale it down',
                )
            turned = image.getexif().get(0x0112, 1) not in (0, 1)
            rgb = np.asarray(ImageOps.exif_transpose(image).convert('RGB'))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f'not a readable image ({error})', where=str(path), do='remove or repair it') from error
    if min(rgb.shape[:2]) < 16:
        raise InputError(f'{rgb.shape[1]}x{rgb.shape[0]} is too small', where=str(path))
    return rgb, not turned
