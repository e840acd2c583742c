"""The tracker: masks, scores, ids and geometry follow the image."""

from dataclasses import replace
import pickle

import numpy as np
import pytest
from tracked_views import CAMERA, MS, TABLE, WALL, H, W, iou, region, square, view

from converseg_ros.core import Frame, Instruction, Intrinsics, Status
from converseg_ros.core.geometry import Geometry
from converseg_ros.core.status import GeometryStatus
from converseg_ros.perception.options import TrackerOptions
from converseg_ros.perception.tracker import Tracker


def test_masks_follow_the_image():
    tracker, first = Tracker(), view()
    (seen,) = tracker.observe(first, [region(square(), first)])
    for i in range(1, 13):
        frame = view(dx=3 * i, dy=i, ms=33 * i)
        (propagated,) = tracker.propagate(frame)
        assert iou(propagated.prediction.mask, square(120 - 3 * i, 90 - i)) > 0.85
        assert propagated.id == seen.id and propagated.tracked
        assert (propagated.stamp_ns, propagated.segmented_ns) == (frame.stamp_ns, 0)
        assert propagated.geometry.status == GeometryStatus.NOT_COMPUTED


def test_scores_decay_until_low_confidence_and_then_it_ends():
    tracker, first = Tracker(TrackerOptions(half_life=0.5, max_carry=1.5)), view()
    tracker.observe(first, [region(square(), first)])
    scores, states = [], []
    for ms in range(100, 1500, 200):
        (propagated,) = tracker.propagate(view(ms=ms))
        scores.append(propagated.prediction.score)
        states.append(propagated.status)
        assert not propagated.prediction.calibrated
        assert propagated.valid_until_ns <= 1500 * MS
    assert scores == sorted(scores, reverse=True) and scores[0] < 0.9
    assert states[0] == Status.OK and states[-1] == Status.LOW_CONFIDENCE
    assert tracker.propagate(view(ms=1600)) == [] and not tracker.active


def test_an_answer_that_comes_late_is_carried_on_to_the_newest_image():
    tracker, frames = Tracker(), [view(dx=5 * i, ms=40 * i) for i in range(13)]
    for frame in frames[:12]:
        assert tracker.propagate(frame) == []
    tracker.observe(frames[0], [region(square(), frames[0])])
    (propagated,) = tracker.propagate(frames[12])
    assert iou(propagated.prediction.mask, square(60)) > 0.8


def test_ids_stay_with_the_thing_and_change_with_it():
    tracker, first = Tracker(), view()
    first_id = tracker.observe(first, [region(square(), first), region(square(0, 0, 240), first, TABLE)])[0].id
    moved = view(dx=20, ms=300)
    again = tracker.observe(moved, [region(square(98, 92), moved)])[0]
    assert again.id == first_id
    other = tracker.observe(view(dx=20, ms=600), [region(square(250, 150), moved)])[0]
    assert other.id != first_id and other.id.startswith('mug')


def test_a_thing_lost_for_one_answer_keeps_its_id():
    tracker, first = Tracker(), view()
    first_id = tracker.observe(first, [region(square(), first)])[0].id
    blind = view(ms=200)
    gone = region(np.zeros((H, W), bool), blind, status=Status.NO_TARGET)
    assert tracker.observe(blind, [gone])[0].prediction.status == Status.NO_TARGET
    assert tracker.propagate(view(ms=250))[0].status == Status.NO_TARGET
    back = view(ms=400)
    assert tracker.observe(back, [region(square(), back)])[0].id == first_id


def test_place_in_space_decides_where_poses_are_known():
    tracker, first = Tracker(), view()

    def at(x):
        return Geometry(GeometryStatus.OK, centroid=np.array([x, 0, 1.0]))

    pose = np.eye(4)
    one = tracker.observe(first, [region(square(), first, geometry=at(0.0))], pose)[0]
    same = tracker.observe(view(ms=100), [region(square(200), view(ms=100), geometry=at(0.05))], pose)[0]
    other = tracker.observe(view(ms=200), [region(square(200), view(ms=200), geometry=at(0.6))], pose)[0]
    assert same.id == one.id != other.id


@pytest.mark.parametrize(
    ('frame', 'reason'),
    [(view(ms=50), 'clock'), (view(ms=5000), 'clock'), (view(ms=140, wall=WALL[::-1, ::-1]), 'cut')],
)
def test_clock_jumps_and_scene_cuts_forget_everything(frame, reason):
    tracker, first = Tracker(), view(ms=100)
    tracker.observe(first, [region(square(), first)])
    assert tracker.propagate(view(ms=120))
    assert tracker.propagate(frame) == []
    assert not tracker.active and tracker.resets == 1 and reason in tracker.reset_reason
    later = replace(frame, stamp_ns=frame.stamp_ns + MS)
    assert tracker.observe(later, [region(square(), later)])[0].id  # and it goes on


def test_images_of_another_size_forget_everything():
    tracker, first = Tracker(), view()
    tracker.observe(first, [region(square(), first)])
    larger = Frame(first.rgb.repeat(2, 0).repeat(2, 1), stamp_ns=33 * MS)
    assert tracker.propagate(larger) == [] and 'size' in tracker.reset_reason
    wide = np.zeros((480, 640), bool)
    wide[100:200, 300:400] = True
    tracker.observe(larger, [region(wide, larger)])
    (propagated,) = tracker.propagate(replace(larger, stamp_ns=66 * MS))
    assert iou(propagated.prediction.mask, wide) > 0.95


@pytest.mark.parametrize(('height', 'width'), [(20, 1280), (480, 40)])
def test_masks_of_narrow_images_are_carried(height, width):
    rgb = np.ascontiguousarray(np.tile(WALL, (1, 3, 1))[:height, :width])
    mask = np.zeros((height, width), bool)
    mask[5:15, 10:30] = True
    depth = np.full((height, width), 1.5, np.float32)
    camera = Intrinsics(600.0, 600.0, width / 2, height / 2, width, height)
    frames = [Frame(rgb, depth, camera, stamp_ns=n * 33 * MS) for n in range(3)]
    tracker = Tracker()
    tracker.observe(frames[0], [region(mask, frames[0], geometry=measured([0, 0, 1.5]))])
    for frame in frames[1:]:
        (propagated,) = tracker.propagate(frame, geometry=True)
        assert iou(propagated.prediction.mask, mask) > 0.9


def test_exposure_is_no_scene_cut():
    tracker, first = Tracker(), view()
    tracker.observe(first, [region(square(), first)])
    assert tracker.propagate(view(ms=40, wall=(WALL * 0.6).astype(np.uint8)))


def test_what_leaves_the_view_is_not_forgotten_but_doubted():
    tracker, first = Tracker(), view()
    tracker.observe(first, [region(square(0, 90, 20), first)])
    propagated = []
    for i in range(1, 9):
        propagated = tracker.propagate(view(dx=6 * i, ms=30 * i))
    assert propagated[0].status == Status.LOW_CONFIDENCE and not propagated[0].prediction.mask.any()


def test_memory_is_bounded():
    tracker = Tracker(TrackerOptions(max_tracks=5, history=4))
    sizes = []
    for i in range(40):
        frame = view(ms=30 * i)
        tracker.observe(frame, [region(square(), frame, Instruction('thing', id=str(i)))])
        tracker.propagate(view(ms=30 * i + 10))
        sizes.append(len(pickle.dumps(tracker)))
    assert max(sizes) <= 1.01 * max(sizes[:10])


def test_depth_and_pose_carry_masks_over_plain_walls():
    """Optical flow sees nothing on a plain wall; depth and pose do."""
    k = Intrinsics(300.0, 300.0, 159.5, 119.5, W, H)
    plain = np.full((H, W, 3), 128, np.uint8)
    depth = np.full((H, W), 1.5, np.float32)
    tracker = Tracker()
    first = Frame(plain, depth, k, 0)
    tracker.observe(first, [region(square(), first)], np.eye(4))
    pose = np.eye(4)
    pose[0, 3] = 0.1  # 0.1 m to the right is 20 pixels at 1.5 m
    (propagated,) = tracker.propagate(Frame(plain, depth, k, 40 * MS), pose)
    assert iou(propagated.prediction.mask, square(100)) > 0.9


def test_many_masks_are_carried_together():
    tracker, first = Tracker(), view()
    some = [region(square(20 * i, 10 * i, 40), first, Instruction('thing', id=str(i))) for i in range(11)]
    tracker.observe(first, some)
    propagated = tracker.propagate(view(dx=4, ms=30))
    for i, r in enumerate(propagated):
        assert iou(r.prediction.mask, square(20 * i - 4, 10 * i, 40)) > 0.8
    assert len({r.id for r in propagated}) == 11


def measured(centroid, **more) -> Geometry:
    return Geometry(GeometryStatus.OK, centroid=np.array(centroid, float), distance=1.0, **more)


@pytest.mark.parametrize('known', [True, False], ids=['poses are known', 'poses are found'])
def test_geometry_moves_with_the_camera(known):
    """A wall at 1.5 m, the camera goes 0.1 m to the right: everything is 0.1 m further left."""
    depth = np.full((H, W), 1.5, np.float32)
    tracker, first = Tracker(), view(depth=depth, intrinsics=CAMERA)
    there = np.eye(4)
    there[0, 3] = 0.1  # 20 pixels at 1.5 m
    tracker.observe(first, [region(square(), first, geometry=measured([0, 0, 1.5]))], np.eye(4) if known else None)
    second = view(dx=20, ms=33, depth=depth, intrinsics=CAMERA)
    (propagated,) = tracker.propagate(second, there if known else None, geometry=True)
    assert propagated.geometry.status == GeometryStatus.OK
    assert propagated.geometry.centroid == pytest.approx([-0.1, 0, 1.5], abs=0.006)
    assert propagated.geometry.distance == pytest.approx(np.hypot(0.1, 1.5), abs=0.006)


def test_a_placement_that_something_came_upon_is_dropped():
    from converseg_ros.core.geometry import Placement, Plane

    depth = np.full((H, W), 1.5, np.float32)
    plane = Plane(np.array([0.0, 0, -1]), 1.5, 1.0, 0.0)
    places = tuple(Placement(np.array([x, 0, 1.5]), np.eye(3), 0.1, 0.5) for x in (-0.3, 0.3))
    tracker, first = Tracker(), view(depth=depth, intrinsics=CAMERA)
    known = region(square(0, 0, 240), first, geometry=measured([0, 0, 1.5], plane=plane, placements=places))
    tracker.observe(first, [known], np.eye(4))
    (propagated,) = tracker.propagate(view(ms=33, depth=depth, intrinsics=CAMERA), np.eye(4), geometry=True)
    assert len(propagated.geometry.placements) == 2
    hand = depth.copy()
    hand[110:130, 210:230] = 1.3
    (propagated,) = tracker.propagate(view(ms=66, depth=hand, intrinsics=CAMERA), np.eye(4), geometry=True)
    assert [p.position[0] for p in propagated.geometry.placements] == [pytest.approx(-0.3)]
    assert 'become occupied' in propagated.geometry.reason


def test_a_thing_that_comes_nearer_takes_its_geometry_along_and_one_that_goes_is_doubted():
    def at(distance, ms):
        depth = np.full((H, W), 1.5, np.float32)
        depth[square()] = distance
        return view(ms=ms, depth=depth, intrinsics=CAMERA)

    tracker, first = Tracker(), at(1.2, 0)
    tracker.observe(first, [region(square(), first, geometry=measured([0, 0, 1.2]))], np.eye(4))
    (nearer,) = tracker.propagate(at(1.1, 33), np.eye(4), geometry=True)
    assert nearer.geometry.centroid == pytest.approx([0, 0, 1.1], abs=0.02)
    (gone,) = tracker.propagate(at(1.3, 66), np.eye(4), geometry=True)
    assert gone.prediction.status == Status.LOW_CONFIDENCE and gone.geometry.status == GeometryStatus.NOT_COMPUTED
