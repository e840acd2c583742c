from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.evaluation.metrics import Score, summarize
from converseg_ros.evaluation.reliability import Reliability, area_under_roc, trade_off
from converseg_ros.evaluation.report import missing_intervals
from converseg_ros.evaluation.statistics import bootstrap, intervals, paired


def scores(ious, image=lambda i: str(i), **more):
    return [
        Score(str(i), image(i), 't', True, intersection=round(1000 * v), union=1000, **more) for i, v in enumerate(ious)
    ]


def test_an_interval_holds_the_value_and_shrinks_with_more_images():
    rng = np.random.default_rng(1)
    few, many = scores(rng.random(20)), scores(rng.random(500))
    for data in (few, many):
        low, high = intervals(data)['giou']
        assert low < summarize(data)['giou'] < high
    assert np.diff(intervals(many)['giou']) < 0.5 * np.diff(intervals(few)['giou'])
    assert intervals(few) == intervals(few)


def test_prompts_of_one_image_count_as_one():
    values = np.repeat(np.random.default_rng(0).random(10), 20)
    apart = np.diff(intervals(scores(values))['giou'])
    together = np.diff(intervals(scores(values, lambda i: str(i // 20)))['giou'])
    assert together > 2 * apart


def test_metrics_without_items_have_no_interval():
    found = intervals(scores([0.5, 0.6]))
    assert found['n_acc'] is None
    assert intervals([])['giou'] is None


def test_few_images_have_no_interval():
    data = scores([0.5, 0.6, 0.7, 0.8, 0.9, 0.1], lambda i: str(i % 4))
    assert set(intervals(data).values()) == {None}
    assert intervals(scores([0.5, 0.6, 0.7, 0.8, 0.9]))['giou'] is not None
    change = paired(data, scores([0.9] * 6, lambda i: str(i % 4)))['giou']
    assert change['difference'] == pytest.approx(0.3) and change['ci'] is None and not change['separated']


def test_a_report_says_why_it_has_no_interval():
    few, many = ({'giou': 0.5, 'n_acc': None, 'ci': intervals(scores([0.5] * n))} for n in (4, 9))
    assert missing_intervals(few) == 'No interval of any metric: its items are on fewer than 5 images.'
    assert missing_intervals(many) == ''
    assert 'ok_right' in missing_intervals(many | {'ok_right': 1.0})  # no answer is OK


def test_paired_differences_see_what_single_intervals_hide():
    rng = np.random.default_rng(0)
    before = np.clip(rng.random(60), 0, 0.9)
    table = paired(scores(before), scores(before + 0.02))
    assert table['giou']['difference'] == pytest.approx(0.02, abs=2e-3)
    assert table['giou']['separated']
    same = paired(scores(before), scores(before))
    assert same['giou']['difference'] == 0
    assert not same['giou']['separated']
    assert table['n_acc']['difference'] is None


def test_results_on_different_data_are_not_compared():
    with pytest.raises(InputError, match='share no item'):
        paired(scores([0.1]), [Score('other', 'x', 't', True)])


def test_bootstrap_of_a_constant_is_that_constant():
    assert bootstrap([0.3] * 10, lambda v: float(v.mean())) == pytest.approx([0.3, 0.3])
    assert bootstrap([], lambda v: float(v.mean())) is None


def test_reliability_by_hand():
    metric = Reliability()
    for value, target in ((0.05, False), (0.95, True), (0.95, True), (0.95, False)):
        metric.update(value, target)
    result = metric.compute()
    assert [b['count'] for b in result['bins']] == [1, 3]
    assert result['ece'] == pytest.approx(0.25 * 0.05 + 0.75 * (0.95 - 2 / 3))
    with pytest.raises(InputError):
        metric.update(1.5, True)
    metric.reset()
    assert metric.compute()['ece'] is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_a_higher_threshold_refuses_more(pairs):
    table = trade_off([p for p, _ in pairs], [t for _, t in pairs])
    n = [row['n_acc'] for row in table if row['n_acc'] is not None]
    t = [row['t_acc'] for row in table if row['t_acc'] is not None]
    assert n == sorted(n)
    assert t == sorted(t, reverse=True)
    assert not n or (n[0], n[-1]) == (0, 1)


def test_area_under_roc_by_hand():
    assert area_under_roc([0.1, 0.4, 0.35, 0.8], [False, False, True, True]) == 0.75
    assert area_under_roc([0.5, 0.5], [True, False]) == 0.5
    assert area_under_roc([0.5], [True]) is None
