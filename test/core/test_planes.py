"""Planes through points and by least squares, on which lifting and facts agree."""

import numpy as np
import pytest

from converseg_ros.core.planes import eigenvectors, least_squares_plane, planes_through
from converseg_ros.facts.geometry.planes import find_planes
from converseg_ros.lifting.planes import fit_plane

NORMAL = np.array([0.1, -0.8, -0.6]) / np.linalg.norm([0.1, -0.8, -0.6])
D = 0.9


def on_plane(count: int, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Return points (N, 3) in front of the camera near the plane NORMAL . p + D = 0."""
    rng = np.random.default_rng(seed)
    p = rng.uniform((-0.5, -0.5, 1.0), (0.5, 0.5, 2.0), (count, 3))
    p -= (p @ NORMAL + D)[:, None] * NORMAL
    return (p + noise * rng.standard_normal((count, 1)) * NORMAL).astype(np.float32)


def test_three_points_define_a_plane_unless_two_are_the_same() -> None:
    a, b, c = on_plane(30).reshape(3, 10, 3)
    c[4] = a[4]
    normals, offsets = planes_through(a, b, c)
    assert len(normals) == len(offsets) == 9
    assert np.allclose(np.abs(normals @ NORMAL), 1, atol=1e-4)
    assert np.allclose(np.abs(offsets), D, atol=1e-3)


def test_points_without_weight_do_not_count() -> None:
    p = on_plane(200)
    p[:50] += np.float32(0.3)
    weight = np.ones(200, np.float32)
    weight[:50] = 0
    normal, point = least_squares_plane(np.ascontiguousarray(p.T), weight)
    assert abs(normal @ NORMAL) == pytest.approx(1, abs=1e-6)
    assert point @ NORMAL + D == pytest.approx(0, abs=1e-5)


def test_least_squares_is_the_smallest_singular_vector() -> None:
    p = on_plane(500, noise=0.01).astype(np.float64)
    centred = p - p.mean(0)
    exact = np.linalg.svd(centred, full_matrices=False)[2]
    normal, _ = least_squares_plane(centred.T, np.ones(len(p)))
    assert abs(normal @ exact[2]) == pytest.approx(1, abs=1e-12)
    axes = eigenvectors(centred.T @ centred)
    assert np.allclose(np.abs(np.einsum('ij,ji->i', exact, axes)), 1, atol=1e-9)


def test_lifting_and_facts_find_the_same_plane() -> None:
    p = on_plane(2400, noise=0.001)
    fitted = fit_plane(p, tolerance=0.005)
    assert fitted is not None
    grid = p.reshape(40, 60, 3)
    found = find_planes(grid, np.broadcast_to((NORMAL * np.sign(D)).astype(np.float32), grid.shape).copy())
    assert len(found) == 1
    for plane in (fitted, found[0]):
        assert plane.normal @ NORMAL > np.cos(np.radians(0.2))
        assert plane.d == pytest.approx(D, abs=0.002)
    assert found[0].d == pytest.approx(fitted.d, abs=0.002)
