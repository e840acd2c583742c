"""The safety gate fails closed, clause by clause."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from converseg_ros.core import Frame, Instruction, Intrinsics, Prediction, Role, Status
from converseg_ros.core.region import Region
from converseg_ros.core.stamps import SECOND
from converseg_ros.lifting import LiftOptions
from converseg_ros.lifting.depth import DepthScene
from converseg_ros.lifting.keepout import keep_out
from converseg_ros.perception.safety import SafetyGate, SafetyOptions

H, W = 60, 80
K = Intrinsics(80.0, 80.0, 39.5, 29.5, W, H)
HOT = Instruction('the hot plate', role=Role.SAFETY, id='hot', name='hot')
GLASS = Instruction('the glass', role=Role.SAFETY, id='glass', name='glass')
NOW = 100 * SECOND


def frame(depth=None, stamp=NOW, **more) -> Frame:
    depth = np.full((H, W), 1.0, np.float32) if depth is None else depth
    return Frame(np.zeros((H, W, 3), np.uint8), depth, K, stamp, 'camera', **more)


def block(y0=20, y1=40, x0=30, x1=50) -> np.ndarray:
    mask = np.zeros((H, W), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def region(mask=None, status=Status.OK, instruction=HOT, stamp=NOW, seen=None, calibrated=True, score=0.9) -> Region:
    empty = status in (Status.NO_TARGET, Status.ERROR)
    mask = (np.zeros((H, W), bool) if empty else block()) if mask is None else mask
    prediction = Prediction(mask, score, status, calibrated=calibrated)
    return Region(
        'r', instruction, prediction, stamp_ns=stamp, segmented_ns=seen or stamp, valid_until_ns=stamp + SECOND
    )


def assess(regions, instructions=(HOT,), now=NOW, image=None, **more):
    return SafetyGate().assess(frame() if image is None else image, regions, instructions, now, **more)


def whole(report) -> bool:
    """Return whether every measured pixel is in the cloud."""
    return len(np.unique(report.pixels)) == H * W


def test_a_fresh_answer_is_ok_and_its_cloud_is_the_grown_mask():
    report = assess([region()])
    assert report.ok and report.reason == ''
    assert np.isin(np.flatnonzero(block()), report.pixels).all()
    assert not whole(report)
    assert (report.mask & block()).sum() == block().sum() < report.mask.sum()
    assert report.valid_until_ns == NOW + SECOND
    assert (report.stamp_ns, report.frame_id) == (NOW, 'camera')


@pytest.mark.parametrize(
    ('regions', 'word'),
    [
        ([], 'no answer'),
        ([region(status=Status.ERROR)], 'failed'),
        ([region(status=Status.STALE)], 'stale'),
        ([region(status=Status.NO_TARGET, calibrated=False)], 'not calibrated'),
        ([region(status=Status.LOW_CONFIDENCE, mask=np.zeros((H, W), bool))], 'no mask'),
        ([region(score=float('nan'))], 'not a number'),
        ([region(seen=NOW - 3 * SECOND)], 'stale'),
        ([region(seen=NOW + SECOND)], 'clock'),
        ([region(stamp=NOW - 1)], 'another image'),
        ([region(mask=np.ones((H, W + 1), bool))], 'another image'),
        ([region(instruction=replace(HOT, resolved='the cold plate'))], 'no answer'),
        ([region(instruction=replace(HOT, role=Role.PLAIN))], 'no answer'),
    ],
)
def test_whatever_is_not_an_answer_forbids_everything_seen(regions, word):
    report = assess(regions)
    assert not report.ok and word in report.reason and whole(report)
    assert report.unknown == ('hot',)


def test_low_confidence_counts_as_present_and_a_calibrated_no_target_as_absent():
    low = assess([region(status=Status.LOW_CONFIDENCE)])
    assert low.ok and np.isin(np.flatnonzero(block()), low.pixels).all()
    clear = assess([region(status=Status.NO_TARGET)])
    assert clear.ok and not len(clear.points)


def test_one_unknown_instruction_is_enough():
    report = assess([region()], (HOT, GLASS))
    assert not report.ok and whole(report) and report.unknown == ('glass',)
    assert assess([region(), region(instruction=GLASS)], (HOT, GLASS)).ok


def test_a_prohibition_that_was_not_understood_makes_it_unsafe():
    report = assess([region()], unclear=("don't let the cup fall",))
    assert not report.ok and "don't let the cup fall" in report.reason
    assert whole(report)


def test_time_alone_makes_it_unsafe_and_a_backward_clock_too():
    gate, image = SafetyGate(), frame()
    assert gate.assess(image, [region()], [HOT], NOW + SECOND // 2).ok
    late = gate.assess(image, [region()], [HOT], NOW + 2 * SECOND)
    assert not late.ok and 'stale' in late.reason and whole(late)
    assert not gate.assess(image, [region()], [HOT], NOW - SECOND).ok


def test_deactivated_no_image_and_no_instruction_are_not_safe():
    assert not assess([region()], active=False).ok
    assert whole(assess([region()], active=False))
    assert not SafetyGate().assess(None, [], [HOT], NOW).ok
    nothing = assess([], ())
    assert not nothing.ok and 'nothing is guarded' in nothing.reason


@pytest.mark.parametrize(
    'image',
    [
        replace(frame(), depth=None),
        replace(frame(), intrinsics=None),
        frame(np.zeros((H, W), np.float32)),
        frame(np.full((H, W), np.nan, np.float32)),
        frame(np.full((H, W), np.inf, np.float32)),
    ],
)
def test_without_depth_it_is_not_safe(image):
    report = assess([region()], image=image)
    assert not report.ok and ('depth' in report.reason or 'camera_info' in report.reason)


def test_a_transparent_object_without_depth_becomes_a_frustum():
    depth = np.full((H, W), 1.0, np.float32)
    depth[40:] = 0.7  # the table before it
    depth[block()] = 0  # glass: nothing measured
    report = assess([region(instruction=GLASS)], (GLASS,), image=frame(depth))
    assert report.ok
    inside = np.isin(report.pixels, np.flatnonzero(block()))
    z = report.points[inside, 2]
    assert z.min() <= 0.71 and z.max() >= 0.99
    assert np.isin(np.flatnonzero(block()), report.pixels).all()
    v = np.rint(K.fy * report.points[:, 1] / report.points[:, 2] + K.cy).astype(int)
    u = np.rint(K.fx * report.points[:, 0] / report.points[:, 2] + K.cx).astype(int)
    np.testing.assert_array_equal(v * W + u, report.pixels)


def test_a_transparent_object_with_the_depth_of_what_is_behind_guards_the_space_before_it():
    report = assess([region(instruction=GLASS)], (GLASS,))  # depth is flat, as if nothing stood there
    z = report.points[np.isin(report.pixels, np.flatnonzero(block())), 2]
    assert z.min() < 0.85


def test_the_occupancy_cloud_holds_every_point():
    report = assess([region()])
    size = 0.05
    voxels = report.voxels(size)
    keys = {tuple(k) for k in np.floor(voxels / size).astype(int)}
    assert {tuple(k) for k in np.floor(report.points / np.float32(size)).astype(int)} <= keys
    assert len(report.voxels(size, clearance=0.1)) > len(voxels)
    assert len(SafetyGate().assess(None, [], [], NOW).voxels(size)) == 0


@given(st.integers(0, 10**6), st.floats(0, 1), st.sampled_from([0, 4, 20]), st.sampled_from([0.0, 0.05, 1.0]))
@settings(max_examples=60)
def test_the_cloud_never_leaves_out_a_pixel_of_the_mask(seed, missing, dilation, clearance):
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.3, 4.0, (H, W)).astype(np.float32)
    depth[rng.random((H, W)) < missing] = rng.choice([0.0, np.nan, np.inf])
    mask = rng.random((H, W)) < rng.choice([0.001, 0.1, 0.9])
    mask[5, 5] = True
    options = LiftOptions(safety_dilation_px=dilation, safety_clearance=clearance)
    space = keep_out(DepthScene(frame(depth), options), mask)
    assert (space.mask >= mask).all()
    assert np.isin(np.flatnonzero(space.mask), np.concatenate([space.pixels, space.extra_pixels])).all()
    assert np.isfinite(space.points).all() and np.isfinite(space.extra).all()
    gate = SafetyGate(SafetyOptions(min_depth_ratio=0.0), options)
    report = gate.assess(frame(depth), [region(mask)], [HOT], NOW)
    assert np.isin(np.flatnonzero(mask), report.pixels).all()


def test_a_mask_at_the_place_of_an_old_one_is_another_mask():
    """Identity numbers are used again once a mask is gone: the cloud must be that of the mask that is asked about."""
    gate, image = SafetyGate(), frame()
    for n in range(60):
        x0 = n % 2 * 50
        report = gate.assess(image, [region(block(x0=x0, x1=x0 + 20))], (HOT,), NOW)
        assert report.mask[30, x0 + 10] and not report.mask[30, 60 - x0], n
        del report


def test_the_same_answers_are_not_worked_out_twice(monkeypatch):
    from converseg_ros.perception import safety

    made = []
    monkeypatch.setattr(safety, 'keep_out', lambda scene, mask: made.append(1) or keep_out(scene, mask))
    gate, image, answer = SafetyGate(), frame(), region()
    for _ in range(3):
        assert gate.assess(image, [answer], (HOT,), NOW).ok
    assert len(made) == 1
    gate.assess(image, [replace(answer, prediction=replace(answer.prediction, mask=block(x0=0, x1=9)))], (HOT,), NOW)
    assert len(made) == 2


def test_depth_that_seems_not_to_be_registered_is_not_safe():
    report = assess([region()], image=frame(depth_doubt='depth: its outlines do not match'))
    assert not report.ok and 'outlines' in report.reason and whole(report)
