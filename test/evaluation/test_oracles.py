"""Known names mend errors of names and nothing else, on a table of blocks."""

from dataclasses import replace

from facts_blocks import BLOCKS, BOOK, BOWL, BOX, RED_MUG, TABLE_TOP, WHITE_MUG, Block, facts, named
import numpy as np
import pytest

from converseg_ros.core.segmentation import Query
from converseg_ros.evaluation.oracles import iou_with_known_names, target_of, union_oracle, with_known_names
from converseg_ros.facts.execution.executor import Executor
from converseg_ros.facts.geometry.measures import measure
from converseg_ros.facts.table import Facts
from converseg_ros.network.things.reading import options_of
from converseg_ros.programs.nodes import (
    Except,
    Filter,
    FreeSpace,
    Like,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Things,
    Union,
)

OPTIONS = options_of(Query('what is meant'), 1.0)


def boxes(*corners: tuple[int, int, int, int]) -> np.ndarray:
    masks = np.zeros((len(corners), 48, 64), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, corners):
        mask[y0:y1, x0:x1] = True
    return masks


def seen_as(**names: str) -> Facts:
    """Return the facts about the blocks, of which some are taken for something else."""
    places = {'red_mug': RED_MUG, 'bowl': BOWL, 'book': BOOK, 'white_mug': WHITE_MUG, 'box': BOX}
    mistaken = {places[place]: name for place, name in names.items()}
    return facts([replace(b, name=mistaken.get(i, b.name)) for i, b in enumerate(BLOCKS)])


def truth_of(known: Facts, *regions: int) -> np.ndarray:
    return known.segments.masks[list(regions)].any(0)


def chosen(program: Node, known: Facts) -> set[int]:
    return set(Executor(known).decide(program, OPTIONS).chosen)


def chosen_with_names(program: Node, known: Facts, *target: int) -> set[int]:
    return chosen(*with_known_names(program, known, target))


def test_the_union_oracle_joins_what_the_truth_covers():
    truth = np.zeros((96, 128), bool)
    truth[20:60, 20:100] = True  # of twice the resolution of the masks
    assert union_oracle(boxes((0, 0, 5, 5), (10, 10, 30, 30), (30, 10, 50, 30)), truth) == (pytest.approx(1), (1, 2))
    assert union_oracle(boxes((10, 10, 30, 30)), truth) == (pytest.approx(0.5), (0,))
    assert union_oracle(boxes((0, 32, 64, 48)), truth) == (0, ())
    assert union_oracle(boxes(), truth) == (0, ())


@pytest.mark.parametrize(
    ('program', 'names', 'target'),
    [
        (Select('one', named('bowl')), {'bowl': 'mug', 'box': 'bowl'}, {BOWL}),
        (Select('all', named('mug')), {'white_mug': 'bowl'}, {RED_MUG, WHITE_MUG}),
        (Select('all', named('mug')), {'bowl': 'mug'}, {RED_MUG, WHITE_MUG}),
        (Select('all', Filter('tag', 'read')), {'book': 'bowl'}, {BOOK}),
        (Select('all', Union((named('bowl'), named('book')))), {'bowl': 'box', 'book': 'mug'}, {BOWL, BOOK}),
        (Select('one', Filter('colour', 'white', named('mug'))), {'white_mug': 'bowl', 'box': 'mug'}, {WHITE_MUG}),
        (
            Select('one', Relate('right_of', named('mug'), named('bowl'))),
            {'white_mug': 'box', 'book': 'mug'},
            {WHITE_MUG},
        ),
        (Select('one', Rank('x', 'max', named('mug'))), {'white_mug': 'bowl'}, {WHITE_MUG}),
        (
            Select('one', Except(named('mug'), named('book'))),
            {'red_mug': 'bowl', 'white_mug': 'bowl', 'box': 'mug'},
            {RED_MUG},
        ),
    ],
)
def test_what_fails_by_names_alone_is_right_with_known_names(program, names, target):
    known = seen_as(**names)
    assert chosen(program, known) != target
    assert chosen_with_names(program, known, *target) == target


@pytest.mark.parametrize(
    ('program', 'names', 'target'),
    [
        (Select('one', Relate('on', named('mug'), named('book'))), {}, {RED_MUG}),  # the relation
        (Select('one', Relate('on', named('mug'), named('book'))), {'bowl': 'book', 'book': 'bowl'}, {RED_MUG}),
        (Select('one', Relate('right_of', named('mug'), named('mug'))), {}, {RED_MUG}),  # the anchor has the same name
        (Select('one', Rank('x', 'min', named('mug'))), {}, {WHITE_MUG}),  # the order
        (Select('one', Filter('colour', 'red', named('mug'))), {}, {WHITE_MUG}),  # the colour
        (Select('one', Rank('height', 'max', Things())), {}, {BOOK}),  # no name is said
        (Select('one', Like('crackers', Things())), {}, {BOX}),
        (Select('one', named('mug')), {}, {RED_MUG, WHITE_MUG}),  # the number
    ],
)
def test_other_errors_remain_with_known_names(program, names, target):
    assert chosen_with_names(program, seen_as(**names), *target) != target


def test_an_anchor_stays_as_it_is_recognised_and_so_do_the_facts():
    known = seen_as(white_mug='bowl')
    program = Select('one', Relate('next_to', named('mug'), named('mug')))
    before = known.filter('name', 'mug').p.copy()
    marked, with_names = with_known_names(program, known, [WHITE_MUG])
    relate = marked.of
    assert relate.anchor == named('mug') and relate.of != named('mug')
    assert (with_names.filter('name', 'mug').p == before).all() and (known.filter('name', 'mug').p == before).all()
    assert not known.given.filters and chosen(Select('all', named('mug')), known) == {RED_MUG}


def test_the_target_has_as_many_regions_as_the_program_asks_for():
    known = facts(BLOCKS)
    truth = truth_of(known, WHITE_MUG, BOX)
    assert set(target_of(Select('all', Things()), known, truth)) == {WHITE_MUG, BOX}
    assert target_of(Select('one', Things()), known, truth) == (BOX,)  # the larger one
    assert set(target_of(Select(2, Things()), known, truth)) == {WHITE_MUG, BOX}
    assert target_of(Select('all', Things()), known, np.zeros_like(truth)) == ()


def test_free_space_needs_the_name_of_its_surface():
    known = facts(BLOCKS)
    table = Executor(known).decide(Select('all', FreeSpace(TABLE_TOP)), OPTIONS).mask(known)
    rgb = np.full((*table.shape, 3), 128, np.uint8)
    program = Select('all', FreeSpace(named('bowl')))  # as if the table was called a bowl
    assert not (table & Executor(known).decide(program, OPTIONS).mask(known)).any()
    assert iou_with_known_names(program, known, rgb, table, OPTIONS) > 0.9


def test_a_part_needs_the_name_of_its_whole():
    lid = Block('lid', -0.3, 0.25, (0.1, 0.1, 0.04), z=0.25)
    boxes = [replace(b, name='bowl') if b.name == 'box' else b for b in BLOCKS]
    apart = facts([*boxes, lid])
    own = apart.segments
    masks, parent = own.masks.copy(), own.parent.copy()
    masks[BOX] |= masks[BOX + 1]
    parent[BOX + 1] = BOX
    segments = replace(own, masks=masks, parent=parent, flat=parent < 0)
    known = replace(apart, segments=segments, measures=measure(masks, apart.geometry), _cache={})
    program, truth = Select('all', Parts('lid', named('box'))), masks[BOX + 1]
    assert target_of(program, known, truth) == (BOX + 1,)
    assert chosen_with_names(program, known, BOX + 1) == {BOX + 1}
    marked, with_names = with_known_names(program, known, [BOX + 1])
    best = [Executor(f).decide(p, OPTIONS).best for p, f in ((program, known), (marked, with_names))]
    assert best[0] < 0.01 < 0.2 < best[1]
