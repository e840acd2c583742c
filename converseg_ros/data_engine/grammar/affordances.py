# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about uses of objects, and substitutes for a missing tool."""

from converseg_ros.data_engine.grammar.language import Drafts, Talk
from converseg_ros.data_engine.grammar.parts import useful_parts
from converseg_ros.data_engine.grammar.programs import every, worded
from converseg_ros.knowledge import Use, tags, use_phrases
from converseg_ros.programs.nodes import Filter, Node, Select

# Frames around a verb phrase that ends in a gap for the thing: for all things, and for one thing only.
FRAMES = (
    'what can I {v}?',
    'what could I {v}?',
    'which of these could I {v}?',
    'is there anything here I can {v}?',
    'show me what I could {v}',
    'anything in view that I could {v}',
)
SOMETHING = (
    'something to {v}',
    'something I could {v}',
    'find me something to {v}',
    'I need something to {v}',
    'give me something I can {v}',
    'where is something I can {v}?',
)

MAX_ANSWERS = 6  # more objects than this are not a useful answer


def affordances(talk: Talk) -> Drafts:
    """Yield prompts about uses: for all objects with the use, and for uses that no object here has."""
    world = talk.world
    known = {t for e in world.nameable for t in e.tags}
    for tag, use in use_phrases().items():
        able = world.with_tag(tag)
        if able is None:
            continue
        if able:
            if len(able) <= MAX_ANSWERS and len(able) < len(world.nameable):
                for _ in range(1 if tag == 'walk_on' else 2):
                    text, program = _say(talk, tag, use, len(able))
                    yield from talk.ask(text, program, use.sub_concept)
        elif _absence_is_sure(talk, tag, known):
            text, program = _say(talk, tag, use, 0)
            yield from talk.ask(text, program, use.sub_concept, strategy='missing_cousin')
    yield from useful_parts(talk)
    yield from _substitutes(talk)


def _say(talk: Talk, tag: str, use: Use, count: int) -> tuple[str, Node]:
    """Return a request for what has a use, and its program; "something" means one, so that there must not be more."""
    of = Filter('tag', tag)
    if not use.verbs or (use.sayings and talk.random.random() < 0.35):
        return talk.choose(use.sayings), Select('all', of)
    frame = talk.choose((*FRAMES, *SOMETHING) if count <= 1 else FRAMES)
    return frame.format(v=talk.choose(use.verbs)), Select('one' if frame in SOMETHING else 'all', of)


# Uses that many unlabelled objects could have; a list of classes cannot show their absence.
OPEN_ENDED = frozenset(
    {
        'container', 'contain_small', 'supports', 'walk_on', 'sittable', 'openable', 'holds_liquid', 'graspable', 'wearable',
        'lights', 'climbable', 'hang', 'write_on', 'serve', 'carry', 'plug_in', 'press', 'wipe', 'cleans', 'mix', 'lie',
        'warm', 'rest_head', 'readable', 'step_on', 'play', 'edible', 'drinkable', 'stick', 'trash', 'swim', 'reflects',
        'dry_with', 'spread', 'time', 'signal', 'peel', 'pours', 'drink', 'unlock', 'wash', 'sweep', 'listen',
    }
)  # fmt: skip
CLOSED = frozenset(
    {
        'cuts', 'ride', 'ride_in', 'type_on', 'watch_screen', 'heat_food', 'keep_cold', 'brush_teeth', 'dry_hair', 'toast',
        'call', 'click', 'switch_channel', 'rain', 'hit', 'slide', 'eat_with', 'cut_paper', 'bake', 'wash_hands', 'flowers',
        'sport',
    }
)  # fmt: skip


def _absence_is_sure(talk: Talk, tag: str, known: set[str]) -> bool:
    """Return whether nothing here has the use: by a complete graph, or by a class list that covers the use."""
    if 'graph' in talk.world.facts:
        return tag not in OPEN_ENDED or (
            tag not in known and tag in ('edible', 'sittable', 'lie', 'drink', 'pours', 'time')
        )
    return tag in CLOSED


def _substitutes(talk: Talk) -> Drafts:
    world = talk.world
    for tag in tags().values():
        if not tag.stand_ins or world.with_tag(tag.name) != []:
            continue
        for stand_in in tag.stand_ins:
            able = world.with_tag(stand_in)
            if able and len(able) <= 4 and len(able) < len(world.nameable) and world.askable(e.key for e in able):
                text = talk.choose(tag.substitute)
                yield from talk.ask_in_words(text, every(worded(text)), able, 'substitute')
                break
