# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about parts: by name, and by use."""

from converseg_ros.data_engine.grammar.language import Drafts, Reference, Talk
from converseg_ros.data_engine.grammar.programs import meant, worded
from converseg_ros.data_engine.world.model_overrides import part_name
from converseg_ros.data_engine.world.world import Entity
from converseg_ros.knowledge import singular
from converseg_ros.programs.nodes import Parts, Select

# part -> sub-concept and questions; w = words for the whole object. Plurals have separate questions.
USES: dict[str, tuple[str, tuple[str, ...]]] = {
    'handle': ('grasp', ('where do I hold {w} to lift it?', 'which part of {w} should I grab?', 'where would a gripper take hold of {w}?', 'the part of {w} that is made for the hand')),
    'rim': ('drink', ('which part of {w} touches the lips?', 'the edge of {w} that I pour over')),
    'lid': ('open', ('what do I lift to look into {w}?', 'which part of {w} comes off?')),
    'blade': ('cut', ('which part of {w} does the cutting?', 'the part of {w} that slices')),
    'seat': ('sit', ('which part of {w} do I sit on?', 'where on {w} would a person sit?')),
    'spout': ('pour', ('where does the liquid leave {w}?',)),
    'knob': ('open', ('where do I take hold of {w}?',)),
    'pump': ('operate', ('what do I press on {w}?', 'which part of {w} do I push down?')),
    'cap': ('open', ('which part of {w} comes off?', 'what do I take off to use {w}?')),
    'bristles': ('clean', ('which part of {w} does the brushing?',)),
    'backrest': ('sit', ('which part of {w} do I lean against?',)),
    'doors': ('open', ('which parts of {w} swing open?',)),
    'drawers': ('open', ('which parts of {w} slide out?',)),
    'handles': ('open', ('where do I pull to open {w}?', 'what on {w} is there to pull at?')),
    'buttons': ('operate', ('what on {w} can be pressed?', 'where do I press on {w}?')),
    'wheels': ('rolling', ('which parts of {w} roll?', 'what does {w} roll on?')),
    'sockets': ('operate', ('where on {w} can I plug something in?',)),
    'screen': ('operate', ('which part of {w} shows the picture?',)),
}  # fmt: skip


def _asked(talk: Talk) -> list[tuple[Entity, Entity, Reference]]:
    """Return every clearly visible part, with its whole and words for the whole."""
    out = []
    for part in talk.world.entities.values():
        owner = talk.world.entities.get(part.owner)
        if part.kind == 'part' and part.area and owner is not None and not talk.world.faint(part):
            words = talk.anchor(owner)
            if words is not None:
                out.append((part, owner, words))
    return out


def named_parts(talk: Talk) -> Drafts:
    """Yield prompts that name a part."""
    for part, owner, words in _asked(talk):
        name = part_name(owner.category, part.category)
        be = 'are' if name != part.category or name.endswith(('leaves', 'tines', 'pages', 'contents')) else 'is'
        text = talk.choose(
            (
                f'the {name} of {words}',
                f'point at the {name} of {words}',
                f'show me the {name} of {words}',
                f'which {"parts" if be == "are" else "part"} of {words} {be} the {name}?',
                f'where {be} the {name} of {words}?',
            )
        )
        program = meant(Parts(singular(name), words.program), be, [])
        yield from talk.ask(text, program, 'part', 'literal')


def useful_parts(talk: Talk) -> Drafts:
    """Yield questions about which part to use."""
    for part, owner, words in _asked(talk):
        name = part_name(owner.category, part.category)
        if name == 'rim' and not owner.tags & {'drink', 'pours'}:
            continue
        if name == 'handles' and owner.kind != 'surface':
            name = 'handle'
        if name == 'blade' and 'cuts' not in owner.tags:
            continue
        if name in USES:
            sub_concept, sayings = USES[name]
            text = talk.choose(sayings).format(w=words)
            if name == 'handle':  # where one holds it
                yield from talk.ask(text, Select('one', Parts('grip', words.program)), sub_concept)
            else:  # the part is implied, without a word in the text
                program = Select('all', worded(text, Parts('part', words.program)))
                yield from talk.ask_in_words(text, program, [part], sub_concept)
