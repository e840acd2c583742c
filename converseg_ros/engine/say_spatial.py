# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about where things are; every condition is true, false, or unclear, and unclear ones are never asked."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from converseg_ros.engine.knowledge import plural
from converseg_ros.engine.language import Draft, Drafts, Talk, against, keys, select
from converseg_ros.engine.world import Entity, World

Verdict = Callable[[Entity], bool | None]
FIXED = frozenset({'floor', 'rug', 'wall', 'ceiling'})
ANCHORS = 4  # anchors tried for a class


def spatial(talk: Talk) -> Drafts:
    """Yield prompts about places, orders and sizes."""
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
        yield from _between(talk, name, named, [(e, w) for e, w in anchors if e not in named])
        if len(named) >= 2 and not any(e.crowd for e in named):
            yield from _orders(talk, name, named)
            yield from _hidden(talk, name, named)
            yield from _behind_its_like(talk, name, named)
        yield from _image_side(talk, name, named)
    yield from _contents(talk)


def _phrase(talk: Talk, name: str, chosen: list[Entity], *, pre: str = '', post: str = '') -> tuple[str, str]:
    noun, be = talk.noun(name, chosen)
    return ' '.join(filter(None, (pre, noun, post))), be


def _draft(talk: Talk, name: str, named: list[Entity], verdict: Verdict, sub_concept: str, post: str) -> Drafts:
    """Yield the prompt `the NAME POST` if it is fair, as a positive or as a wrong relation."""
    yes = select(talk, named, verdict, distractors=not talk.bare)
    if yes is None:
        return
    if not yes and any(e.crowd for e in named):
        return
    phrase, be = _phrase(talk, name, yes or named[:1], post=post)
    if be == 'are':
        phrase = phrase.replace(' that is ', ' that are ')
    text, phase = talk.say(phrase, be, yes)
    yield Draft(text, keys(yes), sub_concept, phase, 'positive' if yes else 'wrong_relation')


def left_of(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Say whether `e` is to the viewer's left of `anchor`: its centre beyond the anchor's edge, nothing shared."""
    margin = 0.015 * world.width
    if e.cx < anchor.box.x0 - margin and e.box.x1 < anchor.cx:
        return True
    return False if e.cx >= anchor.cx else None


def right_of(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Say whether `e` is to the viewer's right of `anchor`."""
    margin = 0.015 * world.width
    if e.cx > anchor.box.x1 + margin and e.box.x0 > anchor.cx:
        return True
    return False if e.cx <= anchor.cx else None


def above(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Say whether `e` is above `anchor` in the picture, in its columns."""
    overlap = min(e.box.x1, anchor.box.x1) - max(e.box.x0, anchor.box.x0)
    known = e.up is not None and anchor.up is not None and e.size is not None
    if known and e.up - e.size[2] < anchor.up - 0.02:  # type: ignore[index, operator]
        # higher up in the picture, but not above in the room
        return False if e.cy >= anchor.cy and e.up <= anchor.up else None  # type: ignore[operator]
    if e.cy >= anchor.cy:
        return False
    aligned = overlap >= 0.5 * min(e.box.x1 - e.box.x0, anchor.box.x1 - anchor.box.x0)
    return True if e.box.y1 <= anchor.box.y0 + 0.01 * world.height and aligned else None


def below(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Say whether `e` is below `anchor` in the picture, in its columns."""
    if above(anchor, e, world):
        return True
    higher = e.up is not None and anchor.up is not None and e.up < anchor.up
    return False if e.cy <= anchor.cy and not higher else None


def behind(e: Entity, anchor: Entity) -> bool | None:
    """Say whether `e` is behind `anchor` as seen from the camera: farther away, and in line with it."""
    if e.position is None or anchor.position is None or e.size is None or anchor.size is None:
        return None
    along = e.position[2] - anchor.position[2]
    if along < 0.02:
        return False
    reach = 0.5 * (max(anchor.size[:2]) + max(e.size[:2]))
    if np.linalg.norm(e.position - anchor.position) > 4 * reach + 0.6:
        return None
    return True if along > 0.06 and abs(e.position[0] - anchor.position[0]) < 0.7 * reach else None


def in_front_of(e: Entity, anchor: Entity) -> bool | None:
    """Say whether `e` is in front of `anchor` as seen from the camera."""
    if e.position is None or anchor.position is None:
        return None
    if e.position[2] - anchor.position[2] > -0.02:
        return False
    return True if behind(anchor, e) else None


def gap(a: Entity, b: Entity) -> float:
    """Return the distance of two things: of their centres in metres where known, else between boxes in pixels."""
    if a.position is not None and b.position is not None:
        return float(np.linalg.norm(a.position - b.position))
    dx = max(a.box.x0 - b.box.x1, b.box.x0 - a.box.x1, 0)
    dy = max(a.box.y0 - b.box.y1, b.box.y0 - a.box.y1, 0)
    return float(np.hypot(dx, dy)) + 5.0


def _nearest(named: list[Entity], measure: Callable[[Entity], float], ratio: float) -> Entity | None:
    """Return the one with the clearly smallest measure."""
    ranked = sorted(named, key=measure)
    return ranked[0] if len(ranked) > 1 and measure(ranked[1]) > ratio * measure(ranked[0]) else None


def on_top(e: Entity, anchor: Entity, world: World) -> bool | None:
    """Say whether `e` stands on `anchor` itself; through something else is unclear."""
    if e.support == anchor.key:
        return True
    if 'graph' not in world.facts:
        return None if anchor.key in e.contacts or _overlap(e, anchor) else False
    return None if anchor.key in carriers(e, world) else False


def is_in(e: Entity, anchor: Entity) -> bool:
    """Say whether `e` is in the container `anchor` itself."""
    return e.inside == anchor.key


def _overlap(e: Entity, anchor: Entity) -> bool:
    a, b = e.box, anchor.box
    return min(a.x1, b.x1) > max(a.x0, b.x0) and min(a.y1, b.y1) + 8 > max(a.y0, b.y0)


def shared(e: Entity, other: Entity) -> float:
    """Return the share of the smaller of two boxes that lies in the other."""
    a, b = e.box, other.box
    both = max(min(a.x1, b.x1) - max(a.x0, b.x0), 0) * max(min(a.y1, b.y1) - max(a.y0, b.y0), 0)
    return both / max(1, min((a.x1 - a.x0) * (a.y1 - a.y0), (b.x1 - b.x0) * (b.y1 - b.y0)))


def carriers(e: Entity, world: World) -> set[str]:
    """Return everything that carries or contains `e`, directly or not."""
    seen: set[str] = set()
    stack = [e]
    while stack:
        current = stack.pop()
        for key in (current.support, current.inside):
            if key in world.entities and key not in seen:
                seen.add(key)
                stack.append(world.entities[key])
    return seen


def _anchored(talk: Talk, name: str, named: list[Entity], anchors: list[tuple[Entity, str]]) -> Drafts:
    world = talk.world
    big = 0.3 * world.width * world.height
    movable = [(a, w) for a, w in anchors if a.kind in ('object', 'agent') and a.area < big][:ANCHORS]
    if any(e.area > big or e.kind in ('stuff', 'structure') for e in named):
        movable = []
    for anchor, words in movable:
        side = talk.choose(('to the left of', 'left of', 'on the left of'))
        yield from _draft(talk, name, named, against(left_of, anchor, world), 'viewer_left', f'{side} {words}')
        side = talk.choose(('to the right of', 'right of', 'on the right of'))
        yield from _draft(talk, name, named, against(right_of, anchor, world), 'viewer_left', f'{side} {words}')
        if talk.random.random() < 0.4:
            yield from _draft(talk, name, named, against(above, anchor, world), 'vertical', f'above {words}')
            yield from _draft(talk, name, named, against(below, anchor, world), 'vertical', f'below {words}')
        if 'depth' in world.facts:
            yield from _draft(talk, name, named, against(behind, anchor), 'in_front', f'behind {words}')
            front = talk.choose(('in front of', 'in front of'))
            yield from _draft(talk, name, named, against(in_front_of, anchor), 'in_front', f'{front} {words}')
        if len(named) >= 2 and not any(e.crowd for e in named):
            near = _nearest(named, against(gap, anchor), 1.35)
            if near and world.askable(keys([near])):
                post = talk.choose(
                    ('closest to', 'nearest to', 'right next to' if gap(near, anchor) < 0.3 else 'closest to')
                )
                phrase, be = _phrase(talk, name, [near], post=f'{post} {words}')
                text, phase = talk.say(phrase, be, [near])
                yield Draft(text, keys([near]), 'next_to', phase)
    if any(e.kind == 'agent' for e in named) and 'graph' in world.facts:
        return
    flat = [
        (a, w)
        for a, w in anchors
        if 'supports' in a.tags or a.kind == 'surface' or a.category in ('bed', 'couch', 'chair')
    ]
    for anchor, words in flat[:ANCHORS]:
        post = talk.choose(('on', 'on top of', 'standing on'))
        yield from _draft(talk, name, named, against(on_top, anchor, world), 'support', f'{post} {words}')
    if 'graph' in world.facts:
        boxes = [(a, w) for a, w in anchors if any(e.inside == a.key for e in world.things) or 'container' in a.tags]
        for anchor, words in boxes[:ANCHORS]:
            post = talk.choose(('in', 'inside'))
            yield from _draft(talk, name, named, against(is_in, anchor), 'containment', f'{post} {words}')


def _between(talk: Talk, name: str, named: list[Entity], anchors: list[tuple[Entity, str]]) -> Drafts:
    near = [(a, w) for a, w in anchors if a.kind in ('object', 'agent')][:ANCHORS]
    for (a, first), (b, second) in pairwise(near):

        def between(e: Entity, a: Entity = a, b: Entity = b) -> bool | None:
            ab = np.array([b.cx - a.cx, b.cy - a.cy])
            length = float(np.hypot(*ab)) + 1e-6
            along = float(np.dot([e.cx - a.cx, e.cy - a.cy], ab)) / length**2
            off = abs(float(ab[0] * (e.cy - a.cy) - ab[1] * (e.cx - a.cx))) / length**2
            if (
                0.2 < along < 0.8
                and off < 0.2
                and e.box.x1 - e.box.x0 < length
                and max(shared(e, a), shared(e, b)) < 0.2
            ):
                return True
            return False if along < -0.02 or along > 1.02 or off > 0.6 else None

        yield from _draft(talk, name, named, between, 'between', f'between {first} and {second}')


def _orders(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    world = talk.world
    for label, measure, gap_needed, seen in _measures(world, named):
        ranked = sorted(named, key=measure)
        ends = [(0, label[0], label[1]), (len(ranked) - 1, label[2], label[1])]
        if len(ranked) >= 3 and label[3]:
            ends.append((1, label[3], label[1]))
        for index, adjective, sub_concept in ends:
            chosen = ranked[index]
            others = [measure(r) for i, r in enumerate(ranked) if i != index]
            if min(abs(measure(chosen) - o) for o in others) < gap_needed or not world.askable([chosen.key]):
                continue
            if seen and sorted(named, key=seen).index(chosen) != index:
                continue  # the picture shows another order than the tape measure
            if ' ' in adjective and adjective != 'second shortest':
                phrase, be = _phrase(talk, name, [chosen], post=adjective)
                if adjective.startswith('second'):
                    phrase, be = f'second {name} from the left', 'is'
            else:
                phrase, be = _phrase(talk, name, [chosen], pre=adjective)
            text, phase = talk.say(phrase, be, [chosen])
            yield Draft(text, (chosen.key,), sub_concept, phase)


Size = Callable[[Entity], float]
Measure = tuple[tuple[str, str, str, str], Size, float, Size | None]


def _measures(world: World, named: list[Entity]) -> list[Measure]:
    """Return (first word, sub-concept, last word, second word), the measure, the gap that makes it clear, and what must agree."""
    out: list[Measure] = [
        (('leftmost', 'side_order', 'rightmost', 'second from the left'), lambda e: e.cx, 0.04 * world.width, None),
    ]
    if all(e.position is not None for e in named):
        out.append(
            (
                ('closest to the camera', 'camera_distance', 'farthest from you', ''),
                lambda e: float(np.linalg.norm(e.position)) if e.position is not None else 0.0,
                0.15,
                None,
            )
        )
    if all(e.size is not None for e in named):
        out.append(
            (
                ('smallest', 'size_order', 'biggest', ''),
                lambda e: float(np.log(np.prod(np.maximum(e.size or 1, 1e-3)))),
                0.4,
                lambda e: e.area,
            )
        )
        out.append(
            (('shortest', 'size_order', 'tallest', 'second shortest'), lambda e: float(np.log((e.size or (1, 1, 1))[2] + 1e-3)), 0.2, lambda e: e.box.y1 - e.box.y0)
        )  # fmt: skip
    elif not any(_cut_off(e, world) for e in named):
        out.append(
            (
                ('that looks the smallest', 'size_order', 'that looks the biggest', ''),
                lambda e: float(np.log(e.area)),
                0.5,
                None,
            )
        )
    return out


def _cut_off(e: Entity, world: World) -> bool:
    """Say whether a thing reaches over the edge of the picture."""
    return e.box.x0 <= 1 or e.box.y0 <= 1 or e.box.x1 >= world.width - 1 or e.box.y1 >= world.height - 1


def _hidden(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    if 'graph' not in talk.world.facts:
        return
    post = talk.choose(('that is partly hidden', 'that is half covered by something', 'you can only see part of'))
    yield from _draft(
        talk,
        name,
        named,
        lambda e: True if 0.25 < e.visible < 0.75 and e.hidden_by else False if e.visible > 0.93 else None,
        'occlusion',
        post,
    )


def _behind_its_like(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    """Yield follow-ups: one of several is spoken of, then the one behind, left or right of it."""
    world = talk.world
    if len(named) != 2:
        return
    for first, second in (named, named[::-1]):
        words = talk.anchor(first)
        if words is None or not world.askable([second.key]):
            continue
        for holds, relation in (
            (behind(second, first), 'behind'),
            (left_of(second, first, world), 'to the left of'),
            (right_of(second, first, world), 'to the right of'),
        ):
            if holds:
                spoken = talk.choose(
                    (f'the one {relation} it', f'no, the one {relation} it', f'and the one {relation} that?')
                )
                yield Draft(f'the {name} {relation} {words}', (second.key,), 'follow_up', 'conversational', context=words, spoken=spoken)  # fmt: skip


def _image_side(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    width = talk.world.width
    for word in ('left', 'right'):
        post = talk.choose((f'on the {word} side of the picture', f'in the {word} half of the image', f'on the {word}'))
        yield from _draft(talk, name, named, against(on_side, word, width), 'image_region', post)


def on_side(e: Entity, word: str, width: int) -> bool | None:
    """Say whether a thing is in one half of the picture, clear of its middle."""
    left, right = e.box.x1 < 0.48 * width, e.box.x0 > 0.52 * width
    if not left and not right:
        return None
    return left == (word == 'left')


def _contents(talk: Talk) -> Drafts:
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
            if sub_concept == 'support' and any(e.inside == holder.key for e in upon):
                continue
            if members and len(members) <= 10 and len(members) < len(world.things) and world.askable(keys(members)):
                text = talk.choose(options).format(w=words)
                yield Draft(text, keys(members), sub_concept, 'literal')
        if not inside and not upon and 'container' in holder.tags and 'holds_liquid' not in holder.tags:
            continue
    hiders = {h for e in world.things for h in e.hidden_by if 0.25 < e.visible < 0.8}
    for e in world.things:
        blockers = [world.entities[h] for h in e.hidden_by if h in world.entities]
        words = talk.anchor(e)
        if words and len(blockers) == 1 and blockers[0].key in hiders and 0.25 < e.visible < 0.75:
            text = talk.choose(
                (
                    f'what is hiding part of {words}?',
                    f'what stands in front of {words}?',
                    f'the thing that blocks the view of {words}',
                )
            )
            if world.askable([blockers[0].key]) and blockers[0].kind in ('object', 'agent'):
                yield Draft(text, (blockers[0].key,), 'occlusion', 'conversational')


__all__ = ['above', 'behind', 'below', 'carriers', 'gap', 'left_of', 'plural', 'right_of', 'spatial']
