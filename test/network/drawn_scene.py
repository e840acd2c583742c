"""A view for tests of networks of kind things."""

import numpy as np

from converseg_ros.core import Frame, Intrinsics


def scene(depth: bool = True) -> Frame:
    """A table with a red and a blue block, drawn."""
    rows = np.arange(240, dtype=np.float32)[:, None] / 240
    z = np.repeat(1.5 - 0.8 * rows, 320, 1)
    rgb = np.full((240, 320, 3), (170, 150, 120), np.uint8)
    for x, colour in ((60, (200, 30, 30)), (200, (30, 60, 190))):
        rgb[80:150, x : x + 60] = colour
        z[80:150, x : x + 60] = z[149, x] - 0.03
    camera = Intrinsics(290.0, 290.0, 159.5, 119.5, 320, 240)
    return Frame(rgb, z.astype(np.float32) if depth else None, camera if depth else None)
