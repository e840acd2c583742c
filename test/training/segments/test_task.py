"""From labelled pictures to weights: the targets are right, and a tiny run ends in networks that propose segments."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from converseg_ros.bench.segments import measure, oracle, truths
from converseg_ros.core.errors import InputError
from converseg_ros.datasets.regions import labelled_names, read_labelled
from converseg_ros.network.registry import find_model
from converseg_ros.network.segments.proposer import load_proposer
from converseg_ros.training.loop import Trainer
from converseg_ros.training.segments.config import SegmentsConfig, parse
from converseg_ros.training.segments.samples import IGNORED, draw, plain, prepare
from converseg_ros.training.segments.task import create

NAMES = [f'{i:03d}.png' for i in range(8)]


@pytest.fixture(scope='module')
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a COCO folder of pictures with a red cup each on a grey table; the first table is labelled in half."""
    folder = tmp_path_factory.mktemp('pictures')
    (folder / 'images').mkdir()
    images, annotations = [], []
    for i, name in enumerate(NAMES):
        rgb = np.full((120, 160, 3), 120, np.uint8)
        x, y = 20 + 10 * i, 30 + 5 * i
        rgb[y : y + 30, x : x + 30] = (200, 30, 30)
        cv2.imwrite(str(folder / 'images' / name), rgb[..., ::-1])
        images.append({'id': i, 'file_name': name, 'height': 120, 'width': 160})
        outline = [x, y, x + 30, y, x + 30, y + 30, x, y + 30]
        floor = [0, 70, 160, 70, 160, 120, 0, 120] if i == 0 else [0, 0, 160, 0, 160, 120, 0, 120]
        for category, polygon, area in ((1, outline, 900), (2, floor, 19200)):
            row = {'image_id': i, 'category_id': category, 'segmentation': [polygon], 'area': area, 'iscrowd': 0}
            annotations.append(row | {'id': len(annotations)})
    categories = [{'id': 1, 'name': 'cup'}, {'id': 2, 'name': 'dining table'}]
    data = {'images': images, 'annotations': annotations, 'categories': categories}
    (folder / 'instances.json').write_text(json.dumps(data))
    return folder


def config(pictures: Path, out: Path, **changes: Any) -> SegmentsConfig:
    """Return a short run on a folder of pictures; changes: other values."""
    return parse(
        {
            'task': 'segments',
            'out': str(out),
            'backbone': str(find_model('compact')),
            'cache': str(out / 'cache'),
            'sources': [{'path': str(pictures)}],
            'steps': 3,
            'batch': 1,
            'warmup': 1,
            'view': [96, 128],
            'checkpoint_every': 1,
            'validate_every': 2,
            'quality': {'views': 2, 'steps': 20},
            **changes,
        },
        out,
    )


def test_targets_say_what_is_known(pictures: Path) -> None:
    labelled = read_labelled(pictures, labelled_names(pictures)[0])
    sample = plain(prepare(labelled))
    # the square spans 20..50 of 160 columns and 30..60 of 120 rows: 40..100 of 320, 60..120 of 240
    assert sample.boundary[90, 38:43].max() == 1 and sample.boundary[90, 98:103].max() == 1
    assert sample.boundary[90, 60:80].max() == 0 and sample.boundary[40].max() == 0
    assert sample.weight[90, 70] == sample.weight[200, 200] == 1 and sample.weight[40, 200] < 0.1, (
        'what is not labelled hardly counts'
    )
    assert sample.kind[45, 35] == 0 and sample.kind[100, 100] == 1 and sample.kind[20, 100] == IGNORED
    assert sample.voting[45, 35] and not sample.voting[100, 100]
    assert sample.vote[:, 45, 24] == pytest.approx([(70 - 48) / 64, 0], abs=0.05)
    assert not sample.part_weight.any() and not sample.geometry.any()


def test_no_region_of_a_completely_labelled_picture_is_lost(pictures: Path) -> None:
    stored = prepare(read_labelled(pictures, NAMES[1]))
    assert stored.whole.all() and len(np.unique(stored.whole)) == 2 and set(np.unique(stored.kind)) == {0, 1}


def test_a_drawn_view_keeps_its_shapes(pictures: Path) -> None:
    stored = prepare(read_labelled(pictures, NAMES[0]))
    for seed in range(5):
        sample = draw(stored, np.random.default_rng(seed), size=(192, 256))
        assert sample.rgb.shape == (192, 256, 3) and sample.boundary.shape == (96, 128)
        assert sample.kind.shape == sample.voting.shape == sample.vote.shape[1:] == (48, 64)


def trainer_of(config: SegmentsConfig) -> Trainer:
    return Trainer(create(config, lambda text: None), report=lambda text: None)


def test_a_run_that_is_killed_and_resumed_is_bit_exact_and_proposes(pictures: Path, tmp_path: Path) -> None:
    whole = trainer_of(config(pictures, tmp_path / 'whole'))
    whole.train()
    killed = trainer_of(config(pictures, tmp_path / 'parts'))
    killed.update()
    killed.update()
    killed.save(False)
    killed.update()  # lost with the process
    resumed = trainer_of(config(pictures, tmp_path / 'parts'))
    assert resumed.step == 2
    resumed.train()
    assert any(name.endswith('running_mean') for name in whole.state)
    for one, two in ((whole.state, resumed.state), (whole.average, resumed.average)):
        assert one.keys() == two.keys() and all(torch.equal(value, two[name]) for name, value in one.items())
    assert sorted(p.name for p in (tmp_path / 'whole' / 'checkpoints').glob('step-*.pt'))[-1] == 'step-0000003.pt'
    weights = whole.export()
    assert weights == tmp_path / 'whole' / 'segments.safetensors'
    assert weights.read_bytes() == resumed.export().read_bytes()
    proposer = load_proposer(find_model('compact'), weights)
    result = measure(proposer, truths(pictures, root=tmp_path, keep=lambda _: True), limit=2)
    row = result['rgb']['all']
    assert row['count'] == 4 and 0 <= row['single'] <= row['union'] <= 1 and row['tree'] > 0.3


def test_oracles_of_known_masks() -> None:
    masks = np.zeros((3, 10, 10), bool)
    masks[0, :5], masks[1, 5:], masks[2, :, :2] = True, True, True
    truth = np.ones((10, 10), np.float32)
    single, flat, union = oracle(masks, np.array([False, True, False]), truth)
    assert (single, flat, union) == pytest.approx((0.5, 0.5, 1.0))
    assert oracle(masks[:0], np.zeros(0, bool), truth) == (0, 0, 0)


@pytest.mark.parametrize(
    'change',
    [{'steps': 0}, {'sources': []}, {'ema': 1.0}, {'view': [100, 64]}, {'nonsense': 1}, {'loss': {'kinds': 1}}],
)
def test_wrong_configurations_are_refused(change: dict[str, object], tmp_path: Path) -> None:
    good = {'task': 'segments', 'out': 'o', 'backbone': 'b', 'cache': 'c', 'sources': [{'path': 'p'}], 'steps': 1}
    with pytest.raises(InputError):
        parse(good | change, tmp_path)
