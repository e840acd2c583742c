"""Depth and camera are found beside an image, so that every command that reads an image file uses them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.datasets.samples import samples_of_items
from converseg_ros.datasets.views import read_view

CAMERA = {'width': 4, 'height': 3, 'K': [5, 0, 2, 0, 5, 1.5, 0, 0, 1], 'depth_scale': 1000}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with an image NAME.png, its depth of 1.5 m, and no camera."""
    cv2.imwrite(str(tmp_path / 'desk.png'), np.full((3, 4, 3), 90, np.uint8))
    cv2.imwrite(str(tmp_path / 'desk-depth.png'), np.full((3, 4), 1500, np.uint16))
    return tmp_path


@pytest.mark.parametrize('name', ['camera.json', 'desk-camera.json'])
def test_depth_in_metres_and_the_camera_are_found_beside_an_image(folder: Path, name: str) -> None:
    (folder / name).write_text(json.dumps(CAMERA))
    view = read_view(folder / 'desk.png')
    assert np.asarray(view.depth) == pytest.approx(1.5)
    assert view.intrinsics is not None and view.intrinsics.fx == 5


def test_depth_that_is_only_found_needs_a_camera_and_given_depth_demands_one(folder: Path) -> None:
    view = read_view(folder / 'desk.png')
    assert view.depth is None and view.intrinsics is None
    with pytest.raises(InputError, match='without a camera'):
        read_view(folder / 'desk.png', folder / 'desk-depth.png')


def test_a_camera_of_another_size_is_refused(folder: Path) -> None:
    (folder / 'camera.json').write_text(json.dumps(CAMERA | {'width': 8}))
    with pytest.raises(InputError, match='camera is for 8x3'):
        read_view(folder / 'desk.png')


def test_the_items_of_an_evaluation_have_the_depth_beside_their_images(folder: Path) -> None:
    (folder / 'camera.json').write_text(json.dumps(CAMERA))
    cv2.imwrite(str(folder / 'mask.png'), np.zeros((3, 4), np.uint8))
    items = {'items': [{'id': 'a', 'image': 'desk.png', 'mask': 'mask.png', 'prompt': 'the mug'}]}
    (folder / 'items.json').write_text(json.dumps(items))
    (sample,) = samples_of_items(folder / 'items.json')
    assert np.asarray(sample.view().depth) == pytest.approx(1.5)
