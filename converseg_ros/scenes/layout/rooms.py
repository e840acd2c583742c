"""Room types: furniture, objects on surfaces, and materials."""

# ruff: noqa: E501 (tables)

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoomType:
    """One type of room. Repeated words have more weight."""

    mains: tuple[str, ...]  # counter, island, table, desk, coffee table, workbench, shelf, vanity, dresser, floor
    items: tuple[str, ...]  # categories for the main surface
    furniture: tuple[str, ...]  # categories on the floor against the walls
    floor_items: tuple[str, ...]  # objects on the floor
    floors: tuple[str, ...]  # texture kinds
    walls: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(w.strip() for w in text.split(',') if w.strip())


_DISHES = 'mug, mug, cup, glass, bowl, bowl, plate, plate, bottle'
_FOOD = 'apple, orange, banana, lemon, tomato, bread, can, jar, cereal box, milk carton, food container, cupcake'
_CUTLERY = 'fork, spoon, knife'

ROOMS: dict[str, RoomType] = {
    'kitchen': RoomType(
        _words('counter, counter, counter, island'),
        _words(f'{_DISHES}, {_FOOD}, {_CUTLERY}, kitchen knife, cutting board, pot, frying pan, lid, kettle, teapot, toaster, '
               'coffee maker, microwave, blender, mixer, knife block, utensil pot, paper towel holder, spice rack, sponge, '
               'soap dispenser, salt shaker, wine bottle, stove, spatula, ladle, towel, tray, moka pot, coffee press, '
               'kitchen scale, bread box, rice cooker, oven, roast chicken, butter, candle, flower pot'),
        _words('fridge, oven, cabinet, stool, trash can, washing machine, chair'),
        _words('trash can, cardboard box, basket, shoes, cat, dog, stool'),
        _words('tile, tile, wood, stone, checker'),
        _words('plaster, plaster, tile'),
    ),
    'dining': RoomType(
        _words('table'),
        _words(f'{_DISHES}, {_CUTLERY}, {_CUTLERY}, {_FOOD}, wine bottle, beer bottle, salt shaker, sugar bowl, creamer, teapot, '
               'candle, flowers, vase, cake, steak, french fries, hamburger, coffee cup, tray, newspaper, book, squeezer'),
        _words('chair, chair, chair, bookcase, sofa, plant, dresser, high chair, piano'),
        _words('cat, dog, ball, shoes, backpack'),
        _words('wood, wood, tile, carpet'),
        _words('plaster'),
    ),
    'office': RoomType(
        _words('desk'),
        _words('laptop, computer, keyboard, printer, phone, desk phone, tablet, book, book, mug, coffee cup, glass, bottle, marker, '
               'marker, pencil, scissors, stapler, ruler, letter tray, pen holder, calendar, lamp, headphones, glasses, tape roll, '
               'box, flower pot, camera, speaker, keys, remote control, newspaper, apple, cactus, clock, picture frame, banknote'),
        _words('office chair, office chair, filing cabinet, bookcase, shelf, water cooler, plant, cabinet'),
        _words('trash can, backpack, briefcase, cardboard box'),
        _words('carpet, carpet, wood, tile'),
        _words('plaster, plaster, concrete'),
    ),
    'living': RoomType(
        _words('coffee table'),
        _words('mug, glass, cup, bottle, wine bottle, beer bottle, bowl, plate, book, book, newspaper, remote control, remote control, '
               'phone, tablet, game controller, headphones, candle, vase, flowers, apple, orange, banana, glasses, camera, keys, radio, '
               'playing cards, puzzle cube, chess board, picture frame, figurine, ashtray, gift, lamp, towel, plant, cake'),
        _words('sofa, sofa, armchair, television, bookcase, plant, fireplace, piano, shelf, aquarium'),
        _words('cat, dog, ball, shoes, toy train, guitar, backpack, book'),
        _words('wood, wood, carpet'),
        _words('plaster'),
    ),
    'workshop': RoomType(
        _words('workbench'),
        _words('hammer, hammer, screwdriver, screwdriver, wrench, wrench, drill, saw, pliers, grinder, tape measure, tape roll, brick, '
               'can, box, open box, marker, pencil, ruler, flashlight, glove, helmet, bottle, jar, radio, sponge, fan, padlock, mug, '
               'scissors, lantern, food container, toy block, keys'),
        _words('shelf, cabinet, stool, barrel, ladder, safe, filing cabinet, crate'),
        _words('fire extinguisher, traffic cone, crate, cardboard box, trash can, ladder, barrel'),
        _words('concrete, concrete, stone, wood'),
        _words('concrete, plaster'),
    ),
    'bathroom': RoomType(
        _words('vanity'),
        _words('soap, soap dispenser, toothbrush, toothbrush, cup, glass, towel, towel, comb, brush, bottle, medicine bottle, '
               'medicine box, perfume bottle, lipstick, cosmetics jar, sponge, candle, scissors, flower pot, box, watch, glasses, jar'),
        _words('toilet, bathtub, washbasin, radiator, washing machine, cabinet'),
        _words('trash can, basket, toilet brush, potty, shoes'),
        _words('tile, tile, checker, stone'),
        _words('tile, tile, plaster'),
    ),
    'bedroom': RoomType(
        _words('dresser, nightstand'),
        _words('lamp, book, book, clock, glasses, glass, mug, watch, phone, perfume bottle, lipstick, comb, brush, handbag, hat, '
               'clothes, picture frame, candle, flowers, teddy bear, headphones, keys, medicine bottle, radio, vase, towel, tablet, '
               'gift, baby bottle, cosmetics jar'),
        _words('bed, wardrobe, armchair, chair, radiator, plant'),
        _words('shoes, suitcase, basket, backpack, cat, dog'),
        _words('wood, carpet, carpet'),
        _words('plaster'),
    ),
    'nursery': RoomType(
        _words('floor, floor, low table'),
        _words('toy block, toy block, toy block, ball, ball, toy car, toy train, toy plane, doll, teddy bear, xylophone, puzzle cube, '
               'puzzle, book, toy, cup, baby bottle, bowl, banana, playing cards, chess board, marker, pencil, scissors, open box, '
               'gift, game controller, figurine'),
        _words('crib, shelf, chair, bookcase, rocking horse, bed, high chair'),
        _words('ball, basket, doll house, rocking horse, shoes, potty'),
        _words('carpet, carpet, wood'),
        _words('plaster'),
    ),
    'laundry': RoomType(
        _words('counter, shelf, table'),
        _words('towel, towel, clothes, bottle, bottle, bottle, box, sponge, soap, brush, glove, open box, basket, jar, food container, '
               'scissors, candle, flashlight, hat, fan, shoes, can, lantern'),
        _words('washing machine, dryer, cabinet, ironing rack, shelf'),
        _words('basket, basket, cardboard box, trash can, shoes, ladder, umbrella, fire extinguisher'),
        _words('tile, concrete, stone'),
        _words('plaster, tile'),
    ),
    'pantry': RoomType(
        _words('shelf, shelf, table'),
        _words(f'{_FOOD}, {_FOOD}, bottle, bottle, wine bottle, yogurt bottle, box, box, open box, pot, bowl, tray, basket, paper towel holder, '
               'candle, vase, teapot, butter, beer bottle'),
        _words('shelf, fridge, cabinet, barrel, crate'),
        _words('crate, cardboard box, basket, barrel, ladder'),
        _words('stone, tile, wood'),
        _words('plaster'),
    ),
    'lab': RoomType(
        _words('table'),
        _words(f'{_DISHES}, {_FOOD}, box, can, can, sponge, brick, drill, hammer, screwdriver, scissors, marker, marker, ball, toy block, toy block, '
               'tape roll, food container, food container, book, kitchen knife, soap dispenser, remote control, phone, open box, cutting board, '
               'toy plane, puzzle cube, spatula, frying pan, padlock, teddy bear, tape measure, wrench'),
        _words('office chair, shelf, table, desk, cabinet, filing cabinet, whiteboard'),
        _words('cardboard box, crate, trash can, backpack'),
        _words('carpet, concrete, wood, tile'),
        _words('plaster, concrete'),
    ),
}  # fmt: skip

CHOICE = (
    ('kitchen',) * 5
    + ('lab',) * 5
    + ('dining',) * 3
    + tuple(r for r in ROOMS if r not in ('kitchen', 'lab', 'dining')) * 2
)
"""Room types with their frequencies."""
