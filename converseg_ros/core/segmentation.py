"""The interface of a network: set one image, answer many queries about it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief
from converseg_ros.core.frame import Frame
from converseg_ros.core.instruction import Role
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.stages import Checkpoint

View: TypeAlias = Frame | NDArray[np.uint8]
"""A frame, or an (H, W, 3) uint8 RGB image alone."""


@dataclass(frozen=True)
class Query:
    """A query: a text, or the JSON object of a program (programs/nodes.py), which takes precedence.

    role: SAFETY selects the threshold for high recall, and no component of the mask is removed. belief: what the key
    frames before this one say about a standing instruction, moved to this view. It is not used for SAFETY, and networks
    without regions ignore it.
    """

    text: str
    program: dict[str, Any] | None = None
    role: Role = Role.PLAIN
    belief: Belief | None = field(default=None, compare=False)


def as_frame(view: View) -> Frame:
    """Return the view as a Frame; raise InputError if it is not a uint8 RGB image."""
    return view if isinstance(view, Frame) else Frame(view)


def as_queries(queries: Sequence[Query | str]) -> list[Query]:
    """Return queries, where a plain text stands for a Query with nothing else."""
    return [q if isinstance(q, Query) else Query(q) for q in queries]


class SegmentationNetwork(Protocol):
    """A loaded network; not thread-safe, all calls must come from one thread."""

    @property
    def name(self) -> str:
        """Return name and version of the model folder, for `Region.model`."""
        ...

    @property
    def calibrated(self) -> bool:
        """Return whether the folder contains a calibration.json."""
        ...

    @property
    def device(self) -> str:
        """Return the device, e.g. 'cpu' or 'cuda:0'."""
        ...

    def set_image(self, view: View, key: Hashable = None) -> None:
        """Encode a view; a view with the same `key` and the same inputs (depth, gravity) is taken from the cache.

        Networks that do not use depth, intrinsics and gravity ignore them.
        """
        ...

    def predict(self, queries: Sequence[Query | str], *, checkpoint: Checkpoint | None = None) -> list[Prediction]:
        """Answer K queries about the current view; recent texts are not encoded again.

        Args:
            queries: texts, or queries with a program or a role.
            checkpoint: called with each stage before it starts; may raise to cancel.

        Returns:
            One prediction for each query.
        """
        ...

    def unreadable(self, text: str) -> str:
        """Return why the network cannot read a text (its language, its length), or '' if it can.

        `predict` answers such a text with ERROR and this reason.
        """
        ...

    def close(self) -> None:
        """Release the memory."""
        ...
