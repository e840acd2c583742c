"""Samples are selected by their programs, and views can be reduced to colour."""

import numpy as np
import pytest

from converseg_ros.core import Frame, InputError, Intrinsics
from converseg_ros.datasets.samples import Sample
from converseg_ros.evaluation.selection import colour_alone, with_node
from converseg_ros.programs.nodes import Filter, FreeSpace, Node, Select, program_to_json

RGB = np.zeros((4, 6, 3), np.uint8)


def frame() -> Frame:
    depth = np.ones((4, 6), np.float32)
    return Frame(RGB, depth, Intrinsics(5, 5, 3, 2, 6, 4), 7, 'camera', np.array([0.0, 1.0, 0.0]))


def sample(id_: str, program: Node | None = None, gold: Node | None = None) -> Sample:
    given, meant = (None if p is None else program_to_json(p) for p in (program, gold))
    return Sample(id_, 'image', 'a prompt', frame, lambda: np.zeros((4, 6), bool), program=given, gold=meant)


def test_samples_with_a_node_anywhere_in_their_program() -> None:
    mug, left = Filter('name', 'mug'), Filter('region', 'left', FreeSpace())
    samples = [sample('none'), sample('mug', mug), sample('left', left), sample('gold', gold=Select('one', left))]
    assert [s.id for s in with_node(samples, 'free')] == ['left', 'gold']
    assert [s.id for s in with_node(samples, 'select')] == ['gold']
    assert with_node(samples, '') == samples
    with pytest.raises(InputError, match='no operator "place"'):
        with_node(samples, 'place')


def test_colour_alone_leaves_out_what_depends_on_depth() -> None:
    (reduced,) = colour_alone([sample('a')])
    view = reduced.view()
    assert view.rgb is RGB and view.stamp_ns == 7 and view.frame_id == 'camera'
    assert view.depth is None and view.intrinsics is None and view.gravity is None
    assert reduced.id == 'a' and reduced.image_id != 'image'  # a record of the view with depth is not used
