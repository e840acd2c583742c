"""Whatever a camera or a network sends, lifting neither crashes nor says infinity."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from converseg_ros.core import Frame, GeometryStatus, InputError, Instruction, Intrinsics, Role
from converseg_ros.lifting import LiftOptions, depth_to_metres, lift_regions

INSTRUCTIONS = [
    Instruction('put it here', role=Role.AFFORDANCE),
    Instruction('grasp it', role=Role.AFFORDANCE),
    Instruction('open it', role=Role.AFFORDANCE),
    Instruction('hot', role=Role.SAFETY),
    Instruction('a thing'),
]
H, W = 24, 32

values = st.sampled_from([0.0, -1.0, 0.05, 0.5, 0.503, 0.8, 3.0, 50.0, 1e30, np.nan, np.inf, -np.inf])
lenses = st.sampled_from([1e-30, 1e-3, 0.1, 1.0, 30.0, 600.0, 1e5, 1e30])
centres = st.sampled_from([-1e30, -1e4, 0.0, 15.5, 1e4, 1e30])


@st.composite
def frames(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    kind = draw(st.sampled_from(['constant', 'choice', 'plane', 'noise']))
    if kind == 'constant':
        depth = np.full((H, W), draw(values))
    elif kind == 'choice':
        depth = rng.choice(np.array(draw(st.lists(values, min_size=1, max_size=4))), (H, W))
    elif kind == 'plane':
        depth = 1.0 / (0.8 + 0.02 * np.arange(H)[:, None] + 0.01 * np.arange(W))
    else:
        depth = rng.uniform(0.2, 6.0, (H, W))
    k = Intrinsics(draw(lenses), draw(lenses), draw(centres), draw(centres), W, H)
    gravity = draw(st.sampled_from([None, (0.0, 1.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.6, 0.8), (0.0, 0.0, 0.0)]))
    return Frame(
        np.zeros((H, W, 3), np.uint8),
        depth.astype(np.float32),
        k,
        gravity=None if gravity is None else np.array(gravity),
    )


@st.composite
def masks(draw):
    kind = draw(st.sampled_from(['empty', 'pixel', 'full', 'row', 'column', 'random', 'block']))
    mask = np.zeros((H, W), bool)
    if kind == 'pixel':
        mask[draw(st.integers(0, H - 1)), draw(st.integers(0, W - 1))] = True
    elif kind == 'full':
        mask[:] = True
    elif kind == 'row':
        mask[draw(st.sampled_from([0, 11, H - 1]))] = True
    elif kind == 'column':
        mask[:, draw(st.sampled_from([0, 11, W - 1]))] = True
    elif kind == 'random':
        mask[:] = np.random.default_rng(draw(st.integers(0, 99))).random((H, W)) < 0.4
    elif kind == 'block':
        mask[4:20, 6:28] = True
    return mask


def finite(geometry) -> bool:
    arrays = [geometry.points, geometry.extra]
    arrays += [a for a in (geometry.centroid, geometry.principal_axis) if a is not None]
    if geometry.box is not None:
        arrays += [geometry.box.center, geometry.box.rotation, geometry.box.size]
    if geometry.plane is not None:
        arrays += [geometry.plane.normal, [geometry.plane.d, geometry.plane.rms, geometry.plane.inlier_ratio]]
    for p in geometry.placements:
        arrays += [p.position, p.rotation, [p.free_radius, p.score]]
    if geometry.grasp is not None:
        arrays += [geometry.grasp.position, geometry.grasp.rotation, [geometry.grasp.width]]
    return all(np.isfinite(a).all() for a in arrays)


@given(
    frames(),
    st.lists(masks(), min_size=1, max_size=2),
    st.sampled_from([0.0, 0.02]),
    st.sampled_from(['hull', 'upright']),
)
@settings(max_examples=150)
@pytest.mark.filterwarnings('error')
def test_nothing_crashes_and_nothing_is_infinite(frame, some, voxel, box):
    requests = [(i, m) for m in some for i in INSTRUCTIONS]
    for (instruction, mask), geometry in zip(
        requests, lift_regions(frame, requests, LiftOptions(voxel=voxel, box=box)), strict=True
    ):
        assert finite(geometry)
        assert len(geometry.points) == len(geometry.pixels)
        assert 0 <= geometry.valid_depth_ratio <= 1
        if not mask.any():
            assert geometry.status == GeometryStatus.NOT_COMPUTED
        if instruction.role != Role.SAFETY:
            assert mask.ravel()[geometry.pixels].all()


@given(masks(), st.integers(0, 999))
@settings(max_examples=60)
def test_points_project_back_into_their_mask(mask, seed):
    k = Intrinsics(40.0, 35.0, 14.2, 12.7, W, H)
    depth = np.random.default_rng(seed).uniform(0.4, 0.42, (H, W)).astype(np.float32)
    frame = Frame(np.zeros((H, W, 3), np.uint8), depth, k)
    geometry = lift_regions(frame, [(INSTRUCTIONS[-1], mask)])[0]
    x, y, z = geometry.points.T
    u = np.rint(k.fx * x / z + k.cx).astype(int)
    v = np.rint(k.fy * y / z + k.cy).astype(int)
    assert mask[v, u].all()
    np.testing.assert_array_equal(v * W + u, geometry.pixels)


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=20))
def test_units_agree_between_encodings(millimetres):
    raw = np.array([millimetres], np.uint16)
    from_mm = depth_to_metres(raw, '16UC1')
    from_m = depth_to_metres((raw / 1000).astype(np.float32), '32FC1')
    known = (raw > 0) & (raw < 65535)
    np.testing.assert_allclose(from_mm[known], from_m[known], rtol=1e-6)
    assert np.isnan(from_mm[~known]).all()


def test_wrong_encodings_are_refused():
    with pytest.raises(InputError, match='bgr8'):
        depth_to_metres(np.zeros((2, 2), np.uint16), 'bgr8')
    with pytest.raises(InputError):
        depth_to_metres(np.zeros((2, 2), np.uint16), '32FC1')
    with pytest.raises(InputError):
        depth_to_metres(np.zeros((2, 2), np.float32), '16UC1')
    assert np.isnan(depth_to_metres(np.array([[np.inf, -1, np.nan, 0]], np.float32), '32FC1')).all()
