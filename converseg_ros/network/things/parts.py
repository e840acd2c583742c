"""The parts of a network of kind `things`, each of which can be replaced."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from converseg_ros.core.errors import InputError
from converseg_ros.core.segments import Namer, SegmentProposer
from converseg_ros.facts.geometry.planes import Geometry, view_geometry
from converseg_ros.programs.nodes import Node


class ParsedText(Protocol):
    """The program of a text, with the probability that it is correct."""

    @property
    def program(self) -> Node:
        """Return the program."""
        ...

    @property
    def confidence(self) -> float:
        """Return the confidence in 0 to 1."""
        ...


class TextParser(Protocol):
    """Parses instructions; recent texts are cached."""

    def parse_all(self, texts: Sequence[str]) -> Sequence[ParsedText | InputError]:
        """Return the program of each text, or the reason why the text cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the network.

    device: of proposer and namer. fingerprint: of their weights. notes: information for the user about their speed on
    this machine. geometry: of a view, for its facts; the proposer may use the same, so that it is computed once.
    described: the classes that a free text describes, with weights (network/names/statements.py).
    """

    proposer: SegmentProposer
    namer: Namer
    parser: TextParser
    device: torch.device
    fingerprint: str = ''
    notes: tuple[str, ...] = ()
    geometry: Geometry = view_geometry
    described: Callable[[str], Mapping[str, float]] = lambda text: {}
