# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about positions; every condition is true, false, or unclear, and unclear ones are never used."""

from itertools import pairwise

import numpy as np

from converseg_ros.data_engine.grammar.contents import contents
from converseg_ros.data_engine.grammar.language import Drafts, Reference, Strategy, Talk
from converseg_ros.data_engine.grammar.orders import orders
from converseg_ros.data_engine.grammar.programs import called, first, in_state, meant, relate
from converseg_ros.data_engine.world.world import Entity
from converseg_ros.programs.nodes import Filter, Node, Select

FIXED = frozenset({'floor', 'rug', 'wall', 'ceiling'})
ANCHORS = 4  # maximum number of anchors per class
CLEARLY = 1.35  # ratio of distances from which one thing is called the nearest
SEATS = frozenset({'chair', 'office chair', 'armchair'})
FACED = SEATS | {
    'man',
    'woman',
    'boy',
    'girl',
    'person',
    'cat',
    'dog',
    'teddy bear',
    'doll',
}  # they have a front


def spatial(talk: Talk) -> Drafts:
    """Yield prompts about positions, orders and sizes."""
    world = talk.world
    anchors = [(e, words) for e in talk.shuffled(world.nameable) if e.kind != 'stuff' and (words := talk.anchor(e))]
    for category in sorted({e.category for e in world.things}):
        found = talk.word(next(e for e in world.things if e.category == category))
        if found is None:
            continue
        name, named = found
        if any(e.kind in ('stuff', 'structure', 'surface') or e.category in FIXED for e in named):
            continue
        yield from _anchored(talk, name, named, [(e, w) for e, w in anchors if e not in named])
        yield from _own_sides(talk, name, named, [(e, w) for e, w in anchors if e not in named])
        yield from _between(talk, name, named, [(e, w) for e, w in anchors if e not in named])
        if len(named) >= 2 and not any(e.crowd for e in named):
            yield from orders(talk, name, named)
            yield from _hidden(talk, name, named)
            yield from _behind_its_like(talk, name, named)
        yield from _image_side(talk, name, named)
    yield from contents(talk)


def _draft(
    talk: Talk,
    name: str,
    named: list[Entity],
    sub_concept: str,
    post: str,
    program: Node,
    *,
    alone: bool = False,
) -> Drafts:
    """Yield the prompt `the NAME POST` if it is valid; with `alone` it may hold for all objects with that name."""
    yes = talk.select(program, named, distractors=not talk.bare and not alone)
    if yes is None or (not yes and any(e.crowd for e in named)):
        return
    phrase, be = talk.phrase(name, yes or named[:1], post=post)
    if be == 'are':
        phrase = phrase.replace(' that is ', ' that are ')
    text, phase = talk.say(phrase, be, yes)
    strategy: Strategy = 'positive' if yes else 'wrong_relation'
    yield from talk.ask(text, meant(program, be, yes or named[:1]), sub_concept, phase, strategy)


def _anchored(talk: Talk, name: str, named: list[Entity], anchors: list[tuple[Entity, Reference]]) -> Drafts:
    world = talk.world
    big = 0.3 * world.width * world.height
    movable = [(a, w) for a, w in anchors if a.kind in ('object', 'agent') and a.area < big][:ANCHORS]
    if any(e.area > big or e.kind in ('stuff', 'structure') for e in named):
        movable = []
    of = called(name)
    for anchor, words in movable:
        at = words.program
        for side in ('left', 'right'):
            post = f'{talk.choose((f"to the {side} of", f"{side} of", f"on the {side} of"))} {words}'
            yield from _draft(talk, name, named, 'viewer_left', post, relate(f'{side}_of', of, at))
        if talk.random.random() < 0.4:
            for relation in ('above', 'below'):
                yield from _draft(talk, name, named, 'vertical', f'{relation} {words}', relate(relation, of, at))
        if 'depth' in world.facts and not any(_in_mid_air(e) for e in (anchor, *named)):
            for relation in ('behind', 'in_front_of'):
                post = f'{relation.replace("_", " ")} {words}'
                yield from _draft(talk, name, named, 'in_front', post, relate(relation, of, at))
        if len(named) >= 2 and not any(e.crowd for e in named):
            yield from _nearest(talk, name, named, anchor, words)
    if any(e.kind == 'agent' for e in named) and 'graph' in world.facts:
        return
    flat = [
        (a, w)
        for a, w in anchors
        if 'supports' in a.tags or a.kind == 'surface' or a.category in ('bed', 'couch', 'chair')
    ]
    for _, words in flat[:ANCHORS]:
        post = f'{talk.choose(("on", "on top of", "standing on"))} {words}'
        yield from _draft(talk, name, named, 'support', post, relate('on', of, words.program))
    if 'graph' in world.facts:
        boxes = [(a, w) for a, w in anchors if any(e.inside == a.key for e in world.things) or 'container' in a.tags]
        for _, words in boxes[:ANCHORS]:
            post = f'{talk.choose(("in", "inside"))} {words}'
            yield from _draft(talk, name, named, 'containment', post, relate('in', of, words.program))


def _nearest(talk: Talk, name: str, named: list[Entity], anchor: Entity, words: Reference) -> Drafts:
    """Yield what is closest to something, if it is clearly closer than the others with its name, or right next to it."""
    program = first('distance_to', 'min', called(name), 1, words.program)
    near = talk.answer(program)
    if not near or any(_gap(e, anchor) <= CLEARLY * _gap(near[0], anchor) for e in named if e is not near[0]):
        return
    beside = Select('one', relate('next_to', called(name), words.program))
    close = 'right next to' if talk.answer(beside) == near else 'closest to'
    post = talk.choose(('closest to', 'nearest to', close))
    phrase, be = talk.phrase(name, near, post=f'{post} {words}')
    text, phase = talk.say(phrase, be, near)
    yield from talk.ask(text, beside if post == 'right next to' else program, 'next_to', phase)


def _gap(a: Entity, b: Entity) -> float:
    """Return the distance of two entities: of their centres in metres if known, else between boxes in pixels."""
    if a.position is not None and b.position is not None:
        return float(np.linalg.norm(a.position - b.position))
    dx = max(a.box.x0 - b.box.x1, b.box.x0 - a.box.x1, 0)
    dy = max(a.box.y0 - b.box.y1, b.box.y0 - a.box.y1, 0)
    return float(np.hypot(dx, dy)) + 5.0


def _in_mid_air(entity: Entity) -> bool:
    """Return whether it is a hand or gripper, whose position relative to objects on a table is ambiguous."""
    return entity.category in ('hand', 'gripper')


def _own_sides(talk: Talk, name: str, named: list[Entity], anchors: list[tuple[Entity, Reference]]) -> Drafts:
    """Yield what is on somebody's own left or right, independent of the side in the image."""
    if 'depth' not in talk.world.facts or any(e.kind != 'object' for e in named):
        return
    faced = [(a, w) for a, w in anchors if a.category in FACED]
    for anchor, words in faced[:2]:
        sitter = anchor.category in SEATS
        for side in ('left', 'right'):
            options = (
                (f'to the {side} of somebody who sits on {words}', f'on the {side} if I sit down on {words}')
                if sitter
                else (
                    f"on {words}'s own {side}",
                    f"on {words}'s {side}-hand side",
                    f'to the {side} of {words} from their own point of view',
                )
            )
            program = relate(f'own_{side}_of', called(name), words.program)
            yield from _draft(talk, name, named, 'object_left', talk.choose(options), program, alone=True)


def _between(talk: Talk, name: str, named: list[Entity], anchors: list[tuple[Entity, Reference]]) -> Drafts:
    near = [(a, w) for a, w in anchors if a.kind in ('object', 'agent')][:ANCHORS]
    for (_, one), (_, other) in pairwise(near):
        program = relate('between', called(name), one.program, other.program)
        yield from _draft(talk, name, named, 'between', f'between {one} and {other}', program)


def _hidden(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    if 'graph' not in talk.world.facts:
        return
    post = talk.choose(('that is partly hidden', 'that is half covered by something', 'you can only see part of'))
    yield from _draft(talk, name, named, 'occlusion', post, in_state('hidden', called(name)))


def _behind_its_like(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    """Yield follow-ups: one of several objects is named, then the one behind, left or right of it."""
    if len(named) != 2:
        return
    for one, second in (named, named[::-1]):
        words = talk.anchor(one)
        if words is None:
            continue
        for relation, node in (('behind', 'behind'), ('to the left of', 'left_of'), ('to the right of', 'right_of')):
            program = meant(relate(node, called(name), words.program), 'is', [second])
            if talk.answer(program):
                spoken = talk.choose(
                    (f'the one {relation} it', f'no, the one {relation} it', f'and the one {relation} that?')
                )
                text = f'the {name} {relation} {words}'
                yield from talk.ask(text, program, 'follow_up', context=str(words), spoken=spoken)


def _image_side(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    for word in ('left', 'right'):
        post = talk.choose((f'on the {word} side of the picture', f'in the {word} half of the image'))
        yield from _draft(talk, name, named, 'image_region', post, Filter('region', word, called(name)))
