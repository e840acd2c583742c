"""Programs on a table of blocks: what is uncertain lowers the confidence, and safety answers with more."""

from dataclasses import replace

from facts_blocks import (
    BLOCKS,
    BOWL,
    BOX,
    RED_MUG,
    TABLE_TOP,
    WHITE_MUG,
    Block,
    facts,
    named,
)
import numpy as np
import pytest

from converseg_ros.core.status import Status
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import (
    Act,
    Except,
    Filter,
    Like,
    Node,
    Rank,
    Relate,
    Select,
    Things,
)
from converseg_ros.programs.vocabulary import ACTS


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


def test_evidence_follows_the_conditions(seen: Facts) -> None:
    program = Select('one', Filter('colour', 'red', Relate('on', named('mug'), TABLE_TOP)))
    evidence = execute(program, seen).evidence
    assert [x.text for x in evidence.literals if x.main] == ['mug', 'on the table', 'red']
    assert evidence.best <= evidence.noisy_or <= 1 and evidence.in_vocabulary
    reached = [x.reached for x in evidence.literals if x.main]
    assert reached == sorted(reached, reverse=True)


def test_words_that_say_nothing_to_the_namer_choose_no_region(seen: Facts) -> None:
    """The probabilities of names decide between two mugs, not the similarity of "with a chip" to some other noun."""
    program = Select('one', Like('with a chip', named('mug')))
    by_name = execute(Select('one', named('mug')), seen, Options())
    answer = execute(program, replace(seen, similarity=lambda text, alone: None, _cache={}), Options())
    assert answer.chosen == by_name.chosen
    assert answer.status == Status.LOW_CONFIDENCE and '"with a chip"' in answer.reason


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


def test_without_depth_a_place_that_no_named_thing_seems_to_have_does_not_rule_it_out() -> None:
    """Outlines do not show what is in a box: "the box that the mug is in" is still the box."""
    seen = facts(BLOCKS, depth=False)
    program = Select('one', Relate('contains', named('box'), named('mug')))
    assert execute(program, seen, Options(least=1e-9)).chosen == (BOX,)
    assert execute(Select('one', named('box')), seen).evidence.best > 10 * execute(program, seen).evidence.best
    measured = execute(program, facts(BLOCKS), Options(least=1e-9)).degree.p
    assert measured[BOX] < 1e-3
    assert execute(program, seen, Options(recall=True, recall_least=1e-9)).degree.p[BOX] < 1e-3


def test_without_depth_a_place_that_nothing_seems_to_have_does_not_select_everything() -> None:
    """A mug may be "the mug in the box", but without a name everything in view could be meant."""
    seen = facts(BLOCKS, depth=False)
    mug = execute(Select('one', Relate('in', named('mug'), named('box'))), seen, Options(least=1e-9))
    anything = execute(Select('all', Relate('in', Things(), named('box'))), seen, Options(least=1e-3))
    assert mug.chosen in ((RED_MUG,), (WHITE_MUG,)) and mug.evidence.best > 0.01
    assert not anything.chosen


def test_without_depth_a_place_that_a_named_thing_has_still_decides() -> None:
    seen = facts(BLOCKS, depth=False)
    sure = Select('one', Relate('left_of', named('mug'), named('bowl')))
    p = execute(sure, seen).degree.p
    assert p[RED_MUG] > 0.5 and p[WHITE_MUG] < 1e-3


def test_agreement_is_low_if_different_things_fulfil_the_conditions(seen: Facts) -> None:
    """A mug is white and a box is brown: that both are seen is no evidence of a brown mug."""

    def agreement(program: Node) -> float:
        return execute(Select('one', program), seen).evidence.agreement

    assert agreement(named('mug')) == 1
    assert agreement(Filter('colour', 'red', named('mug'))) > 0.8
    assert agreement(Filter('colour', 'red', named('bowl'))) < 0.2
    assert (
        agreement(Relate('on', named('mug'), named('book')))
        > 0.8
        > agreement(Relate('on', named('bowl'), named('book')))
    )


def test_the_name_of_the_target_is_evidence(seen: Facts) -> None:
    assert execute(Select('one', Filter('colour', 'red', named('mug'))), seen).evidence.named > 0.5
    assert execute(Select('one', Filter('colour', 'red', named('spoon'))), seen).evidence.named < 0.1
    assert execute(Select('one', Filter('colour', 'red', Things())), seen).evidence.named == 0.5, 'nothing is named'
