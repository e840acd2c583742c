# ruff: noqa: E501 - tables of phrases read best one entry a line
"""How people ask for a use or a property: phrases for each tag of the knowledge table."""

from typing import NamedTuple


class Use(NamedTuple):
    """A use: `verbs` end where the thing would stand ('cut bread with'); `sayings` are whole prompts."""

    sub_concept: str
    verbs: tuple[str, ...]
    sayings: tuple[str, ...] = ()


# Frames around a verb phrase that ends in a gap for the thing.
FRAMES = (
    'something to {v}',
    'something I could {v}',
    'what can I {v}?',
    'what could I {v}?',
    'find me something to {v}',
    'which of these could I {v}?',
    'is there anything here I can {v}?',
    'show me what I could {v}',
    'I need something to {v}',
    'give me something I can {v}',
    'anything in view that I could {v}',
    'where is something I can {v}?',
)

USES: dict[str, Use] = {
    'sittable': Use('sit', ('sit on', 'sit down on', 'take a seat on'), ('where can I sit down?', 'I am tired of standing, where could I sit?', 'where could a guest sit?')),
    'lie': Use('sit', ('lie down on', 'take a nap on', 'stretch out on'), ('where could somebody take a nap?', 'I want to lie down for a while, where can I do that?')),
    'step_on': Use('travel', ('step on to reach higher',)),
    'climbable': Use('travel', ('climb up on', 'use to get up higher', 'climb to reach the ceiling'), ('what would help me reach the top shelf?',)),
    'cuts': Use('cut', ('cut with', 'slice bread with', 'cut this string with', 'open a package with by cutting it'), ('what would I use to cut something?', 'I have to slice something, what should I take?', 'which tool has a cutting edge?')),
    'cut_paper': Use('cut', ('cut paper with', 'cut out a paper star with')),
    'pours': Use('pour', ('pour from', 'pour a drink from', 'fill a glass from'), ('what could I pour a drink out of?',)),
    'drink': Use('drink', ('drink from', 'drink water from', 'sip a drink from'), ('I am thirsty, what can I drink from?', 'what would I put to my lips to take a sip?')),
    'holds_liquid': Use('contain', ('fill with water', 'keep a liquid in', 'pour water into'), ('what could hold some water?', 'which of these can hold a liquid?')),
    'container': Use('contain', ('put things away in', 'store things in', 'pack things into'), ('where could I put things away?', 'what could I pack these things into?')),
    'carry': Use('contain', ('carry my things in', 'put my belongings in to take along'), ('what could I pack my things into?', 'what would I use to carry my stuff?')),
    'trash': Use('contain', ('throw the garbage into', 'put the trash in'), ('where does the rubbish go?', 'where can I throw this away?')),
    'supports': Use('support_use', ('put things down on', 'set my cup down on', 'place a bowl on'), ('what could I rest something on?',)),
    'hang': Use('support_use', ('hang my coat on',)),
    'cut_on': Use('support_use', ('chop vegetables on', 'cut bread on without scratching the table')),
    'serve': Use('support_use', ('serve food on', 'serve a snack on')),
    'openable': Use('open', ('open', 'open up'), ('what can be opened?', 'which things here open and close?')),
    'stirs': Use('stir', ('stir this with', 'stir my coffee with', 'stir the soup with'), ('what would I use to stir a pot?',)),
    'scoops': Use('stir', ('scoop sugar with', 'ladle soup with')),
    'eat_with': Use('stir', ('eat with', 'eat my dinner with', 'bring food to my mouth with'), ('what do I eat with?',)),
    'spread': Use('stir', ('spread butter with',)),
    'flip': Use('stir', ('flip a pancake with',)),
    'mix': Use('contain', ('mix a salad in', 'mix dough in', 'eat cereal from')),
    'cleans': Use('clean', ('clean with', 'clean up a mess with'), ('this is dirty, what can I clean it with?',)),
    'wipe': Use('clean', ('wipe the table with', 'mop up a spill with'), ('I spilled something, what can I wipe it up with?',)),
    'sweep': Use('clean', ('sweep the floor with',)),
    'dry_with': Use('clean', ('dry my hands with', 'dry the dishes with'), ('my hands are wet, what can I dry them with?',)),
    'wash_hands': Use('clean', ('wash my hands at', 'rinse a cup at'), ('where can I wash my hands?', 'where does the water run?')),
    'wash': Use('clean', ('wash my hands with',)),
    'bathe': Use('clean', ('take a bath or shower in',), ('where can I wash myself?',)),
    'brush_teeth': Use('clean', ('brush my teeth with', 'clean my teeth with')),
    'comb_hair': Use('clean', ('comb my hair with',)),
    'dry_hair': Use('clean', ('dry my wet hair with', 'blow my hair dry with')),
    'wash_clothes': Use('clean', ('wash clothes in', 'do the laundry in')),
    'hammers': Use('work', ('drive a nail in with', 'hammer with', 'pound a nail with'), ('what would I use to knock a nail in?',)),
    'screws': Use('work', ('tighten a screw with', 'turn a screw with'), ('which tool would tighten a screw?',)),
    'tighten': Use('work', ('tighten a bolt with', 'loosen a nut with')),
    'drills': Use('work', ('drill a hole with', 'make a hole in the wall with')),
    'measures': Use('work', ('measure something with', 'take a measurement with')),
    'grip_tool': Use('work', ('grip a wire with', 'pull out a nail with')),
    'dig': Use('work', ('dig with', 'shovel dirt with')),
    'stick': Use('work', ('fasten papers with', 'stick things together with')),
    'writes': Use('work', ('write with', 'write a note with', 'sign this with'), ('I need to jot something down, what can I write with?',)),
    'write_on': Use('work', ('write on', 'take notes on')),
    'put_out_fire': Use('work', ('put out a fire with',), ('there is a fire, what should I grab?',)),
    'weigh': Use('operate', ('weigh flour with',)),
    'unlock': Use('open', ('unlock the door with',)),
    'heat_food': Use('operate', ('heat up my food in or on', 'warm up leftovers in or on'), ('where could I warm up my lunch?',)),
    'bake': Use('operate', ('bake a cake in',)),
    'toast': Use('operate', ('toast bread in',), ('where do I make toast?',)),
    'brew': Use('operate', ('make coffee with', 'brew some coffee with')),
    'boil': Use('operate', ('boil water in', 'make water for tea in')),
    'cook_in': Use('operate', ('cook in', 'fry or boil food in')),
    'mix_machine': Use('operate', ('mix a smoothie with', 'blend fruit with')),
    'keep_cold': Use('operate', ('keep food cold in', 'chill drinks in'), ('where does the milk stay cold?', 'where would I find a cold drink?')),
    'type_on': Use('operate', ('type on', 'write an e-mail on', 'type a message on'), ('I want to type something, what should I use?',)),
    'click': Use('operate', ('move the cursor with', 'click with')),
    'watch_screen': Use('operate', ('watch a movie on', 'watch a video on'), ('which things have a screen to watch?',)),
    'switch_channel': Use('operate', ('change the channel with', 'turn up the volume with')),
    'call': Use('operate', ('call somebody with', 'make a phone call with'), ('I have to make a call, what do I use?',)),
    'listen': Use('operate', ('listen to music with',)),
    'photograph': Use('operate', ('take a picture with',)),
    'print_paper': Use('operate', ('print a document with',)),
    'plug_in': Use('operate', ('plug a charger into',), ('where can I plug this in?',)),
    'press': Use('operate', ('switch the light on with',)),
    'cool_down': Use('operate', ('cool the room with',), ('it is hot in here, what could cool us down?',)),
    'time': Use('operate', ('tell the time from', 'read the time on'), ('what would tell me the time?', 'how late is it? where can I look?')),
    'readable': Use('operate', ('read', 'read a story in'), ('I am bored and want to read, what is there?',)),
    'reflects': Use('operate', ('see my own face in', 'check my hair in')),
    'signal': Use('operate', (), ('what tells drivers what to do?',)),
    'lights': Use('light', ('light the room with', 'get some light from'), ('it is dark, what could give me light?', 'what could brighten up a dark room?')),
    'edible': Use('consume', ('eat', 'have as a snack', 'eat when I am hungry'), ('I am hungry, what is there to eat?', 'what here is edible?')),
    'sweet': Use('consume', ('have for dessert', 'eat as a sweet treat')),
    'peel': Use('consume', ('peel and eat',)),
    'drinkable': Use('consume', ('drink',)),
    'wearable': Use('wear', ('wear', 'put on'), ('what could somebody wear?',)),
    'protect_head': Use('wear', ('protect my head with',)),
    'rain': Use('wear', ('keep dry in the rain with', 'shelter from the rain under'), ('it is raining, what would keep me dry?',)),
    'warm': Use('wear', ('keep warm under', 'cover myself with when it is cold')),
    'rest_head': Use('sit', ('rest my head on',)),
    'ride': Use('travel', ('ride', 'ride on'), ('what could somebody ride?',)),
    'ride_in': Use('travel', ('travel in', 'ride in', 'get a ride in'), ('what could take several people somewhere?',)),
    'travel_with': Use('contain', ('pack for a trip',)),
    'slide': Use('travel', ('stand on and glide along',), ('which things do people stand on to glide along?',)),
    'walk_on': Use('travel', ('walk on',), ('where can I walk?', 'where could a small robot drive?')),
    'swim': Use('travel', ('swim in',), ('where could somebody swim?',)),
    'play': Use('play', ('play with', 'play a game with', 'entertain a child with'), ('what could a child play with?',)),
    'sport': Use('play', ('use for sport', 'do sport with', 'take to practice')),
    'hit': Use('play', ('hit a ball with', 'swing at a ball with')),
    'music': Use('play', ('make music with', 'play a tune on')),
    'flowers': Use('contain', ('put flowers in', 'arrange a bouquet in')),
    'needs_water': Use('clean', ('water',), ('what needs watering?', 'which living thing here wants some water?')),
}  # fmt: skip

# Physics and safety: whole prompts only, for a property of a class or of a scene's object.
HAZARDS: dict[str, Use] = {
    'sharp': Use('sharp', (), ('what could cut me?', 'which things here are sharp?', 'what should I not touch with bare hands because it is sharp?', 'anything sharp I should keep away from my fingers', 'show me whatever has a blade that could hurt my fingers', 'what must not end up in the hands of a toddler because it is sharp?', 'watch out for anything with a sharp edge')),
    'hot': Use('hot', (), ('what could burn me if I touched it?', 'what could be hot here?', 'mark everything I should not touch because it may be hot', 'what could burn my fingers?', 'keep me away from things that may be hot', 'which things could be dangerously hot?', 'what should not be touched without making sure that it is cold?')),
    'gets_hot': Use('hot', (), ('what gets hot when it is in use?', 'which appliance could burn me when it is on?', 'what here could get hot enough to burn a finger?')),
    'fragile': Use('fragile', (), ('what would break if it fell?', 'which things are fragile?', 'what could shatter if it was knocked over?', 'handle with care: which things break easily?', 'what should I carry carefully because it breaks?', 'what would end in pieces if I dropped it?')),
    'flammable': Use('fire', (), ('what could catch fire easily?', 'what should stay away from an open flame?', 'which things would burn quickly?', 'what would catch fire next to a candle?')),
    'flame': Use('fire', (), ('what could start a fire?', 'where could an open flame be?')),
    'toxic': Use('toxic', (), ('what must not be swallowed?', 'what would be poisonous to drink?', 'which things are toxic?', 'what should be locked away because it is poisonous?')),
    'spills': Use('spill', (), ('what could be spilled?', 'what would spill if I bumped the table?', 'what has something in it that could run out?', 'what must I carry upright so that nothing runs out?')),
    'heavy': Use('weight', (), ('what is too heavy to lift with one hand?', 'which things are heavy?', 'what would I need help to move?', 'what could the robot not lift?')),
    'choking': Use('child_reach', (), ('what could a baby choke on?', 'which small things should be kept from a baby?', 'what could a toddler put into its mouth and choke on?')),
    'electric': Use('electric', (), ('what must not get wet because it runs on electricity?', 'which things run on electricity?', 'what needs power to work?', 'what should I keep water away from because it is electric?')),
    'shock': Use('electric', (), ('where could I get an electric shock?', 'what must not be poked with metal?')),
    'rolls': Use('rolling', (), ('what could roll away?', 'which things would roll if what they stand on was tilted?', 'what should I stop from rolling away?')),
    'wheels': Use('rolling', (), ('what can roll on its own wheels?', 'which things have wheels?', 'what would start rolling if the ground sloped?')),
    'moves': Use('movable', (), ('what could suddenly start to move?', 'what could move into the way of a robot?', 'which of these could walk or drive into me?', 'keep clear of everything that moves by itself')),
}  # fmt: skip

# Words for a property as an adjective or a relative clause, for literal prompts.
ADJECTIVES: dict[str, tuple[str, str]] = {
    'soft': ('attribute', 'soft things'),
    'electric': ('attribute', 'electric devices'),
    'transparent': ('attribute', 'see-through things'),
    'alive': ('attribute', 'living things'),
    'toy': ('kind', 'toys'),
    'sharp': ('sharp', 'sharp things'),
}

# What is enough like what to stand in for it: use -> (tags that would do, prompts that name the missing tool).
SUBSTITUTES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    'hammers': (('heavy_tool',), ('there is no hammer, what could I knock a nail in with instead?',)),
    'stirs': (('eat_with',), ('there is no spoon, what could I stir with instead?', 'what could stand in for a spoon to stir with?')),
    'dry_with': (('wipe',), ('there is no towel, what could I dry this with instead?',)),
    'flowers': (('tall_vessel',), ('I have no vase, what could hold these flowers instead?', 'what could I use in place of a vase?')),
}  # fmt: skip
