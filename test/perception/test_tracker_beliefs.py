"""Beliefs about where things are: the tracker moves them with the image and lets them fade."""

from dataclasses import replace

import numpy as np
import pytest
from tracked_views import TABLE, WALL, iou, region, square, view

from converseg_ros.core.belief import Belief
from converseg_ros.perception.tracker import Tracker


def believed(mask) -> Belief:
    return Belief(log_odds=np.where(mask, 0, -3).astype(np.float32), chosen=mask, certainty=1.0, frames=2.0)


def observed(mask, frame, tracker) -> None:
    seen = region(mask, frame)
    tracker.observe(frame, [replace(seen, prediction=replace(seen.prediction, belief=believed(mask)))])


def test_beliefs_move_with_the_image_and_fade():
    tracker = Tracker()
    observed(square(), view(), tracker)
    (name, moved), *others = tracker.beliefs(view(dx=24, dy=8, ms=1500)).items()
    assert name == ('mug', 'the mug') and not others
    assert iou(moved.chosen, square(96, 82)) > 0.7 and iou(moved.log_odds > -0.1, square(96, 82)) > 0.7
    assert moved.log_odds[5, 5] == pytest.approx(-1.5) and moved.frames == pytest.approx(1.0)
    assert moved.certainty < 1.0 and not moved.left


def test_a_belief_knows_that_its_thing_left_the_view():
    tracker = Tracker()
    observed(square(0, 90, 24), view(), tracker)
    (left,) = tracker.beliefs(view(dx=24, ms=100)).values()
    assert left.left and left.chosen is None and left.certainty is not None


def test_beliefs_about_instructions_that_are_not_asked_move_along():
    tracker = Tracker()
    observed(square(), view(), tracker)
    second = view(dx=24, ms=300)
    tracker.observe(second, [region(square(40, 40), second, TABLE)])
    moved = tracker.beliefs(view(dx=40, ms=500))['mug', 'the mug']
    assert iou(moved.chosen, square(80, 90)) > 0.6


def test_nothing_is_believed_across_a_cut_a_jump_or_a_long_time():
    tracker, first = Tracker(), view()
    assert not tracker.beliefs(first)
    observed(square(), first, tracker)
    assert tracker.beliefs(view(ms=100))
    assert not tracker.beliefs(view(ms=100, wall=WALL[::-1, ::-1]))
    assert not tracker.beliefs(view(ms=2100)) and not tracker.beliefs(first)
