# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about interactions: held, cut, poured, sat on, falling, ridden, and similar objects that are not involved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from converseg_ros.core.item import Phase
from converseg_ros.data_engine.grammar.language import Drafts, Reference, Talk, keys
from converseg_ros.data_engine.grammar.people import people_with
from converseg_ros.data_engine.grammar.programs import (
    EVERYTHING,
    THINGS,
    act,
    called,
    every,
    in_state,
    meant,
    relate,
    worded,
)
from converseg_ros.data_engine.world.truth import IN_USE
from converseg_ros.data_engine.world.world import Entity, Event, World
from converseg_ros.programs.nodes import Node
from converseg_ros.programs.vocabulary import ACTS


class Happening(NamedTuple):
    """Phrases for one type of event; {a} is the actor, {w} the target."""

    sub_concept: str
    clauses: tuple[str, ...]  # relative clauses for the target
    target_questions: tuple[str, ...]
    actor_questions: tuple[str, ...]
    twin_clauses: tuple[str, ...]  # relative clauses for similar objects that are not involved


EVENTS: dict[str, Happening] = {
    'holding': Happening('holding', ('that is being held', 'in somebody\'s grip', 'held by {a}'), ('what is being held?', 'what is {a} holding?', 'what does {a} have a grip on?', 'which thing is in the grip of {a}?'), ('who or what is holding {w}?', 'what holds {w} right now?'), ('that nobody is holding', 'that is not being held')),
    'cutting': Happening('cutting', ('that is being cut',), ('what is being cut?', 'what is the blade going into?', 'what is {a} cutting?'), ('what is cutting {w}?', 'what is stuck in {w}?', 'what is doing the cutting right now?'), ('that is not being cut', 'that is not in use')),
    'pouring': Happening('pouring', ('that is being filled', 'that something is poured into'), ('what is being poured into?', 'what is {a} being emptied into?', 'what is about to be filled?'), ('what is being poured from?', 'what is tilted over {w}?', 'what is pouring something?'), ('that nothing is poured into', 'that is not being filled')),
    'sitting': Happening('sitting', ('that somebody is sitting on', 'that is taken'), ('what is somebody sitting on?', 'where is somebody sitting?', 'where is {a} sitting?'), ('who is sitting down?', 'who is sitting on {w}?'), ('that is free', 'that nobody is sitting on', 'I could still sit on')),
    'reaching': Happening('reaching', ('that {a} is reaching for', 'that is about to be grabbed'), ('what is {a} reaching for?', 'what is about to be grabbed?', 'what will be taken next?'), ('what is reaching for {w}?', 'who is about to take {w}?'), ('that nobody is reaching for',)),
    'facing': Happening('facing', ('that {a} is turned towards',), ('what is {a} turned towards?', 'what is {a} looking at?'), ('who is facing {w}?',), ('that {a} is turned away from',)),
    'falling': Happening('about_to', ('that is falling', 'in mid-air', 'that is about to hit the ground'), ('what is falling right now?', 'what is in mid-air?', 'what is about to hit the ground?', 'what should I catch before it lands?'), (), ('that is not falling', 'that stands safely')),
    'carrying': Happening('in_transit', ('that is being carried', 'that is on its way', 'that {a} is carrying'), ('what is being transported?', 'what is on its way somewhere?', 'what is {a} carrying?'), ('what is carrying {w}?', 'what brings {w} along?'), ('that stays where it is', 'that is not being carried')),
    'covering': Happening('covering', ('that is being covered', 'that the lid belongs to'), ('what is about to be covered?', 'what is {a} held over?'), ('what is about to cover {w}?', 'what is being put on {w}?'), ('that is not being covered', 'that nothing is held over')),
    'plugging': Happening('connecting', ('that is in use', 'with a plug in it'), ('what has a plug in it?', 'where is {a} plugged in?', 'what is {a} going into?'), ('what is plugged into {w}?', 'what is going into {w}?'), ('that is free', 'with nothing plugged into it')),
}  # fmt: skip
PLURALS = {'that is ': 'that are ', 'that stays': 'that stay', 'it is': 'they are', 'that stands': 'that stand'}
ACTOR_ROLES = {'cutting': 'instrument', 'pouring': 'instrument'}
"""Role of the actor of an event in its act, if it is not the agent."""
EVIDENCE = 0.0012  # minimum share of the image for each participant


def relations(talk: Talk) -> Drafts:
    """Yield prompts about interactions and, for photographs, about people with objects."""
    for event in talk.world.events:
        if event.type in EVENTS:
            yield from _event(talk, event)
    if 'graph' in talk.world.facts:
        yield from _nothing_going_on(talk)
        yield from _touching(talk)
    else:
        yield from people_with(talk)


def _target(event: str, of: Node, actor: Reference | None) -> Node | None:
    """Return the members of `of` that are targets of an event, by an actor if it is given; None without a closed form."""
    return act(event, 'patient', of, actor.program if actor else None) if event in ACTS else None


def _actor(event: str, target: Reference | None) -> Node | None:
    """Return the actor of an event, on a target if it is given; None without a closed form."""
    if event == 'covering':
        return relate('covers', EVERYTHING, target.program) if target else None
    return act(event, ACTOR_ROLES.get(event, 'agent'), EVERYTHING, target.program if target else None)


def _ask(
    talk: Talk,
    text: str,
    closed: Node | None,
    words: Node,
    answer: list[Entity],
    sub_concept: str,
    be: str,
    phase: Phase,
) -> Drafts:
    """Yield the draft of a closed form or, without one, of `words` with the answer."""
    if closed is not None:
        yield from talk.ask(text, meant(closed, be, answer), sub_concept, phase)
    else:
        yield from talk.ask_in_words(text, meant(words, be, answer), answer, sub_concept, phase)


@dataclass(frozen=True, slots=True)
class _Told:
    """An event with its phrases.

    words: those of the actor, target_words: those of the target, None if there are none. alone: it is the only event of
    its type. involved: keys of the visible targets of all events of its type.
    """

    event: Event
    actor: Entity | None
    target: Entity | None
    twin: Entity | None
    words: Reference | None
    alone: bool
    involved: tuple[str, ...]
    happening: Happening

    def askable(self, questions: Sequence[str]) -> list[str]:
        """Return the questions for the target with a unique answer."""
        found = [q for q in questions if (self.words or '{a}' not in q) and (self.alone or '{a}' in q)]
        if self.words and self.actor and self.actor.kind != 'agent':
            found = [q for q in found if 'looking' not in q]
        return found


def _event(talk: Talk, event: Event) -> Drafts:
    """Yield prompts about an event: its target, similar uninvolved objects, and its actor."""
    world = talk.world
    target, actor = world.entities.get(event.target), world.entities.get(event.actor)
    least = EVIDENCE * world.width * world.height
    if any(e and (e.area < (5 if world.cut_off(e) else 1) * least or e.visible < 0.3) for e in (target, actor)):
        return  # too little of it is visible
    others = [e for e in world.events if e.type == event.type]
    told = _Told(
        event,
        actor,
        target,
        world.entities.get(event.twin),
        talk.anchor(actor) if actor and actor.area else None,
        len(others) == 1,
        keys(x for e in others if (x := world.entities.get(e.target)) is not None and x.area and not world.faint(x)),
        EVENTS[event.type],
    )
    seen = event.type == 'falling' or (actor is not None and actor.area > 0 and not world.faint(actor))
    if target and target.area and not world.faint(target) and seen:  # the actor must be visible
        yield from _what_it_happens_to(talk, told, target)
        yield from _by_its_name(talk, told, target)
    if actor and actor.area and not world.faint(actor) and told.happening.actor_questions:
        yield from _who_acts(talk, told, actor)
        yield from _tool_not_in_use(talk, told, actor)


def _what_it_happens_to(talk: Talk, told: _Told, target: Entity) -> Drafts:
    """Yield questions with the target as answer: 'what is being held?'."""
    options = told.askable(told.happening.target_questions) if told.alone or told.words else []
    for _ in range(2 if options else 0):
        option = talk.choose(options)
        text, sub = option.format(a=told.words), _sub(told.happening.sub_concept, talk)
        closed = _target(told.event.type, EVERYTHING, told.words if '{a}' in option else None)
        yield from _ask(talk, text, closed, worded(text), [target], sub, 'are', 'conversational')


def _by_its_name(talk: Talk, told: _Told, target: Entity) -> Drafts:
    """Yield the target among similar objects by the event ('the cup that is being held'), and the uninvolved ones."""
    found = talk.word(target)
    if not found or not told.twin or not told.twin.area or told.twin not in found[1]:
        return
    name, named = found
    engaged = [e for e in named if e.key in told.involved or e.key == target.key]
    idle = [e for e in named if e not in engaged]
    yield from _engaged(talk, told, name, engaged, idle)
    yield from _idle(talk, told, name, engaged, idle)


def _engaged(talk: Talk, told: _Told, name: str, engaged: list[Entity], idle: list[Entity]) -> Drafts:
    options = [c for c in told.happening.clauses if '{a}' not in c or (told.words and told.alone)]
    occupied = any(_occupied(e, told.event, talk.world) for e in idle)
    if not (engaged and idle and options) or occupied:
        return
    noun, be = talk.noun(name, engaged)
    option = talk.choose(options)
    clause = _agreeing(option.format(a=told.words), be, {'that is ': 'that are '})
    text, phase = talk.say(f'{noun} {clause}', be, engaged)
    closed = _target(told.event.type, called(name), told.words if '{a}' in option else None)
    if 'in use' in option:
        closed = in_state('used', called(name))
    words = worded(clause, called(name))
    yield from _ask(talk, text, closed, words, engaged, told.happening.sub_concept, be, phase)


def _idle(talk: Talk, told: _Told, name: str, engaged: list[Entity], idle: list[Entity]) -> Drafts:
    options = [c for c in told.happening.twin_clauses if '{a}' not in c or told.words]
    if not (idle and engaged and options):
        return
    if any(_occupied(e, told.event, talk.world) for e in idle):
        return
    noun, be = talk.noun(name, idle)
    option = talk.choose(options)
    clause = _agreeing(option.format(a=told.words), be, PLURALS)
    text, phase = talk.say(f'{noun} {clause}', be, idle)
    closed = None
    if told.event.type in ACTS and '{a}' not in option and 'safely' not in option:
        unused = 'in use' in option
        closed = in_state('unused', called(name)) if unused else act(told.event.type, 'uninvolved', called(name))
    yield from _ask(talk, text, closed, worded(clause, called(name)), idle, 'uninvolved', be, phase)


def _agreeing(clause: str, be: str, plurals: Mapping[str, str]) -> str:
    """Return a relative clause that agrees with the number of its noun."""
    if be == 'are':
        for one, many in plurals.items():
            clause = clause.replace(one, many)
    return clause


def _who_acts(talk: Talk, told: _Told, actor: Entity) -> Drafts:
    """Yield a question with the actor as answer: 'what is cutting the bread?'."""
    kind, target = told.event.type, told.target
    words = talk.anchor(target) if target and target.area else None
    options = [q for q in told.happening.actor_questions if (words or '{w}' not in q) and (told.alone or '{w}' in q)]
    if actor.kind != 'agent':
        options = [q for q in options if not q.startswith('who ') or q.startswith('who or')]
    elif kind in ('cutting', 'pouring', 'covering', 'plugging', 'carrying'):
        options = [q for q in options if not q.startswith('which')]
    if options:
        option = talk.choose(options)
        text, sub = option.format(w=words), _sub(told.happening.sub_concept, talk)
        closed = _actor(kind, words if '{w}' in option else None)
        yield from _ask(talk, text, closed, worded(text), [actor], sub, 'are', 'conversational')


def _tool_not_in_use(talk: Talk, told: _Told, actor: Entity) -> Drafts:
    """Yield the object that is similar to the actor but not in use."""
    found, twin = talk.word(actor), told.twin
    alike = found and twin and twin in found[1] and len(found[1]) == 2 and told.event.type in IN_USE
    if found and twin and alike and twin.kind == 'object':
        noun, be = talk.noun(found[0], [twin])
        text, phase = talk.say(f'{noun} that is not in use', be, [twin])
        yield from talk.ask(text, meant(in_state('unused', called(found[0])), be, [twin]), 'uninvolved', phase)


def _sub(sub_concept: str, talk: Talk) -> str:
    """Return the sub-concept, sometimes the wider `using`."""
    return (
        'using' if sub_concept in ('cutting', 'sitting', 'connecting') and talk.random.random() < 0.25 else sub_concept
    )


def _occupied(entity: Entity, event: Event, world: World) -> bool:
    """Return whether an entity takes part in another event of the same type."""
    return any(entity.key in (e.actor, e.target) for e in world.events if e.type == event.type and e is not event)


NOTHING = {
    'holding': ('what is being held?', 'which thing is in a hand or gripper?'),
    'cutting': ('what is being cut right now?', 'what is cutting something?'),
    'pouring': ('what is being poured from?', 'what is pouring something?'),
    'sitting': ('who is sitting down?', 'what is somebody sitting on?'),
    'falling': ('what is falling right now?', 'what is in mid-air?'),
    'carrying': ('what is being transported?',),
    'reaching': ('what is about to be grabbed?',),
    'plugging': ('what has a plug in it?',),
}


def _nothing_going_on(talk: Talk) -> Drafts:
    """Yield questions for events that do not take place."""
    going_on = {e.type for e in talk.world.events}
    for kind, options in NOTHING.items():
        if kind in going_on or (
            kind in ('holding', 'carrying') and going_on & {'holding', 'carrying', 'reaching', 'covering', 'cutting'}
        ):
            continue
        if talk.random.random() < (0.2 if going_on else 0.04):
            text = talk.choose(options)
            of_actor = text.startswith(('what is cutting', 'what is pouring', 'what is being poured from', 'who '))
            program = every(act(kind, ACTOR_ROLES.get(kind, 'agent') if of_actor else 'patient'))
            yield from talk.ask(text, program, EVENTS[kind].sub_concept, strategy='wrong_relation')


def _touching(talk: Talk) -> Drafts:
    world = talk.world
    for e in world.things:
        beside = [
            world.entities[k]
            for k in e.contacts
            if k in world.entities
            and k != e.support
            and world.entities[k].support != e.key
            and k != e.inside
            and world.entities[k].inside != e.key
        ]
        if any(b.kind == 'agent' for b in beside):
            continue  # for a person, the question is 'who'
        beside = [b for b in beside if b.kind == 'object' and b.area]
        words = talk.anchor(e)
        if words and e.kind == 'object' and len(beside) == 1:
            text = talk.choose(
                (f'what is touching {words}?', f'what leans against {words}?', f'the thing in contact with {words}')
            )
            closed = None if 'leans' in text else relate('touching', THINGS, words.program)
            yield from _ask(talk, text, closed, worded(text), beside, 'connecting', 'are', 'conversational')
