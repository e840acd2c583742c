"""The agent network learns people and animals in boxes, on stored maps: targets, resumption, the written file."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from converseg_ros.network.registry import find_model
from converseg_ros.network.segments.agents import SIDE
from converseg_ros.network.segments.backbone import load_backbone
from converseg_ros.network.segments.boundary import BoundaryNet
from converseg_ros.network.segments.proposer import load_proposer
from converseg_ros.network.segments.quality import QualityNet
from converseg_ros.network.segments.weights import SegmentNets, load_segments
from converseg_ros.training.loop import Trainer
from converseg_ros.training.segments import agents as module
from converseg_ros.training.segments.agents import AgentTask, boxes_of_view, read_view
from converseg_ros.training.segments.config import SegmentsConfig
from converseg_ros.training.segments.task import create
from test.training.segments.test_task import config as run_config

PERSON, TABLE = (40, 20, 80, 110), (0, 0, 160, 120)  # x0, y0, x1, y1 in a picture of 160x120
BOX = torch.tensor([[x / w for x, w in zip(PERSON, (160, 120) * 2)] + [0.9], [0.6, 0.1, 0.95, 0.6, 0.4]])


def folder_of(folder: Path, category: str) -> Path:
    """Return a COCO folder of four pictures with a thing of a category in front of a table."""
    (folder / 'images').mkdir(parents=True)
    images, annotations = [], []
    for i in range(4):
        rgb = np.full((120, 160, 3), 120, np.uint8)
        x0, y0, x1, y1 = PERSON
        rgb[y0:y1, x0:x1] = (200, 30 + 20 * i, 30)
        cv2.imwrite(str(folder / 'images' / f'{i}.png'), rgb[..., ::-1])
        images.append({'id': i, 'file_name': f'{i}.png', 'height': 120, 'width': 160})
        for class_id, (x0, y0, x1, y1) in ((1, PERSON), (2, TABLE)):
            row = {'image_id': i, 'category_id': class_id, 'segmentation': [[x0, y0, x1, y0, x1, y1, x0, y1]]}
            annotations.append(row | {'area': (x1 - x0) * (y1 - y0), 'iscrowd': 0, 'id': len(annotations)})
    categories = [{'id': 1, 'name': category}, {'id': 2, 'name': 'dining table'}]
    data = {'images': images, 'annotations': annotations, 'categories': categories}
    (folder / 'instances.json').write_text(json.dumps(data))
    return folder


@pytest.fixture(scope='module')
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp('people') / 'coco', 'person')


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detect a person in each picture, and another one where nothing is."""
    monkeypatch.setattr(module, 'detected', lambda _: (BOX, torch.tensor([True, True])))


def config(pictures: Path, out: Path, cache: Path | None = None) -> SegmentsConfig:
    """Return a short run; `cache`: of the stored views, by default that of all runs on the same pictures."""
    stored = str(cache or pictures.parent / 'cache')
    return run_config(pictures, out, cache=stored, steps=1, agents={'views': 3, 'draws': 1, 'steps': 3, 'batch': 4})


def task_of(config: SegmentsConfig) -> AgentTask:
    torch.manual_seed(0)
    trees = SegmentNets(BoundaryNet().eval(), QualityNet().eval())
    return AgentTask(config, load_backbone(find_model('compact')), trees, lambda text: None)


def test_only_people_and_animals_are_learned(pictures: Path, tmp_path: Path) -> None:
    task = task_of(config(pictures, tmp_path / 'people'))
    files = task.training[0][0]
    assert 0 < len(files) <= 3
    for path in files:
        view = read_view(path)
        assert len(view.agents) == 1 and len(view.boxes) == 2
        label, x0, y0, x1, y1 = view.agents[0]
        rows, columns = view.labels.shape
        inside = view.labels[int(y0 * rows) + 1 : int(y1 * rows) - 1, int(x0 * columns) + 1 : int(x1 * columns) - 1]
        assert (inside == label).all(), 'the person fills its box'
    cups = folder_of(tmp_path / 'cups', 'cup')
    assert not task_of(config(cups, tmp_path / 'none')).training


def test_targets_are_the_masks_in_the_boxes(pictures: Path, tmp_path: Path) -> None:
    task = task_of(config(pictures, tmp_path))
    path = task.training[0][0][0]
    view = read_view(path)
    label, *box = view.agents[0]
    away = np.array([0.02, 0.02, 0.06, 0.06, 0.4])
    batch = boxes_of_view(view, np.array([label, 0, label]), np.array([[*box, 0.9], away, [*box, 0]], np.float32))
    assert batch.regions.shape[2:] == batch.masks.shape[1:] == (SIDE, SIDE)
    share = 1 / 1.3**2  # of the box in the box with its margin
    assert float(batch.masks[0].mean()) == pytest.approx(share, abs=0.25)
    assert batch.masks[0, SIDE // 2, SIDE // 2] == 1 and not batch.masks[1].any()
    assert not batch.weights[1].any(), 'a box of nothing has no mask to learn'
    assert batch.known.tolist() == [1, 1, 0], 'the quality is that of boxes of the detector'


def test_drawn_boxes_are_near_the_person_or_of_nothing(pictures: Path, tmp_path: Path) -> None:
    task = task_of(config(pictures, tmp_path))
    for number in range(6):
        batch = task.batch(0, number)
        assert len(batch.score) >= 4
        real = batch.weights.amax((1, 2)) > 0
        assert real.any() and (batch.masks[real].mean((1, 2)) > 0.1).all()
        losses = task.loss(task.build(), batch)
        assert all(torch.isfinite(value) for value in losses.values())


def test_the_loss_prefers_the_right_mask_and_the_right_quality(pictures: Path, tmp_path: Path) -> None:
    task = task_of(config(pictures, tmp_path))
    batch = task.batch(0, 0)
    logits = (batch.masks - 0.5) * 12

    class Fixed(torch.nn.Module):
        def __init__(self, masks: torch.Tensor, quality: torch.Tensor) -> None:
            super().__init__()
            self.masks, self.quality = masks, quality

        def forward(self, regions: torch.Tensor, score: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.masks, self.quality

    real = (batch.weights.amax((1, 2)) > 0).float()
    quality = (real - 0.5) * 8
    right = task.loss(Fixed(logits, quality), batch)
    assert right['mask'] < 0.1 and right['dice'] < 0.05 and right['iou'] < 0.1
    assert task.loss(Fixed(-logits, quality), batch)['total'] > right['total'] + 1
    assert task.loss(Fixed(logits, -quality), batch)['iou'] > right['iou'] + 1


def test_a_run_that_is_killed_and_resumed_is_bit_exact(pictures: Path, tmp_path: Path) -> None:
    def trainer(out: str) -> Trainer:
        return Trainer(task_of(config(pictures, tmp_path / out)), report=lambda text: None)

    whole = trainer('whole')
    whole.train()
    killed = trainer('parts')
    killed.update()
    killed.save(False)
    killed.update()  # lost with the process
    resumed = trainer('parts')
    assert resumed.step == 1
    resumed.train()
    assert all(torch.equal(value, resumed.state[name]) for name, value in whole.state.items())
    assert whole.export().read_bytes() == resumed.export().read_bytes()


def test_validation_is_the_overlap_in_the_detectors_boxes(pictures: Path, tmp_path: Path) -> None:
    task = task_of(config(pictures, tmp_path, tmp_path / 'cache'))
    network = task.build().eval()
    assert task.validate(network, 0) is None, 'there are no held-out views'
    task.held_out = [with_box_of_person(path) for path in task.training[0][0]]
    with torch.no_grad():
        scores = task.validate(network, 0)
    assert scores is not None and 0 <= scores.values['iou'] <= 1


def with_box_of_person(path: Path) -> Path:
    """Store the box of the person as the detector's."""
    with np.load(path) as data:
        values = dict(data)
    values['boxes'] = np.append(values['agents'][:, 1:], [[0.8]], 1).astype(np.float32)
    with path.open('wb') as file:
        np.savez(file, **values)
    return path


def test_the_last_stage_adds_the_network_to_the_file(pictures: Path, tmp_path: Path) -> None:
    task = create(config(pictures, tmp_path / 'out'), lambda text: None)
    network = task.build()
    file = task.export(network, 1, None)
    assert file == tmp_path / 'out' / 'segments.safetensors'
    written = load_segments(file)
    assert written.agents is not None
    state = network.boundary.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in written.boundary.state_dict().items())
    before = load_segments(tmp_path / 'out' / 'quality' / 'segments.safetensors')
    assert before.agents is None
    assert load_proposer(find_model('compact'), file).agents is not None
    assert load_proposer(find_model('compact'), tmp_path / 'out' / 'quality' / 'segments.safetensors').agents is None


def test_a_run_without_people_writes_the_other_networks(tmp_path: Path) -> None:
    cups = folder_of(tmp_path / 'cups', 'cup')
    notes: list[str] = []
    task = create(config(cups, tmp_path / 'out'), notes.append)
    file = task.export(task.build(), 1, None)
    assert load_segments(file).agents is None and any('people' in note for note in notes)
