"""Colours that stay apart for colour-blind people (Okabe and Ito 2008); RGB, 0..255."""

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
SAFETY = VERMILION  # kept for safety alone
REGIONS = (SKY, ORANGE, GREEN, YELLOW, BLUE, PURPLE)


def color_of(index: int, role: Role = Role.PLAIN) -> tuple[int, int, int]:
    """Return the colour of the `index`-th region; safety has one colour of its own."""
    return SAFETY if role == Role.SAFETY else REGIONS[index % len(REGIONS)]
