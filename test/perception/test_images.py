"""Every encoding a camera sends becomes the same picture; what is broken is refused in words."""

import io
import struct

import cv2
import numpy as np
from PIL import Image
import pytest

from converseg_ros.core import InputError
from converseg_ros.perception import images

H, W = 24, 32


@pytest.fixture
def rgb() -> np.ndarray:
    rows, columns = np.mgrid[0:H, 0:W]
    return np.dstack([rows * 8, columns * 7, (rows + columns) * 4]).astype(np.uint8)


def encoded(rgb: np.ndarray, encoding: str) -> np.ndarray:
    order = {'bgr8': [2, 1, 0], 'rgb8': [0, 1, 2], '8UC3': [2, 1, 0]}
    if encoding in order:
        return rgb[..., order[encoding]]
    alpha = np.full((H, W, 1), 9, np.uint8)
    if encoding == 'rgba8':
        return np.dstack([rgb, alpha])
    return np.dstack([rgb[..., ::-1], alpha])


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', '8UC3', 'rgba8', 'bgra8', '8UC4'])
@pytest.mark.parametrize('padding', [0, 5])
def test_colour_encodings_and_padded_rows(rgb: np.ndarray, encoding: str, padding: int) -> None:
    pixels = encoded(rgb, encoding)
    row = W * pixels.shape[2]
    data = b''.join(pixels[y].tobytes() + b'\xee' * padding for y in range(H))
    assert np.array_equal(images.decode_color(data, encoding, H, W, row + padding), rgb)
    if padding:  # the last row may come without its padding
        assert np.array_equal(images.decode_color(data[:-padding], encoding, H, W, row + padding), rgb)


@pytest.mark.parametrize('big', [False, True])
def test_sixteen_bits_in_both_byte_orders(big: bool) -> None:
    values = (np.arange(H * W, dtype=np.uint16) * 60).reshape(H, W)
    data = values.astype('>u2' if big else '<u2').tobytes()
    assert np.array_equal(images.read_pixels(data, 'mono16', H, W, big_endian=big), values)
    grey = images.decode_color(data, 'mono16', H, W, big_endian=big)
    assert np.array_equal(grey[..., 1], values >> 8)
    metres = np.asarray(images.stored_depth(data, '16UC1', H, W, big_endian=big))
    assert np.allclose(metres[1:], values[1:] / 1000)
    floats = (values / 1000).astype('>f4' if big else '<f4').tobytes()
    assert np.allclose(np.asarray(images.stored_depth(floats, '32FC1', H, W, big_endian=big))[1:], values[1:] / 1000)


@pytest.mark.parametrize('order', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_bayer_patterns_keep_colours(order: str) -> None:
    colour = np.array([200, 100, 50], np.uint8)
    mosaic = np.zeros((H, W), np.uint8)
    for index, name in enumerate(order):
        mosaic[index // 2 :: 2, index % 2 :: 2] = colour['rgb'.index(name)]
    out = images.decode_color(mosaic.tobytes(), f'bayer_{order}8', H, W)
    assert np.array_equal(np.unique(out[4:-4, 4:-4].reshape(-1, 3), axis=0), [colour])


@pytest.mark.parametrize(('encoding', 'layout'), [('yuv422', 'uyvy'), ('yuv422_yuy2', 'yuyv')])
def test_yuv(encoding: str, layout: str) -> None:
    y, u, v = 150, 90, 170
    pair = {'uyvy': [u, y, v, y], 'yuyv': [y, u, y, v]}[layout]
    out = images.decode_color(bytes(pair * (W // 2) * H), encoding, H, W)
    red = 1.164 * (y - 16) + 1.596 * (v - 128)
    assert abs(int(out[3, 3, 0]) - red) < 3


def test_depth_zero_saturated_nan_and_negative_are_unknown() -> None:
    raw = np.array([[0, 65535, 1000]], np.uint16)
    assert np.isnan(np.asarray(images.stored_depth(raw.tobytes(), '16UC1', 1, 3))[0, :2]).all()
    floats = np.array([[0, np.nan, np.inf, -1, 2]], np.float32)
    out = np.asarray(images.stored_depth(floats.tobytes(), '32FC1', 1, 5))
    assert np.isnan(out[0, :4]).all() and out[0, 4] == 2


@pytest.mark.parametrize(('encoding', 'kind'), [('16UC1', np.uint16), ('32FC1', np.float32)])
def test_depth_is_the_same_where_it_is_looked_at_and_as_a_whole(encoding: str, kind: type) -> None:
    stored = np.random.default_rng(0).integers(0, 9000, (H, W)).astype(kind)
    stored[0, :3] = 65535 if kind is np.uint16 else np.nan
    depth = images.stored_depth(stored.tobytes(), encoding, H, W)
    assert depth.shape == (H, W) and depth.dtype == np.float32
    whole = np.asarray(depth)
    assert whole.dtype == np.float32 and np.isnan(whole[0, :3]).all() and np.nanmax(whole) > 5
    for pixels in (np.arange(0, H * W, 7), np.arange(H * W).reshape(H, W)[::2, ::3]):
        looked = depth.take(pixels)
        assert looked.shape == pixels.shape and np.array_equal(looked, whole.take(pixels), equal_nan=True)


@pytest.mark.parametrize(
    ('encoding', 'data', 'height', 'width', 'step', 'words'),
    [
        ('h264', b'1234', 2, 2, 0, 'unknown encoding'),
        ('rgb8', b'1234', 2, 2, 0, 'bytes of data'),
        ('rgb8', b'x' * 100, 2, 2, 3, 'step'),
        ('rgb8', b'', 0, 0, 0, 'size'),
        ('mono8', b'', 2**31, 2**31, 0, 'size'),
        ('16UC1', b'x' * 8, 2, 2, 0, 'depth image'),
        ('yuv422', b'x' * 12, 2, 3, 0, 'odd width'),
    ],
)
def test_wrong_numbers_are_refused(encoding: str, data: bytes, height: int, width: int, step: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        images.decode_color(data, encoding, height, width, step)


def test_jpeg_and_png_files(rgb: np.ndarray) -> None:
    ok, png = cv2.imencode('.png', rgb[..., ::-1])
    assert ok and np.array_equal(images.decode_compressed_color(png.tobytes(), 'rgb8; png compressed bgr8'), rgb)
    ok, jpeg = cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    out = images.decode_compressed_color(jpeg.tobytes(), 'rgb8; jpeg compressed bgr8')
    assert ok and np.abs(out.astype(int) - rgb).mean() < 6
    assert images.image_size(jpeg.tobytes()) == (W, H)


def test_broken_files_and_bombs_are_refused_before_they_are_decoded() -> None:
    buffer = io.BytesIO()
    Image.new('L', (1, 1)).save(buffer, 'PNG')
    bomb = bytearray(buffer.getvalue())
    bomb[16:24] = struct.pack('>II', 60000, 60000)
    with pytest.raises(InputError, match='announces'):
        images.decode_compressed_color(bytes(bomb))
    for data in (b'', b'\xff\xd8', b'\xff\xd8\xff\xc0\x00', b'nonsense', bytes(buffer.getvalue()[:30])):
        with pytest.raises(InputError):
            images.decode_compressed_color(data)
        with pytest.raises(InputError):
            images.decode_compressed_depth(data, '16UC1; compressedDepth png')


def test_compressed_depth_png_and_quantized() -> None:
    values = (np.arange(H * W, dtype=np.uint16) + 500).reshape(H, W)
    png = cv2.imencode('.png', values)[1].tobytes()
    head = struct.pack('<iff', 0, 0.0, 0.0)
    out = images.decode_compressed_depth(head + png, '16UC1; compressedDepth png')
    assert np.allclose(out, values / 1000)
    a, b = 10100.0, -1009.0  # as compressed_depth_image_transport: quantization 100, 10 m at most
    metres = np.linspace(0.5, 4.0, H * W, dtype=np.float32).reshape(H, W)
    stored = np.round(a / metres + b).clip(1, 65535).astype(np.uint16)
    data = struct.pack('<iff', 0, a, b) + cv2.imencode('.png', stored)[1].tobytes()
    assert np.allclose(images.decode_compressed_depth(data, '32FC1; compressedDepth png'), metres, rtol=0.01)


def rvl(values: np.ndarray) -> bytes:
    """Encode as Wilson (2017) describes, nibble by nibble."""
    nibbles: list[int] = []

    def put(value: int) -> None:
        while True:
            low = value & 7
            value >>= 3
            nibbles.append(low | (8 if value else 0))
            if not value:
                return

    flat, at, previous = values.ravel().astype(int), 0, 0
    while at < flat.size:
        zeros = 0
        while at < flat.size and flat[at] == 0:
            zeros, at = zeros + 1, at + 1
        end = at
        while end < flat.size and flat[end] != 0:
            end += 1
        put(zeros)
        put(end - at)
        for value in flat[at:end]:
            delta = int(value) - previous
            put((delta << 1) ^ (delta >> 63))
            previous = int(value)
        at = end
    nibbles += [0] * (-len(nibbles) % 8)
    words = [int(''.join(f'{n:x}' for n in nibbles[i : i + 8]), 16) for i in range(0, len(nibbles), 8)]
    return struct.pack(f'<{len(words)}I', *words)


def test_rvl_depth() -> None:
    values = np.random.default_rng(1).integers(400, 9000, (H, W)).astype(np.uint16)
    values[5:9, 3:20] = 0
    values[0, :4] = 0
    values[-1, -3:] = 0
    data = struct.pack('<iff', 1, 0, 0) + struct.pack('<II', W, H) + rvl(values)
    out = images.decode_compressed_depth(data, '16UC1; compressedDepth rvl')
    assert np.allclose(np.nan_to_num(out), values / 1000, atol=1e-6)
    with pytest.raises(InputError):
        images.decode_compressed_depth(data[:40], '16UC1; compressedDepth rvl')


@pytest.mark.parametrize('share', [0.3, 0.9, 0.999])
@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_a_compressed_image_that_ends_early_is_refused(suffix, share):
    rgb = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    data = cv2.imencode(suffix, rgb)[1].tobytes()
    assert images.decode_compressed_color(data + bytes(16), 'rgb8; jpeg compressed bgr8').shape == (60, 80, 3)
    with pytest.raises(InputError):
        images.decode_compressed_color(data[: int(share * len(data))], 'rgb8; jpeg compressed bgr8')
