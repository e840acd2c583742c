"""Prompts about what is on or in something, and what hides something."""

from converseg_ros.data_engine.grammar.language import Drafts, Talk
from converseg_ros.data_engine.grammar.programs import EVERYTHING, THINGS, every, relate
from converseg_ros.data_engine.world.relations import carriers

INSIDE = ('what is in {w}?', 'whatever is inside {w}', 'the things inside {w}', 'show me what {w} contains')
UPON = ('what is on {w}?', 'everything on {w}', 'the things standing on {w}', 'what did somebody put on {w}?')


def contents(talk: Talk) -> Drafts:
    """Yield questions for everything on or in something, and for what hides something."""
    world = talk.world
    if 'graph' not in world.facts:
        return
    holding = {key for e in world.things for key in (e.support, e.inside)}
    for holder in world.nameable:
        if holder.key not in holding or holder.kind == 'structure' or holder.category == 'floor':
            continue
        words = talk.anchor(holder)
        if words is None:
            continue
        upon = [e for e in world.things if holder.key in carriers(e, world)]
        # a person is not said to stand on the stool they sit on
        stands = not any(e.inside == holder.key or e.kind == 'agent' for e in upon)
        for relation, sub_concept, options in (('in', 'containment', INSIDE), ('on', 'support', UPON)):
            program = every(relate(relation, THINGS, words.program))
            members = talk.answer(program) if relation == 'in' or stands else None
            if members and len(members) <= 10 and len(members) < len(world.things):
                yield from talk.ask(talk.choose(options).format(w=words), program, sub_concept, 'literal')
    yield from _hiding(talk)


def _hiding(talk: Talk) -> Drafts:
    world = talk.world
    hiders = {h for e in world.things for h in e.hidden_by if 0.25 < e.visible < 0.8}
    for e in world.things:
        blockers = [world.entities[h] for h in e.hidden_by if h in world.entities]
        if any(e.key in carriers(b, world) for b in blockers):
            continue  # an object on another always hides some of it
        words = talk.anchor(e)
        if words and len(blockers) == 1 and blockers[0].key in hiders and 0.25 < e.visible < 0.75:
            text = talk.choose(
                (
                    f'what is hiding part of {words}?',
                    f'the thing that blocks the view of {words}',
                )
            )
            if blockers[0].kind in ('object', 'agent'):
                yield from talk.ask(text, every(relate('hides', EVERYTHING, words.program)), 'occlusion')
