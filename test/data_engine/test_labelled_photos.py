"""Photographs as sources: labels of COCO, EXIF orientation, and files that cannot be used."""

import cv2
from engine_runs import coco_folder, run
import numpy as np
import pytest

from converseg_ros.cli import main
from converseg_ros.core.errors import InputError
from converseg_ros.core.item import read_items
from converseg_ros.datasets.images import load_upright


def test_labels_give_the_right_pixels_and_turned_photos_are_set_upright(tmp_path):
    source = coco_folder(tmp_path / 'coco')
    manifest = run([source], tmp_path / 'd', judge='labels')
    assert not manifest['failed']
    items = read_items(tmp_path / 'd')
    for i in items:
        rgb, upright = load_upright(i.image_path(tmp_path / 'd'))
        assert upright and rgb.shape[:2] == (120, 160) == i.mask().shape
    positives = [i for i in items if i.positive]
    assert len(positives) >= 8
    for i in positives:  # the background is gray, the things are red and blue: no mask is on the wrong pixels
        pixels = load_upright(i.image_path(tmp_path / 'd'))[0][i.mask()].astype(int)
        assert (pixels.max(1) - pixels.min(1) > 80).mean() > 0.95, i.prompt
    names = {i.prompt for i in items if not i.positive}
    assert names and all('cup' not in n.split() for n in names if 'left' not in n and 'right' not in n)


def test_unreadable_huge_and_empty_input_is_reported(tmp_path, monkeypatch, capsys):
    source = coco_folder(tmp_path / 'coco')
    (source / 'images/plain.png').write_bytes((source / 'images/plain.png').read_bytes()[:100])
    manifest = run([source], tmp_path / 'd', judge='labels')
    assert [f['image'] for f in manifest['failed']] == ['plain.png'] and 'readable' in manifest['failed'][0]['why']
    assert {i.image_id for i in read_items(tmp_path / 'd')} == {'turned.jpg'}
    monkeypatch.setattr('converseg_ros.datasets.images.MAX_PIXELS', 1000)
    with pytest.raises(InputError, match='megapixels'):
        load_upright(source / 'images/turned.jpg')
    (tmp_path / 'empty').mkdir()
    assert main(['engine', 'run', '--source', str(tmp_path / 'empty'), '--out', str(tmp_path / 'e')]) == 1
    assert 'no images' in capsys.readouterr().err
    assert main(['engine', 'run', '--source', str(tmp_path / 'nowhere'), '--out', str(tmp_path / 'e')]) == 1


def test_a_scene_judge_without_a_scene_says_so(tmp_path):
    photo = tmp_path / 'photos'
    photo.mkdir()
    cv2.imwrite(str(photo / 'a.png'), np.full((50, 60, 3), 90, np.uint8))
    manifest = run([photo], tmp_path / 'd', proposer='graph')
    assert 'no labels' in manifest['failed'][0]['why']
