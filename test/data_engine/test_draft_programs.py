"""The programs of drafts, executed on the true facts of their worlds, give what the drafts mean."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from converseg_ros.data_engine.build import Plan, gather, make_pipeline
from converseg_ros.data_engine.grammar.drafts import enumerate_drafts
from converseg_ros.data_engine.output.store import read_items
from converseg_ros.data_engine.truth import reproduced, world_facts
from converseg_ros.data_engine.world.coco_world import CocoLabels
from converseg_ros.data_engine.world.scene_world import scene_world
from converseg_ros.data_engine.world.world import World
from converseg_ros.datasets.coco import find_coco
from converseg_ros.programs.forms import FORMS, LIKE, form
from converseg_ros.programs.nodes import program_from_json, program_to_json
from converseg_ros.scenes.graph import Scene
from converseg_ros.scenes.models import catalogue

MIN_SHARE = 0.995  # share of drafts with a program that reproduce their mask
PHOTOS = 40


def views(folder: Path) -> Iterator[World]:
    scene = Scene.load(folder)
    for view in scene.views:
        yield scene_world(scene, view, folder, f'{folder.name}/{view.name}')


@pytest.fixture(scope='session')
def rendered_rooms(tmp_path_factory: pytest.TempPathFactory) -> list[World]:
    """Return the views of three rooms of different types."""
    if not catalogue.available():
        pytest.skip('the object models are not installed (apt install sweethome3d-furniture)')
    from converseg_ros.scenes.render.scene_folder import render_scene

    out = tmp_path_factory.mktemp('rendered')
    return [w for seed in range(3) for w in views(render_scene(seed, 'train', 2, out))]


def check(worlds: list[World], least_with_program: float) -> None:
    """Assert that enough drafts have a program, that nearly all give their mask, and that each has its form."""
    count: Counter[str] = Counter()
    wrong: list[tuple[str, str]] = []
    strange: set[tuple[str, str]] = set()
    silent: set[str] = set()
    for world in worlds:
        facts = world_facts(world)
        for draft in enumerate_drafts(world):
            sign = 'positive' if draft.keys else 'negative'
            count[sign] += 1
            if draft.program is None:
                silent |= set() if LIKE in FORMS[draft.sub_concept] else {draft.sub_concept}
                continue
            count['program'] += 1
            if form(draft.program) not in FORMS[draft.sub_concept]:
                strange.add((draft.sub_concept, form(draft.program)))
            if not reproduced(world, facts, draft):
                wrong.append((world.key, draft.text))
    assert not strange and not silent
    assert min(count['positive'], count['negative']) > 50
    assert count['program'] >= least_with_program * (count['positive'] + count['negative'])
    assert len(wrong) <= (1 - MIN_SHARE) * count['program'], wrong


def test_programs_of_hand_made_rooms_give_their_masks(rooms: Path) -> None:
    check([w for folder in sorted(rooms.iterdir()) for w in views(folder)], 0.95)


@pytest.mark.slow
def test_programs_of_rendered_rooms_give_their_masks(rendered_rooms: list[World]) -> None:
    check(rendered_rooms, 0.95)


def test_programs_of_labelled_photos_give_their_masks(shared: Path) -> None:
    labels = CocoLabels(find_coco(shared / 'data' / 'coco_sample')[0])
    check([labels.world(name, name) for name in list(labels)[:PHOTOS]], 0.95)


def test_items_carry_programs_that_read_back(rooms: Path, tmp_path: Path) -> None:
    plan = Plan([rooms], tmp_path / 'd')
    shots = gather(plan.sources, 6)
    make_pipeline(plan, shots).run(shots, plan.out)
    items = list(read_items(plan.out))
    programs = [program_from_json(i.program) for i in items if i.program is not None]
    assert len(programs) > 0.9 * len(items) > 20
    for item, program in zip([i for i in items if i.program is not None], programs):
        assert program_to_json(program) == item.program
        assert form(program) in FORMS[item.sub_concept]


def test_something_means_one_thing(rooms: Path) -> None:
    """Two or more things that fit are asked for with "what" or "anything", so that the program and the mask agree."""
    drafts = [
        d
        for folder in sorted(rooms.iterdir())
        if folder.is_dir()
        for world in views(folder)
        for seed in range(8)
        for d in enumerate_drafts(world, seed=str(seed))
        if d.program is not None and d.text.startswith(('something ', 'find me something', 'give me something'))
    ]
    uses = [d for d in drafts if form(d.program) == 'filter tag']
    assert uses and all(len(d.keys) <= 1 and d.program.quantity == 'one' for d in uses)


def test_a_changed_mask_is_not_reproduced(rooms: Path) -> None:
    world = next(views(sorted(rooms.iterdir())[0]))
    facts = world_facts(world)
    drafts = [d for d in enumerate_drafts(world) if d.program is not None and d.keys and reproduced(world, facts, d)]
    assert drafts
    assert not any(reproduced(world, facts, replace(d, keys=())) for d in drafts)
