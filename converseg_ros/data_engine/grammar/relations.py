# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about what goes on between things: held, cut, poured, sat on, falling, ridden, and the look-alikes that are not."""

from converseg_ros.core.item import Phase
from converseg_ros.data_engine.grammar.language import Draft, Drafts, Reference, Talk, keys
from converseg_ros.data_engine.grammar.programs import EVERYTHING, act, called, every, in_state, meant, relate
from converseg_ros.data_engine.world.companions import CARRIED, RIDES, SEATS, companions, rides
from converseg_ros.data_engine.world.world import Entity, Event, World
from converseg_ros.programs.nodes import Filter, Node, Things
from converseg_ros.programs.vocabulary import ACTS

# type: (sub-concept, relative clause for the target, question for the target, question for the actor, clause for the twin)
# t = noun of the target, a = words for the actor, w = words for the target.
EVENTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    'holding': ('holding', ('that is being held', 'in somebody\'s grip', 'held by {a}'), ('what is being held?', 'what is {a} holding?', 'what does {a} have a grip on?', 'which thing is in the grip of {a}?'), ('who or what is holding {w}?', 'what holds {w} right now?'), ('that nobody is holding', 'that is not being held')),
    'cutting': ('cutting', ('that is being cut',), ('what is being cut?', 'what is the blade going into?', 'what is {a} cutting?'), ('what is cutting {w}?', 'what is stuck in {w}?', 'what is doing the cutting right now?'), ('that is not being cut', 'that is not in use')),
    'pouring': ('pouring', ('that is being filled', 'that something is poured into'), ('what is being poured into?', 'what is {a} being emptied into?', 'what is about to be filled?'), ('what is being poured from?', 'what is tilted over {w}?', 'what is pouring something?'), ('that nothing is poured into', 'that is not being filled')),
    'sitting': ('sitting', ('that somebody is sitting on', 'that is taken'), ('what is somebody sitting on?', 'where is somebody sitting?', 'where is {a} sitting?'), ('who is sitting down?', 'who is sitting on {w}?'), ('that is free', 'that nobody is sitting on', 'I could still sit on')),
    'reaching': ('reaching', ('that {a} is reaching for', 'that is about to be grabbed'), ('what is {a} reaching for?', 'what is about to be grabbed?', 'what will be taken next?'), ('what is reaching for {w}?', 'who is about to take {w}?'), ('that nobody is reaching for',)),
    'facing': ('facing', ('that {a} is turned towards',), ('what is {a} turned towards?', 'what is {a} looking at?'), ('who is facing {w}?',), ('that {a} is turned away from',)),
    'falling': ('about_to', ('that is falling', 'in mid-air', 'that is about to hit the ground'), ('what is falling right now?', 'what is in mid-air?', 'what is about to hit the ground?', 'what should I catch before it lands?'), (), ('that is not falling', 'that stands safely')),
    'carrying': ('in_transit', ('that is being carried', 'that is on its way', 'that {a} is carrying'), ('what is being transported?', 'what is on its way somewhere?', 'what is {a} carrying?'), ('what is carrying {w}?', 'what brings {w} along?'), ('that stays where it is', 'that is not being carried')),
    'covering': ('covering', ('that is being covered', 'that the lid belongs to'), ('what is about to be covered?', 'what is {a} held over?'), ('what is about to cover {w}?', 'what is being put on {w}?'), ('that is not being covered', 'that nothing is held over')),
    'plugging': ('connecting', ('that is in use', 'with a plug in it'), ('what has a plug in it?', 'where is {a} plugged in?', 'what is {a} going into?'), ('what is plugged into {w}?', 'what is going into {w}?'), ('that is free', 'with nothing plugged into it')),
}  # fmt: skip
IN_USE = frozenset({'holding', 'cutting', 'pouring', 'sitting', 'carrying', 'plugging', 'covering'})
"""Events in which both who acts and what it is done to are in use."""
ACTOR_ROLES = {'cutting': 'instrument', 'pouring': 'instrument'}
"""Role of the actor of an event in its act, where it is not the agent."""
EVIDENCE = 0.0012  # share of the image that each who takes part must cover


def relations(talk: Talk) -> Drafts:
    """Yield prompts about interactions and, for photos, about who is with what."""
    for event in talk.world.events:
        if event.type in EVENTS:
            yield from _event(talk, event)
    if 'graph' in talk.world.facts:
        yield from _nothing_going_on(talk)
        yield from _touching(talk)
    else:
        yield from _people_with(talk)


def _target(event: str, of: Node, actor: Reference | None) -> Node | None:
    """Return the members of `of` to which an event happens, by an actor where it is said; None where no node says it."""
    return act(event, 'patient', of, actor.program if actor else None) if event in ACTS else None


def _actor(event: str, target: Reference | None) -> Node | None:
    """Return who or what acts in an event, on a target where it is said."""
    if event == 'covering':
        return relate('covers', EVERYTHING, target.program if target else None)
    return act(event, ACTOR_ROLES.get(event, 'agent'), EVERYTHING, target.program if target else None)


def _event(talk: Talk, event: Event) -> Drafts:
    world = talk.world
    sub_concept, clauses, target_questions, actor_questions, twin_clauses = EVENTS[event.type]
    target, actor = world.entities.get(event.target), world.entities.get(event.actor)
    least = EVIDENCE * world.width * world.height
    if any(e and (e.area < (5 if world.cut_off(e) else 1) * least or e.visible < 0.3) for e in (target, actor)):
        return  # too little of it to see what goes on
    twin = world.entities.get(event.twin)
    words = talk.anchor(actor) if actor and actor.area else None
    others = [e for e in world.events if e.type == event.type]
    involved = keys(
        x for e in others if (x := world.entities.get(e.target)) is not None and x.area and not world.faint(x)
    )
    seen = event.type == 'falling' or (actor is not None and actor.area > 0 and not world.faint(actor))
    if target and target.area and not world.faint(target) and seen:  # who acts must be in view, or nothing shows it
        if len(others) == 1 or words:
            options = [q for q in target_questions if (words or '{a}' not in q) and (len(others) == 1 or '{a}' in q)]
            if words and actor and actor.kind != 'agent':
                options = [q for q in options if 'looking' not in q]
            for _ in range(2):
                if options:
                    option = talk.choose(options)
                    text, sub = option.format(a=words), _sub(sub_concept, talk)
                    program = every(_target(event.type, EVERYTHING, words if '{a}' in option else None))
                    yield Draft(text, (target.key,), sub, 'conversational', program=program)
        found = talk.word(target)
        if found and twin and twin.area and twin in found[1]:
            name, named = found
            engaged = [e for e in named if e.key in involved or e.key == target.key]
            options = [c for c in clauses if '{a}' not in c or (words and len(others) == 1)]
            if (
                0 < len(engaged) < len(named)
                and options
                and not any(_occupied(e, event, world) for e in named if e not in engaged)
            ):
                noun, be = talk.noun(name, engaged)
                option = talk.choose(options)
                clause = option.format(a=words)
                if be == 'are':
                    clause = clause.replace('that is ', 'that are ')
                text, phase = talk.say(f'{noun} {clause}', be, engaged)
                happens = _target(event.type, called(name), words if '{a}' in option else None)
                program = meant(in_state('used', called(name)) if 'in use' in option else happens, be, engaged)
                yield Draft(text, keys(engaged), sub_concept, phase, program=program)
            idle = [e for e in named if e not in engaged]
            options = [c for c in twin_clauses if '{a}' not in c or words]
            if (
                idle
                and engaged
                and options
                and world.askable(keys(idle))
                and not any(_occupied(e, event, world) for e in idle)
            ):
                noun, be = talk.noun(name, idle)
                option = talk.choose(options)
                clause = option.format(a=words)
                if be == 'are':
                    clause = clause.replace('that is ', 'that are ').replace('that stays', 'that stay').replace('it is', 'they are').replace('that stands', 'that stand')  # fmt: skip
                text, phase = talk.say(f'{noun} {clause}', be, idle)
                program = None
                if event.type in ACTS and '{a}' not in option and 'safely' not in option:
                    unused = 'in use' in option
                    idle_ones = (
                        in_state('unused', called(name)) if unused else act(event.type, 'uninvolved', called(name))
                    )
                    program = meant(idle_ones, be, idle)
                yield Draft(text, keys(idle), 'uninvolved', phase, program=program)
    if actor and actor.area and not world.faint(actor) and actor_questions:
        target_words = talk.anchor(target) if target and target.area else None
        options = [q for q in actor_questions if (target_words or '{w}' not in q) and (len(others) == 1 or '{w}' in q)]
        if actor.kind != 'agent':
            options = [q for q in options if not q.startswith('who ') or q.startswith('who or')]
        elif event.type in ('cutting', 'pouring', 'covering', 'plugging', 'carrying'):
            options = [q for q in options if not q.startswith('which')]
        if options:
            option = talk.choose(options)
            text, sub = option.format(w=target_words), _sub(sub_concept, talk)
            program = every(_actor(event.type, target_words if '{w}' in option else None))
            yield Draft(text, (actor.key,), sub, 'conversational', program=program)
        found = talk.word(actor)
        alike = found and twin and twin in found[1] and len(found[1]) == 2 and event.type in IN_USE
        if found and twin and alike and twin.kind == 'object' and world.askable([twin.key]):
            noun, be = talk.noun(found[0], [twin])
            text, phase = talk.say(f'{noun} that is not in use', be, [twin])
            program = meant(in_state('unused', called(found[0])), be, [twin])
            yield Draft(text, (twin.key,), 'uninvolved', phase, program=program)


def _sub(sub_concept: str, talk: Talk) -> str:
    """Return the sub-concept, at times the wider `using`."""
    return (
        'using' if sub_concept in ('cutting', 'sitting', 'connecting') and talk.random.random() < 0.25 else sub_concept
    )


def _occupied(entity: Entity, event: Event, world: World) -> bool:
    """Say whether an entity takes part in another event of the same type."""
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
            program = every(_actor(kind, None) if of_actor else _target(kind, EVERYTHING, None))
            yield Draft(text, (), EVENTS[kind][0], 'conversational', 'wrong_relation', program=program)


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
            continue  # of somebody one asks who it is
        beside = [b for b in beside if b.kind == 'object' and b.area]
        words = talk.anchor(e)
        if words and e.kind == 'object' and len(beside) == 1 and world.askable([beside[0].key]):
            text = talk.choose(
                (f'what is touching {words}?', f'what leans against {words}?', f'the thing in contact with {words}')
            )
            if 'leans' not in text:
                program = every(relate('touching', Things(), words.program))
                yield Draft(text, (beside[0].key,), 'connecting', 'conversational', program=program)


def _people_with(talk: Talk) -> Drafts:
    """Yield who rides, sits on or carries something in a photo: contact of masks, one person for one thing."""
    world = talk.world
    people = [e for e in world.things if e.category == 'person']
    if any(p.crowd for p in people):
        return
    pairs, unclear = companions(world)
    for known, rows in sorted(pairs.items()):
        if known in unclear:
            continue
        chosen = {p.key: p for p, _ in rows}
        options: tuple[str, ...]
        if known in RIDES:
            noun = 'person' if len(chosen) == 1 else 'people'
            options = (f'the {noun} on the {known}', f'who is on the {known}?', f'the {noun} riding the {known}')
            sub_concept = 'riding'
        elif known == 'tie':
            noun = 'person' if len(chosen) == 1 else 'people'
            options = (f'the {noun} wearing a tie', 'who is dressed up with a tie?')
            sub_concept = 'accompanying'
        else:
            noun = 'person' if len(chosen) == 1 else 'people'
            article = 'an' if known[0] in 'aeiou' else 'a'
            options = (
                f'the {noun} with {article} {known}',
                f'who has {article} {known}?',
                f'the {noun} carrying {article} {known}',
            )
            sub_concept = 'accompanying'
        if world.askable(chosen):
            text = talk.choose(options)
            if len(rows) > 1:
                text = text.replace(f'the {known}', f'a {known}')
            asked = meant(
                _with(text, known), 'is' if text.startswith(f'the {noun}') and noun == 'person' else 'are', []
            )
            phase: Phase = 'literal' if text.startswith('the') else 'conversational'
            yield Draft(text, tuple(sorted(chosen)), sub_concept, phase, program=asked)
        things = [t for _, t in rows]
        if len(chosen) == 1 and len(people) == 1 and world.askable(keys(things)):
            verb = {'riding': 'riding'}.get(sub_concept, 'wearing' if known == 'tie' else 'carrying')
            text = talk.choose((f'what is the person {verb}?', f'the thing the person is {verb}'))
            if verb == 'riding':
                program = every(act('riding', 'patient', EVERYTHING, called('person')))
                yield Draft(text, keys(things), sub_concept, 'conversational', program=program)
    for known in sorted(CARRIED | RIDES):
        present = [e for e in world.nameable if e.category == known]
        if present and people and not any(p.key in e.contacts for e in present for p in people):
            near = any(_close(p, e, world) for e in present for p in people)
            if not near:
                text = talk.choose((f'the person on the {known}', f'who is riding the {known}?') if known in RIDES else (f'the person holding the {known}', f'who is carrying the {known}?'))  # fmt: skip
                sub_concept = 'riding' if known in RIDES else 'accompanying'
                program = meant(_with(text, known), 'is' if text.startswith('the person') else 'are', [])
                yield Draft(text, (), sub_concept, 'conversational', 'wrong_relation', program=program)
    for seat in sorted(SEATS):
        present = [e for e in world.things if e.category == seat]
        empty = [s for s in present if not any(p.key in s.contacts for p in people)]
        if len(present) >= 2 and 0 < len(empty) < len(present) and people and world.askable(keys(empty)):
            taken = [s for s in present if s not in empty]
            if all(any(rides(p, s) for p in people if p.key in s.contacts) for s in taken):
                noun, be = talk.noun(seat, empty)
                text, phase = talk.say(f'empty {noun}', be, empty)
                program = meant(Filter('state', 'empty', called(seat)), be, empty)
                yield Draft(text, keys(empty), 'uninvolved', phase, program=program)


def _with(text: str, name: str) -> Node | None:
    """Return the person whom a sentence about somebody and a thing means, by its verb; None for the verb `have`."""
    of, other = called('person'), called(name)
    if ' on ' in text:
        return relate('on', of, other)
    for kind in ('riding', 'wearing', 'carrying', 'holding'):
        if kind in text:
            return act(kind, 'agent', of, other)
    return act('wearing', 'agent', of, other) if 'dressed' in text else None


def _close(a: Entity, b: Entity, world: World) -> bool:
    margin = 0.05 * world.width
    return (
        a.box.x0 < b.box.x1 + margin
        and b.box.x0 < a.box.x1 + margin
        and a.box.y0 < b.box.y1 + margin
        and b.box.y0 < a.box.y1 + margin
    )
