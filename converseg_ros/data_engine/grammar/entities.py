"""Prompts about entities: classes, kinds, agents, stuff, parts, materials, colours, states, groups, outliers."""

from converseg_ros.data_engine.grammar.language import COLORS, MATERIAL_WORDS, Drafts, Strategy, Talk, is_plural
from converseg_ros.data_engine.grammar.parts import named_parts
from converseg_ros.data_engine.grammar.programs import (
    THINGS,
    called,
    coloured,
    every,
    in_state,
    made_of,
    meant,
    worded,
)
from converseg_ros.data_engine.world.appearance import OPPOSITE, color_word
from converseg_ros.data_engine.world.model_overrides import NAMELESS
from converseg_ros.data_engine.world.world import Entity
from converseg_ros.knowledge import class_of, confusable, cousins, labelled, plural, tags
from converseg_ros.programs.nodes import Filter, Node, Select

STATES = {
    'open': ('open', 'closed'),
    'closed': ('closed', 'open'),
    'lit': ('lit', 'unlit'),
    'full': ('full', 'empty'),
    'empty': ('empty', 'full'),
    'lying': ('lying', 'upright'),
    'upright': ('upright', 'lying'),
}
STATE_POST = {
    'open': 'that is open',
    'closed': 'that is closed',
    'lit': 'that is burning',
    'full': 'that is full',
    'empty': 'that is empty',
    'lying': 'that has fallen over',
    'upright': 'that stands upright',
}


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
    program: Node,
    strategy: Strategy = 'positive',
    *,
    pre: str = '',
    post: str = '',
    everything: bool = False,
) -> Drafts:
    """Yield a sentence about the program; `chosen` gives the number of its noun."""
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
    yield from talk.ask(text, meant(program, be, chosen), sub_concept, phase, strategy)


def _classes(talk: Talk) -> Drafts:
    world = talk.world
    for category in sorted({e.category for e in world.nameable}):
        first = next(e for e in world.nameable if e.category == category)
        found = talk.word(first)
        if found is None:
            continue
        name, named = found
        if len(named) == len(world.nameable):
            continue
        sub_concept = 'instance'
        if first.kind == 'agent':
            sub_concept = 'agent'
        elif first.kind in ('stuff', 'structure', 'surface'):
            sub_concept = 'surface'
        if talk.bare and talk.random.random() < 0.3:
            noun = name if len(named) == 1 or talk.random.random() < 0.5 else talk.noun(name, named)[0]
            program = meant(called(noun), 'is' if len(named) == 1 else 'are', named)
            yield from talk.ask(noun, program, sub_concept, 'literal')
        else:
            yield from _sentence(talk, name, named, sub_concept, called(name), everything=True)


def _kinds(talk: Talk) -> Drafts:
    world = talk.world
    kinds = sorted({k for e in world.nameable for k in e.thing.kinds})
    for kind in kinds:
        if kind in world.open_tags:
            continue
        named = world.named(kind)
        if not named or len(named) == len(world.nameable) or len(named) > 12:
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
                yield from talk.ask(text, meant(called('person'), one_of, named), 'agent')
            continue
        if len({e.category for e in named}) < 2 and len(named) > 1:
            continue
        yield from _sentence(talk, kind, named, 'kind', called(talk.noun(kind, named)[0]), everything=True)
    for tag, adjective in ((t.name, t.adjective) for t in tags().values()):
        if adjective is None:
            continue
        sub_concept, words = adjective
        if tag in ('alive', 'soft', 'transparent') and 'stuff' not in world.facts:
            continue  # plants, textiles and windows are not in the list of classes
        tagged = world.with_tag(tag)
        if tagged and len(tagged) <= 8 and len(tagged) < len(world.nameable):
            text = talk.choose(
                (
                    f'show me the {words}',
                    f'where do you see {words}?',
                    f'all the {words} here',
                    f'which of these are {words}?',
                )
            )
            program = called(words) if sub_concept == 'kind' else Filter('tag', tag)
            yield from talk.ask(text, every(program), sub_concept, 'literal')


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
            program = coloured(color, called(name))
            yes = talk.select(program, named, distractors=False)
            if yes:
                yield from _sentence(talk, name, yes, 'color', program, pre=color)
        absent = [c for c in COLORS if c not in colors and talk.answer(coloured(c, called(name))) == []]
        if colors and absent:
            color = talk.choose(absent)
            program = coloured(color, called(name))
            yield from _sentence(talk, name, named[:1], 'color', program, 'false_attribute', pre=color)
        materials = sorted({e.material for e in named if e.material in MATERIAL_WORDS})
        for material in materials:
            program = made_of(material, called(name))
            yes = talk.select(program, named)
            if yes:
                yield from _sentence(talk, name, yes, 'material', program, pre=MATERIAL_WORDS[material])
        yield from _states(talk, name, named)


def _states(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    for state in sorted({e.state for e in named if e.state in STATE_POST}):
        if {state, OPPOSITE.get(state, '')} & set(name.split()):
            continue  # an open box is neither open nor closed: it has no lid
        program = in_state(state, called(name))
        yes = talk.select(program, named, distractors=False)
        if yes and state in ('upright', 'closed', 'empty') and len(yes) == len(named):
            continue  # the usual state is only mentioned as a contrast
        if yes and talk.random.random() < 0.5:
            yield from _sentence(talk, name, yes, 'state', program, pre=STATES[state][0])
        elif yes:
            yield from _sentence(talk, name, yes, 'state', program, post=STATE_POST[state])
        other = OPPOSITE.get(state, '')
        if other in STATE_POST:
            program = in_state(other, called(name))
            yield from _sentence(talk, name, named[:1], 'state', program, 'false_attribute', post=STATE_POST[other])


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
        if NAMELESS not in categories and len(members) >= 2 and len(stacks) == 1:
            noun = plural(members[0].thing.name) if len(categories) == 1 else 'things'
            text = talk.choose(
                (f'the stack of {noun}', f'show me the pile of {noun}', f'where are the stacked {noun}?')
            )
            stacked = in_state('stacked', called(noun) if len(categories) == 1 else THINGS)
            yield from talk.ask(text, every(stacked), 'group', 'literal')
    for category in sorted({e.category for e in world.things}):
        same = [e for e in world.things if e.category == category]
        if category == NAMELESS or len(same) < 3 or world.named(same[0].thing.name) != same:
            continue
        for feature in ('color', 'state'):
            values = [getattr(e, feature) for e in same]
            rare = [e for e in same if values.count(getattr(e, feature)) == 1]
            if all(values) and len(set(values)) == 2 and len(rare) == 1:
                yield from _odd_one_out(talk, plural(same[0].thing.name), rare)


def _odd_one_out(talk: Talk, noun: str, rare: list[Entity]) -> Drafts:
    text = talk.choose(
        (
            f'the odd one out among the {noun}',
            f'which of the {noun} is not like the others?',
            f'one of the {noun} is different, which one?',
        )
    )
    words = next(w for w in ('the odd one out', 'not like the others', 'different') if w in text)
    yield from talk.ask_in_words(text, Select('one', worded(words, called(noun))), rare, 'anomaly')


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
            yield from talk.ask(noun, meant(called(noun), 'is', []), 'instance', 'literal', 'missing_cousin')
            continue
        many = (absent.plural_only and is_plural(noun)) or (
            not absent.mass and not absent.plural_only and talk.random.random() < 0.3
        )
        noun = plural(noun) if many and not absent.plural_only else noun
        be = 'are' if many else 'is'
        text, phase = talk.say(noun, be, [], everything=many, mass=absent.mass)
        yield from talk.ask(text, meant(called(noun), be, []), 'instance', phase, 'missing_cousin')
