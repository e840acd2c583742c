"""What several parts need of a view is computed once for it."""

import numpy as np

from converseg_ros.core import Frame
from converseg_ros.network.once import OncePerView


def test_the_result_is_kept_for_the_same_view_and_sizes_only() -> None:
    calls = []

    def measured(view: Frame, *sizes: int) -> int:
        calls.append((id(view), sizes))
        return len(calls)

    once = OncePerView(measured)
    first, equal = (Frame(np.zeros((4, 4, 3), np.uint8)) for _ in range(2))
    assert [once(first, 2, 2), once(first, 2, 2)] == [1, 1]
    assert once(first, 4, 4) == 2
    assert once(equal, 4, 4) == 3, 'another frame may show something else'
    assert once(first, 4, 4) == 4, 'only the last view is kept'
