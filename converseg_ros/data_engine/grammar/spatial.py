# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about positions; every condition is true, false, or unclear, and unclear ones are never used."""

from collections.abc import Callable
from itertools import pairwise

from converseg_ros.data_engine.grammar.contents import contents
from converseg_ros.data_engine.grammar.language import Draft, Drafts, Reference, Talk, against, keys, select
from converseg_ros.data_engine.grammar.orders import orders
from converseg_ros.data_engine.grammar.programs import called, first, meant, relate
from converseg_ros.data_engine.grammar.spatial_predicates import (
    above,
    behind,
    below,
    between,
    gap,
    in_front_of,
    is_in,
    left_of,
    on_side,
    on_top,
    own_left_of,
    own_right_of,
    partly_hidden,
    right_of,
)
from converseg_ros.data_engine.world.world import Entity
from converseg_ros.programs.nodes import Filter, Node

Verdict = Callable[[Entity], bool | None]
FIXED = frozenset({'floor', 'rug', 'wall', 'ceiling'})
ANCHORS = 4  # maximum number of anchors per class
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
    verdict: Verdict,
    sub_concept: str,
    post: str,
    *,
    program: Node | None,
    alone: bool = False,
) -> Drafts:
    """Yield the prompt `the NAME POST` if it is valid; with `alone` it may hold for all objects with that name."""
    yes = select(talk, named, verdict, distractors=not talk.bare and not alone)
    if yes is None:
        return
    if not yes and any(e.crowd for e in named):
        return
    phrase, be = talk.phrase(name, yes or named[:1], post=post)
    if be == 'are':
        phrase = phrase.replace(' that is ', ' that are ')
    text, phase = talk.say(phrase, be, yes)
    selected = meant(program, be, yes or named[:1])
    yield Draft(text, keys(yes), sub_concept, phase, 'positive' if yes else 'wrong_relation', program=selected)


def _nearest(named: list[Entity], measure: Callable[[Entity], float], ratio: float) -> Entity | None:
    """Return the member with the clearly smallest measure."""
    ranked = sorted(named, key=measure)
    return ranked[0] if len(ranked) > 1 and measure(ranked[1]) > ratio * measure(ranked[0]) else None


def _anchored(talk: Talk, name: str, named: list[Entity], anchors: list[tuple[Entity, Reference]]) -> Drafts:
    world = talk.world
    big = 0.3 * world.width * world.height
    movable = [(a, w) for a, w in anchors if a.kind in ('object', 'agent') and a.area < big][:ANCHORS]
    if any(e.area > big or e.kind in ('stuff', 'structure') for e in named):
        movable = []
    of = called(name)
    for anchor, words in movable:
        at = words.program
        side = talk.choose(('to the left of', 'left of', 'on the left of'))
        yield from _draft(
            talk,
            name,
            named,
            against(left_of, anchor, world),
            'viewer_left',
            f'{side} {words}',
            program=relate('left_of', of, at),
        )
        side = talk.choose(('to the right of', 'right of', 'on the right of'))
        yield from _draft(
            talk,
            name,
            named,
            against(right_of, anchor, world),
            'viewer_left',
            f'{side} {words}',
            program=relate('right_of', of, at),
        )
        if talk.random.random() < 0.4:
            yield from _draft(
                talk,
                name,
                named,
                against(above, anchor, world),
                'vertical',
                f'above {words}',
                program=relate('above', of, at),
            )
            yield from _draft(
                talk,
                name,
                named,
                against(below, anchor, world),
                'vertical',
                f'below {words}',
                program=relate('below', of, at),
            )
        if 'depth' in world.facts and not any(_in_mid_air(e) for e in (anchor, *named)):
            yield from _draft(
                talk,
                name,
                named,
                against(behind, anchor),
                'in_front',
                f'behind {words}',
                program=relate('behind', of, at),
            )
            front = talk.choose(('in front of', 'in front of'))
            yield from _draft(
                talk,
                name,
                named,
                against(in_front_of, anchor),
                'in_front',
                f'{front} {words}',
                program=relate('in_front_of', of, at),
            )
        if len(named) >= 2 and not any(e.crowd for e in named):
            near = _nearest(named, against(gap, anchor), 1.35)
            if near and world.askable(keys([near])):
                apart = near.key not in (anchor.support, anchor.inside) and anchor.key not in (
                    near.support,
                    near.inside,
                )
                close = 'right next to' if gap(near, anchor) < 0.3 and apart else 'closest to'
                post = talk.choose(('closest to', 'nearest to', close))
                phrase, be = talk.phrase(name, [near], post=f'{post} {words}')
                text, phase = talk.say(phrase, be, [near])
                beside = 'right next to' in post
                program = (
                    meant(relate('next_to', of, at), be, [near]) if beside else first('distance_to', 'min', of, 1, at)
                )
                yield Draft(text, keys([near]), 'next_to', phase, program=program)
    if any(e.kind == 'agent' for e in named) and 'graph' in world.facts:
        return
    flat = [
        (a, w)
        for a, w in anchors
        if 'supports' in a.tags or a.kind == 'surface' or a.category in ('bed', 'couch', 'chair')
    ]
    for anchor, words in flat[:ANCHORS]:
        post = talk.choose(('on', 'on top of', 'standing on'))
        yield from _draft(
            talk,
            name,
            named,
            against(on_top, anchor, world),
            'support',
            f'{post} {words}',
            program=relate('on', of, words.program),
        )
    if 'graph' in world.facts:
        boxes = [(a, w) for a, w in anchors if any(e.inside == a.key for e in world.things) or 'container' in a.tags]
        for anchor, words in boxes[:ANCHORS]:
            post = talk.choose(('in', 'inside'))
            yield from _draft(
                talk,
                name,
                named,
                against(is_in, anchor),
                'containment',
                f'{post} {words}',
                program=relate('in', of, words.program),
            )


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
        for side, test in (('left', own_left_of), ('right', own_right_of)):
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
            post = talk.choose(options)
            yield from _draft(
                talk, name, named, against(test, anchor), 'object_left', post, program=program, alone=True
            )


def _between(talk: Talk, name: str, named: list[Entity], anchors: list[tuple[Entity, Reference]]) -> Drafts:
    near = [(a, w) for a, w in anchors if a.kind in ('object', 'agent')][:ANCHORS]
    for (a, one), (b, other) in pairwise(near):
        post = f'between {one} and {other}'
        program = relate('between', called(name), one.program, other.program)
        yield from _draft(talk, name, named, against(between, a, b), 'between', post, program=program)


def _hidden(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    if 'graph' not in talk.world.facts:
        return
    post = talk.choose(('that is partly hidden', 'that is half covered by something', 'you can only see part of'))
    yield from _draft(
        talk,
        name,
        named,
        partly_hidden,
        'occlusion',
        post,
        program=Filter('state', 'hidden', called(name)),
    )


def _behind_its_like(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    """Yield follow-ups: one of several objects is named, then the one behind, left or right of it."""
    world = talk.world
    if len(named) != 2:
        return
    for one, second in (named, named[::-1]):
        words = talk.anchor(one)
        if words is None or not world.askable([second.key]):
            continue
        for holds, relation, node in (
            (behind(second, one), 'behind', 'behind'),
            (left_of(second, one, world), 'to the left of', 'left_of'),
            (right_of(second, one, world), 'to the right of', 'right_of'),
        ):
            if holds:
                spoken = talk.choose(
                    (f'the one {relation} it', f'no, the one {relation} it', f'and the one {relation} that?')
                )
                program = meant(relate(node, called(name), words.program), 'is', [second])
                text = f'the {name} {relation} {words}'
                yield Draft(text, (second.key,), 'follow_up', 'conversational', context=str(words), spoken=spoken, program=program)  # fmt: skip


def _image_side(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    width = talk.world.width
    for word in ('left', 'right'):
        post = talk.choose((f'on the {word} side of the picture', f'in the {word} half of the image'))
        program = Filter('region', word, called(name))
        yield from _draft(talk, name, named, against(on_side, word, width), 'image_region', post, program=program)
