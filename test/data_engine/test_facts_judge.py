"""The judge that knows the facts of a room: it rejects faulty masks and keeps the right ones."""

import random

import cv2
from engine_runs import world_of
import numpy as np

from converseg_ros.core.item import read_items
from converseg_ros.data_engine.build import Plan, gather, make_pipeline
from converseg_ros.data_engine.contracts import Picture, Region
from converseg_ros.data_engine.grammar.drafts import enumerate_drafts
from converseg_ros.data_engine.judges.facts_judge import FactsJudge
from converseg_ros.data_engine.options import RunOptions
from converseg_ros.data_engine.proposers.proposer import FAULTS, GraphProposer, spoil
from converseg_ros.data_engine.world.sources import read_source


def test_verification_rejects_faults_and_keeps_clean_masks(rooms):
    """Seeded faults on every region: at least 95 % are rejected and at least 95 % of the clean masks are kept."""
    counts = {fault: [0, 0] for fault in (*FAULTS, 'clean')}
    for shot in read_source(rooms):
        world = shot.world()
        picture = Picture(shot.key, np.zeros((world.height, world.width, 3), np.uint8))
        judge = FactsJudge('scene', lambda _, w=world: w)
        regions = judge.describe(picture)
        masks = {r.key: world.union([r.key]) for r in regions}
        for region in regions:
            rng = random.Random(region.key + shot.key)
            for fault in FAULTS:
                made = spoil(masks[region.key], [m for k, m in masks.items() if k != region.key], fault, rng)
                if (
                    made is not None
                    and made.any()
                    and (made & masks[region.key]).sum() < 0.7 * (made | masks[region.key]).sum()
                ):
                    counts[fault][0] += not judge.verify(picture, region, made).ok
                    counts[fault][1] += 1
            kernel = np.ones((2, 2), np.uint8)
            ragged = (
                cv2.dilate(masks[region.key].astype(np.uint8), kernel).astype(bool)
                if masks[region.key].sum() > 400
                else masks[region.key]
            )
            counts['clean'][0] += judge.verify(picture, region, ragged).ok
            counts['clean'][1] += 1
    for fault, (good, total) in counts.items():
        assert total > 10 and good >= 0.95 * total, (fault, good, total)


def test_alignment_judges_the_mask_not_the_item(rooms):
    shot, world = world_of(rooms)
    picture = Picture(shot.key, np.zeros((world.height, world.width, 3), np.uint8))
    judge = FactsJudge('scene', lambda _: world)
    kept = rejected = faults = drafts = 0
    masks = {e.key: e.mask for e in world.entities.values()}
    for draft in enumerate_drafts(world):
        truth = world.union(draft.keys)
        drafts += 1
        kept += judge.align(picture, draft.text, truth).ok
        wrong = (
            spoil(truth, list(masks.values()), random.Random(draft.text).choice(FAULTS), random.Random(1))
            if truth.any()
            else masks['o5']
        )
        if wrong is not None and (wrong & truth).sum() < 0.7 * (wrong | truth).sum():
            faults += 1
            rejected += not judge.align(picture, draft.text, wrong).ok
    assert kept == drafts and faults > 100 and rejected >= 0.95 * faults
    assert not judge.align(picture, 'say something that was never said', masks['o5']).ok


def test_a_run_with_faulty_masks_lets_none_through(rooms, tmp_path):
    shots = gather([rooms])
    p = Plan([rooms], tmp_path / 'd', RunOptions(judge='scene', faults=0.4))
    pipeline = make_pipeline(p, shots)
    pipeline.run(shots, p.out)
    assert isinstance(pipeline.proposer, GraphProposer) and len(pipeline.proposer.spoiled) > 20
    worlds = {s.image_id: s.world() for s in shots}
    items = read_items(tmp_path / 'd')
    for i in items:
        meanings = {d.text: d.keys for d in enumerate_drafts(worlds[i.image_id])}
        truth = worlds[i.image_id].union(meanings[i.prompt])
        assert (i.mask() & truth).sum() >= 0.75 * (i.mask() | truth).sum(), i.prompt
    assert len(items) > 30


def test_a_region_of_nothing_is_rejected(rooms):
    shot, world = world_of(rooms)
    picture = Picture(shot.key, np.zeros((world.height, world.width, 3), np.uint8))
    judge = FactsJudge('scene', lambda _: world)
    ghost = Region(key='g', text='the ghost', category='ghost', box=(10, 10, 60, 60))
    assert not judge.verify(picture, ghost, np.ones((world.height, world.width), bool)).ok
