"""Segments by SAM 2 and SAM: choice among overlapping masks, and masks as transformers computes them."""

import numpy as np
import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from micro_segmenters import sam2_model, sam_model, torchvision_without_cuda, write_sam2

from converseg_ros.core import Box, ConversegError, Frame, InputError, Status
from converseg_ros.core.mask import iou
from converseg_ros.network import load
from converseg_ros.network.grounded.boxes import Found
from converseg_ros.network.grounded.finder import BoxFinder
from converseg_ros.network.segments.nodes import ViewMaps
from converseg_ros.network.segments.promptable import automatic_masks
from converseg_ros.network.segments.prompted import PromptedProposer, choose_masks
from converseg_ros.network.segments.sam2 import Sam2Network, load_sam2

RGB = np.ascontiguousarray(
    np.kron(np.random.default_rng(0).integers(0, 255, (6, 8, 3)), np.ones((20, 20, 1))).astype(np.uint8)
)
BOXES = np.array([[10, 10, 50, 60], [60, 20, 150, 110]], np.float32)


def block(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((60, 80), bool)
    mask[y0:y1, x0:x1] = True
    return mask


MUG, HANDLE, PLATE, GROUP = block(10, 10, 30, 30), block(26, 14, 30, 26), block(40, 10, 70, 30), block(8, 8, 72, 32)


def test_things_make_the_flat_cut_with_their_parts_and_groups_beside_it():
    chosen = choose_masks([HANDLE, GROUP, MUG, PLATE], [0.9, 0.3, 0.95, 0.9])
    assert chosen.flat.tolist() == [True, True, False, False]
    assert (chosen.masks[0] == MUG).all() and (chosen.masks[1] == PLATE).all()
    assert (chosen.masks[2] == GROUP).all() and chosen.parent.tolist() == [-1, -1, -1, 0]
    assert (chosen.masks[3] == HANDLE).all() and chosen.quality[3] == pytest.approx(0.9)


def test_equally_good_outlines_make_the_thing_and_not_its_parts():
    halves = block(10, 10, 20, 30), block(20, 10, 30, 30)
    chosen = choose_masks([*halves, MUG], [0.9, 0.9, 0.9])
    assert (chosen.masks[0] == MUG).all() and chosen.flat.tolist() == [True, False, False]
    assert chosen.parent.tolist() == [-1, 0, 0]


def test_flat_masks_never_overlap_and_specks_and_broken_scores_are_left_out():
    rng = np.random.default_rng(1)
    masks = [block(x, y, x + int(rng.integers(3, 40)), y + 12) for x, y in rng.integers(0, 45, (40, 2))]
    chosen = choose_masks([*masks, block(0, 0, 2, 2), MUG], [*rng.uniform(0.5, 1, 40), 0.99, float('nan')])
    flat = np.stack(chosen.masks)[chosen.flat]
    assert len(flat) and flat.sum(0).max() == 1
    assert min(int(m.sum()) for m in chosen.masks) >= 16 and np.isfinite(chosen.quality).all()
    assert choose_masks([], []).masks == []


class Drawn:
    """A promptable network that knows a mug and a plate."""

    name = 'drawn'

    def set_image(self, rgb, size=None):
        self.size = size

    def from_points(self, points):
        at = [[m for m in (MUG, PLATE) if m[int(y / 2), int(x / 2)]] for x, y in points]
        logits = [np.where(m[0], 8.0, -8.0) if m else np.full((60, 80), -8.0) for m in at]
        return np.stack(logits)[:, None].astype(np.float32), np.full((len(points), 1), 0.9, np.float32)

    from_boxes = from_points


def test_a_proposer_tells_kinds_by_the_maps():
    def maps(view: Frame) -> ViewMaps:
        kinds = np.zeros((4, 60, 80), np.float32)
        kinds[0, :, :35], kinds[1, :, 35:] = 1, 1
        empty = np.zeros((60, 80), np.float32)
        vote, lab = np.zeros((2, 60, 80), np.float32), np.zeros((60, 80, 3), np.float32)
        return ViewMaps(empty, empty, empty, kinds, vote, empty, lab, np.zeros((0, 5), np.float32))

    segments = PromptedProposer(Drawn(), maps).propose(Frame(RGB))
    assert len(segments) == 2 and segments.size == (120, 160) and segments.flat.all()
    of_mug = next(i for i in range(2) if (segments.masks[i] == MUG).all())
    assert segments.kinds.argmax(1)[of_mug] == 0 and segments.kinds.argmax(1)[1 - of_mug] == 1
    assert segments.unexplained is not None and segments.unexplained[40, 10] == 1


def test_scores_that_are_not_finite_are_an_error_and_not_an_empty_view():
    class Broken(Drawn):
        def from_points(self, points):
            return np.ones((len(points), 1, 60, 80), np.float32), np.full((len(points), 1), np.nan, np.float32)

        from_boxes = from_points

    network = Broken()
    with pytest.raises(ConversegError, match='drawn: scores are not finite'):
        automatic_masks(network, RGB.shape[:2])

    class Finds:
        name = 'finds'

        def find(self, rgb, phrases):
            return {'mug': [Found(Box(20, 20, 60, 60), 0.8)]}

    with pytest.raises(ConversegError, match='drawn: scores are not finite'):
        BoxFinder(Finds(), network).find(RGB, (60, 80), ['mug'])


@pytest.mark.parametrize('prompt', ['boxes', 'points'])
def test_masks_of_sam2_are_those_of_transformers(prompt, tmp_path):
    torchvision_without_cuda()
    from transformers.models.sam2.image_processing_sam2 import Sam2ImageProcessor

    folder = write_sam2(tmp_path / 'sam2')
    network = load_sam2(folder, torch.device('cpu'))
    network.set_image(RGB)
    model = transformers.Sam2Model.from_pretrained(folder, local_files_only=True).eval()
    processor = transformers.Sam2Processor(
        Sam2ImageProcessor(size={'height': 128, 'width': 128}, mask_size={'height': 32, 'width': 32}), target_size=128
    )
    if prompt == 'boxes':
        masks, scores = network.from_boxes(BOXES)
        inputs = processor(images=RGB, input_boxes=[BOXES.tolist()], return_tensors='pt')
    else:
        points = [[[[30.0, 40.0]], [[120.0, 60.0]]]]
        masks, scores = network.from_points(np.array(points[0], np.float32)[:, 0])
        inputs = processor(images=RGB, input_points=points, input_labels=[[[1], [1]]], return_tensors='pt')
    with torch.inference_mode():
        out = model(**{k: v for k, v in inputs.items() if k != 'original_sizes'}, multimask_output=True)
    expected = processor.post_process_masks(out.pred_masks, inputs['original_sizes'])[0].numpy()
    assert expected.shape == masks.shape == (2, 3, 120, 160) and 0 < expected.mean() < 1
    assert min(iou(a > 0, b) for a, b in zip(masks.reshape(-1, 120, 160), expected.reshape(-1, 120, 160))) > 0.999
    np.testing.assert_allclose(scores, out.iou_scores[0].numpy(), atol=1e-3)


def test_masks_on_the_working_grid_agree_with_those_of_the_image():
    network = Sam2Network(sam2_model(), 'micro')
    network.set_image(RGB)
    large, _ = network.from_boxes(BOXES)
    network.set_image(RGB, (60, 80))
    small, _ = network.from_boxes(BOXES)
    assert small.shape == (2, 3, 60, 80)
    averaged = large.reshape(2, 3, 60, 2, 80, 2).mean((3, 5))
    assert ((small > 0) == (averaged > 0)).mean() > 0.97


@pytest.mark.parametrize('kind', ['sam2', 'sam'])
def test_compact_answers_with_other_segments(kind, tmp_path, monkeypatch):
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    monkeypatch.setattr('converseg_ros.network.segments.prompted.GRID', 2)
    if kind == 'sam2':
        part = write_sam2(tmp_path / 'part')
    else:
        part = tmp_path / 'sam_vit_x.pth'
        torch.save(sam_model().state_dict(), part)
        from converseg_ros.network.segments import sam

        build = sam.build_module()
        monkeypatch.setattr(sam, 'KINDS', {16: 'micro'})
        monkeypatch.setitem(build.sam_model_registry, 'micro', sam_model)
        monkeypatch.setattr(sam, 'build_module', lambda: build)
    network = load('compact', device='cpu', precision='fp32', segments=str(part))
    assert isinstance(network.parts.proposer, PromptedProposer)
    network.parts.proposer.grid, network.parts.proposer.min_score = 2, -10.0
    assert not network.calibrated and part.name in network.name
    network.set_image(RGB)
    answer = network.predict(['the thing on the left'])[0]
    assert answer.mask.shape == RGB.shape[:2] and answer.status != Status.ERROR and not answer.calibrated
    network.close()


def test_what_is_wrong_with_segments_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    from converseg_ros.network.weights.other_parts import load_promptable

    (tmp_path / 'config.json').write_text('{"model_type": "sam"}')
    with pytest.raises(InputError, match='cannot find regions'):
        load_promptable(tmp_path, torch.device('cpu'))
    with pytest.raises(InputError, match='weights fetch sam2-large'):
        load('compact', device='cpu', segments='sam2-large')
    (tmp_path / 'x.pth').write_bytes(b'nothing')
    with pytest.raises(InputError, match=r'x\.pth'):
        load_promptable(tmp_path / 'x.pth', torch.device('cpu'))
