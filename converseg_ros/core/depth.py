"""Conversion of stored depth to metres (REP 118), including units and unknown values.

Unsigned integers are multiples of a unit (millimetres in ROS); 0 is no measurement, and the maximum of 16 bits is a
saturated value, which is also unknown. Floats are metres; NaN, infinity and values that are not positive are unknown.
"""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError

MILLIMETRES = 1000.0  # units per metre of 16UC1
SATURATED = 65535
ENCODINGS = ('16UC1', 'mono16', '32FC1')


def depth_to_metres(image: NDArray[np.generic], encoding: str) -> NDArray[np.float32]:
    """Return an (H, W) depth image in float32 metres, NaN where unknown, by its ROS encoding (REP 118).

    16UC1 and mono16 are millimetres, 32FC1 metres. Raise InputError for other encodings and for pixels that do not
    fit the encoding.
    """
    if encoding not in ENCODINGS:
        raise InputError(
            f'depth encoding {encoding!r} is not one of {", ".join(ENCODINGS)}',
            where='depth',
            do='set the camera driver',
        )
    if image.ndim != 2 or (image.dtype.kind == 'f') != (encoding == '32FC1'):
        raise InputError(f'depth is {image.dtype} {image.shape}, its encoding says {encoding}', where='depth')
    return in_metres(image)


def in_metres(stored: NDArray[np.generic], units_per_metre: float = MILLIMETRES) -> NDArray[np.float32]:
    """Return stored depth of any shape in float32 metres, NaN where unknown.

    Unsigned integers are divided by `units_per_metre`, floats are already in metres. Raise InputError for any other
    dtype and for a unit that is not finite and positive.
    """
    if stored.dtype.kind not in 'uf':
        raise InputError(f'depth is {stored.dtype}', where='depth', do='give unsigned integers, or floats in metres')
    found = stored.astype(np.float32)
    if stored.dtype.kind == 'u':
        if not (np.isfinite(units_per_metre) and units_per_metre > 0):
            raise InputError(f'{units_per_metre} units per metre', where='depth scale', do='give a positive number')
        found *= np.float32(1.0 / units_per_metre)
        if stored.dtype.itemsize == 2:
            found[stored == SATURATED] = np.nan
    with np.errstate(invalid='ignore'):
        found[~((found > 0) & (found < np.inf))] = np.nan
    return found
