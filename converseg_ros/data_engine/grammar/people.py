"""Prompts about people in photographs: who rides, carries or sits on what, and what nobody does."""

from collections.abc import Sequence

from converseg_ros.core.item import Phase
from converseg_ros.data_engine.grammar.language import Drafts, Talk
from converseg_ros.data_engine.grammar.programs import EVERYTHING, act, called, every, meant, relate, worded
from converseg_ros.data_engine.world.companions import CARRIED, RIDES, SEATS, companions, rides
from converseg_ros.data_engine.world.world import Entity, World
from converseg_ros.programs.nodes import Filter, Node


def people_with(talk: Talk) -> Drafts:
    """Yield who rides, sits on or carries something in a photograph: contact of masks, one person per object."""
    people = [e for e in talk.world.things if e.category == 'person']
    if any(p.crowd for p in people):
        return
    pairs, unclear = companions(talk.world)
    for known, rows in sorted(pairs.items()):
        if known not in unclear:
            yield from _person_with(talk, known, rows, alone=len(people) == 1)
    yield from _nobody_with(talk, people)
    yield from _empty_seats(talk, people)


def _person_with(talk: Talk, known: str, rows: Sequence[tuple[Entity, Entity]], *, alone: bool) -> Drafts:
    """Yield the people with an object of a kind; if a person is `alone` in the photograph, the objects too."""
    chosen = {p.key: p for p, _ in rows}
    noun = 'person' if len(chosen) == 1 else 'people'
    article = 'an' if known[0] in 'aeiou' else 'a'
    options: tuple[str, ...]
    if known in RIDES:
        options = (f'the {noun} on the {known}', f'who is on the {known}?', f'the {noun} riding the {known}')
    elif known == 'tie':
        options = (f'the {noun} wearing a tie', 'who is dressed up with a tie?')
    else:
        having = f'{article} {known}'
        options = (f'the {noun} with {having}', f'who has {having}?', f'the {noun} carrying {having}')
    sub_concept = 'riding' if known in RIDES else 'accompanying'
    text = talk.choose(options)
    if len(rows) > 1:
        text = text.replace(f'the {known}', f'a {known}')
    one = text.startswith(f'the {noun}') and noun == 'person'
    phase: Phase = 'literal' if text.startswith('the') else 'conversational'
    program = meant(_with(text, known), 'is' if one else 'are', [])
    if any(node.op == 'like' for node in program.walk()):
        yield from talk.ask_in_words(text, program, chosen.values(), sub_concept, phase)
    else:
        yield from talk.ask(text, program, sub_concept, phase)
    if len(chosen) == 1 and alone and known in RIDES:
        text = talk.choose(('what is the person riding?', 'the thing the person is riding'))
        yield from talk.ask(text, every(act('riding', 'patient', EVERYTHING, called('person'))), sub_concept)


def _nobody_with(talk: Talk, people: Sequence[Entity]) -> Drafts:
    """Yield questions for who rides or carries something that is near nobody."""
    for known in sorted(CARRIED | RIDES):
        present = [e for e in talk.world.nameable if e.category == known]
        if not present or not people:
            continue
        if any(p.key in e.contacts or _close(p, e, talk.world) for e in present for p in people):
            continue
        riding = (f'the person on the {known}', f'who is riding the {known}?')
        carrying = (f'the person holding the {known}', f'who is carrying the {known}?')
        text = talk.choose(riding if known in RIDES else carrying)
        sub_concept = 'riding' if known in RIDES else 'accompanying'
        program = meant(_with(text, known), 'is' if text.startswith('the person') else 'are', [])
        yield from talk.ask(text, program, sub_concept, strategy='wrong_relation')


def _empty_seats(talk: Talk, people: Sequence[Entity]) -> Drafts:
    """Yield the empty seats next to those that are certainly taken."""
    for seat in sorted(SEATS):
        present = [e for e in talk.world.things if e.category == seat]
        empty = [s for s in present if not any(p.key in s.contacts for p in people)]
        taken = [s for s in present if s not in empty]
        if not (empty and taken):
            continue
        if all(any(rides(p, s) for p in people if p.key in s.contacts) for s in taken):
            noun, be = talk.noun(seat, empty)
            text, phase = talk.say(f'empty {noun}', be, empty)
            yield from talk.ask(text, meant(Filter('state', 'empty', called(seat)), be, empty), 'uninvolved', phase)


def _with(text: str, name: str) -> Node:
    """Return the person in a sentence about somebody and an object, by its verb; the verb `have` has no closed form."""
    of, other = called('person'), called(name)
    if ' on ' in text:
        return relate('on', of, other)
    for kind in ('riding', 'wearing', 'carrying', 'holding'):
        if kind in text:
            return act(kind, 'agent', of, other)
    if 'dressed' in text:
        return act('wearing', 'agent', of, other)
    return worded(text[text.index(' with ' if ' with ' in text else ' has ') + 1 :], of)


def _close(a: Entity, b: Entity, world: World) -> bool:
    margin = 0.05 * world.width
    return (
        a.box.x0 < b.box.x1 + margin
        and b.box.x0 < a.box.x1 + margin
        and a.box.y0 < b.box.y1 + margin
        and b.box.y0 < a.box.y1 + margin
    )
