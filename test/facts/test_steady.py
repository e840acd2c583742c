"""The previous answer to a standing instruction decides between what is about equally likely."""

from dataclasses import replace

from facts_blocks import Block, facts
import numpy as np
import pytest

from converseg_ros.facts.answer import Options
from converseg_ros.facts.executor import execute
from converseg_ros.facts.steady import PRIOR, with_previous
from converseg_ros.programs.nodes import Filter, Select

MUGS = [Block('mug', x, 0, (0.08, 0.08, 0.1), p=p) for x, p in ((-0.25, 0.62), (0.25, 0.6))]
THE_MUG = Select('one', Filter('name', 'mug'))
OPTIONS = Options(present=0.3, absent=0.02)


def test_of_two_alike_the_previous_one_stays_selected() -> None:
    seen = facts(MUGS)
    left, right = seen.segments.masks[:2]
    first = execute(THE_MUG, seen, OPTIONS)
    again = execute(THE_MUG, seen, replace(OPTIONS, previous=right))
    assert (first.mask == left).all() and (again.mask == right).all()
    assert again.evidence.best == first.evidence.best  # the prior does not make a target more likely
    assert again.status == first.status and again.reason == first.reason


def test_a_clearly_better_one_is_selected_all_the_same() -> None:
    seen = facts([replace(MUGS[0], p=0.9), replace(MUGS[1], p=0.3)])
    left, right = seen.segments.masks[:2]
    assert (execute(THE_MUG, seen, replace(OPTIONS, previous=right)).mask == left).all()


def test_safety_has_no_prior() -> None:
    seen = facts([replace(MUGS[0], p=0.3), replace(MUGS[1], p=0.05)])
    plain, with_prior = (
        execute(THE_MUG, seen, replace(OPTIONS, recall=True, previous=p)) for p in (None, seen.segments.masks[1])
    )
    assert (plain.mask == with_prior.mask).all()


def test_the_odds_grow_with_the_share_inside() -> None:
    masks = np.zeros((3, 4, 4), bool)
    masks[0, :2], masks[1, 2:], masks[2, 1:3] = True, True, True
    previous = masks[0]
    p = with_previous(np.array([0.5, 0.5, 0.5]), masks, previous)
    assert np.log(p / (1 - p)) == pytest.approx([PRIOR, 0, PRIOR / 2])
    certain = np.array([0.0, 1.0, 0.5])
    assert with_previous(certain, masks, previous)[:2] == pytest.approx([0, 1])
    assert (with_previous(certain, masks, None) == certain).all()
