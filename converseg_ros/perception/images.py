"""Conversion of camera images to arrays, by encoding, byte order and row length; without ROS, for bags and nodes.

Sources: sensor_msgs/image_encodings.hpp, REP 118 (depth), the header of compressed_depth_image_transport.
"""

from functools import lru_cache
import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.depth import ENCODINGS as DEPTH_ENCODINGS
from converseg_ros.core.depth import depth_to_metres, in_metres
from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import StoredDepth

MAX_PIXELS = 64_000_000  # a larger image has an invalid header
Buffer = Any  # bytes, bytearray, memoryview, array.array('B') or (N,) uint8

# encoding -> (dtype, channels)
LAYOUT: dict[str, tuple[str, int]] = {
    'rgb8': ('u1', 3),
    'bgr8': ('u1', 3),
    '8UC3': ('u1', 3),
    'rgba8': ('u1', 4),
    'bgra8': ('u1', 4),
    '8UC4': ('u1', 4),
    'mono8': ('u1', 1),
    '8UC1': ('u1', 1),
    'rgb16': ('u2', 3),
    'bgr16': ('u2', 3),
    'mono16': ('u2', 1),
    '16UC1': ('u2', 1),
    '32FC1': ('f4', 1),
    'yuv422': ('u1', 2),
    'yuv422_yuy2': ('u1', 2),
    'uyvy': ('u1', 2),
    'yuyv': ('u1', 2),
    **{f'bayer_{order}{bits}': (f'u{bits // 8}', 1) for order in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)},
}
# OpenCV names a Bayer pattern by the second and third pixel of the second row: rggb in ROS is BG in OpenCV.
BAYER = {'rggb': 'BayerBG', 'bggr': 'BayerRG', 'gbrg': 'BayerGR', 'grbg': 'BayerGB'}
COLOR_ENCODINGS = tuple(e for e in LAYOUT if e not in ('16UC1', '32FC1'))


def read_pixels(
    data: Buffer, encoding: str, height: int, width: int, step: int = 0, *, big_endian: bool = False
) -> NDArray[Any]:
    """Return the (H, W) or (H, W, C) pixels of a raw image in native byte order; a view if possible.

    step: bytes per row, including padding; 0: no padding. Raises InputError if the sizes do not match the data.
    """
    if encoding not in LAYOUT:
        raise InputError(f'unknown encoding {encoding!r}', where='image', do=f'use one of {", ".join(LAYOUT)}')
    kind, channels = LAYOUT[encoding]
    dtype = np.dtype(kind)
    row = width * channels * dtype.itemsize
    step = step or row
    if height <= 0 or width <= 0 or height * width > MAX_PIXELS:
        raise InputError(f'the size is {width}x{height}', where='image', do='fix the publisher')
    if step < row:
        raise InputError(f'step is {step}, a row of {width} {encoding} pixels has {row} bytes', where='image')
    flat = np.frombuffer(data, np.uint8)
    needed = step * (height - 1) + row
    if flat.size < needed:
        raise InputError(
            f'{flat.size} bytes of data, {needed} are needed for {width}x{height} {encoding}', where='image'
        )
    if flat.size >= step * height:
        rows = flat[: step * height].reshape(height, step)[:, :row]
    else:  # the last row has no padding
        rows = np.lib.stride_tricks.as_strided(flat, (height, row), (step, 1), writeable=False)
    if dtype.itemsize > 1:
        rows = np.ascontiguousarray(rows).view(dtype.newbyteorder('>' if big_endian else '<'))
        rows = rows.astype(dtype, copy=False)
    elif row != step:
        rows = np.ascontiguousarray(rows)
    return rows.reshape((height, width, channels) if channels > 1 else (height, width))


def to_rgb(pixels: NDArray[Any], encoding: str) -> NDArray[np.uint8]:
    """Return contiguous (H, W, 3) uint8 RGB of pixels from `read_pixels` with a colour or grey encoding."""
    import cv2

    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)  # linear: full range to full range
        encoding = encoding.replace('16', '8')
    if pixels.dtype != np.uint8:
        raise InputError(f'{encoding} is not a colour encoding', where='image', do='check the image topic')
    if encoding == 'rgb8':
        return np.ascontiguousarray(pixels)
    if encoding.startswith('bayer_'):
        code = f'COLOR_{BAYER[encoding[6:10]]}2RGB'
    elif encoding in ('mono8', '8UC1'):
        code = 'COLOR_GRAY2RGB'
    else:
        code = {
            'bgr8': 'COLOR_BGR2RGB',
            '8UC3': 'COLOR_BGR2RGB',
            'rgba8': 'COLOR_RGBA2RGB',
            'bgra8': 'COLOR_BGRA2RGB',
            '8UC4': 'COLOR_BGRA2RGB',
            'yuv422': 'COLOR_YUV2RGB_UYVY',
            'uyvy': 'COLOR_YUV2RGB_UYVY',
            'yuv422_yuy2': 'COLOR_YUV2RGB_YUY2',
            'yuyv': 'COLOR_YUV2RGB_YUY2',
        }[encoding]
    if encoding in ('yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv') and pixels.shape[1] % 2:
        raise InputError(f'{encoding} with an odd width of {pixels.shape[1]}', where='image')
    return np.asarray(cv2.cvtColor(pixels, getattr(cv2, code)), np.uint8)


def decode_color(
    data: Buffer, encoding: str, height: int, width: int, step: int = 0, *, big_endian: bool = False
) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB of a raw colour or grey image; raise InputError for other encodings."""
    if encoding in ('16UC1', '32FC1'):
        raise InputError(f'{encoding} is a depth image', where='image', do='check which topic is which')
    return to_rgb(read_pixels(data, encoding, height, width, step, big_endian=big_endian), encoding)


def stored_depth(
    data: Buffer, encoding: str, height: int, width: int, step: int = 0, *, big_endian: bool = False
) -> StoredDepth:
    """Return a raw depth image (REP 118) that is decoded on access."""
    if encoding not in DEPTH_ENCODINGS:
        raise InputError(
            f'{encoding!r} is not a depth encoding', where='depth', do=f'use one of {", ".join(DEPTH_ENCODINGS)}'
        )
    pixels = read_pixels(data, encoding, height, width, step, big_endian=big_endian)
    return StoredDepth(pixels, in_metres if encoding == '32FC1' else _looked_up)


def _looked_up(millimetres: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return float32 metres of uint16 millimetres of any shape."""
    import cv2

    # OpenCV 5 supports 16-bit lookup tables, in half the time
    if millimetres.ndim == 2 and int(cv2.__version__.split('.')[0]) >= 5:
        return np.asarray(cv2.LUT(millimetres, _metres()), np.float32)
    # mode clip skips a range check, which takes half the time; all values are in range
    return _metres().take(millimetres, mode='clip')


@lru_cache(maxsize=1)
def _metres() -> NDArray[np.float32]:
    """Return the metres of each 16-bit depth value."""
    return in_metres(np.arange(65536, dtype=np.uint16))


def image_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) from the header of a PNG or JPEG without decoding; raise InputError for other data."""
    if data[:8] == b'\x89PNG\r\n\x1a\n' and len(data) >= 24 and data[12:16] == b'IHDR':
        width, height = struct.unpack('>II', data[16:24])
        return width, height
    if data[:2] != b'\xff\xd8':
        raise InputError('neither JPEG nor PNG data', where='compressed image', do='use the jpeg or png format')
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack('>HH', data[at + 5 : at + 9])
            return width, height
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        at += 2 + int(struct.unpack('>H', data[at + 2 : at + 4])[0])
    raise InputError('the JPEG data has no frame header', where='compressed image', do='fix the publisher')


def decode_file(data: Buffer, flags: int | None = None) -> NDArray[Any]:
    """Return JPEG or PNG bytes decoded by OpenCV (BGR, or as stored); reject huge images by the size in the header."""
    import cv2

    raw = bytes(memoryview(data))
    width, height = image_size(raw)
    if not 0 < width * height <= MAX_PIXELS:
        raise InputError(f'the header announces {width}x{height} pixels', where='compressed image', do='refused')
    if raw[:2] == b'\xff\xd8' and raw.rfind(b'\xff\xd9') < 0:  # some versions of OpenCV fill up what is missing
        raise InputError('the JPEG data ends early', where='compressed image', do='fix the publisher')
    try:
        image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR if flags is None else flags)
    except cv2.error as error:
        raise InputError(f'cannot be decoded ({error.err})', where='compressed image') from error
    if image is None:
        raise InputError('broken JPEG or PNG data', where='compressed image', do='fix the publisher')
    return np.asarray(image)


def decode_compressed_color(data: Buffer, fmt: str = '') -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB of a CompressedImage; `fmt` is its format field, e.g. 'rgb8; jpeg compressed bgr8'."""
    import cv2

    if 'compressedDepth' in fmt:
        raise InputError('this is a compressedDepth image', where='image', do='check which topic is which')
    stored = fmt.split(';')[0].strip()
    if stored.startswith('bayer_') and 'jpeg compressed bgr8' not in fmt:
        grey = decode_file(data, cv2.IMREAD_GRAYSCALE)
        return to_rgb(grey, stored.replace('16', '8'))
    return np.asarray(cv2.cvtColor(decode_file(data), cv2.COLOR_BGR2RGB), np.uint8)


def decode_rvl(data: bytes, height: int, width: int) -> NDArray[np.uint16]:
    """Return the (H, W) uint16 image of RVL data (Wilson 2017, Fast Lossless Depth Image Compression)."""
    total = height * width
    words = np.frombuffer(data[: len(data) // 4 * 4], '<u4')
    # nibbles, the highest of each word first; the last nibble of a value has its highest bit clear
    nibbles = ((words[:, None] >> np.arange(28, -1, -4, dtype=np.uint32)) & 15).astype(np.uint8).ravel()
    out = np.zeros(total, np.uint16)
    ends = np.flatnonzero(nibbles < 8)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if ends.size == 0 or (ends - starts).max() > 7:
        raise InputError('broken RVL data', where='compressed depth')
    values = np.zeros(ends.size, np.int64)
    for k in range(int((ends - starts).max()) + 1):
        at = starts + k
        inside = at <= ends
        values[inside] |= (nibbles[at[inside]].astype(np.int64) & 7) << (3 * k)
    deltas = (values >> 1) ^ -(values & 1)
    pixel, index, previous = 0, 0, 0
    while pixel < total:
        if index + 1 >= values.size:
            raise InputError('the RVL data are truncated', where='compressed depth')
        zeros, count = int(values[index]), int(values[index + 1])
        index += 2
        pixel += zeros
        if pixel + count > total or index + count > values.size or (zeros == 0 and count == 0):
            raise InputError('broken RVL data', where='compressed depth')
        run = previous + np.cumsum(deltas[index : index + count])
        out[pixel : pixel + count] = run.astype(np.uint16)
        previous = int(run[-1]) if count else previous
        pixel += count
        index += count
    return out.reshape(height, width)


def decode_compressed_depth(data: Buffer, fmt: str) -> NDArray[np.float32]:
    """Return (H, W) float32 metres, NaN where unknown, of a compressedDepth image (PNG or RVL; 16UC1 or 32FC1).

    The data begin with 12 bytes: a format number and two floats A, B; 32FC1 is stored as q with depth = A / (q - B). A
    plain 16-bit PNG (without this header and without 'compressedDepth' in the format) is in millimetres.
    """
    import cv2

    raw = bytes(memoryview(data))
    encoding = fmt.split(';')[0].strip() or '16UC1'
    if encoding not in DEPTH_ENCODINGS:
        raise InputError(f'format {fmt!r} is not a depth format', where='compressed depth', do='check the depth topic')
    a, b = 0.0, 0.0
    if 'compressedDepth' in fmt:
        if len(raw) <= 12:
            raise InputError(f'{len(raw)} bytes of data', where='compressed depth')
        _, a, b = struct.unpack('<iff', raw[:12])
        raw = raw[12:]
    if 'rvl' in fmt.lower():
        if len(raw) < 8:
            raise InputError(f'{len(raw)} bytes of RVL data', where='compressed depth')
        width, height = struct.unpack('<II', raw[:8])
        if not 0 < width * height <= MAX_PIXELS:
            raise InputError(f'the header announces {width}x{height} pixels', where='compressed depth', do='refused')
        stored: NDArray[Any] = decode_rvl(raw[8:], height, width)
    else:
        stored = decode_file(raw, cv2.IMREAD_UNCHANGED)
    if stored.dtype != np.uint16 or stored.ndim != 2:
        raise InputError(f'holds {stored.dtype} {stored.shape}, not 16-bit depth', where='compressed depth')
    if encoding != '32FC1':
        return depth_to_metres(stored, '16UC1')
    if not (math.isfinite(a) and math.isfinite(b)) or a <= 0:
        raise InputError(f'quantization header A={a}, B={b}', where='compressed depth')
    with np.errstate(divide='ignore', invalid='ignore'):
        unpacked = np.where(stored > 0, np.float32(a) / (stored.astype(np.float32) - np.float32(b)), np.float32(np.nan))
    return depth_to_metres(unpacked.astype(np.float32), '32FC1')
