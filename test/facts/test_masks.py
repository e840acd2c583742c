"""Programs are separated into what a network recognises and what geometry decides, and executed on masks."""

from facts_blocks import TABLE, Block, H, K, Pose, W, camera, render
import numpy as np
import pytest

from converseg_ros.core.frame import Frame
from converseg_ros.core.status import Status
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.masks import facts_of_masks, split
from converseg_ros.programs.nodes import Act, Filter, FreeSpace, Node, Parts, Rank, Relate, Select, Things

BOX, LAMP, TABLE_TOP = Filter('name', 'box'), Filter('name', 'lamp'), Filter('name', 'table')
RED = Filter('colour', 'red', BOX)


@pytest.mark.parametrize(
    ('program', 'phrases'),
    [
        (Select('one', Rank('height', 'max', BOX)), {'box': 'the boxes'}),
        (Select('one', Rank('height', 'max', RED)), {'box': 'the red boxes'}),
        (Select('one', Rank('height', 'max', Things())), {'thing': ''}),
        (
            Select('all', Filter('colour', 'red', Relate('left_of', BOX, LAMP))),
            {'box': 'the red boxes', 'lamp': 'the lamp'},
        ),
        (Select('one', Relate('next_to', BOX, RED)), {'box': 'the boxes', 'red box': 'the red box'}),
        (Select('one', Relate('next_to', BOX, Rank('height', 'max', LAMP))), {'box': 'the boxes', 'lamp': 'the lamp'}),
        (FreeSpace(TABLE_TOP, 'plate'), {'table': 'the table'}),
        (FreeSpace(None, 'plate'), {}),
    ],
)  # fmt: skip
def test_the_network_is_asked_for_the_things_without_their_geometry(program: Node, phrases: dict[str, str]) -> None:
    found = split(program)
    assert found is not None and found.phrases == phrases


@pytest.mark.parametrize(
    'program',
    [
        Select('one', RED),
        Select('all', Filter('tag', 'cuts')),
        Select('one', Rank('weight', 'max', BOX)),
        Select('one', Parts('handle', Rank('height', 'max', BOX))),
        Select('all', Act('holding', 'agent', BOX)),
        Select('one', Filter('colour', 'red', Rank('height', 'max', BOX, 1, 2))),  # not the tallest of the red ones
    ],
)
def test_what_geometry_does_not_decide_is_left_to_the_network(program: Node) -> None:
    assert split(program) is None


BLOCKS = [
    Block('box', -0.2, 0.0, (0.1, 0.1, 0.12)),
    Block('box', 0.2, 0.0, (0.1, 0.1, 0.25)),
    Block('lamp', 0.0, 0.2, (0.1, 0.1, 0.2)),
]


def view(blocks: list[Block]) -> tuple[Frame, np.ndarray]:
    """Return an RGB-D view of blocks on a table, and the (H, W) index of the block that each pixel shows."""
    depth, label = render([*blocks, TABLE], Pose())
    gravity = -camera(Pose())[1].T @ np.array([0, 0, 1.0])
    return Frame(np.full((H, W, 3), 128, np.uint8), depth, K, gravity=gravity), label


@pytest.mark.parametrize(
    ('condition', 'chosen'),
    [
        (Rank('height', 'max', BOX), 1),
        (Rank('height', 'min', BOX), 0),
        (Relate('left_of', BOX, LAMP), 0),
        (Relate('taller_than', BOX, LAMP), 1),
    ],
)
def test_conditions_choose_among_the_regions_of_a_mask(condition: Node, chosen: int) -> None:
    frame, label = view(BLOCKS)
    parts = split(Select('one', condition))
    assert parts is not None
    measured = facts_of_masks(frame, {'box': (label == 0) | (label == 1), 'lamp': label == 2})
    assert measured is not None
    answer = execute(parts.program, measured.facts)
    assert answer.status == Status.OK
    np.testing.assert_array_equal(measured.mask(answer), label == chosen)


def test_free_space_needs_no_mask_and_avoids_what_stands_there() -> None:
    frame, label = view(BLOCKS)
    measured = facts_of_masks(frame, {}, planes=True)
    assert measured is not None
    found = measured.mask(execute(FreeSpace(None, 'cup'), measured.facts))
    assert found[label == 3].mean() > 0.6 and not (found & (label >= 0) & (label < 3)).sum() > 20


def test_specks_of_a_mask_are_no_things() -> None:
    frame, label = view(BLOCKS)
    mask = label == 1
    mask[2:5, 2:5] = True
    measured = facts_of_masks(frame, {'box': mask})
    assert measured is not None and len(measured.regions) == 1


def test_a_view_without_depth_has_no_facts() -> None:
    frame, label = view(BLOCKS)
    assert facts_of_masks(Frame(frame.rgb), {'box': label == 0}) is None
