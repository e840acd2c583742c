"""The parts of a network of kind `things`, each of which can be replaced."""

from dataclasses import dataclass
from typing import Protocol

import torch

from converseg_ros.core.segments import Namer, SegmentProposer
from converseg_ros.programs.nodes import Node


class ParsedText(Protocol):
    """A text's program and how probable it is that it is right."""

    @property
    def program(self) -> Node:
        """Return the program."""
        ...

    @property
    def confidence(self) -> float:
        """In 0 to 1."""
        ...


class TextParser(Protocol):
    """Reads instructions; remembers the texts that it has seen lately."""

    def parse(self, text: str) -> ParsedText:
        """Return a text's program; raise InputError where the text cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the network is made of.

    device: where proposer and namer run. fingerprint: of their weights. notes: what a user has to know about their
    cost on this machine.
    """

    proposer: SegmentProposer
    namer: Namer
    parser: TextParser
    device: torch.device
    fingerprint: str = ''
    notes: tuple[str, ...] = ()
