"""camera_info as it is: calibrated or not, binned, cropped, distorted."""

import cv2
import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.perception.camera import Calibration, Rectifier, rectified_size

K = (500.0, 0.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 1.0)


def test_an_uncalibrated_camera_is_refused() -> None:
    with pytest.raises(InputError, match='all zero'):
        Calibration(640, 480, (0.0,) * 9).intrinsics()


def test_binning_and_region_of_interest() -> None:
    k = Calibration(640, 480, K, binning_x=2, binning_y=2, roi=(100, 40, 400, 200)).intrinsics()
    assert (k.width, k.height) == (200, 100)
    assert k.fx == 250 and k.fy == 255
    # the full image's pixel (319.5, 239.5) is the crop's (219.5, 199.5), whose binned centre lies at 109.5, 99.5
    assert k.cx == pytest.approx(109.5) and k.cy == pytest.approx(99.5)
    with pytest.raises(InputError, match='describes 200x100'):
        rectified_size((480, 640, 3), Calibration(640, 480, K, binning_x=2, binning_y=2, roi=(100, 40, 400, 200)))


@pytest.mark.parametrize(('model', 'd'), [('plumb_bob', (-0.3, 0.1, 0.0, 0.0, 0.0)), ('equidistant', (0.1, 0, 0, 0))])
def test_distortion_is_taken_out(model: str, d: tuple[float, ...]) -> None:
    calibration = Calibration(640, 480, K, d, model)
    k = Rectifier().prepare(calibration).matrix
    ray = np.array([[[0.4, 0.25, 1.0]]])
    if model == 'equidistant':
        seen = cv2.fisheye.distortPoints(ray[..., :2].astype(np.float64), k, np.array(d, np.float64)).ravel()
    else:
        seen = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), k, np.array(d))[0].ravel()
    image = np.zeros((480, 640, 3), np.uint8)
    depth = np.full((480, 640), 2.0, np.float32)
    u, v = np.round(seen).astype(int)
    image[v - 2 : v + 3, u - 2 : u + 3] = 255
    depth[v - 2 : v + 3, u - 2 : u + 3] = 1.0
    rectifier = Rectifier()
    rectifier.prepare(calibration)
    straight, flat = rectifier.rectify(image, depth)
    x, y = np.round((k @ ray[0, 0])[:2]).astype(int)
    assert straight[y, x].min() > 200 and flat is not None and flat[y, x] == 1.0
    assert set(np.unique(flat[np.isfinite(flat)])) == {1.0, 2.0}, 'depth is never interpolated'


def test_distortion_can_be_refused_or_ignored() -> None:
    bent = Calibration(640, 480, K, (-0.3, 0.1, 0.0, 0.0, 0.0), p=(400.0, 0, 300.0, 0, 0, 410.0, 200.0, 0, 0, 0, 1, 0))
    with pytest.raises(InputError, match='distortion'):
        Rectifier('refuse').prepare(bent)
    ignoring = Rectifier('ignore')
    assert ignoring.prepare(bent).fx == 400, 'rectified images are described by P'
    image = np.zeros((480, 640, 3), np.uint8)
    assert ignoring.rectify(image, None)[0] is image
    with pytest.raises(InputError, match='not known'):
        Rectifier().prepare(Calibration(640, 480, K, (0.1,) * 5, 'inverse_brown_conrady'))


def test_a_calibration_that_changes_is_taken_up() -> None:
    rectifier = Rectifier()
    assert rectifier.prepare(Calibration(640, 480, K)).fx == 500
    assert rectifier.prepare(Calibration(640, 480, (600.0, *K[1:]))).fx == 600


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), -float('inf'), 1e30])
@pytest.mark.parametrize('model', ['plumb_bob', 'equidistant', 'rational_polynomial'])
@pytest.mark.parametrize('place', [0, 1, 3])
def test_distortion_that_no_lens_has_is_refused_with_the_reason(bad: float, model: str, place: int) -> None:
    d = [0.01] * {'plumb_bob': 5, 'equidistant': 4, 'rational_polynomial': 8}[model]
    d[place] = bad
    with pytest.raises(InputError, match=r'(?:D has|with the distortion D)'):
        Rectifier().prepare(Calibration(640, 480, K, tuple(d), model))


@pytest.mark.parametrize(
    'k',
    [
        (500.0, 0.0, 0.0, 0.0, 510.0, 0.0, 319.5, 239.5, 1.0),  # column by column
        (500.0, 0.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 0.0),
        (500.0, 0.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, float('nan')),
        (500.0, 0.0, float('nan'), 0.0, 510.0, 239.5, 0.0, 0.0, 1.0),
        (500.0, 40.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 1.0),
        (500.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 1.0),
        (-500.0, 0.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 1.0),
    ],
)
def test_a_k_that_is_no_camera_matrix_is_refused_with_the_reason(k: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r'\bK\b'):
        Rectifier().prepare(Calibration(640, 480, k))
    p = (*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0)
    if len(p) == 12 and k[0] > 0:
        with pytest.raises(InputError, match=r'\bK\b'):
            Rectifier('ignore').prepare(Calibration(640, 480, K, (0.1, 0, 0, 0), p=p))


def test_a_fisheye_lens_without_coefficients_is_still_a_fisheye_lens() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, 600:] = 255
    shown = []
    for d in ((0.0,) * 4, (1e-9,) * 4):
        rectifier = Rectifier()
        rectifier.prepare(Calibration(640, 480, K, d, 'equidistant'))
        shown.append(rectifier.rectify(image, None)[0])
    assert np.abs(shown[0].astype(int) - shown[1]).max() <= 1
    assert (shown[0] != image).any()
    with pytest.raises(InputError, match='distortion'):
        Rectifier('refuse').prepare(Calibration(640, 480, K, (0.0,) * 4, 'equidistant'))
    for model in ('equidistant', 'kannala_brandt4', 'fisheye'):
        with pytest.raises(InputError, match='not known'):
            Rectifier().prepare(Calibration(640, 480, K, (0.0,) * 5, model))
    for model in ('', 'none', 'inverse_brown_conrady', 'rational_polynomial'):
        assert Rectifier().prepare(Calibration(640, 480, K, (0.0,) * 5, model)).fx == 500
