"""What can be said of an answer and of its geometry; the numbers are those of msg/Region.msg."""

from enum import IntEnum


class Status(IntEnum):
    """How an instruction was answered."""

    OK = 0
    NO_TARGET = 1  # nothing in the image fits the instruction
    LOW_CONFIDENCE = 2  # something may fit; never act on it without asking, always keep away from it
    ERROR = 3  # the network or its input failed; the reason says how
    STALE = 4  # there was an answer, but it is older than it may be


class GeometryStatus(IntEnum):
    """How far the mask could be lifted into 3D."""

    OK = 0
    PARTIAL = 1  # part of the mask has no valid depth
    NO_DEPTH = 2  # no depth image, or none of the mask has valid depth
    NO_TF = 3  # lifted, but the requested target frame could not be reached
    NOT_COMPUTED = 4  # there is no mask to lift, or nobody asked
