"""Every option of lifting has an effect, and meaningless values are rejected."""

from dataclasses import fields

import numpy as np
import pytest
from tables import GRASP, PUT, SAFETY, table, thing

from converseg_ros.core import Frame, InputError
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.lifting.truth import (
    TABLE,
)
from converseg_ros.scenes.render.depth_camera import observe

OTHER = {
    'min_depth': 1.2,
    'max_depth': 1.1,
    'edge_px': 0,
    'edge_jump': 0.5,
    'min_points': 10**6,
    'min_part': 0.0,
    'partial_below': 0.999,
    'voxel': 0.05,
    'box': 'upright',
    'box_points': 64,
    'plane_points': 20,
    'plane_tolerance': 0.05,
    'plane_min_ratio': 1.0,
    'support_tilt': 0.001,
    'support_view': 89.0,
    'footprint': 0.2,
    'clearance': 0.1,
    'edge_margin': 0.15,
    'obstacle_height': 0.2,
    'cell': 0.02,
    'hole': 0.0,
    'max_placements': 1,
    'gripper_width': 0.01,
    'safety_dilation_px': 40,
    'safety_clearance': 0.2,
    'safety_depth': 0.01,
    'safety_step': 0.005,
}


@pytest.fixture(scope='module')
def everything() -> tuple[Frame, list]:
    """Return a frame and requests that use every output."""
    scene = table(thing('box', 3, (0.12, 0.05, 0.15), x=-0.2, yaw=0.5), thing('sphere', 4, (0.08, 0.08, 0.08), x=0.2))
    mask3 = scene.labels == 3
    shifted = np.roll(mask3, 6, axis=0) | mask3  # leaks
    depth = observe(scene.depth, np.random.default_rng(2))
    flat = np.zeros_like(mask3)
    flat[300:310, 300:310] = True
    return scene.frame(depth), [
        (PUT, scene.labels >= TABLE),
        (GRASP, shifted),
        (SAFETY, scene.labels == 4),
        (SAFETY, flat),
    ]


@pytest.mark.parametrize('name', [f.name for f in fields(LiftOptions)])
def test_every_option_has_an_effect(everything, name):
    def tell(options):
        return [
            (g.status, g.reason, len(g.points), float(g.extra.sum()),
             g.box and g.box.size.tolist(), g.plane and g.plane.d,
             [(p.position.tolist(), p.free_radius) for p in g.placements], g.grasp and g.grasp.width)
            for g in lift_regions(*everything, options)
        ]  # fmt: skip

    assert tell(LiftOptions(**{name: OTHER[name]})) != tell(LiftOptions())


@pytest.mark.parametrize(
    'bad', [{'cell': 0.0}, {'voxel': -1.0}, {'box': 'round'}, {'max_depth': 0.05}, {'footprint': np.nan}]
)
def test_meaningless_options_are_refused(bad):
    with pytest.raises(InputError):
        LiftOptions(**bad)
