"""Properties have the sense that other words of the text give them."""

import pytest

from converseg_ros.programs.nodes import Filter, FreeSpace, Rank, Relate, Select, Things, Union
from converseg_ros.programs.senses import with_carriers, with_senses
from converseg_ros.programs.spans import split

LITTLE, BY_WIND = Filter('physics', 'light_weight', Things()), Filter('tag', 'light_weight', Things())
TABLE = Filter('name', 'table')


@pytest.mark.parametrize(
    ('text', 'meant'),
    [
        ('what might the wind blow away', BY_WIND),
        ('what is so light that a draught could move it', BY_WIND),
        ('what is light enough to lift with one hand', LITTLE),
        ('what weighs little', LITTLE),
    ],
)
def test_what_the_wind_moves_is_not_all_that_one_hand_lifts(text: str, meant: Filter) -> None:
    assert with_senses(Select('all', LITTLE), split(text)) == Select('all', meant)


def test_the_rest_of_a_program_stays() -> None:
    program = Select('one', Rank('size', 'max', Relate('on', LITTLE, TABLE)))
    found = with_senses(program, split('the largest thing on the table that the wind could blow away'))
    assert found == Select('one', Rank('size', 'max', Relate('on', BY_WIND, TABLE)))


def test_what_is_set_down_on_a_bench_may_be_on_a_workbench() -> None:
    bench, workbench = Filter('name', 'bench'), Filter('name', 'workbench')
    assert with_carriers(FreeSpace(bench, 'mug')) == FreeSpace(Union((bench, workbench)), 'mug')
    for program in (bench, FreeSpace(TABLE), FreeSpace(workbench), FreeSpace(None), Relate('on', Things(), bench)):
        assert with_carriers(program) == program
