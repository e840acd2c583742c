"""Status of an answer and of its geometry; the numbers are those of msg/Region.msg."""

from enum import IntEnum


class Status(IntEnum):
    """Status of the answer to an instruction."""

    OK = 0
    NO_TARGET = 1  # nothing in the image fits the instruction
    LOW_CONFIDENCE = 2  # something may fit: ask before acting on it, and keep away from it
    ERROR = 3  # the network or its input failed; the reason has the details
    STALE = 4  # there was an answer, but it is older than the maximum age


class GeometryStatus(IntEnum):
    """Status of the lifting of a mask into 3D."""

    OK = 0
    PARTIAL = 1  # part of the mask has no valid depth
    NO_DEPTH = 2  # no depth image, or none of the mask has valid depth
    NO_TF = 3  # lifted, but the requested target frame was not available
    NOT_COMPUTED = 4  # there is no mask to lift, or geometry is disabled
