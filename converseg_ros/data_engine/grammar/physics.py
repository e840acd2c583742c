"""Prompts about physics and safety: hazards, stability, loads, falling, and free space."""

from converseg_ros.data_engine.grammar.language import Drafts, Talk
from converseg_ros.data_engine.grammar.programs import EVERYTHING, THINGS, called, every, meant, relate, worded
from converseg_ros.data_engine.world.relations import carriers
from converseg_ros.data_engine.world.truth import is_low, loose_things
from converseg_ros.knowledge import plural, tags
from converseg_ros.programs.nodes import Filter, FreeSpace, Select
from converseg_ros.programs.vocabulary import PHYSICS

MAX_ANSWERS = 7
CHILD_REACH = 1.0  # metres: reach of a small standing child (EN 14183 steps and EN 71 assume less)


LOADS = {
    'the plate': 'plate',
    'this box': 'box',
    'a hot pan': 'pan',
    'the knife': 'knife',
    'my cup': 'cup',
    'a bag of groceries': 'bag of groceries',
    'the laptop': 'laptop',
    'a full glass': 'glass',
}
"""Phrase of the object to set down -> the noun of its program."""


def physics(talk: Talk) -> Drafts:
    """Yield prompts about what could happen."""
    yield from _hazards(talk)
    if 'physics' in talk.world.facts:
        yield from _stability(talk)
        yield from _removal(talk)
        yield from _child(talk)
    yield from _free_space(talk)


def _hazards(talk: Talk) -> Drafts:
    world = talk.world
    for tag, use in ((t.name, t.hazard) for t in tags().values()):
        if use is None:
            continue
        able = world.with_tag(tag)
        if able is None:
            continue
        program = every(Filter('physics' if tag in PHYSICS else 'tag', tag))
        if able:
            if tag == 'heavy' and not _weights_are_clear(talk):
                continue
            if tag == 'moves' and all(e.contacts & {a.key for a in able} for e in world.nameable if e not in able):
                continue  # a portrait: only a person and what they wear
            if len(able) <= MAX_ANSWERS and len(able) < len(world.nameable):
                for _ in range(2):
                    yield from talk.ask(talk.choose(use.sayings), program, use.sub_concept)
        elif tag == 'spills' and any(tag in e.thing.doubtful for e in world.nameable):
            continue  # empty, but not visible from every view
        elif 'graph' in world.facts or (tag == 'sharp' and talk.random.random() < 0.2):
            yield from talk.ask(talk.choose(use.sayings), program, use.sub_concept, strategy='false_attribute')


def _weights_are_clear(talk: Talk) -> bool:
    """Return whether everything that can be lifted is either heavy or for one hand."""
    return all(
        'graph' in talk.world.facts or e.tags & {'heavy', 'graspable', 'light_weight'}
        for e in talk.world.nameable
        if e.kind in ('object', 'agent')
    )


def _stability(talk: Talk) -> Drafts:
    world = talk.world
    loose = loose_things(world)
    sayings = (
        'what would tip over at a small push?',
        'which of these stands unsteadily?',
        'what is most likely to fall over?',
        'what should I not bump into because it would topple?',
        'which things could be knocked over easily?',
        'what might fall over if the table shook?',
    )
    program = every(Filter('physics', 'tips', THINGS))
    tipping = talk.answer(program)
    if tipping is None:
        return
    if not tipping and loose:
        yield from talk.ask(talk.choose(sayings), program, 'stability', strategy='false_attribute')
    elif len(tipping) <= MAX_ANSWERS and len(tipping) < len(loose):
        for _ in range(2):
            yield from talk.ask(talk.choose(sayings), program, 'stability')
    for category in sorted({e.category for e in tipping}):
        same = [e for e in loose if e.category == category]
        word = talk.word(same[0])
        chosen = [e for e in same if e in tipping]
        if word and word[1] == same and 0 < len(chosen) < len(same):
            noun, be = talk.noun(word[0], chosen)
            verb = 'is' if be == 'is' else 'are'
            text = talk.choose((f'which {noun} {verb} about to tip over?', f'the {noun} that could fall over'))
            yield from talk.ask(text, meant(Filter('physics', 'tips', called(word[0])), be, chosen), 'stability')


def _removal(talk: Talk) -> Drafts:
    world = talk.world
    for e in world.things:
        words = talk.anchor(e)
        if words is None or e.kind == 'agent':
            continue
        falling = every(relate('falls_without', THINGS, words.program))
        if e.kind == 'object' and 0 < len(talk.answer(falling) or ()) <= MAX_ANSWERS:
            text = talk.choose(
                (
                    f'what would fall if I pulled out {words}?',
                    f'what would move if somebody took {words} away?',
                    f'what loses its support when I remove {words}?',
                    f'without {words}, what would come down?',
                )
            )
            yield from talk.ask(text, falling, 'falls_if_removed')
        elif 'graph' in world.facts and e.kind == 'object' and e.support and e.stack > 0:
            text = talk.choose((f'what would fall if I took away {words}?', f'what rests its weight on {words}?'))
            program = falling if 'fall' in text else every(relate('on', THINGS, words.program))
            yield from talk.ask(text, program, 'falls_if_removed', strategy='wrong_relation')
        carrier = world.entities.get(e.support)
        if carrier and carrier.kind in ('object', 'surface') and not is_low(carrier):
            text = talk.choose(
                (
                    f'what carries the weight of {words}?',
                    f'what does the weight of {words} rest on?',
                    f'what holds {words} up?',
                    f'what must stay where it is to keep {words} from falling?',
                )
            )
            yield from talk.ask(text, every(relate('supports', EVERYTHING, words.program)), 'load_bearing')
    yield from _piles(talk)


def _piles(talk: Talk) -> Drafts:
    """Yield what can be taken from the only pile."""
    world = talk.world
    for base in world.things:
        if base.stack != 1:
            continue
        pile = [e for e in world.things if e.stack > 0 and (e is base or base.key in carriers(e, world))]
        top = [e for e in pile if not any(o.support == e.key or o.inside == e.key for o in world.things)]
        if len(pile) >= 2 and len(top) == 1 and sum(e.stack == 1 for e in world.things) == 1:
            same = len({e.category for e in pile}) == 1
            noun = plural(pile[0].thing.name) if same else 'stacked things'
            if same and any(e.category == pile[0].category and e not in pile for e in world.nameable):
                continue  # another object with that name can also be taken
            text = talk.choose(
                (
                    f'which of the {noun} can I take without disturbing the others?',
                    f'which of the {noun} should I lift off first?',
                    f'take the one of the {noun} that nothing rests on',
                )
            )
            removable = Filter('physics', 'removable', called(noun) if same else Filter('state', 'stacked', THINGS))
            alone = Select('one' if 'first' in text or 'the one' in text else 'all', removable)
            yield from talk.ask(text, alone, 'removable')


def _child(talk: Talk) -> Drafts:
    """Yield the dangerous objects within reach of a small child: by the height of their lower edge."""
    world = talk.world
    danger = [
        e
        for e in world.things
        if e.kind == 'object'
        and e.tags & {'sharp', 'hot', 'toxic', 'flame'}
        and not e.maybe & {'sharp', 'hot', 'toxic'}
    ]
    if any(e.up is None for e in danger) or any(e.maybe & {'sharp', 'hot', 'toxic'} for e in world.things):
        return
    near = [e for e in danger if e.up is not None and e.up < CHILD_REACH]
    text = talk.choose(
        (
            'which dangerous things could a toddler reach?',
            'what should be moved out of the reach of a small child?',
            'is there anything dangerous a toddler could grab?',
        )
    )
    unclear = any(e.up is not None and CHILD_REACH - 0.05 < e.up < CHILD_REACH + 0.25 for e in danger)
    if unclear or len(near) > MAX_ANSWERS:
        return
    program = every(worded(text))
    if near:
        yield from talk.ask_in_words(text, program, near, 'child_reach')
    elif not danger and world.with_tag('shock') == []:
        yield from talk.ask_in_words(text, program, (), 'child_reach', strategy='false_attribute')


def _free_space(talk: Talk) -> Drafts:
    """Yield free space: the free part of one surface, or of all surfaces."""
    world = talk.world
    surfaces = {k: world.entities[k] for k in world.free if world.free[k].any() and not is_low(world.entities[k])}
    if surfaces:
        for _ in range(2):
            load = talk.choose(LOADS)
            text = talk.choose(
                (
                    f'where can I put {load} down?',
                    f'where can I safely set down {load}?',
                    f'find a free spot for {load}',
                    f'where is there room to place {load}?',
                    f'which surface area is clear enough for {load}?',
                    f'where would {load} fit without touching anything?',
                    f'I want to get rid of {load}, where is some empty space?',
                    f'where could a robot put {load} without knocking anything over?',
                )
            )
            yield from talk.ask(text, FreeSpace(None, LOADS[load]), 'free_space')
    for surface_key in surfaces:
        words = talk.anchor(world.entities[surface_key])
        if words is None:
            continue
        load = talk.choose(LOADS)
        text = talk.choose(
            (
                f'where on {words} is there room for {load}?',
                f'the free part of {words}',
                f'where can I set {load} down on {words}?',
                f'which part of {words} is still empty?',
            )
        )
        program = FreeSpace(words.program, LOADS[load] if load in text else '')
        yield from talk.ask(text, program, 'free_space')
