"""Programs on a table of blocks: what is chosen, whether facts decide it, and the reason in words."""

from dataclasses import replace

from facts_blocks import TABLE, Block, BlockNamer, K, Pose, facts, render
import numpy as np
import pytest

from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import Segments
from converseg_ros.core.status import Status
from converseg_ros.facts.answer import Options
from converseg_ros.facts.executor import execute
from converseg_ros.facts.naming import facts_of_view
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import (
    Act,
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
from converseg_ros.programs.vocabulary import ACTS

RED_MUG, BOWL, BOOK, WHITE_MUG, BOX = range(5)
BLOCKS = [
    Block('mug', -0.2, 0, (0.08, 0.08, 0.1), colour='red'),
    Block('bowl', 0.1, 0.1, (0.15, 0.15, 0.07), colour='blue'),
    Block('book', 0.3, -0.1, (0.2, 0.15, 0.03), colour='green'),
    Block('mug', 0.3, -0.1, (0.08, 0.08, 0.1), z=0.03),
    Block('box', -0.3, 0.25, (0.1, 0.1, 0.25)),
]
TABLE_TOP = Filter('name', 'table')


def named(noun: str) -> Filter:
    return Filter('name', noun)


@pytest.fixture(scope='module')
def seen() -> Facts:
    return facts(BLOCKS, noise=0.001)


@pytest.mark.parametrize(('sure', 'status'), [(0.9, Status.OK), (0.4, Status.OK), (0.1, Status.LOW_CONFIDENCE)])
def test_a_difference_has_nothing_of_what_is_taken_away(sure: float, status: Status) -> None:
    """A bowl that is one with 0.4 answers "the bowls", so it is none of "everything except the bowls"."""
    options = Options(present=0.3, absent=0.02)
    doubtful = facts([replace(b, p=sure) if b.name == 'bowl' else b for b in BLOCKS], noise=0.001)
    whole = execute(Select('all', named('bowl')), doubtful, options)
    rest = execute(Select('all', Except(Things(), named('bowl'))), doubtful, options)
    assert whole.mask.any() and not (whole.mask & rest.mask).any()
    assert rest.status == status
    assert (status == Status.OK) == ('left out' not in rest.reason)


@pytest.fixture(scope='module')
def flat() -> Facts:
    """Return the same view without depth."""
    return facts(BLOCKS, depth=False)


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
        (Select('one', Relate('next_to', named('box'), named('knife'))), 'no knife is seen'),
    ],
)
def test_nothing_fits_and_says_why(seen: Facts, program: Node, reason: str) -> None:
    answer = execute(program, seen)
    assert answer.status == Status.NO_TARGET and not answer.mask.any()
    assert reason in answer.reason


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


def test_what_cannot_be_seen_is_never_certain(seen: Facts) -> None:
    for program in (
        Select('one', Filter('state', 'open', named('box'))),
        Select('one', Filter('material', 'wood', named('box'))),
        Select('one', Like('something to post a letter in')),
        Select('one', Relate('own_left_of', Things(), named('box'))),
    ):
        answer = execute(program, seen)
        assert answer.status != Status.OK, program
        assert answer.reason


def test_an_unknown_noun_is_not_absent(seen: Facts) -> None:
    answer = execute(Select('one', named('gizmotron')), seen)
    assert answer.status == Status.LOW_CONFIDENCE and not answer.evidence.in_vocabulary


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


def test_safety_answers_everything_that_could_be_meant(seen: Facts) -> None:
    unsure = facts([Block('knife', -0.2, 0, (0.2, 0.03, 0.01), p=0.05), *BLOCKS[1:]])
    usual = Options(absent=0.4)
    assert execute(Select('all', named('knife')), unsure, usual).status == Status.NO_TARGET
    answer = execute(Select('all', named('knife')), unsure, Options(recall=True))
    assert answer.status == Status.LOW_CONFIDENCE and 0 in answer.chosen
    covered = facts(BLOCKS, unexplained=0.05)
    answer = execute(Select('all', named('knife')), covered, Options(recall=True))
    assert answer.status == Status.LOW_CONFIDENCE and 'not recognised' in answer.reason
    assert execute(Select('all', named('knife')), seen, Options(recall=True)).status == Status.NO_TARGET


@pytest.mark.parametrize('best', [0.6, 0.15])
def test_safety_marks_what_is_nearly_as_likely_as_the_best(best: float) -> None:
    """Also where nothing is certain: names of real things are often found with low probabilities."""
    mugs = [Block('mug', x, 0, (0.08, 0.08, 0.1), p=best * share) for x, share in ((-0.3, 1), (0, 0.4), (0.3, 0.05))]
    answer = execute(Select('all', named('mug')), facts(mugs), Options(recall=True))
    assert set(answer.chosen) == {0, 1}


def test_missing_depth_on_one_thing_leaves_an_order_open() -> None:
    masks = facts(BLOCKS).segments.masks
    table = facts(BLOCKS, holes=masks[BOX])
    answer = execute(Rank('height', 'max', Things()), table)
    assert answer.status == Status.LOW_CONFIDENCE and not answer.decided
    assert np.isnan(table.measures.distance[BOX])


def test_the_floor_is_no_table() -> None:
    ground = Block('floor', 0, 1, (6, 5, 0.02), -0.02, 'white', 1)
    low = facts([Block('box', 0, 0.3, (0.3, 0.3, 0.3))], pose=Pose(1.5, 1.6, 40), table=ground)
    assert low.filter('name', 'floor').p[1] > 0.8
    assert low.filter('name', 'table').p[1] < 0.2
    assert facts(BLOCKS).filter('name', TABLE.name).p[-1] > 0.8


def test_a_handle_is_looked_for_in_the_outline(seen: Facts) -> None:
    answer = execute(Parts('grip', Select('one', named('bowl'))), seen)
    assert answer.area and answer.status == Status.LOW_CONFIDENCE
    assert (answer.mask <= seen.segments.masks[BOWL]).all() and answer.mask.any()


def test_evidence_follows_the_conditions(seen: Facts) -> None:
    program = Select('one', Filter('colour', 'red', Relate('on', named('mug'), TABLE_TOP)))
    evidence = execute(program, seen).evidence
    assert [x.text for x in evidence.literals if x.main] == ['mug', 'on the table', 'red']
    assert evidence.best <= evidence.noisy_or <= 1 and evidence.in_vocabulary
    reached = [x.reached for x in evidence.literals if x.main]
    assert reached == sorted(reached, reverse=True)


def test_what_is_as_long_as_high_may_stand_or_lie(seen: Facts) -> None:
    flat = execute(Select('one', Filter('state', 'lying', named('book'))), seen)
    assert (flat.status, flat.chosen) == (Status.OK, (BOOK,))
    assert execute(Select('one', Filter('state', 'lying', named('bowl'))), seen).status == Status.LOW_CONFIDENCE
    assert execute(Select('one', Filter('state', 'upright', named('box'))), seen).status == Status.OK


def test_a_table_that_the_flat_cut_misses_is_found_by_its_plane() -> None:
    """The flat cut has the table joined with all that is on it; the table's plane is a region of its own."""
    blocks = [Block('mug', -0.2, 0, (0.08, 0.08, 0.1)), TABLE]
    z, label = render(blocks, Pose())
    masks = np.stack([label == 0, label >= 0, label == 1])
    kinds = np.array([[0.97, 0.01, 0.01, 0.01], [0.3, 0.25, 0.4, 0.05], [0.01, 0.97, 0.01, 0.01]], np.float32)
    none = np.full(3, -1)
    segments = Segments(masks, z.shape, kinds, np.ones(3, np.float32), np.array([False, True, False]), none, none)
    view = Frame(np.zeros((*z.shape, 3), np.uint8), z, K)
    joined = facts_of_view(view, segments, BlockNamer((blocks[0], blocks[0], blocks[1])))
    assert list(joined.whole) == [False, True, True]
    assert execute(Select('one', TABLE_TOP), joined).chosen == (2,)
    assert execute(FreeSpace(), joined).status == Status.OK


def test_a_floor_that_was_taken_for_a_wall_is_a_floor() -> None:
    ground = Block('ground', 0, 1, (6, 5, 0.02), -0.02, 'white', 2)
    low = facts([Block('box', 0, 0.3, (0.3, 0.3, 0.3))], pose=Pose(1.5, 1.6, 40), table=ground)
    assert execute(Select('one', named('floor')), low).chosen == (1,)
    assert execute(FreeSpace(named('floor')), low).status == Status.OK


def test_words_that_say_nothing_to_the_namer_choose_no_region(seen: Facts) -> None:
    """The probabilities of names decide between two mugs, not the similarity of "with a chip" to some other noun."""
    program = Select('one', Like('with a chip', named('mug')))
    by_name = execute(Select('one', named('mug')), seen, Options())
    answer = execute(program, replace(seen, similarity=lambda text, alone: None, _cache={}), Options())
    assert answer.chosen == by_name.chosen
    assert answer.status == Status.LOW_CONFIDENCE and '"with a chip"' in answer.reason


def test_a_surface_has_the_tags_of_what_it_is_and_not_of_what_a_crop_looks_like(seen: Facts) -> None:
    assert execute(Select('all', Filter('tag', 'supports')), seen).chosen == (len(BLOCKS),)
    assert not seen.filter('tag', 'edible').p[-1] > 0.05


def test_a_surface_has_the_usual_material_of_what_it_is_and_its_tags_do_not_make_it_a_seat(seen: Facts) -> None:
    wooden = execute(Select('one', Filter('material', 'wood', named('table'))), seen)
    assert wooden.chosen == (len(BLOCKS),) and wooden.evidence.best > 0.3
    assert not seen.filter('tag', 'sittable').p[-1] > 0.05


def test_a_reason_without_a_noun_says_what_was_asked_for(seen: Facts) -> None:
    absent = execute(Select('one', Filter('tag', 'cuts')), facts(BLOCKS[1:]), Options(absent=0.9, present=0.95))
    assert 'no thing' not in absent.none and 'a thing' not in absent.unsure
    assert absent.unsure.startswith('it is not certain that anything to cut')
    assert execute(FreeSpace(thing='wardrobe', size=4.0), seen).reason.startswith(
        'no free place for a wardrobe is seen'
    )


@pytest.mark.parametrize('kind', ACTS)
@pytest.mark.parametrize('share', [0.0, 0.05, 0.5])
def test_every_act_can_be_asked_whoever_may_be_an_agent(kind: str, share: float) -> None:
    """A region that is a person or an animal with a low probability must not make an instruction fail."""
    alone = facts(BLOCKS)
    kinds = (1 - share) * alone.segments.kinds
    kinds[:, 3] += share
    seen = replace(alone, segments=replace(alone.segments, kinds=kinds), _cache={})
    answer = execute(Select('all', Act(kind, 'agent')), seen)
    assert answer.status in (Status.NO_TARGET, Status.LOW_CONFIDENCE)


def test_a_condition_that_may_not_be_meant_does_not_rule_out_the_named_thing(seen: Facts) -> None:
    """The parser reads "the bowl that is tied to the leash" as something that no bowl here is."""
    wrong = Select('one', Filter('colour', 'red', named('bowl')))
    assert execute(wrong, seen, Options(least=1e-9, trust=0.3)).chosen == (BOWL,)
    assert BOWL not in execute(wrong, seen, Options(trust=1.0)).chosen


def test_what_fulfils_a_doubtful_condition_is_still_the_first_choice(seen: Facts) -> None:
    red = Select('one', Filter('colour', 'red', named('mug')))
    white_first = execute(red, seen, Options(trust=0.2)).degree.p
    assert white_first[RED_MUG] > 2 * white_first[WHITE_MUG]


def test_a_property_without_a_name_is_not_doubted(seen: Facts) -> None:
    """Without a name nothing would be left of the program."""
    red = Select('all', Filter('colour', 'red', Things()))
    sure, unsure = (execute(red, seen, Options(trust=t)).degree.p for t in (1.0, 0.2))
    np.testing.assert_array_equal(sure, unsure)
