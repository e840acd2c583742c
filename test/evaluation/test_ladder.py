from dataclasses import dataclass

import numpy as np
import pytest

from converseg_ros.core.segments import Segments
from converseg_ros.evaluation.ladder import FACTS, PRESENCE, PROGRAM, RIGHT, SEGMENTS, ladder, step_of, union_oracle


def segments(*boxes):
    masks = np.zeros((len(boxes), 48, 64), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes):
        mask[y0:y1, x0:x1] = True
    count, none = len(boxes), np.full(len(boxes), -1)
    kinds = np.full((count, 4), 0.25, np.float32)
    return Segments(masks, (96, 128), kinds, np.ones(count, np.float32), np.zeros(count, bool), none, none)


def test_the_union_oracle_joins_what_the_truth_covers():
    truth = np.zeros((96, 128), bool)
    truth[20:60, 20:100] = True  # of twice the segments' resolution
    assert union_oracle(segments((10, 10, 30, 30), (30, 10, 50, 30)), truth) == pytest.approx(1.0)
    assert union_oracle(segments((10, 10, 30, 30)), truth) == pytest.approx(0.5)
    assert union_oracle(segments((0, 32, 64, 48)), truth) == 0.0
    assert union_oracle(segments(), truth) == 0.0


@pytest.mark.parametrize(
    ('case', 'step'),
    [
        ({'iou': 0.8}, RIGHT),
        ({'oracle': 0.3}, SEGMENTS),
        ({'refused': True, 'kept': 0.9}, PRESENCE),
        ({'refused': True, 'kept': 0.1}, FACTS),
        ({'given': 0.9}, PROGRAM),
        ({'given': 0.1}, FACTS),
        ({}, FACTS),
        ({'positive': False, 'refused': True}, RIGHT),
        ({'positive': False}, PRESENCE),
    ],
)
def test_the_first_step_that_failed_is_named(case, step):
    plain = {'positive': True, 'refused': False, 'iou': 0.1, 'oracle': 0.9, 'kept': 0.1, 'given': None}
    assert step_of(**{**plain, **case}) == step


def test_the_report_has_the_share_of_each_step():
    @dataclass
    class Scored:
        step: str

    assert ladder([Scored('')]) is None
    table = ladder([Scored(RIGHT), Scored(RIGHT), Scored(FACTS), Scored(SEGMENTS), Scored('')])
    assert table['n'] == 4 and table[RIGHT] == 0.5 and table[PRESENCE] == 0
