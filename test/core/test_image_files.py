"""Images are written as the files that their readers expect: format, order of the channels, depth of the pixels."""

from pathlib import Path

import numpy as np
from PIL import Image
import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.core.image_files import encode_image, write_image
from converseg_ros.datasets.images import read_image16, read_rgb

RED = np.full((20, 30, 3), (250, 10, 20), np.uint8)


def test_a_png_has_the_same_pixels_and_a_jpeg_nearly_the_same(tmp_path: Path) -> None:
    write_image(tmp_path / 'a.png', RED)
    write_image(tmp_path / 'a.jpg', RED, quality=95)
    assert (read_rgb(tmp_path / 'a.png') == RED).all()
    assert np.abs(read_rgb(tmp_path / 'a.jpg').astype(int) - RED).max() < 12
    assert [Image.open(tmp_path / name).format for name in ('a.png', 'a.jpg')] == ['PNG', 'JPEG']


def test_sixteen_bits_and_views_of_arrays_are_kept(tmp_path: Path) -> None:
    depth = np.arange(600, dtype=np.uint16).reshape(20, 30) * 100
    write_image(tmp_path / 'depth.png', depth)
    assert (read_image16(tmp_path / 'depth.png') == depth).all()
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    write_image(tmp_path / 'flipped.png', picture[::-1])
    assert (read_rgb(tmp_path / 'flipped.png') == picture[::-1]).all()


def test_a_lower_quality_is_a_smaller_file() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    assert len(encode_image(picture, '.jpg', quality=30)) < len(encode_image(picture, '.jpg', quality=90))


def test_what_cannot_be_encoded_is_an_error_that_names_it() -> None:
    with pytest.raises(InputError, match=r'uint8 \(0, 30, 3\) cannot be written as .png'):
        encode_image(RED[:0], '.png')
