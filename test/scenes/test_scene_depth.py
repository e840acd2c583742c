import numpy as np

from converseg_ros.scenes.render.depth_camera import observe, sigma


def test_noise_grows_with_distance_as_modelled():
    rng = np.random.default_rng(0)
    for z in (0.6, 1.5, 3.0):
        seen = observe(np.full((240, 320), z, np.float32), rng, holes=0.0)
        expected = 0.0012 + 0.0019 * (z - 0.4) ** 2
        np.testing.assert_allclose(sigma(np.array(z)), expected, rtol=1e-5)
        assert abs(float(np.mean(seen)) - z) < expected / 10
        assert 0.8 * expected < float(np.std(seen)) < 1.25 * expected


def test_holes_take_their_share_and_prefer_see_through_surfaces():
    rng = np.random.default_rng(1)
    depth = np.full((240, 320), 1.0, np.float32)
    clear = np.zeros(depth.shape, bool)
    clear[50:100, 50:100] = True
    seen = observe(depth, rng, clear=clear, holes=0.05)
    assert abs(float((seen == 0).mean()) - 0.05) < 0.01
    assert (seen[clear] == 0).mean() > 5 * (seen[~clear] == 0).mean()


def test_edges_bleed_at_most_two_pixels():
    depth = np.full((100, 100), 1.0, np.float32)
    depth[:, 50:] = 2.0
    seen = observe(depth, np.random.default_rng(2), holes=0.0)
    wrong = np.abs(seen - depth) > 0.3
    columns = np.nonzero(wrong.any(0))[0]
    assert len(columns) and columns.min() >= 48 and columns.max() <= 51


def test_nothing_stays_nothing():
    depth = np.zeros((50, 50), np.float32)
    assert not observe(depth, np.random.default_rng(3)).any()
