"""Run-length encoding of masks, as COCO stores them."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
import numpy as np

from converseg_ros.core.mask import decode_rle, encode_rle

MASKS = arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@given(MASKS)
def test_runs_are_column_major_and_start_with_zeros(mask: np.ndarray) -> None:
    rle = encode_rle(mask)
    assert rle['size'] == list(mask.shape)
    assert all(type(count) is int for count in rle['counts'])
    values = [i % 2 == 1 for i, count in enumerate(rle['counts']) for _ in range(count)]
    assert values == mask.T.ravel().tolist()
    assert all(rle['counts'][1:])  # only the first run may be empty
    assert np.array_equal(decode_rle(rle), mask)


def test_an_empty_and_a_full_mask_have_one_run_of_their_size() -> None:
    assert encode_rle(np.zeros((3, 4), bool)) == {'size': [3, 4], 'counts': [12]}
    assert encode_rle(np.ones((3, 4), bool)) == {'size': [3, 4], 'counts': [0, 12]}
