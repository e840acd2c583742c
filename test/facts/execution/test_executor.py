"""Programs on a table of blocks: what is chosen, whether facts decide it, and the reason in words."""

from dataclasses import replace

from facts_blocks import BLOCKS, BOOK, BOWL, BOX, RED_MUG, TABLE_TOP, WHITE_MUG, Block, facts, named
import pytest

from converseg_ros.core.status import Status
from converseg_ros.facts.execution import wording
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import (
    Act,
    Except,
    Filter,
    FreeSpace,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Things,
    Union,
)
from converseg_ros.programs.printer import words


@pytest.mark.parametrize(
    ('program', 'expected'),
    [
        (Select('one', named('bowl')), {BOWL}),
        (Select('all', named('mug')), {RED_MUG, WHITE_MUG}),
        (Select(2, named('mug')), {RED_MUG, WHITE_MUG}),
        (Select('one', Filter('colour', 'red', named('mug'))), {RED_MUG}),
        (Select('one', Relate('on', named('mug'), named('book'))), {WHITE_MUG}),
        (Rank('height', 'max', Relate('on', Things(), TABLE_TOP)), {BOX}),
        (Rank('height', 'min', Things()), {BOOK}),
        (Rank('size', 'max', Things()), {BOX}),
        (Rank('x', 'min', named('mug')), {RED_MUG}),
        (Rank('x', 'min', Things(), first=2), {RED_MUG}),
        (Rank('distance_to', 'min', Things(), anchor=named('bowl')), {BOOK}),
        (Rank('distance_to', 'min', named('mug'), anchor=named('box')), {RED_MUG}),
        (Rank('depth', 'max', Things()), {BOX}),
        (Rank('elevation', 'max', named('mug')), {WHITE_MUG}),
        (Except(Things(), named('mug')), {BOWL, BOOK, BOX}),
        (Union((named('bowl'), named('box'))), {BOWL, BOX}),
        (Select('one', Relate('left_of', named('mug'), named('bowl'))), {RED_MUG}),
        (Select('one', Relate('right_of', named('mug'), named('bowl'))), {WHITE_MUG}),
        (Select('one', Relate('in_front_of', Things(), named('box'))), {RED_MUG}),
        (Select('one', Relate('behind', Things(), named('mug'))), {BOX}),
        (Select('one', Relate('between', named('bowl'), named('box'), named('book'))), {BOWL}),
        (Select('all', Relate('taller_than', Things(), named('bowl'))), {RED_MUG, WHITE_MUG, BOX}),
        (Select('one', Relate('falls_without', Things(), named('book'))), {WHITE_MUG}),
        (Select('one', Relate('under', Things(), named('mug'))), {BOOK}),
        (Select('all', Filter('physics', 'removable', Things())), {RED_MUG, BOWL, WHITE_MUG, BOX}),
        (Select('one', Filter('physics', 'bears_load', Things())), {BOOK}),
        (Select('one', TABLE_TOP), {len(BLOCKS)}),
    ],
    ids=lambda x: str(x.to_json())[:70] if isinstance(x, Node) else '',
)
def test_depth_decides(seen: Facts, program: Node, expected: set[int]) -> None:
    answer = execute(program, seen)
    assert set(answer.chosen) == expected, (answer.reason, answer.candidates)
    assert answer.status == Status.OK, answer.reason
    assert (answer.mask == seen.segments.masks[list(expected)].any(0)).all()


@pytest.mark.parametrize(
    ('program', 'reason'),
    [
        (Select('one', named('knife')), 'no knife is seen'),
        (Select('one', Filter('colour', 'blue', named('mug'))), 'a mug is seen, but none blue'),
        (Select('one', Relate('on', named('box'), named('book'))), 'a box is seen, but none on the book'),
        (
            Select('one', Filter('region', 'corner', named('bowl'))),
            'a bowl is seen, but none in a corner of the picture',
        ),
    ],
)
def test_nothing_fits_and_says_why(seen: Facts, program: Node, reason: str) -> None:
    answer = execute(program, seen)
    assert answer.status == Status.NO_TARGET and not answer.mask.any()
    assert reason in answer.reason


def test_an_anchor_that_is_not_seen_gives_no_target_but_a_proposal(seen: Facts) -> None:
    answer = execute(Select('one', Relate('next_to', named('box'), named('knife'))), seen)
    assert answer.status == Status.NO_TARGET
    assert answer.reason == 'no knife is seen'
    assert set(answer.chosen) == {BOX}
    safety = execute(Select('one', Relate('next_to', named('box'), named('knife'))), seen, Options(recall=True))
    assert not safety.mask.any()


def test_how_many_are_seen_is_compared_with_how_many_were_asked_for(seen: Facts) -> None:
    three = execute(Select(3, named('mug')), seen)
    assert three.status == Status.LOW_CONFIDENCE and 'two mugs are seen, three were asked for' in three.reason
    one = execute(Select('one', named('mug')), seen)
    assert one.status == Status.LOW_CONFIDENCE and 'two mugs are seen, one was asked for' in one.reason


def test_a_tie_names_both(seen: Facts) -> None:
    answer = execute(Rank('height', 'max', named('mug')), seen)
    assert answer.status == Status.LOW_CONFIDENCE
    assert 'two mugs are about equally tall' in answer.reason
    assert {c.index for c in answer.candidates[:2]} == {RED_MUG, WHITE_MUG}
    doubtful = facts([replace(b, p=0.05) if b.name == 'mug' else b for b in BLOCKS], noise=0.001)
    unsure = execute(Rank('height', 'max', named('mug')), doubtful, Options(present=0.3, absent=0.02)).reason
    assert 'two regions are about equally tall' in unsure and 'mugs' not in unsure


def test_without_depth_sizes_are_guesses(flat: Facts) -> None:
    answer = execute(Rank('height', 'max', Relate('on', Things(), TABLE_TOP)), flat)
    assert answer.chosen == (BOX,)
    assert answer.status == Status.LOW_CONFIDENCE and not answer.decided
    assert 'depth is missing, so sizes are not known' in answer.reason
    tips = execute(Filter('physics', 'tips', Things()), flat)
    assert tips.status == Status.LOW_CONFIDENCE and 'stability is not known' in tips.reason


def test_without_depth_the_image_still_tells_sides_and_contact(flat: Facts) -> None:
    left = execute(Select('one', Relate('left_of', named('mug'), named('bowl'))), flat)
    assert (left.status, left.chosen) == (Status.OK, (RED_MUG,))
    upon = execute(Select('one', Relate('on', named('mug'), named('book'))), flat)
    assert upon.chosen == (WHITE_MUG,)


def test_nobody_holds_anything_where_nobody_is(seen: Facts) -> None:
    assert execute(Act('holding', 'patient', Things()), seen).status == Status.NO_TARGET


def test_a_hand_on_a_thing_may_hold_it() -> None:
    hand = Block('hand', 0.29, -0.1, (0.08, 0.06, 0.06), kind=3)
    table = facts([*BLOCKS[:2], Block('mug', 0.2, -0.1, (0.08, 0.08, 0.1)), hand])
    held = execute(Select('one', Act('holding', 'patient', Things())), table)
    assert held.chosen == (2,)
    agent = execute(Select('one', Act('holding', 'agent')), table)
    assert agent.chosen == (3,)
    assert execute(Things(), table).chosen and 3 not in execute(Things(), table).chosen


def test_a_handle_is_looked_for_in_the_outline(seen: Facts) -> None:
    answer = execute(Parts('grip', Select('one', named('bowl'))), seen)
    assert answer.area and answer.status == Status.LOW_CONFIDENCE
    assert (answer.mask <= seen.segments.masks[BOWL]).all() and answer.mask.any()


def test_what_is_as_long_as_high_may_stand_or_lie(seen: Facts) -> None:
    flat = execute(Select('one', Filter('state', 'lying', named('book'))), seen)
    assert (flat.status, flat.chosen) == (Status.OK, (BOOK,))
    assert execute(Select('one', Filter('state', 'lying', named('bowl'))), seen).status == Status.LOW_CONFIDENCE
    assert execute(Select('one', Filter('state', 'upright', named('box'))), seen).status == Status.OK


def test_a_reason_without_a_noun_says_what_was_asked_for(seen: Facts) -> None:
    cuts = Select('one', Filter('tag', 'cuts'))
    absent = execute(cuts, facts(BLOCKS[1:]), Options(absent=0.9, present=0.95))
    assert 'no thing' not in absent.none and 'a thing' not in absent.reason
    assert wording.any_of(cuts).startswith('anything to cut')
    assert execute(FreeSpace(thing='wardrobe', size=4.0), seen).reason.startswith(
        'no free place for a wardrobe is seen'
    )


@pytest.mark.parametrize('sure', [0.9, 0.4, 0.1, 0.03])
@pytest.mark.parametrize(
    'program',
    [
        Select('one', named('mug')),
        Select(3, named('mug')),
        Select('all', Relate('on', named('mug'), named('book'))),
        Select('one', Relate('next_to', named('box'), named('knife'))),
        Select('one', Relate('next_to', named('bowl'), named('mug'))),
        Parts('grip', Select('one', named('mug'))),
        Rank('height', 'max', named('mug')),
    ],
    ids=words,
)
def test_the_reason_beside_a_mask_does_not_say_that_nothing_is_seen(program: Node, sure: float) -> None:
    doubtful = facts([replace(b, p=sure) if b.name == 'mug' else b for b in BLOCKS], noise=0.001)
    answer = execute(program, doubtful, Options(present=0.3, absent=0.02, least=1e-9))
    assert answer.mask.any()
    for reason in (answer.unsure, *([answer.reason] if answer.status != Status.NO_TARGET else [])):
        assert not {'no', 'nothing', 'none'} & set(reason.split()), reason
    if answer.evidence.best < 0.3:
        assert 'not certain' in answer.unsure and 'mugs are seen' not in answer.unsure
    assert answer.none.startswith(('no ', 'nothing ', 'a '))


def test_what_is_seen_is_not_called_absent_because_of_another_condition(seen: Facts) -> None:
    red, far = named('mug'), named('box')
    doubtful = facts([replace(b, p=0.1) if b.name == 'bowl' else b for b in BLOCKS], noise=0.001)
    options = Options(present=0.3, absent=0.02)
    assert execute(Select('one', Relate('next_to', red, named('bowl'))), doubtful, options).none == 'no bowl is seen'
    assert execute(Select('one', Relate('on', far, red)), seen, options).none == 'a box is seen, but none on the mug'
