"""What everything downstream expects of a network: set one image, ask many things of it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame
from converseg_ros.core.instruction import Role
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.stages import Checkpoint

View: TypeAlias = Frame | NDArray[np.uint8]
"""A frame, or an (H, W, 3) uint8 RGB image alone."""


@dataclass(frozen=True)
class Query:
    """One thing to ask: a text, or the JSON object of a program (programs/nodes.py) that takes the text's place.

    role: SAFETY chooses the threshold that is set for recall, and never a mask with parts left out.
    """

    text: str
    program: dict[str, Any] | None = None
    role: Role = Role.PLAIN


def as_frame(view: View) -> Frame:
    """Return the view as a Frame; raise InputError where it is no uint8 RGB image."""
    return view if isinstance(view, Frame) else Frame(view)


def as_queries(queries: Sequence[Query | str]) -> list[Query]:
    """Return queries, where a plain text stands for a Query with nothing else."""
    return [q if isinstance(q, Query) else Query(q) for q in queries]


class SegmentationNetwork(Protocol):
    """A loaded network; not thread-safe, one owner calls it."""

    @property
    def name(self) -> str:
        """Name and version of the model folder, for `Region.model`."""
        ...

    @property
    def calibrated(self) -> bool:
        """Whether the folder carries a calibration.json."""
        ...

    @property
    def device(self) -> str:
        """Where it runs, e.g. 'cpu' or 'cuda:0'."""
        ...

    def set_image(self, view: View, key: Hashable = None) -> None:
        """Encode a view; one with the same `key` and the same inputs (depth, gravity) comes from the cache.

        Depth, intrinsics and gravity are used by the networks that can use them.
        """
        ...

    def predict(self, queries: Sequence[Query | str], *, checkpoint: Checkpoint | None = None) -> list[Prediction]:
        """Answer K queries on the view that is set; texts seen lately are not encoded again.

        checkpoint: Called with each stage before it starts; it may raise to cancel.
        """
        ...

    def unreadable(self, text: str) -> str:
        """Return why this network cannot read a text (its language, its length), '' where it can.

        `predict` answers such a text with ERROR and this reason.
        """
        ...

    def close(self) -> None:
        """Release the memory."""
        ...
