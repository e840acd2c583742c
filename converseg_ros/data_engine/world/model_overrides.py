"""What some catalogue models look like where their scene calls them something else, and parts that come in numbers."""

NAMELESS = 'unnamed thing'  # category of what nobody could name from a picture

# model of scenes.graph.SceneObject -> row of the knowledge table
LOOKS_LIKE = {
    'KatorLegaz/bowl': 'soup cup',
    'Scopia/complements2': 'candle holder',
    'BlendSwap-CC-BY/clock': NAMELESS,
    'BlendSwap-CC-0/lockedLocker': 'locker',
    'Scopia/clothes-horse': 'drying rack',
    'Scopia/old_jar': 'clay pot',
    'Scopia/pottery': 'clay pot',
    'KatorLegaz/MIDI-keyboard': 'piano keyboard',
    'Scopia/kitchen_tool4': NAMELESS,
    'BlendSwap-CC-0/armchair': 'chair',
    'BlendSwap-CC-0/numberLock': NAMELESS,
    'BlendSwap-CC-0/slippers': 'slippers',
    'Scopia/mp3_base_for_ipad': NAMELESS,
    'Scopia/com_bath2_esponja': 'bath sponge',
    'Scopia/teapot': 'lidded jug',
    'Scopia/vase1': 'flower pot',
    'Scopia/com_bath2_cepillo': 'hairbrush',
    'Scopia/com_bath2_soap': 'soap dispenser',
    'BlendSwap-CC-0/JapaneseLantern': NAMELESS,
}

# Parts of which a thing has several under one label.
MANY = {
    'leg': 'legs',
    'drawer': 'drawers',
    'side': 'sides',
    'board': 'boards',
    'finger': 'fingers',
    'button': 'buttons',
    'pin': 'pins',
    'deck': 'decks',
    'wheel': 'wheels',
    'socket': 'sockets',
    'pane': 'panes',
}
MANY_OF = {('counter', 'door'): 'doors', ('pot', 'handle'): 'handles'}
FURNITURE_HANDLES = frozenset({'counter', 'kitchen island', 'desk', 'workbench', 'dresser', 'bedside table', 'vanity'})


def part_name(owner: str, part: str) -> str:
    """Return how the part of a thing of category `owner` is called, in the number its label has."""
    if part == 'handle' and owner in FURNITURE_HANDLES:
        return 'handles'
    return MANY_OF.get((owner, part)) or MANY.get(part, part)
