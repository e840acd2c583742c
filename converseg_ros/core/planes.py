"""Planes of points: through three points each, and by weighted least squares."""

import numpy as np
from numpy.typing import NDArray

DEGENERATE = 1e-9  # length of a cross product (square metres) below which three points do not define a plane


def planes_through(
    a: NDArray[np.float32], b: NDArray[np.float32], c: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return unit normals (M, 3) and offsets (M,) of the planes through the points a, b and c, each (N, 3).

    A plane is normal . p + offset = 0. Points on a line do not define a plane and are left out.
    """
    u, v = b - a, c - a
    normals = u[:, [1, 2, 0]] * v[:, [2, 0, 1]] - u[:, [2, 0, 1]] * v[:, [1, 2, 0]]
    length = np.sqrt(np.einsum('ij,ij->i', normals, normals))
    good = length > DEGENERATE
    normals = normals[good] / length[good, None]
    return normals, -np.einsum('ij,ij->i', normals, a[good])


def least_squares_plane(
    planar: NDArray[np.floating], weight: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the unit normal (3,) and a point (3,) of the plane with the least weighted sum of squared distances.

    planar: (3, N) points; the result is most precise if they are close to the origin. weight: (N,). The sign of the
    normal is arbitrary.
    """
    total = float(weight.sum())
    weighted = planar * weight
    mean = weighted.sum(1).astype(np.float64) / total
    scatter = (weighted @ planar.T).astype(np.float64) - total * np.outer(mean, mean)
    return eigenvectors(scatter)[:, 2], mean


def eigenvectors(symmetric: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the eigenvectors of a symmetric 3x3 matrix as columns, largest eigenvalue first.

    OpenCV's Jacobi iteration takes a tenth of the time of LAPACK for such a small matrix.
    """
    import cv2

    return np.asarray(cv2.eigen(symmetric)[2], np.float64).T
