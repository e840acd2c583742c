"""The network that executes programs, on a table of blocks whose regions and names are given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from facts_blocks import COLOURS, TABLE, Block, BlockNamer, H, K, Pose, W, camera, render

from converseg_ros.core import ConversegError, Frame, InputError, Role, Status
from converseg_ros.core.segmentation import Query
from converseg_ros.core.segments import NameScores, Posterior, Segments
from converseg_ros.network.guided_filter import at_full_size
from converseg_ros.network.things.correctness import CorrectnessFit
from converseg_ros.network.things.existence import Existence, ExistenceFit
from converseg_ros.network.things.parts import Parts
from converseg_ros.network.things.things_network import ThingsNetwork
from converseg_ros.programs.nodes import Except, Filter, FreeSpace, Node, Rank, Relate, Select, Things, program_to_json

BLOCKS = [
    Block('mug', -0.2, 0, (0.08, 0.08, 0.1), colour='red'),
    Block('bowl', 0.1, 0.1, (0.15, 0.15, 0.07), colour='blue'),
    Block('mug', 0.3, -0.1, (0.08, 0.08, 0.1)),
    Block('box', -0.3, 0.25, (0.1, 0.1, 0.25), colour='green'),
]
SHOWN = [*BLOCKS, TABLE]
FIT = ExistenceFit((0.6, 0.2, 0.3, 0.1, 0.1, 0.2, 0.2, -1.0, 0.2, 0.0), 0.0, no_target=0.3, recall=0.05)
CORRECT = CorrectnessFit((0.5, 0.0, 0.5, 0.3, 2.0), 0.0, confident=0.6)
TEXTS: dict[str, tuple[Node, float]] = {
    'the bowl': (Select('one', Filter('name', 'bowl')), 0.98),
    'the tallest thing': (Select('one', Rank('height', 'max', Things())), 0.95),
    'the mugs': (Select('all', Filter('name', 'mug')), 0.98),
    'the knife': (Select('one', Filter('name', 'knife')), 0.98),
    'no bowl at all': (Select('one', Filter('name', 'bowl')), 0.99),
    'everything except the bowl': (Select('all', Except(Things(), Filter('name', 'bowl'))), 0.99),
    'the three bowls': (Select(3, Filter('name', 'bowl')), 0.99),
    'whatever the knife': (Select('one', Filter('name', 'knife')), 0.2),
    'whatever the bowl': (Select('one', Filter('name', 'bowl')), 0.2),
}


@dataclass(frozen=True)
class Understood:
    program: Node
    confidence: float


class Phrasebook:
    """Reads some texts."""

    def parse_all(self, texts: Sequence[str]) -> list[Understood | InputError]:
        return [
            Understood(*TEXTS[t])
            if t in TEXTS
            else InputError(f'{t!r} is not understood', where='instruction', do='say it in other words')
            for t in texts
        ]


class Blocks(BlockNamer):
    """Knows where the blocks are and what they are called; `looked` counts views.

    unexplained: probability of each pixel that no region covers it.
    """

    looked = 0
    unexplained = 0.0

    def __init__(self) -> None:
        super().__init__(tuple(SHOWN))

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        return self._of(segments).score(view, segments, nouns)

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        return self._of(segments).posterior(view, segments)

    @staticmethod
    def _of(segments: Segments) -> BlockNamer:
        label = render(SHOWN, Pose())[1]
        return BlockNamer(tuple(SHOWN[int(label[m].max())] for m in segments.masks))

    def propose(self, view: Frame) -> Segments:
        self.looked += 1
        _, label = render(SHOWN, Pose())
        kinds = np.full((len(SHOWN), 4), 0.01, np.float32)
        kinds[range(len(SHOWN)), [b.kind for b in SHOWN]] = 0.97
        count, none = len(SHOWN), np.full(len(SHOWN), -1)
        masks = np.stack([label == k for k in range(count)])
        everywhere = np.ones(count, bool)
        rest = np.full(masks.shape[1:], self.unexplained, np.float32)
        quality = np.ones(count, np.float32)
        return Segments(masks, (view.height, view.width), kinds, quality, everywhere, none, none, unexplained=rest)


@pytest.fixture
def blocks() -> Blocks:
    return Blocks()


@pytest.fixture
def network(blocks) -> ThingsNetwork:
    parts = Parts(blocks, blocks, Phrasebook(), torch.device('cpu'), 'abc')
    return ThingsNetwork(parts, name='blocks 1', existence=Existence({'rgb': FIT, 'rgbd': FIT}, CORRECT, 'abc'))


@pytest.fixture(scope='module')
def view() -> Frame:
    depth, label = render(SHOWN, Pose())
    rgb = np.full((H, W, 3), 128, np.uint8)
    for k, b in enumerate(SHOWN):
        rgb[label == k] = COLOURS[b.colour]
    return Frame(rgb, depth, K, gravity=-camera(Pose())[1].T @ np.array([0, 0, 1.0]))


def region(index: int) -> np.ndarray:
    return render(SHOWN, Pose())[1] == index


def test_it_answers_with_mask_program_and_candidates(network, view):
    network.set_image(view)
    bowl, tallest, mugs = network.predict(['the bowl', 'the tallest thing', 'the mugs'])
    assert [p.status for p in (bowl, tallest, mugs)] == [Status.OK] * 3 and bowl.calibrated
    assert (bowl.mask == region(1)).all() and (tallest.mask == region(3)).all()
    assert (mugs.mask == region(0) | region(2)).all()
    assert bowl.program == program_to_json(TEXTS['the bowl'][0]) and 'bowl' in bowl.program_text
    assert bowl.candidates[0].name == 'bowl' and bowl.candidates[0].score > 0.9
    assert np.abs(np.subtract(bowl.candidates[0].box, bowl.box)).max() <= 1
    assert {'segments', 'names', 'text', 'facts', 'masks'} <= bowl.stage_ms.keys()


def test_what_is_not_there_is_no_target_with_a_reason(network, view):
    network.set_image(view)
    answer = network.predict(['the knife'])[0]
    assert answer.status == Status.NO_TARGET and 'no knife is seen' in answer.reason and not answer.mask.any()


def test_what_a_text_leaves_out_is_never_answered_with_confidence(network, view):
    network.set_image(view)
    misread, others, three = network.predict(['no bowl at all', 'everything except the bowl', 'the three bowls'])
    assert misread.status == Status.LOW_CONFIDENCE and 'leaves out' in misread.reason
    assert others.status == Status.OK and not (others.mask & region(1)).any()
    assert all(others.mask[region(k)].all() for k in (0, 2, 3))
    assert three.status == Status.LOW_CONFIDENCE and 'three were asked for' in three.reason


def test_safety_needs_the_fit_to_say_that_nothing_is_there(network, blocks, view):
    knife = Query('the knife', role=Role.SAFETY)
    bare = ThingsNetwork(Parts(blocks, blocks, Phrasebook(), torch.device('cpu'), 'other weights'), name='bare')
    bare.set_image(view)
    assert bare.predict([knife])[0].status == Status.LOW_CONFIDENCE and not bare.calibrated
    network.set_image(view)
    assert network.predict([Query('the bowl', role=Role.SAFETY)])[0].mask[region(1)].all()


def test_for_safety_what_is_not_recognised_or_not_understood_is_never_absent(network, blocks, view):
    knife, unsure = Query('the knife', role=Role.SAFETY), Query('whatever the knife', role=Role.SAFETY)
    network.set_image(view)
    known, misread = network.predict([knife, unsure])
    assert known.status == Status.NO_TARGET
    assert misread.status == Status.LOW_CONFIDENCE and 'not certain' in misread.reason
    blocks.unexplained = 0.05
    network.set_image(view)
    hidden, usual = network.predict([knife, 'the knife'])
    assert hidden.status == Status.LOW_CONFIDENCE and 'not recognised' in hidden.reason and hidden.calibrated
    assert usual.status == Status.NO_TARGET


def test_free_space_of_a_safety_instruction_is_seen_at_every_pixel_of_the_image(network, view):
    k = K.scaled(2 * W, 2 * H)
    rgb, depth = (
        cv2.resize(np.asarray(x), (2 * W, 2 * H), interpolation=cv2.INTER_NEAREST) for x in (view.rgb, view.depth)
    )
    depth[2 * H // 2 :, 101:203] = np.nan
    network.set_image(Frame(rgb, depth, k, gravity=view.gravity))
    free = program_to_json(FreeSpace(Filter('name', 'table')))
    plain, safe = network.predict([Query('', free), Query('', free, Role.SAFETY)])
    assert safe.mask.any() and not safe.mask[np.isnan(depth)].any() and safe.status == Status.LOW_CONFIDENCE
    assert plain.mask[np.isnan(depth)].any() and plain.status == Status.LOW_CONFIDENCE


def test_the_robot_itself_is_in_no_answer(network, view):
    robot = region(3) | np.roll(region(1), 4, 1) & ~region(2)  # the tallest thing, and a part of the bowl
    program = program_to_json(Select('all', Things()))
    asked = ['the tallest thing', Query('', program), Query('', program, Role.SAFETY), 'the bowl']
    network.set_image(view, key=1)
    assert network.predict(asked)[0].mask[region(3)].all()
    network.set_image(replace(view, robot=robot), key=1)
    tallest, things, safe, bowl = network.predict(asked)
    assert not any((p.mask & robot).any() for p in (tallest, things, safe, bowl))
    assert (tallest.mask == region(0)).all() or (tallest.mask == region(2)).all()
    assert things.mask[region(0) | region(2)].all() and len(things.candidates) < len(BLOCKS)
    network.set_image(view, key=1)
    assert network.predict(asked)[0].mask[region(3)].all()


def test_where_the_robot_covers_most_of_the_view_nothing_is_absent_for_safety(network, view):
    asked = ['the knife', Query('the knife', role=Role.SAFETY)]
    network.set_image(view)
    assert [p.status for p in network.predict(asked)] == [Status.NO_TARGET] * 2
    everywhere, above = np.ones((H, W), bool), np.arange(H)[:, None] < np.full(W, 0.6 * H)
    for robot in (everywhere, above):
        network.set_image(replace(view, robot=robot))
        plain, safe = network.predict(asked)
        assert plain.status == Status.NO_TARGET and safe.status == Status.LOW_CONFIDENCE
        assert not safe.mask.any() and all('the robot itself covers' in p.reason for p in (plain, safe))


def test_a_calibration_of_other_weights_is_not_used(blocks, view):
    parts = Parts(blocks, blocks, Phrasebook(), torch.device('cpu'), 'new weights')
    network = ThingsNetwork(parts, name='blocks 2', existence=Existence({'rgbd': FIT}, CORRECT, 'old weights'))
    assert not network.calibrated
    network.set_image(view)
    assert not network.predict(['the bowl'])[0].calibrated


def test_a_program_takes_the_place_of_the_text(network, view):
    network.set_image(view)
    program = Select('one', Relate('left_of', Filter('name', 'mug'), Filter('name', 'bowl')))
    answer = network.predict([Query('no text that it could read', program_to_json(program))])[0]
    assert answer.status == Status.OK and (answer.mask == region(0)).all()


def test_one_text_that_cannot_be_read_fails_alone(network, view):
    network.set_image(view)
    bad, future, good = network.predict(['blah', Query('x', {'version': 99, 'root': {'op': 'things'}}), 'the bowl'])
    assert bad.status == Status.ERROR and 'not understood' in bad.reason
    assert future.status == Status.ERROR and 'version' in future.reason
    assert good.status == Status.OK


def test_an_unsure_reading_is_low_confidence_and_says_how_it_was_understood(network, view):
    network.set_image(view)
    answer = network.predict(['whatever the bowl'])[0]
    assert answer.status == Status.LOW_CONFIDENCE and 'bowl' in answer.reason and 'not certain' in answer.reason


def test_without_depth_sizes_are_not_known_but_names_are(network, view):
    network.set_image(Frame(view.rgb))
    tallest, bowl = network.predict(['the tallest thing', 'the bowl'])
    assert tallest.status == Status.LOW_CONFIDENCE and 'depth' in tallest.reason
    assert bowl.status == Status.OK and bowl.evidence['depth'] == 0


def test_a_view_is_looked_at_once_and_anew_with_other_inputs(network, blocks, view):
    network.set_image(view, key='a')
    network.set_image(Frame(view.rgb), key='a')  # the same picture without depth is another view
    assert blocks.looked == 2
    network.set_image(view, key='a')
    assert blocks.looked == 2 and network.counts['images_cached'] == 1
    assert network.predict(['the tallest thing'])[0].status == Status.OK


def test_cancelling_and_misuse(network, view):
    with pytest.raises(ConversegError, match='set_image'):
        network.predict(['the bowl'])
    network.set_image(view)

    def cancel(stage: str) -> None:
        if stage == 'facts':
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network.predict(['the bowl'], checkpoint=cancel)
    assert network.predict([]) == [] and network.predict(['the bowl'])[0].status == Status.OK
    network.close()
    with pytest.raises(ConversegError, match='closed'):
        network.set_image(view)


def test_it_fits_its_own_calibration(network, blocks, view):
    bare = ThingsNetwork(Parts(blocks, blocks, Phrasebook(), torch.device('cpu'), 'abc'), name='bare')
    bare.set_image(view)

    @dataclass(frozen=True)
    class Scored:
        image_id: str
        positive: bool
        iou: float
        evidence: dict[str, float]
        weight: float = 1.0
        object_score: float | None = None
        mask_score: float | None = None

    there, absent = (bare.predict([t])[0].evidence for t in ('the bowl', 'the knife'))
    scored = [Scored(f'i{n}', n % 2 == 0, 0.9 * (n % 2 == 0), there if n % 2 == 0 else absent) for n in range(40)]
    fitted = bare.calibrate(scored, {'data': 'blocks'})
    assert fitted.fingerprint == 'abc' and set(fitted.modes) == {'rgbd'}
    assert fitted.modes['rgbd'].probability(there) > 0.7 > 0.3 > fitted.modes['rgbd'].probability(absent)
    with pytest.raises(InputError, match='too few'):
        bare.calibrate(scored[:6], {})


@pytest.mark.parametrize('shape', [(480, 640), (60, 80), (100, 333)])
def test_masks_come_at_the_size_of_the_image(shape):
    mask = np.zeros((60, 80), bool)
    mask[15:45, 20:60] = True
    full = at_full_size([mask], np.full((*shape, 3), 120, np.uint8))[0]
    assert full.shape == shape and full.mean() == pytest.approx(mask.mean(), abs=0.02)
