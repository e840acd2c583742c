# ruff: noqa: E501 - tables read best in rows
"""Which classes people agree to have a use or a hazard, and of which opinions differ; the rest has it not.

A scene graph states what was built (a closed bottle is a container and spills); a person who looks at the picture means
something narrower. For the properties below this table decides, for scenes and photos alike.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(',') if word.strip())


# property -> (classes that have it, classes of which opinions differ)
CONSENSUS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    tag: (_words(yes), _words(maybe))
    for tag, yes, maybe in (
        ('container', 'backpack, basket, bread box, briefcase, box, cardboard box, cabinet, wall cabinet, crate, chest, dresser, filing cabinet, locker, food container, handbag, jar, open box, safe, suitcase, trash can, recycling bin, wardrobe, barrel, bucket, shopping basket, clothes basket, tool box, drawer, mailbox', 'bowl, clay pot, pot, utensil pot, pen holder, vase, bedside table, desk, bookcase, shelf, refrigerator, counter, kitchen island, gift, sugar bowl, cosmetics jar, medicine box, cereal box, washing machine, letter tray, tray, TV stand, workbench'),
        ('pours', 'beer bottle, bottle, wine bottle, carton, coffee press, creamer, kettle, lidded jug, teapot, pitcher, moka pot, watering can, baby bottle', 'clay pot, ladle, water cooler, flask, soap dispenser, medicine bottle, perfume bottle, pot, vase, yogurt bottle, coffee maker'),
        ('holds_liquid', 'aquarium, bathtub, beer bottle, bottle, bowl, carton, coffee cup, coffee press, creamer, cup, plastic cup, glass, wine glass, cocktail glass, beer glass, kettle, lidded jug, teapot, pitcher, moka pot, mug, pot, soup cup, sink, washbasin, wine bottle, baby bottle, flask, vase, jar, clay pot, bucket, watering can, yogurt bottle', 'pan, food container, can, utensil pot, pen holder, flower pot, sugar bowl, medicine bottle, perfume bottle, soap dispenser, water cooler, potty, toilet, trash can, barrel, ashtray, sugar bowl, aquarium, spray bottle, rice cooker, cosmetics jar, tray'),
        ('drinkable', 'beer bottle, wine bottle, carton, coffee cup, milk', 'bottle, baby bottle, yogurt bottle, coffee press, lidded jug, teapot, mug, cup, glass, water cooler, pitcher, moka pot'),
        ('openable', 'bread box, cabinet, dresser, door, filing cabinet, food container, jar, laptop, microwave, oven, refrigerator, safe, suitcase, wardrobe, washing machine, dryer, box, cardboard box, gift, handbag, backpack, briefcase', 'bottle, beer bottle, wine bottle, book, can, carton, cereal box, medicine bottle, medicine box, pot, counter, kitchen island, desk, workbench, bedside table, window, toilet, umbrella, lidded jug, clay pot, cosmetics jar, newspaper, marker, lipstick, perfume bottle, sugar bowl, trash can, rice cooker, toaster, scissors, piano, bookcase, printer, tool box, chest, drawer'),
        ('supports', 'table, dining table, coffee table, desk, counter, kitchen island, workbench, dresser, bedside table, shelf, bookcase, trolley, tray', 'stool, bench, cabinet, filing cabinet, crate, TV stand, washing machine, dryer, oven, refrigerator, radiator, piano, ottoman, cutting board, chest, chess board'),
        ('climbable', 'ladder, step ladder', 'stool, chair, stairs, table, coffee table, crate, ottoman, bench'),
        ('step_on', 'stool', 'chair, ottoman, bench, crate, step ladder, ladder, box, brick, bar stool'),
        ('sittable', 'armchair, chair, office chair, couch, stool, bench, bar stool, high chair, ottoman, beach chair, wheelchair', 'bed, potty, toilet, rocking horse, crate, barrel, mattress, table, coffee table'),
        ('lie', 'bed, couch, mattress, hammock, sleeping bag', 'crib, rug, bench, bathtub'),
        ('cleans', 'sponge, soap dispenser, soap, toilet brush, towel, brush, broom, mop, paper towel, paper towel holder, vacuum cleaner, spray bottle, detergent, bleach', 'toothbrush, bath sponge, hairbrush, clothing, washing machine'),
        ('stirs', 'spoon, wooden spoon, ladle', 'fork, spatula, whisk, knife, chopsticks'),
        ('measures', 'ruler, tape measure', 'kitchen scale, thermometer'),
        ('type_on', 'laptop, keyboard', 'phone, cell phone, tablet, computer, desk phone'),
        ('watch_screen', 'TV, monitor, laptop, tablet', 'phone, cell phone, computer, projector'),
        ('listen', 'headphones, radio, stereo, speaker', 'TV, laptop, phone, cell phone, tablet, piano, guitar, computer'),
        ('photograph', 'camera', 'phone, cell phone, tablet'),
        ('heat_food', 'microwave, oven, stove, cooktop', 'toaster, rice cooker, pan, pot, grill, fireplace, sandwich maker, deep fryer'),
        ('brew', 'coffee maker, coffee press, moka pot', 'kettle, lidded jug, teapot'),
        ('boil', 'kettle', 'pot, moka pot, coffee maker, microwave, lidded jug, rice cooker'),
        ('cook_in', 'pan, pot', 'rice cooker, microwave, oven, deep fryer, grill, soup cup, bowl'),
        ('mix', 'bowl', 'pot, blender, mixer, food container, soup cup, pan'),
        ('sweet', 'cake, cupcake, donut', 'apple, banana, orange, pear, yogurt bottle, fruit'),
        ('peel', 'banana, orange', 'lemon, potato, onion'),
        ('wearable', 'clothing, glasses, sunglasses, glove, hat, cap, helmet, shoes, sneakers, slippers, watch, jacket, tie, dress', 'backpack, headphones, handbag, ring, towel, lipstick'),
        ('music', 'guitar, piano, piano keyboard, xylophone', 'radio, headphones, laptop'),
        ('play', 'building block, chess board, chessboard, doll, doll house, playing cards, puzzle, puzzle cube, rocking horse, sports ball, basketball, soccer ball, teddy bear, toy, toy car, toy plane, toy train, xylophone, joystick, frisbee, kite', 'bath sponge, piano keyboard, guitar, piano, figurine, tablet, laptop, phone, cell phone, game console, radio'),
        ('readable', 'book, newspaper, magazine', 'tablet, laptop, phone, calendar, notebook, cereal box, computer'),
        ('lights', 'lamp, desk lamp, table lamp, floor lamp, ceiling lamp, flashlight, lantern, candle, light, street lamp', 'candle holder, TV, laptop, fireplace, phone, window'),
        ('flowers', 'vase', 'clay pot, flower pot'),
        ('tall_vessel', 'bottle, wine bottle, beer bottle, glass, beer glass, cup, mug, plastic cup, lidded jug, pitcher, carton, creamer, flask', 'wine glass, cocktail glass, coffee cup, jar, can, kettle, clay pot, pen holder, utensil pot, soup cup, bowl, pot, flower pot, bucket, coffee press, moka pot, baby bottle, teapot, perfume bottle, soap dispenser'),
        ('sharp', 'kitchen knife, knife, saw, scissors', 'fork, screwdriver, grinder, cactus, knife block, drill, blender, pliers, darts'),
        ('hot', 'coffee maker, kettle, moka pot, oven, stove, cooktop, radiator, toaster, fireplace, grill, sandwich maker, deep fryer, rice cooker', 'pot, pan, microwave, coffee press, lidded jug, teapot, coffee cup, french fries, roast chicken, steak, hamburger, hot dog, lamp, ashtray, dryer, soup cup, pizza, candle holder'),
        ('gets_hot', 'coffee maker, oven, stove, cooktop, radiator, toaster, fireplace, kettle, rice cooker, grill, sandwich maker, deep fryer, iron, hair drier', 'microwave, moka pot, dryer, lamp, candle, pot, pan, laptop, TV'),
        ('toxic', 'medicine bottle, medicine box, bleach, detergent, paint can, spray bottle', 'soap dispenser, perfume bottle, cosmetics jar, glue, lipstick, cactus'),
        ('spills', 'coffee cup, creamer, kettle, lidded jug, teapot, moka pot, coffee press', 'bottle, beer bottle, wine bottle, carton, mug, glass, cup, yogurt bottle, vase, flowers, aquarium, paint can, baby bottle, soup cup, pot'),
        ('shock', 'socket, extension cord', 'plug, toaster, lamp, switch'),
        ('flame', 'candle, fireplace', 'stove, grill, lantern, candle holder, oven'),
    )
}  # fmt: skip
# Properties of which opinions differ for these, beside what a source states.
DOUBTS: dict[str, frozenset[str]] = {
    'electric': _words('plug, guitar, toy train, toy car, watch, toothbrush, extension cord, piano, clock, doll'),
    'rolls': _words('pencil, marker, pen, barrel, bath sponge, flashlight, lipstick, toy train'),
    'flammable': _words('teddy bear, perfume bottle, candle, hat, basket, backpack, puzzle, crate, toy, pillow, blanket, curtain, playing cards, couch, bed, armchair, clothing'),
    'edible': _words('food container, bread box, carton, baby bottle, butter, lemon, cereal box'),
    'soft': _words('bread, rug, armchair, couch, bed, clothing, glove, office chair, cat, dog, backpack, slippers, hat'),
}  # fmt: skip


def settle(category: str, tags: frozenset[str], maybe: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return a class's properties, certain and doubtful, as people agree on them."""
    sure, unsure = set(tags), set(maybe)
    for tag, (yes, doubtful) in CONSENSUS.items():
        sure.discard(tag)
        unsure.discard(tag)
        if category in yes:
            sure.add(tag)
        elif category in doubtful:
            unsure.add(tag)
    for tag, classes in DOUBTS.items():
        if category in classes and tag not in sure:
            unsure.add(tag)
    return frozenset(sure), frozenset(unsure - sure)
