"""Readers of image files: colour as upright 8-bit RGB, masks, 16-bit images, and depth in metres.

A file that is truncated, is not an image, or has more pixels than MAX_PIXELS raises InputError.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import json
import math
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.depth import MILLIMETRES, in_metres
from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Intrinsics

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 40_000_000
ORIENTATION = 0x0112  # EXIF and TIFF tag
DEEP = ('I;16', 'I;16L', 'I;16B', 'I;16N', 'I')  # Pillow modes of 16-bit grey
Source = Path | IO[bytes]


def read_rgb(source: Source) -> NDArray[np.uint8]:
    """Return an image file as (H, W, 3) uint8 RGB, rotated by its EXIF or TIFF orientation.

    The high byte of 16-bit grey is used, as for the ROS encoding mono16. Transparency is ignored.
    """
    return load_upright(source)[0]


def read_rgba(source: Source) -> NDArray[np.uint8]:
    """Return an image file as (H, W, 4) uint8: the pixels of `read_rgb`, and alpha (255 without transparency)."""
    return _load(source, 'RGBA')[0]


def load_upright(source: Source) -> tuple[NDArray[np.uint8], bool]:
    """Return the image of `read_rgb`, and whether the file is already stored upright."""
    return _load(source, 'RGB')


def _load(source: Source, mode: str) -> tuple[NDArray[np.uint8], bool]:
    """Return an upright 8-bit image in a mode of Pillow (RGB or RGBA), and whether the file is stored upright."""
    from PIL import Image, ImageOps

    with _opened(source, 'image') as image:
        turned = image.getexif().get(ORIENTATION, 1) not in (0, 1)
        image.load()
        if image.mode == 'F':
            raise InputError(
                'floating-point pixels are not a colour image', where=_name(source), do='give 8 or 16 bits'
            )
        upright = ImageOps.exif_transpose(image)
        if image.mode in DEEP:
            grey = np.asarray(upright)
            if grey.min(initial=0) < 0 or grey.max(initial=0) > 65535:
                raise InputError('grey values beyond 16 bits', where=_name(source), do='give 8 or 16 bits')
            upright = Image.fromarray((grey.astype(np.uint16) >> 8).astype(np.uint8))
        return np.array(upright.convert(mode)), not turned


def read_mask(source: Source) -> NDArray[np.bool_]:
    """Return a mask file as (H, W) bool; pixels above 0 in any channel except alpha are foreground."""
    with _opened(source, 'mask') as image:
        values = np.array(image if image.mode in ('1', 'L', 'F', *DEEP) else image.convert('RGB'))
    return np.asarray(values.reshape(*values.shape[:2], -1).any(-1), bool)


def read_image16(source: Source) -> NDArray[np.uint16]:
    """Return a 16-bit grey file (labels, depth) as (H, W) uint16."""
    with _opened(source, '16-bit image') as image:
        if image.mode not in DEEP:
            raise InputError(f'not 16-bit grey but {image.mode}', where=_name(source), do='give a 16-bit grey PNG')
        values = np.asarray(image)
    return values.astype(np.uint16)


def read_depth(path: Path, units_per_metre: float = MILLIMETRES) -> NDArray[np.float32]:
    """Return an (H, W) depth file in float32 metres, NaN where unknown.

    The unit follows from the dtype: 16-bit grey PNG or TIFF and .npy of unsigned integers have `units_per_metre`; .npy
    of floats is in metres.
    """
    if path.suffix.lower() != '.npy':
        return in_metres(read_image16(path), units_per_metre)
    try:
        stored = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f'cannot be read as .npy ({error})', where=str(path), do='save it again') from error
    if not isinstance(stored, np.ndarray) or stored.ndim != 2:
        raise InputError('not an (H, W) array', where=str(path), do='save one depth image')
    try:
        return in_metres(stored, units_per_metre)
    except InputError as error:
        raise InputError(error.what, where=str(path), do=error.do) from error


@dataclass(frozen=True, slots=True)
class CameraFile:
    """The contents of a camera.json: intrinsics, and the units per metre of integer depth."""

    intrinsics: Intrinsics
    depth_scale: float = MILLIMETRES

    @classmethod
    def read(cls, path: Path) -> 'CameraFile':
        """Read {width, height, K (nine numbers in row-major order) or fx, fy, cx, cy, depth_scale}."""
        try:
            data = json.loads(path.read_text(encoding='utf-8-sig'))
            k = data['K'] if 'K' in data else [data['fx'], 0, data['cx'], 0, data['fy'], data['cy'], 0, 0, 1]
            size = (int(data['width']), int(data['height']))
            intrinsics = Intrinsics.from_matrix(k, *size)
            scale = float(data.get('depth_scale', MILLIMETRES))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            if isinstance(error, InputError):
                raise InputError(error.what, where=str(path), do=error.do) from error
            raise InputError(
                f'not a camera ({type(error).__name__}: {error})',
                where=str(path),
                do='give width, height and K in JSON',
            ) from error
        if not (math.isfinite(scale) and scale > 0):
            raise InputError(f'depth_scale is {scale}', where=str(path), do='give the units per metre, e.g. 1000')
        return cls(intrinsics, scale)


@contextmanager
def _opened(source: Source, what: str) -> Iterator['Image']:
    """Open an image, reject one that is too large, and name the file in decoding errors."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(source) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f'{image.width}x{image.height} is more than {MAX_PIXELS / 1e6:.0f} megapixels',
                    where=_name(source),
                    do='scale it down',
                )
            yield image
    except InputError:
        raise
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f'not a readable {what} ({reason})', where=_name(source), do='remove or repair it') from error


def _name(source: Any) -> str:
    return str(source) if isinstance(source, Path) else 'image data'
