# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about what is on or in something, and what hides something."""

from converseg_ros.data_engine.grammar.language import Draft, Drafts, Talk, keys
from converseg_ros.data_engine.grammar.programs import EVERYTHING, every, relate
from converseg_ros.data_engine.grammar.spatial_predicates import carriers
from converseg_ros.programs.nodes import Things


def contents(talk: Talk) -> Drafts:
    """Yield questions for everything on or in something."""
    world = talk.world
    if 'graph' not in world.facts:
        return
    for holder in world.nameable:
        if holder.kind == 'structure' or holder.category == 'floor':
            continue
        words = talk.anchor(holder)
        if words is None:
            continue
        inside = [e for e in world.things if holder.key == e.inside]
        upon = [e for e in world.things if holder.key in carriers(e, world) and e.kind != 'surface']
        for members, sub_concept, options in (
            (inside, 'containment', ('what is in {w}?', 'whatever is inside {w}', 'the things inside {w}', 'show me what {w} contains')),
            (upon, 'support', ('what is on {w}?', 'everything on {w}', 'the things standing on {w}', 'what did somebody put on {w}?')),
        ):  # fmt: skip
            if sub_concept == 'support' and any(e.inside == holder.key or e.kind == 'agent' for e in upon):
                continue  # a person is not said to stand on the stool they sit on
            if members and len(members) <= 10 and len(members) < len(world.things) and world.askable(keys(members)):
                text = talk.choose(options).format(w=words)
                relation = 'in' if sub_concept == 'containment' else 'on'
                program = every(relate(relation, Things(), words.program))
                yield Draft(text, keys(members), sub_concept, 'literal', program=program)
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
            if world.askable([blockers[0].key]) and blockers[0].kind in ('object', 'agent'):
                program = every(relate('hides', EVERYTHING, words.program))
                yield Draft(text, (blockers[0].key,), 'occlusion', 'conversational', program=program)
