"""Every sub-concept has a form, and every form is one of the program language."""

import pytest

from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.forms import FORMS, form
from converseg_ros.programs.nodes import NODES, Filter, Rank, Relate, Select, Things


def test_every_sub_concept_has_a_form_and_no_other_has() -> None:
    assert FORMS.keys() == SUB_CONCEPTS.keys()
    assert all(FORMS.values())


@pytest.mark.parametrize('name', sorted({f for forms in FORMS.values() for f in forms}))
def test_every_form_is_of_the_language(name: str) -> None:
    op, _, value = name.partition(' ')
    assert op in NODES
    allowed = {
        'filter': ('name', 'tag', 'colour', 'material', 'state', 'physics', 'region'),
        'rank': v.RANK_KEYS,
        'relate': v.RELATIONS,
        'act': v.ACTS,
    }
    assert value in allowed.get(op, ('',))


def test_form_is_the_outermost_condition() -> None:
    mugs = Filter('name', 'mug')
    assert form(Select('one', Rank('height', 'max', mugs))) == 'rank height'
    assert form(Relate('on', Things(), mugs)) == 'relate on'
    assert form(Filter('colour', 'red', mugs)) == 'filter colour'
    assert form(Things()) == 'things'
