"""What the labels of a photo leave unsaid is not asked for."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
import pytest

from converseg_ros.core.families import Family
from converseg_ros.data_engine.grammar.drafts import enumerate_drafts
from converseg_ros.data_engine.world.coco_world import CocoLabels
from converseg_ros.datasets.coco import find_coco

WIDTH, HEIGHT = 200, 150
STUFF = ('sky-other-merged', 'grass-merged', 'wall-other-merged', 'sea', 'cabinet-merged', 'floor-wood')
THINGS = ('person', 'tv', 'bottle', 'sink', 'cell phone', 'dog', 'fork', 'teddy bear', 'bench', 'knife')
NAMES = (*STUFF, *THINGS)


@pytest.fixture
def photo(tmp_path):
    """Return what the grammar can say of a photo with boxes (name, x0, y0, x1, y1) painted over each other."""

    def make(*boxes):
        for name in ('images', 'panoptic'):
            (tmp_path / name).mkdir(exist_ok=True)
        ids = np.zeros((HEIGHT, WIDTH), np.uint8)
        for i, (_, x0, y0, x1, y1) in enumerate(boxes):
            ids[y0:y1, x0:x1] = i + 1
        Image.fromarray(np.stack([ids, 0 * ids, 0 * ids], 2)).save(tmp_path / 'panoptic/a.png')
        rows = [{'id': i + 1, 'category_id': NAMES.index(b[0])} for i, b in enumerate(boxes)]
        (tmp_path / 'panoptic.json').write_text(
            json.dumps(
                {
                    'images': [{'id': 1, 'file_name': 'a.jpg', 'width': WIDTH, 'height': HEIGHT}],
                    'annotations': [{'image_id': 1, 'file_name': 'a.png', 'segments_info': rows}],
                    'categories': [{'id': i, 'name': n, 'isthing': int(n in THINGS)} for i, n in enumerate(NAMES)],
                }
            )
        )
        return [
            d
            for seed in 'abcdefgh'
            for d in enumerate_drafts(CocoLabels(find_coco(Path(tmp_path))[0]).world('a.jpg', 'k'), seed=seed)
        ]

    return make


SKY, GRASS = ('sky-other-merged', 0, 0, 200, 70), ('grass-merged', 0, 70, 200, 150)


def test_stuff_is_asked_for_only_where_the_picture_is_labelled_all_over(photo):
    dog, bench = ('dog', 20, 80, 60, 120), ('bench', 100, 80, 160, 130)
    whole = photo(SKY, GRASS, dog, bench)
    assert any('grass' in d.text for d in whole if d.keys) and any(
        'wooden floor' in d.text for d in whole if not d.keys
    )
    assert not any('cabinet' in d.text for d in whole)  # annotators call it something else
    patchy = photo(('sky-other-merged', 0, 0, 200, 30), ('grass-merged', 0, 110, 200, 150), dog, bench)
    assert any('dog' in d.text for d in patchy if d.keys)
    assert not any({'grass', 'sky', 'sea', 'floor'} & set(d.text.split()) for d in patchy)


def test_somebody_on_a_screen_does_not_move(photo):
    moves = [
        d for d in photo(SKY, GRASS, ('tv', 20, 20, 120, 90), ('person', 50, 30, 80, 88)) if d.sub_concept == 'movable'
    ]
    assert not moves
    beside = photo(SKY, GRASS, ('tv', 20, 20, 120, 90), ('person', 140, 30, 170, 120))
    assert any(d.sub_concept == 'movable' and d.keys == ('a4',) for d in beside)


def test_slivers_at_the_edge_and_soap_bottles_are_not_asked_for(photo):
    sliver = photo(SKY, GRASS, ('fork', 0, 100, 4, 112), ('dog', 60, 80, 120, 140))
    assert not any('a3' in d.keys for d in sliver)
    bathroom = photo(SKY, GRASS, ('bottle', 20, 40, 40, 90), ('sink', 80, 80, 160, 130))
    assert any(d.keys == ('a3',) for d in bathroom) and not any(d.sub_concept in ('pour', 'drink') for d in bathroom)
    meadow = photo(SKY, GRASS, ('bottle', 20, 40, 40, 90), ('dog', 80, 80, 160, 130))
    assert any(d.sub_concept == 'pour' and d.keys == ('a3',) for d in meadow)


def test_things_above_each_other_have_no_side_order(photo):
    low = ('teddy bear', 30, 80, 90, 140)
    apart = photo(SKY, GRASS, ('teddy bear', 120, 20, 180, 70), low)
    assert any(d.sub_concept == 'side_order' for d in apart)
    above = photo(SKY, GRASS, ('teddy bear', 45, 20, 105, 70), low)
    assert not any(d.sub_concept == 'side_order' for d in above)


def test_who_carries_what_is_asked_only_if_every_one_of_it_is_clear(photo):
    people = ('person', 20, 30, 60, 140), ('person', 120, 30, 160, 140)
    phone = ('cell phone', 60, 60, 68, 72)
    clear = photo(SKY, GRASS, *people, phone)
    assert any(d.family is Family.RELATIONS and d.keys == ('a3',) for d in clear)
    doubtful = photo(SKY, GRASS, *people, phone, ('cell phone', 160, 60, 163, 63))
    assert not any(d.family is Family.RELATIONS and 'phone' in d.text for d in doubtful)
