# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about entities: classes, kinds, agents, stuff, parts, materials, colours, states, groups, outliers."""

from dataclasses import replace

from converseg_ros.data_engine.grammar.language import (
    COLORS,
    MATERIAL_WORDS,
    Draft,
    Drafts,
    Talk,
    against,
    color_word,
    is_color,
    is_made_of,
    is_plural,
    keys,
    select,
)
from converseg_ros.data_engine.grammar.parts import named_parts
from converseg_ros.data_engine.grammar.programs import called, coloured, every, in_state, made_of, meant
from converseg_ros.data_engine.world.model_overrides import NAMELESS
from converseg_ros.data_engine.world.world import Entity
from converseg_ros.knowledge import class_of, confusable, cousins, labelled, plural, tags
from converseg_ros.programs.nodes import Filter, Node, Things

STATES = {
    'open': ('open', 'closed'),
    'closed': ('closed', 'open'),
    'lit': ('lit', 'unlit'),
    'full': ('full', 'empty'),
    'empty': ('empty', 'full'),
    'lying': ('lying', 'upright'),
    'upright': ('upright', 'lying'),
    'on': ('switched on', 'switched off'),
    'off': ('switched off', 'switched on'),
}
STATE_POST = {
    'open': 'that is open',
    'closed': 'that is closed',
    'lit': 'that is burning',
    'full': 'that is full',
    'empty': 'that is empty',
    'lying': 'that has fallen over',
    'upright': 'that stands upright',
    'on': 'that is switched on',
    'off': 'that is switched off',
}
OPPOSITE = {'open': 'closed', 'lit': 'unlit', 'full': 'empty', 'lying': 'upright', 'on': 'off'}
OPPOSITE |= {b: a for a, b in OPPOSITE.items()}


def entities(talk: Talk) -> Drafts:
    """Yield prompts about what objects are."""
    yield from _classes(talk)
    yield from _kinds(talk)
    yield from named_parts(talk)
    yield from _looks(talk)
    yield from _groups(talk)
    yield from _missing(talk)


def _sentence(
    talk: Talk,
    name: str,
    chosen: list[Entity],
    sub_concept: str,
    *,
    pre: str = '',
    post: str = '',
    everything: bool = False,
    program: Node | None = None,
) -> Draft:
    noun, be = talk.noun(name, chosen)
    if be == 'are' and post.startswith('that '):
        post = (
            post.replace('that is ', 'that are ')
            .replace('that has ', 'that have ')
            .replace('that stands ', 'that stand ')
        )
    phrase = ' '.join(filter(None, (pre, noun, post)))
    mass = chosen[0].thing.mass and not pre and not post
    text, phase = talk.say(phrase, be, chosen, everything=everything, mass=mass)
    return Draft(text, keys(chosen), sub_concept, phase, program=meant(program, be, chosen))


def _classes(talk: Talk) -> Drafts:
    world = talk.world
    for category in sorted({e.category for e in world.nameable}):
        first = next(e for e in world.nameable if e.category == category)
        found = talk.word(first)
        if found is None:
            continue
        name, named = found
        if not world.askable(keys(named)) or len(named) == len(world.nameable):
            continue
        sub_concept = 'instance'
        if first.kind == 'agent':
            sub_concept = 'agent'
        elif first.kind in ('stuff', 'structure', 'surface'):
            sub_concept = 'surface'
        if talk.bare and talk.random.random() < 0.3:
            noun = name if len(named) == 1 or talk.random.random() < 0.5 else talk.noun(name, named)[0]
            program = meant(called(noun), 'is' if len(named) == 1 else 'are', named)
            yield Draft(noun, keys(named), sub_concept, 'literal', program=program)
        else:
            yield _sentence(talk, name, named, sub_concept, everything=True, program=called(name))


def _kinds(talk: Talk) -> Drafts:
    world = talk.world
    kinds = sorted({k for e in world.nameable for k in e.thing.kinds})
    for kind in kinds:
        if kind in world.open_tags:
            continue
        named = world.named(kind)
        if not named or not world.askable(keys(named)) or len(named) == len(world.nameable) or len(named) > 12:
            continue
        if kind in ('surface', 'building part'):
            continue  # ambiguous: table tops are surfaces too, and doors are parts of a building
        if kind == 'agent':
            people = all('moves' in e.tags or e.category == 'hand' for e in named)
            if people and all(e.category in ('person', 'man', 'woman', 'boy', 'girl', 'child') for e in named):
                one = len(named) == 1 and not named[0].crowd
                text = talk.choose(
                    (
                        'who is here?',
                        'is anybody there? show me',
                        'where can you see a person?',
                        'the human in the picture',
                    )
                    if one
                    else ('who is here?', 'all the people here', 'everybody you can see', 'is anybody there? show me')
                )
                one_of = 'is' if 'the human' in text or 'a person' in text else 'are'
                yield Draft(
                    text, keys(named), 'agent', 'conversational', program=meant(called('person'), one_of, named)
                )
            continue
        if len({e.category for e in named}) < 2 and len(named) > 1:
            continue
        yield _sentence(talk, kind, named, 'kind', everything=True, program=called(talk.noun(kind, named)[0]))
    for tag, adjective in ((t.name, t.adjective) for t in tags().values()):
        if adjective is None:
            continue
        sub_concept, words = adjective
        if tag in ('alive', 'soft', 'transparent') and 'stuff' not in world.facts:
            continue  # plants, textiles and windows are not in the list of classes
        tagged = world.with_tag(tag)
        if tagged and len(tagged) <= 8 and len(tagged) < len(world.nameable) and world.askable(keys(tagged)):
            text = talk.choose(
                (
                    f'show me the {words}',
                    f'where do you see {words}?',
                    f'all the {words} here',
                    f'which of these are {words}?',
                )
            )
            program = called(words) if sub_concept == 'kind' else Filter('tag', tag)
            yield Draft(text, keys(tagged), sub_concept, 'literal', program=every(program))


def _looks(talk: Talk) -> Drafts:
    world = talk.world
    for category in sorted({e.category for e in world.things if e.kind != 'agent' and e.category != 'floor'}):
        found = talk.word(next(e for e in world.things if e.category == category))
        if found is None:
            continue
        name, named = found
        colors = sorted({color_word(e) for e in named if color_word(e) in COLORS})
        for color in colors:
            if color in name:
                continue
            yes = select(talk, named, against(is_color, color), distractors=False)
            if yes:
                yield _sentence(talk, name, yes, 'color', pre=color, program=coloured(color, called(name)))
        absent = [c for c in COLORS if c not in colors and all(is_color(e, c) is False for e in named)]
        if colors and absent:
            color = talk.choose(absent)
            made = _sentence(talk, name, named[:1], 'color', pre=color, program=coloured(color, called(name)))
            yield replace(made, keys=(), strategy='false_attribute')
        materials = sorted({e.material for e in named if e.material in MATERIAL_WORDS})
        for material in materials:
            yes = select(talk, named, against(is_made_of, material))
            if yes:
                program = made_of(material, called(name))
                yield _sentence(talk, name, yes, 'material', pre=MATERIAL_WORDS[material], program=program)
        for state in sorted({e.state for e in named if e.state in STATE_POST}):
            if {state, OPPOSITE.get(state, '')} & set(name.split()):
                continue  # an open box is neither open nor closed: it has no lid
            yes = select(talk, named, against(has_state, state), distractors=False)
            if yes and state in ('upright', 'off', 'closed', 'empty') and len(yes) == len(named):
                continue  # the usual state is only mentioned as a contrast
            program = in_state(state, called(name))
            if yes and talk.random.random() < 0.5:
                yield _sentence(talk, name, yes, 'state', pre=STATES[state][0], program=program)
            elif yes:
                yield _sentence(talk, name, yes, 'state', post=STATE_POST[state], program=program)
            other = OPPOSITE.get(state, '')
            if other in STATE_POST and all(has_state(e, other) is False for e in named):
                program = in_state(other, called(name))
                made = _sentence(talk, name, named[:1], 'state', post=STATE_POST[other], program=program)
                yield replace(made, keys=(), strategy='false_attribute')


def has_state(entity: Entity, state: str) -> bool | None:
    """Return whether an entity is in a state; None if neither it nor its opposite is stated."""
    if entity.state == state:
        return True
    return False if OPPOSITE.get(entity.state) == state else None


def _groups(talk: Talk) -> Drafts:
    world = talk.world
    stacks: dict[str, list[Entity]] = {}
    for e in world.things:
        if e.stack > 0:
            root, seen = e, {e.key}
            while root.stack > 1 and root.support in world.entities and root.support not in seen:
                root = world.entities[root.support]
                seen.add(root.key)
            stacks.setdefault(root.key, []).append(e)
    for members in stacks.values():
        categories = {e.category for e in members}
        if NAMELESS in categories:
            continue
        if len(members) < 2 or not world.askable(keys(members)):
            continue
        noun = plural(members[0].thing.name) if len(categories) == 1 else 'things'
        if len(stacks) == 1:
            text = talk.choose(
                (f'the stack of {noun}', f'show me the pile of {noun}', f'where are the stacked {noun}?')
            )
            stacked = in_state('stacked', called(noun) if len(categories) == 1 else Things())
            yield Draft(text, keys(members), 'group', 'literal', program=every(stacked))
    for category in sorted({e.category for e in world.things}):
        same = [e for e in world.things if e.category == category]
        if category == NAMELESS or len(same) < 3 or world.named(same[0].thing.name) != same:
            continue
        for feature in ('color', 'state'):
            values = [getattr(e, feature) for e in same]
            rare = [e for e in same if values.count(getattr(e, feature)) == 1]
            if all(values) and len(set(values)) == 2 and len(rare) == 1 and world.askable(keys(rare)):
                noun = plural(same[0].thing.name)
                text = talk.choose(
                    (f'the odd one out among the {noun}', f'which of the {noun} is not like the others?', f'one of the {noun} is different, which one?')
                )  # fmt: skip
                yield Draft(text, keys(rare), 'anomaly', 'conversational')


def _missing(talk: Talk) -> Drafts:
    """Yield prompts for similar classes that are not present."""
    world = talk.world
    present = [e.thing for e in world.nameable]
    pool: list[str] = []
    for category in sorted({e.category for e in world.things}):
        near = [c for c in cousins(category) if world.vocabulary is None or c in world.vocabulary]
        pool += near[:5]
    known = sorted(world.vocabulary) if world.vocabulary is not None else sorted(labelled())
    pool += talk.random.sample(known, min(4, len(known)))
    talk.random.shuffle(pool)
    for name in dict.fromkeys(pool):
        absent = class_of(name)
        if any(confusable(absent, other) or absent.name == other.name for other in present) or not absent.kinds:
            continue
        if 'agent' in absent.kinds and any('agent' in p.kinds for p in present):
            continue
        noun = talk.choose(absent.names) if talk.random.random() < 0.3 else absent.name
        if world.named(noun) is None or world.named(noun):
            continue
        if talk.bare and talk.random.random() < 0.25:
            yield Draft(noun, (), 'instance', 'literal', 'missing_cousin', program=meant(called(noun), 'is', []))
            continue
        many = (absent.plural_only and is_plural(noun)) or (
            not absent.mass and not absent.plural_only and talk.random.random() < 0.3
        )
        noun = plural(noun) if many and not absent.plural_only else noun
        be = 'are' if many else 'is'
        text, phase = talk.say(noun, be, [], everything=many, mass=absent.mass)
        program = meant(called(noun), be, [])
        yield Draft(text, (), 'instance', phase, 'missing_cousin', program=program)
