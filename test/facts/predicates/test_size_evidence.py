"""The measured size of a region counts for and against nouns."""

from dataclasses import replace

from facts_blocks import measures_of_boxes
import numpy as np
import pytest

from converseg_ros.facts.predicates.size_evidence import SizeEvidence, sorted_size


def test_a_small_thing_is_rather_a_mug_than_a_chair() -> None:
    mug, chair = (sorted_size(n) for n in ('mug', 'chair'))
    assert mug is not None and chair is not None
    evidence = SizeEvidence(measures_of_boxes((0.11, 0.08, 0.09), (0.5, 0.5, 0.9)))(('mug', 'chair'))
    assert evidence[0, 0] > 0.5 > -0.5 > evidence[0, 1]
    assert evidence[1, 1] > 0.5 > -0.5 > evidence[1, 0]


def test_a_thing_may_lie_in_any_way() -> None:
    standing = SizeEvidence(measures_of_boxes((0.07, 0.05, 0.19)))(('lotion bottle',))
    lying = SizeEvidence(measures_of_boxes((0.19, 0.07, 0.05)))(('lotion bottle',))
    assert standing == pytest.approx(lying)


def test_what_is_half_hidden_is_judged_less_than_what_is_too_large() -> None:
    half, double = SizeEvidence(measures_of_boxes((0.09, 0.045, 0.04), (0.36, 0.18, 0.16)))(('banana',))[:, 0]
    assert half > double


def test_what_the_image_cuts_off_may_be_larger() -> None:
    part = measures_of_boxes((0.3, 0.3, 0.3))
    assert SizeEvidence(replace(part, cut=np.array([True])))(('chair',)) > SizeEvidence(part)(('chair',))


def test_nothing_is_said_without_a_measurement_or_a_typical_size() -> None:
    unknown = measures_of_boxes((np.nan, np.nan, np.nan), (0.2, 0.1, 0.1))
    evidence = SizeEvidence(unknown)(('mug', 'sky', 'gizmotron'))
    assert not evidence[0].any() and not evidence[1, 1:].any() and evidence[1, 0]
