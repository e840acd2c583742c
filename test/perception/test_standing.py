"""Answers to standing instructions stay what they are for as long as nothing changes, and no longer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
import json
from pathlib import Path
import sys

import numpy as np
import pytest

torch = pytest.importorskip('torch')
sys.path.insert(0, str(Path(__file__).parents[1] / 'facts'))

from facts_blocks import COLOURS, TABLE, Block, BlockNamer, H, K, Pose, W, camera, render

from converseg_ros.core import Frame, Instruction, Prediction, Role, Status
from converseg_ros.core.belief import Belief, SteadyOptions
from converseg_ros.core.region import Region
from converseg_ros.core.segments import NameScores, Posterior, Segments
from converseg_ros.network.things.correctness import CorrectnessFit
from converseg_ros.network.things.existence import Existence, ExistenceFit
from converseg_ros.network.things.parts import Parts
from converseg_ros.network.things.things_network import ThingsNetwork
from converseg_ros.perception.segmenter import Segmenter, SegmenterOptions
from converseg_ros.programs.nodes import Filter, Node, Select

STEP = 0.3  # seconds between key frames
FIT = ExistenceFit((0.7, 0, 0, 0, 0, 0, 0, 0, 0, 0), 2.0, no_target=0.5, recall=0.2)  # decides at p = .05
CORRECT = CorrectnessFit((0.2, 0.0, 0.0, 0.0, 0.0), 0.0, confident=0.55)  # decides at p = .73
THE_MUG, MUGS = Instruction('the mug', id='mug'), Instruction('the mugs', id='mugs')
PROGRAMS: dict[str, Node] = {
    'the mug': Select('one', Filter('name', 'mug')),
    'the mugs': Select('all', Filter('name', 'mug')),
}
LEFT, RIGHT = Block('mug', -0.25, 0, (0.1, 0.1, 0.1)), Block('mug', 0.25, 0, (0.1, 0.1, 0.1), colour='red')


@dataclass(frozen=True)
class Understood:
    program: Node
    confidence: float = 0.98


class Scene:
    """Segments and names of what the blocks show; also reads the texts."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.pose = Pose()
        self.aside = 0.0  # metres that the camera moved to the right
        self.names = BlockNamer(())

    def frame(self, seconds: float) -> Frame:
        """Return the view of the blocks now, and forget regions that are too small to be seen."""
        shown = [replace(b, x=b.x - self.aside) for b in [*self.blocks, TABLE]]
        depth, label = render(shown, self.pose)
        self.seen = [k for k in range(len(shown)) if np.count_nonzero(label == k) > 20]
        self.masks = np.stack([label == k for k in self.seen])
        self.names = BlockNamer(tuple(shown[k] for k in self.seen))
        rgb = np.repeat(self.texture(depth)[..., None], 3, 2)
        for k in self.seen:
            rgb[label == k] = COLOURS[shown[k].colour]
        up = -camera(self.pose)[1].T @ np.array([0, 0, 1.0])
        return Frame(rgb, depth, K, stamp_ns=round(1e9 * (1 + seconds)), gravity=up)

    def texture(self, depth: np.ndarray) -> np.ndarray:
        """Return (H, W) uint8 a pattern that is painted on what is seen."""
        v, u = np.mgrid[:H, :W]
        far = np.nan_to_num(depth, nan=5.0)
        ahead = np.stack([(u - K.cx) / K.fx * far, (v - K.cy) / K.fy * far, far, np.ones((H, W))], 2)
        x, y = np.moveaxis(ahead @ self.camera_pose().T, 2, 0)[:2]
        return np.asarray(
            90 + 25 * np.sin(40 * x + 9 * np.sin(11 * y)) + 25 * np.sin(35 * y + 7 * np.sin(9 * x)), np.uint8
        )

    def camera_pose(self) -> np.ndarray:
        """Return the 4x4 pose of the camera."""
        pose = np.eye(4)
        origin, axes = camera(self.pose)
        pose[:3, :3], pose[:3, 3] = axes, origin + np.array([self.aside, 0, 0])
        return pose

    def propose(self, view: Frame) -> Segments:
        count, none = len(self.seen), np.full(len(self.seen), -1)
        kinds = np.full((count, 4), 0.01, np.float32)
        kinds[range(count), [b.kind for b in self.names.blocks]] = 0.97
        certain, flat = np.ones(count, np.float32), np.ones(count, bool)
        return Segments(self.masks, (H, W), kinds, certain, flat, none, none)

    @property
    def nouns(self) -> tuple[str, ...]:
        return self.names.nouns

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        return self.names.score(view, segments, nouns)

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        return self.names.posterior(view, segments)

    def parse_all(self, texts: Sequence[str]) -> list[Understood]:
        return [Understood(PROGRAMS[t]) for t in texts]


class Watch:
    """A camera that watches the blocks with a standing instruction."""

    def __init__(self, steady: SteadyOptions | None = None, asked: Instruction = THE_MUG, posed: bool = True) -> None:
        self.scene, self.asked, self.posed, self.now = Scene(), asked, posed, 0.0
        parts = Parts(self.scene, self.scene, self.scene, torch.device('cpu'), 'abc')
        self.network = ThingsNetwork(
            parts, name='blocks', existence=Existence({'rgb': FIT, 'rgbd': FIT}, CORRECT, 'abc')
        )
        self.segmenter = Segmenter(self.network, SegmenterOptions(steady=steady or SteadyOptions(), geometry=False))

    def region(self, *blocks: Block, aside: float = 0.0) -> Region:
        """Return the answer to the next key frame, which shows these blocks."""
        self.now += STEP
        self.scene.blocks, self.scene.aside = list(blocks), aside
        pose = self.scene.camera_pose() if self.posed else None
        (region,) = self.segmenter.segment(self.scene.frame(self.now), [self.asked], pose=pose)
        return region

    def see(self, *blocks: Block, aside: float = 0.0) -> set[int]:
        """Return the indices of the blocks that the answer to the next key frame shows."""
        mask = self.region(*blocks, aside=aside).prediction.mask
        shown = zip(self.scene.seen, self.scene.masks)
        return {k for k, m in shown if np.count_nonzero(mask & m) > 0.5 * np.count_nonzero(m)}


def likely(block: Block, p: float) -> Block:
    return replace(block, p=p)


def until(watch: Watch, wanted: set[int], *blocks: Block) -> int:
    """Return after how many key frames the answer is what is wanted."""
    for n in range(1, 9):
        if watch.see(*blocks) == wanted:
            return n
    return 99


@pytest.mark.parametrize('posed', [True, False])
def test_noise_does_not_change_the_answer(posed: bool) -> None:
    noise = [(0.6, 0.4), (0.5, 0.3), (0.3, 0.6), (0.5, 0.5), (0.2, 0.4), (0.6, 0.3), (0.3, 0.5), (0.5, 0.4)]

    def answers(watch: Watch) -> list[set[int]]:
        return [watch.see(likely(LEFT, a), likely(RIGHT, b), aside=0.02 * n) for n, (a, b) in enumerate(noise)]

    assert answers(Watch(posed=posed)) == [{0}] * len(noise)
    assert {1} in answers(Watch(SteadyOptions(half_life=0.0), posed=posed))


@pytest.mark.parametrize('first', [0, 1])
def test_a_lasting_change_is_followed_in_either_direction(first: int) -> None:
    watch, other = Watch(), 1 - first
    was = [likely(b, 0.6 if k == first else 0.1) for k, b in enumerate((LEFT, RIGHT))]
    now = [likely(b, 0.6 if k == other else 0.1) for k, b in enumerate((LEFT, RIGHT))]
    assert [watch.see(*was) for _ in range(6)] == [{first}] * 6
    assert 2 <= until(watch, {other}, *now) <= 5
    assert 2 <= until(watch, {first}, *was) <= 5


@pytest.mark.parametrize('first', [0, 1])
def test_what_is_taken_away_is_left_soon_and_never_shown_where_it_was(first: int) -> None:
    watch = Watch()
    both = [likely(b, 0.6 if k == first else 0.4) for k, b in enumerate((LEFT, RIGHT))]
    assert [watch.see(*both) for _ in range(6)] == [{first}] * 6
    after = [watch.see(both[1 - first]) for _ in range(4)]
    assert after[-1] == {0} and all(shown <= {0} for shown in after)  # never the table


def test_a_wrong_answer_is_corrected_when_the_thing_is_better_seen() -> None:
    watch = Watch()
    assert [watch.see(likely(LEFT, 0.2), likely(RIGHT, 0.1)) for _ in range(9)] == [{0}] * 9
    assert until(watch, {1}, likely(LEFT, 0.05), likely(RIGHT, 0.9)) <= 4


def test_the_first_view_of_a_thing_is_answered_at_once() -> None:
    watch = Watch()
    assert [watch.see(likely(LEFT, 0.01)) for _ in range(4)] == [set()] * 4
    assert watch.see(likely(LEFT, 0.01), likely(RIGHT, 0.6)) == {1}


def test_existence_does_not_flicker() -> None:
    watch, alone = Watch(), Watch(SteadyOptions(half_life=0.0))
    levels = [0.05, 0.05, 0.02, 0.05, 0.02, 0.05]
    assert set() in [alone.see(likely(LEFT, p)) for p in levels]
    for p in levels:
        region = watch.region(likely(LEFT, p))
        assert region.prediction.mask.any() and region.status == Status.LOW_CONFIDENCE
    gone = [watch.see(likely(LEFT, 0.005)) for _ in range(4)]
    assert gone[-1] == set()


def test_out_of_view_nothing_less_likely_takes_its_place_and_it_is_found_again() -> None:
    other = Block('mug', 1.2, 0, (0.1, 0.1, 0.1), p=0.06, colour='green')
    watch, alone = Watch(), Watch(SteadyOptions(half_life=0.0))
    there = [0.0] * 5
    away = [0.4, 0.7, 0.95]
    for aside in there:
        assert watch.see(likely(LEFT, 0.8), other, aside=aside) == {0}
    turned = [watch.region(likely(LEFT, 0.8), other, aside=x) for x in away]
    assert [r.status for r in turned] == [Status.NO_TARGET] * 3 and 'left the view' in turned[-1].prediction.reason
    assert alone.see(likely(LEFT, 0.8), other, aside=0.95) == {1}
    assert [watch.see(likely(LEFT, 0.8), other, aside=x) for x in (0.7, 0.4, 0.0)] == [set(), set(), {0}]
    for _ in range(12):  # what is expected fades
        found = watch.see(likely(LEFT, 0.8), other, aside=0.95)
    assert found == {1}


@pytest.mark.parametrize('posed', [True, False])
def test_what_returns_to_the_view_is_known_by_its_place_if_the_pose_is_known(posed: bool) -> None:
    other = Block('mug', 0.75, 0, (0.1, 0.1, 0.1), p=0.3, colour='green')
    watch = Watch(posed=posed)
    for aside in [0.0] * 5:
        assert watch.see(likely(LEFT, 0.8), other, aside=aside) == {0}
    assert [watch.see(likely(LEFT, 0.8), other, aside=x) for x in (0.4, 0.8, 0.8)] == [set()] * 3
    back = [watch.see(likely(LEFT, 0.25), other, aside=x) for x in (0.4, 0.2)]
    assert back[-1] == ({0} if posed else set())  # without the place neither is as certain as the thing was


def test_a_set_keeps_all_its_members() -> None:
    watch = Watch(asked=MUGS)
    assert [watch.see(likely(LEFT, 0.6), likely(RIGHT, 0.5)) for _ in range(8)] == [{0, 1}] * 8
    assert until(watch, {0}, likely(LEFT, 0.6), likely(RIGHT, 0.02)) <= 5


def test_the_answer_against_the_image_is_never_ok() -> None:
    watch = Watch()
    for _ in range(5):
        assert watch.region(likely(LEFT, 0.9), likely(RIGHT, 0.02)).status == Status.OK
    kept = watch.region(likely(LEFT, 0.1), likely(RIGHT, 0.9))
    assert kept.status == Status.LOW_CONFIDENCE and 'another region' in kept.prediction.reason


def test_safety_instructions_are_answered_from_the_image_alone() -> None:
    danger = Instruction('the mug', Role.SAFETY, id='danger')
    watch, fresh = Watch(asked=danger), Watch(asked=danger)
    for _ in range(5):
        watch.region(likely(LEFT, 0.9), likely(RIGHT, 0.1))
    with_past, without = (w.region(likely(LEFT, 0.02), likely(RIGHT, 0.9)).prediction for w in (watch, fresh))
    assert (with_past.mask == without.mask).all() and with_past.status == without.status
    assert with_past.belief is None


def test_a_stored_belief_continues_like_the_original() -> None:
    first, second = Watch(), Watch()
    for n in range(4):
        region = first.region(likely(LEFT, 0.6), likely(RIGHT, 0.3), aside=0.02 * n)
    assert region.prediction.belief is not None
    stored = Belief.from_json(json.loads(json.dumps(region.prediction.belief.to_json())))
    second.now, second.scene.blocks, second.scene.aside = first.now, first.scene.blocks, first.scene.aside
    answer = Prediction(region.prediction.mask, 0.5, region.status, belief=stored)
    second.segmenter.restore(second.scene.frame(second.now), [THE_MUG], [answer], second.scene.camera_pose())
    last = [w.region(likely(LEFT, 0.3), likely(RIGHT, 0.6), aside=0.1).prediction for w in (first, second)]
    assert (last[0].mask == last[1].mask).all() and last[0].belief is not None and last[1].belief is not None
    assert (last[0].belief.log_odds == last[1].belief.log_odds).all()  # type: ignore[operator,union-attr]
