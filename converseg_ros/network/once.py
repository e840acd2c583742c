"""Results that several parts of a network need of the same view."""

from collections.abc import Callable
from typing import Generic, TypeVar

from converseg_ros.core.frame import Frame

T = TypeVar('T')


class OncePerView(Generic[T]):
    """Calls a function of a view, and keeps its result until it is called with another view or other sizes."""

    def __init__(self, function: Callable[..., T]) -> None:
        """Wrap `function(view, *sizes)`, which must always give the same result for the same arguments."""
        self._function = function
        self._last: tuple[Frame, tuple[int, ...], T] | None = None

    def __call__(self, view: Frame, *sizes: int) -> T:
        """Return the result for a view."""
        last = self._last
        if last is None or last[0] is not view or last[1] != sizes:
            self._last = None  # release the memory of the last view first
            last = self._last = view, sizes, self._function(view, *sizes)
        return last[2]
