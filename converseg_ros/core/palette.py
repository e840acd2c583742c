"""Colours that are distinguishable with colour vision deficiencies (Okabe and Ito 2008); RGB, 0..255."""

from converseg_ros.core.instruction import Role

SKY, ORANGE, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
SAFETY = VERMILION  # reserved for safety
REGIONS = (SKY, ORANGE, GREEN, YELLOW, BLUE, PURPLE)


def color_of(index: int, role: Role = Role.PLAIN) -> tuple[int, int, int]:
    """Return the colour of region `index`; all safety regions have the same colour."""
    return SAFETY if role == Role.SAFETY else REGIONS[index % len(REGIONS)]
