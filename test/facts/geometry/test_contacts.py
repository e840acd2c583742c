"""What holds an object, from visible parts alone: stacks, containers, shelves, carts and objects in the air."""

from facts_blocks import Block, facts
import numpy as np

from converseg_ros.facts.geometry.contacts import primitives
from converseg_ros.facts.geometry.measures import measure
from converseg_ros.facts.predicates.surfaces import planes_of

BOOK = (0.2, 0.25, 0.04)


def test_a_stack_of_which_only_the_front_of_the_lower_book_is_visible() -> None:
    lower, upper = Block('book', 0, 0, BOOK), Block('magazine', 0, 0, BOOK, z=0.04)
    f = facts([lower, upper])
    assert f.relation('on').p[1, 0] > 0.6
    assert f.relation('falls_without').p[1, 0] > 0.6 > f.relation('falls_without').p[0, 1]


def test_a_cup_behind_a_book_does_not_stand_on_it() -> None:
    book, cup = Block('book', 0, 0, BOOK), Block('cup', 0, 0.25, (0.08, 0.08, 0.1))
    on = facts([book, cup]).relation('on').p
    assert on[1, 0] < 0.3 and on[1, 2] > 0.6


def test_a_pencil_that_rises_from_a_mug_is_in_it() -> None:
    mug, pencil = Block('mug', 0, 0, (0.09, 0.09, 0.1)), Block('pencil', 0, 0, (0.01, 0.01, 0.08), z=0.1)
    box = Block('box', 0.3, 0, (0.08, 0.08, 0.08))
    f = facts([mug, pencil, box])
    assert f.relation('in').p[1, 0] > 0.6 > f.relation('on').p[1, 0]
    assert f.relation('in').p[2].max() < 0.2
    assert f.filter('physics', 'tips').p[1] < 0.3  # the mug holds it


def test_what_lies_in_a_flat_tray_is_also_on_it() -> None:
    tray, apple = Block('tray', 0, 0, (0.4, 0.3, 0.02)), Block('apple', 0, 0, (0.07, 0.07, 0.07), z=0.02)
    assert facts([tray, apple]).relation('on').p[1, 0] > 0.6


def test_an_object_in_the_air_falls_and_others_do_not() -> None:
    mug, bowl = Block('mug', -0.2, 0, (0.09, 0.09, 0.1)), Block('bowl', 0.2, 0, (0.12, 0.12, 0.07), z=0.25)
    falling = facts([mug, bowl]).act('falling').p
    assert falling[1, 1] > 0.6 and falling[0].max() < 0.1 and falling[2].max() < 0.1
    assert not facts([mug, bowl], depth=False).act('falling').low.any()


def test_a_hand_holds_an_object_in_the_air() -> None:
    bowl = Block('bowl', 0.2, 0, (0.12, 0.12, 0.07), z=0.25)
    hand = Block('hand', 0.31, 0, (0.1, 0.08, 0.08), z=0.25, kind=3)
    assert facts([bowl, hand]).act('falling').p[0, 0] < 0.1


def test_what_a_cart_carries_is_in_transit_and_in_use() -> None:
    cart, box = Block('trolley', 0, 0, (0.4, 0.3, 0.05)), Block('box', 0, 0, (0.1, 0.1, 0.1), z=0.05)
    mug = Block('mug', 0.4, 0, (0.09, 0.09, 0.1))
    f = facts([cart, box, mug])
    assert f.act('carrying').p[0, 1] > 0.4 and f.act('carrying').p[:, 2].max() < 0.1
    assert f.filter('state', 'used').p[1] > 0.4 > f.filter('state', 'used').p[2]


def test_what_stands_on_the_second_level_of_a_shelf_stands_on_the_shelf() -> None:
    """The two levels are one region, and its plane is that of the larger one."""
    lower = Block('shelf', 0, 0.1, (0.9, 0.5, 0.02), -0.02, kind=1)
    upper = Block('shelf', 0, 0.2, (0.9, 0.2, 0.02), 0.2)
    f = facts([Block('mug', 0, 0.2, (0.09, 0.09, 0.1), z=0.22), lower, upper], table=None)
    masks = np.stack([f.segments.masks[0], f.segments.masks[1:].any(0)])
    kinds = np.array([[0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01]])
    planes = planes_of(masks, kinds.astype(np.float32), f.geometry)
    assert f.geometry is not None and abs(f.geometry.planes[planes[1]].d - 0.6) < 0.05  # that of the lower level
    both = np.ones(2, bool)
    found = primitives(masks, kinds, planes, measure(masks, f.geometry), f.geometry, np.full(2, 0.1), both)
    assert found.support.p[0, 1] > 0.6
