"""Laws of degrees and orders, for any probabilities."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.facts.degrees import Degree, chained, related
from converseg_ros.facts.predicates.ranking import Scale, ranked

SIZE = 6
PROBABILITIES = arrays(np.float64, SIZE, elements=st.one_of(st.floats(0, 1), st.just(np.nan)))
DEGREES = PROBABILITIES.map(lambda p: Degree.partly(p, 'not known'))


def holds(d: Degree) -> bool:
    return bool(((d.low <= d.p + 1e-9) & (d.p <= d.high + 1e-9) & (d.low >= 0) & (d.high <= 1)).all())


@given(DEGREES, DEGREES)
def test_bounds_stay_around_the_estimate(a: Degree, b: Degree) -> None:
    for d in (a & b, a | b, ~a, a.scaled(0.3), (a & ~b) | b, a.sharpened()):
        assert holds(d)


@given(DEGREES, DEGREES)
def test_what_is_false_anyway_leaves_no_doubt(a: Degree, b: Degree) -> None:
    nothing = a & Degree.known(np.zeros(SIZE)) & b
    assert not nothing.doubt.any() and not nothing.notes


@given(DEGREES)
def test_negation_twice_is_the_same(a: Degree) -> None:
    assert np.allclose((~~a).p, a.p) and np.allclose((~~a).high, a.high)


@given(arrays(np.float64, (SIZE, SIZE), elements=st.floats(0, 1)), DEGREES)
def test_no_anchor_means_no_relation(r: np.ndarray, a: Degree) -> None:
    assert holds(related(Degree.known(r), a))
    assert not related(Degree.known(r), Degree.known(np.zeros(SIZE))).p.any()
    assert (chained(Degree.known(r)).p >= r - 1e-12).all()


@given(
    arrays(np.float64, SIZE, elements=st.floats(0, 1)),
    arrays(np.float64, SIZE, elements=st.floats(-5, 5)),
    st.integers(1, 4),
)
def test_places_are_shared_among_members(p: np.ndarray, values: np.ndarray, first: int) -> None:
    scale = Scale(values, np.full(SIZE, 0.1), np.ones(SIZE, bool))
    found = ranked(Degree.known(p), scale, 'max', first, 1)
    assert holds(found) and (found.p <= p + 1e-9).all()
    assert found.p.sum() <= 1 + 1e-9  # one place


@given(st.permutations(range(SIZE)), st.integers(1, SIZE), st.sampled_from(['max', 'min']))
def test_exact_values_give_exact_places(order: list[int], place: int, direction: str) -> None:
    values = np.array(order, np.float64)
    scale = Scale(values, np.full(SIZE, 1e-3), np.ones(SIZE, bool))
    found = ranked(Degree.known(np.ones(SIZE)), scale, direction, place, 1)
    expected = np.argsort(-values if direction == 'max' else values)[place - 1]
    assert int(found.p.argmax()) == expected and found.p[expected] > 0.99


def test_a_value_that_is_not_known_leaves_every_place_open() -> None:
    scale = Scale(np.array([1.0, np.nan, 3.0]), np.full(3, 0.1), np.array([True, False, True]), 'no depth')
    found = ranked(Degree.known(np.ones(3)), scale, 'max', 1, 1)
    assert found.doubt.all() and found.notes == {'no depth'}
    alone = ranked(Degree.known([1.0, 0.0, 1.0]), scale, 'max', 1, 1)
    assert not alone.doubt.any()


def test_nan_is_refused_as_a_known_probability() -> None:
    with pytest.raises(InputError):
        Degree.known([0.5, np.nan])
