"""The book of instructions: bounded, expiring, and careful with what guards safety."""

import pytest

from converseg_ros.core import InputError, Instruction, Role
from converseg_ros.perception.instructions import InstructionBook


def stove(text: str = 'the stove') -> Instruction:
    return Instruction(text, Role.SAFETY, name='stove')


def test_current_instructions_expire_and_standing_ones_do_not() -> None:
    now = [0.0]
    book = InstructionBook(ttl=5, clock=lambda: now[0])
    book.set_standing([Instruction('the mug', name='mug')])
    book.set_current([Instruction('a plate')])
    assert [i.text for i in book.active()] == ['the mug', 'a plate']
    now[0] = 5.1
    assert [i.text for i in book.active()] == ['the mug']
    book.ttl = 0
    book.set_current([Instruction('a plate')])
    now[0] = 1e9
    assert len(book.active()) == 2


def test_safety_is_only_removed_with_confirmation() -> None:
    book = InstructionBook()
    before = book.set_standing([stove()])
    for wanted in ([], [stove('the kettle')], [Instruction('the stove', name='stove')]):
        with pytest.raises(InputError, match='confirm'):
            book.set_standing(wanted)
        assert book.standing == before
    assert book.set_standing([stove(), Instruction('the mug', name='mug')])[0].id == before[0].id
    assert book.set_standing([], confirm=True) == ()


def test_names_are_given_and_unique_and_the_number_is_bounded() -> None:
    book = InstructionBook(limit=3)
    with pytest.raises(InputError, match='name'):
        book.set_standing([Instruction('the mug')])
    with pytest.raises(InputError, match='unique'):
        book.set_standing([Instruction('the mug', name='a'), Instruction('the cup', name='a')])
    book.set_standing([Instruction('the mug', name='a')])
    with pytest.raises(InputError, match='limit is 3'):
        book.set_current([Instruction(f'thing {n}') for n in range(3)])
    assert len(book.set_current([Instruction(f'thing {n}') for n in range(2)])) == 2
    with pytest.raises(InputError, match='limit is 3'):
        book.hear([Instruction('the stove', Role.SAFETY, name='stove', standing=True)] + [Instruction('x')] * 3)
    assert [i.name for i in book.standing] == ['a'], 'a refusal changes nothing'


def test_what_a_dialogue_understood_goes_in_as_one() -> None:
    book = InstructionBook()
    made = book.hear([Instruction('keep away', Role.SAFETY, name='stove', standing=True), Instruction('the mug')])
    assert [i.standing for i in made] == [True, False] and all(i.id for i in made)
    assert len({i.id for i in made}) == 2
    book.hear([Instruction('the cup')])
    assert [i.text for i in book.active()] == ['keep away', 'the cup']
    book.hear([], ['stove'])
    assert book.standing == ()
    assert [i.text for i in book.active()] == ['the cup'], 'the removal of a guard does not end the current request'


def test_what_operators_gave_is_told_from_what_a_service_set() -> None:
    book = InstructionBook()
    book.set_standing([Instruction('the door', Role.SAFETY, name='door')])
    book.hear([Instruction('the stove', Role.SAFETY, name='stove', standing=True)])
    assert [i.name for i in book.spoken] == ['stove'] and len(book.standing) == 2
    book.set_standing(book.standing)
    assert [i.name for i in book.spoken] == ['stove']
    book.set_standing([stove('the hot stove')], confirm=True)
    assert not book.spoken, 'another instruction of the same name replaced it'


def test_a_full_book_still_removes() -> None:
    book = InstructionBook(limit=3)
    book.hear([Instruction('a', Role.SAFETY, name=n, standing=True) for n in 'abc'])
    book.limit = 1
    assert book.hear([], ['a']) == () and len(book.standing) == 2
