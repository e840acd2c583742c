"""The appearance of catalogue models whose category in the scene is misleading, and parts that are plural."""

NAMELESS = 'unnamed thing'  # category of objects that cannot be named from an image

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

# Parts of which an object has several under one label.
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
    """Return the name of a part of an object of category `owner`, in the number of its label."""
    if part == 'handle' and owner in FURNITURE_HANDLES:
        return 'handles'
    return MANY_OF.get((owner, part)) or MANY.get(part, part)
