"""Every image file is read by one reader: upright, whole, in the right units, or refused with its name."""

from functools import partial
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
import pytest

from converseg_ros.core import InputError
from converseg_ros.datasets.images import CameraFile, load_upright, read_depth, read_image16, read_mask, read_rgb

H, W = 60, 80


def photo(seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((W, H), Image.Resampling.BICUBIC))


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_16_bit_grey_keeps_its_brightness(tmp_path: Path, suffix: str) -> None:
    grey = np.full((H, W), 113 << 8, np.uint16)
    grey[0, 0], grey[0, 1] = 0, 65535
    Image.fromarray(grey).save(tmp_path / f'grey{suffix}')
    rgb = read_rgb(tmp_path / f'grey{suffix}')
    assert rgb.shape == (H, W, 3) and rgb.dtype == np.uint8
    assert (rgb[1:] == 113).all() and (rgb[0, 0] == 0).all() and (rgb[0, 1] == 255).all()
    assert np.array_equal(read_image16(tmp_path / f'grey{suffix}'), grey)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'L', 'LA', 'P', '1', 'CMYK'])
def test_every_common_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = '.tif' if mode == 'CMYK' else '.png'
    Image.fromarray(photo()).convert(mode).save(tmp_path / f'x{suffix}')
    assert read_rgb(tmp_path / f'x{suffix}').shape == (H, W, 3)


@pytest.mark.parametrize('suffix', ['.jpg', '.tif', '.png'])
@pytest.mark.parametrize('orientation', [1, 3, 6, 8])
def test_photos_are_turned_upright_whatever_the_format(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = np.zeros((H, W, 3), np.uint8)
    upright[: H // 2] = (200, 30, 30)
    upright[:, : W // 4] = (30, 30, 200)
    stored = np.rot90(upright, {1: 0, 3: 2, 6: 1, 8: 3}[orientation])
    image = Image.fromarray(np.ascontiguousarray(stored))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / f'x{suffix}', exif=exif)
    rgb, as_stored = load_upright(tmp_path / f'x{suffix}')
    assert rgb.shape == upright.shape and as_stored == (orientation == 1)
    assert np.abs(rgb.astype(int) - upright).mean() < 8


@pytest.mark.parametrize('share', [0.3, 0.9])
@pytest.mark.parametrize('form', ['JPEG', 'PNG', 'TIFF'])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, form: str, share: float) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photo()).save(buffer, form)
    path = tmp_path / 'cut'
    path.write_bytes(buffer.getvalue()[: int(share * buffer.tell())])
    with pytest.raises(InputError, match='cut: not a readable image'):
        read_rgb(path)


def test_commands_and_training_refuse_a_cut_jpeg_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('torch')
    from converseg_ros.cli import main
    from converseg_ros.core import Item, encode_rle
    from converseg_ros.training.converseg.config import SourceConfig
    from converseg_ros.training.converseg.records import read_records

    path = tmp_path / 'half.jpg'
    Image.fromarray(photo()).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    call = ['predict', '--model', 'micro', '--image', str(path), '--prompt', 'a cup', '--out', str(tmp_path / 'out')]
    assert main(call) == 1
    assert 'half.jpg' in capsys.readouterr().err
    item = Item('a', 'half.jpg', 'a cup', encode_rle(np.ones((H, W), bool)), split='train', image_id='a')
    (tmp_path / 'items.jsonl').write_text(json.dumps(item.to_json()) + '\n')
    (record,) = read_records(SourceConfig(path=str(tmp_path)), 'train')
    with pytest.raises(InputError, match=r'half\.jpg'):
        record.load()


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / 'text.png').write_text('hello')
    for read in (read_rgb, read_mask, read_image16):
        for name in ('text.png', 'nowhere.png'):
            with pytest.raises(InputError, match=name):
                read(tmp_path / name)
    Image.fromarray(np.full((H, W), 0.5, np.float32)).save(tmp_path / 'float.tif')
    with pytest.raises(InputError, match='floating-point'):
        read_rgb(tmp_path / 'float.tif')
    Image.fromarray(photo()).save(tmp_path / 'colour.png')
    with pytest.raises(InputError, match='not 16-bit grey'):
        read_depth(tmp_path / 'colour.png')


def test_the_dtype_of_depth_decides_on_its_unit(tmp_path: Path) -> None:
    millimetres = np.array([[0, 500, 1250, 65535]], np.uint16)
    Image.fromarray(millimetres).save(tmp_path / 'd.png')
    np.save(tmp_path / 'd.npy', millimetres)
    np.save(tmp_path / 'm.npy', np.array([[0, 0.5, 1.25, np.nan]]))
    for name in ('d.png', 'd.npy', 'm.npy'):
        depth = read_depth(tmp_path / name)
        assert depth.dtype == np.float32 and np.isnan(depth[0, [0, 3]]).all()
        assert depth[0, 1:3] == pytest.approx([0.5, 1.25])
    assert read_depth(tmp_path / 'd.npy', 5000.0)[0, 1] == pytest.approx(0.1)
    np.save(tmp_path / 'i.npy', millimetres.astype(np.int32))
    with pytest.raises(InputError, match=r'i\.npy: depth is int32'):
        read_depth(tmp_path / 'i.npy')


def test_a_cut_array_and_one_with_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / 'd.npy', np.ones((H, W), np.float32))
    (tmp_path / 'd.npy').write_bytes((tmp_path / 'd.npy').read_bytes()[:-100])
    np.save(tmp_path / 'o.npy', np.array([[{}]]), allow_pickle=True)
    np.save(tmp_path / 'v.npy', np.ones(5, np.float32))
    (tmp_path / 'e.npy').write_bytes(b'')
    for name in ('d.npy', 'o.npy', 'v.npy', 'e.npy', 'nowhere.npy'):
        with pytest.raises(InputError, match=name):
            read_depth(tmp_path / name)


@pytest.mark.parametrize('scale', [0, -1000, float('nan'), float('inf'), 'much'])
def test_a_depth_scale_without_sense_is_refused(tmp_path: Path, scale: object) -> None:
    camera = {'width': W, 'height': H, 'K': [70, 0, 40, 0, 70, 30, 0, 0, 1], 'depth_scale': scale}
    (tmp_path / 'camera.json').write_text(json.dumps(camera))
    with pytest.raises(InputError, match=r'camera\.json'):
        CameraFile.read(tmp_path / 'camera.json')


def test_a_camera_is_read_with_and_without_a_scale(tmp_path: Path) -> None:
    write = partial((tmp_path / 'camera.json').write_text, encoding='utf-8-sig')
    write(json.dumps({'width': W, 'height': H, 'fx': 70, 'fy': 71, 'cx': 40, 'cy': 30}))
    camera = CameraFile.read(tmp_path / 'camera.json')
    assert (camera.intrinsics.fx, camera.intrinsics.fy, camera.depth_scale) == (70, 71, 1000)
    write('[1, 2]')
    with pytest.raises(InputError, match='not a camera'):
        CameraFile.read(tmp_path / 'camera.json')
