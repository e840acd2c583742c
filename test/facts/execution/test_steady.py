"""The log-odds of regions over several key frames; test/perception/test_standing.py has the behaviour."""

from dataclasses import replace

from facts_blocks import Block, facts
import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.core.belief import Belief, SteadyOptions
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.execution.steady import conclude, weigh
from converseg_ros.programs.nodes import Filter, Select

OPTIONS = Options(present=0.3, absent=0.02)
THE_MUG = Select('one', Filter('name', 'mug'))
MASKS = np.zeros((2, 4, 6), bool)
MASKS[0, :, :2], MASKS[1, :, 4:] = True, True
ALL = np.ones(2, bool)


def after(belief: Belief, p: list[float], absence: float = -1.0) -> tuple[Belief, bool]:
    weighed = weigh(belief, MASKS, np.array(p), ALL)
    return conclude(weighed, MASKS, (int(weighed.share.argmax()),), absence)


def test_evidence_adds_up_and_is_limited() -> None:
    belief, seen = after(Belief(), [0.5, 0.4])
    assert seen and belief.chosen is not None and (belief.chosen == MASKS[0]).all()
    once = np.log(0.4 / 0.6)
    assert weigh(belief, MASKS, np.array([0.5, 0.5]), ALL).log_odds == pytest.approx([0, once], abs=1e-3)
    belief, _ = after(belief, [0.99, 0.001])
    limit = SteadyOptions().limit
    assert weigh(belief, MASKS, np.array([0.9, 0.9]), ALL).log_odds == pytest.approx([0, once - limit], abs=1e-3)


def test_another_segmentation_of_the_same_thing_has_its_log_odds() -> None:
    belief, _ = after(Belief(), [0.9, 0.1])
    halves = np.zeros((3, 4, 6), bool)
    halves[0, :2, :2], halves[1, 2:, :2], halves[2, :, 4:] = True, True, True
    weighed = weigh(belief, halves, np.array([0.5, 0.5, 0.5]), np.ones(3, bool))
    assert weighed.log_odds[:2] == pytest.approx([0, 0], abs=1e-3) and weighed.log_odds[2] < -1
    merged = np.ones((1, 4, 6), bool)
    belief, _ = conclude(weigh(belief, merged, np.array([0.5]), np.ones(1, bool)), merged, (0,), -1.0)
    again = weigh(belief, MASKS, np.array([0.5, 0.5]), ALL)
    assert again.log_odds[0] > again.log_odds[1] + 0.5


def test_a_degree_of_zero_does_not_exclude_the_last_answer_but_every_other_region() -> None:
    belief = Belief()
    for _ in range(3):
        belief, _ = after(belief, [0.9, 0.3])
    assert weigh(belief, MASKS, np.array([0.0, 0.3]), ALL).share.argmax() == 0
    assert weigh(belief, MASKS, np.array([0.0, 0.3]), np.zeros(2, bool)).share.argmax() == 1
    assert weigh(belief, MASKS, np.array([0.3, 0.0]), ALL).share[1] == 0


def test_absence_counts_from_all_key_frames_that_show_the_last_answer() -> None:
    belief, seen = after(Belief(), [0.9, 0.1], absence=0.5)
    assert not seen and belief.chosen is None
    belief, _ = after(belief, [0.9, 0.1], absence=-0.7)
    belief, seen = after(belief, [0.9, 0.1], absence=0.5)
    assert seen
    belief, seen = after(belief, [0.9, 0.1], absence=0.5)
    assert not seen and belief.chosen is not None


def test_after_the_thing_left_the_next_one_must_be_about_as_certain() -> None:
    belief, _ = after(Belief(), [0.6, 0.1])
    gone = replace(belief, chosen=None, left=True)
    assert not after(gone, [0.01, 0.2])[1] and after(gone, [0.01, 0.5])[1]
    assert after(replace(gone, certainty=-3.0), [0.01, 0.2])[1]


def test_a_belief_decides_between_regions_but_not_the_evidence_of_a_target() -> None:
    mugs = [Block('mug', x, 0, (0.08, 0.08, 0.1), p=p) for x, p in ((-0.25, 0.62), (0.25, 0.6))]
    seen = facts(mugs)
    left, right = seen.segments.masks[:2]
    belief = Belief(log_odds=np.where(right, 0, -2).astype(np.float32), chosen=right, frames=1.0)
    first, again = execute(THE_MUG, seen, OPTIONS), execute(THE_MUG, seen, replace(OPTIONS, belief=belief))
    assert (first.mask == left).all() and (again.mask == right).all()
    assert again.evidence.best == first.evidence.best and again.status == first.status
    safe = replace(OPTIONS, recall=True)
    assert (execute(THE_MUG, seen, safe).mask == execute(THE_MUG, seen, replace(safe, belief=belief)).mask).all()


def test_options_out_of_range_are_refused_by_name() -> None:
    with pytest.raises(InputError, match='margin'):
        SteadyOptions(margin=-1.0)


def test_what_is_known_about_one_thing_says_nothing_about_another() -> None:
    belief = Belief()
    for _ in range(4):
        belief, _ = after(belief, [0.5, 0.3], absence=-2.0)
    kept, seen = after(belief, [0.5, 0.3], absence=0.5)
    assert seen and kept.absence < 0
    other, unseen = conclude(weigh(belief, MASKS, np.array([0.0, 0.5]), np.zeros(2, bool)), MASKS, (1,), 0.5)
    assert not unseen and other.chosen is not None and (other.chosen == MASKS[0]).all()


def test_a_guess_while_the_thing_is_away_does_not_lower_what_is_expected() -> None:
    belief, _ = after(Belief(), [0.8, 0.1])
    assert belief.certainty is not None
    gone = replace(belief, chosen=None, left=True)
    guessed, seen = after(gone, [0.01, 0.7])
    assert seen and guessed.left and guessed.certainty == belief.certainty
    found, seen = after(guessed, [0.01, 0.9])
    assert seen and not found.left and found.certainty is not None and found.certainty > belief.certainty


def test_a_key_frame_that_shows_nothing_well_is_weak_evidence() -> None:
    belief, _ = after(Belief(), [0.9, 0.1])
    evidence = [weigh(belief, MASKS, np.array(p), ALL).evidence[1] for p in ([0.9, 0.1], [0.01, 0.0001])]
    assert evidence[0] < evidence[1] < 0


def test_the_evidence_for_one_of_several_things_is_not_evidence_against_the_others() -> None:
    """All mugs remain the answer to "all mugs", although one of them is more certain in every key frame."""
    belief = Belief()
    for _ in range(4):
        weighed = weigh(belief, MASKS, np.array([0.98, 0.85]), ALL, several=True)
        assert weighed.share.min() > OPTIONS.share
        belief, _ = conclude(weighed, MASKS, (0, 1), -1.0)
    assert weigh(belief, MASKS, np.array([0.98, 0.85]), ALL).share.min() < OPTIONS.share


def test_another_of_several_things_joins_the_answer_at_once() -> None:
    belief = Belief()
    for _ in range(4):
        weighed = weigh(belief, MASKS, np.array([0.98, 0.02]), ALL, several=True)
        belief, _ = conclude(weighed, MASKS, (0,), -1.0)
    assert weigh(belief, MASKS, np.array([0.98, 0.9]), ALL, several=True).share[1] > OPTIONS.share
