"""The namer as a whole, with random weights: which regions it looks at, and its file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from converseg_ros.core import Frame, InputError
from converseg_ros.core.segments import Namer
from converseg_ros.knowledge.vocabulary import vocabulary
from converseg_ros.network.encoders.nanodet import MEAN, STD, Detections
from converseg_ros.network.names.detector import EVIDENCE
from converseg_ros.network.names.namer import (
    CROPS,
    CropNamer,
    load_namer,
    nouns_of_detector,
    with_boxes,
    worth_a_crop,
)
from converseg_ros.network.names.weights import NameWeights, load_names, save_names
from converseg_ros.network.registry import find_model
from converseg_ros.network.segments.backbone import Backbone
from test.network.names.conftest import regions

OBJECT, SURFACE, AGENT = 0, 1, 3


@pytest.fixture(scope='module')
def backbone() -> Backbone:
    torch.manual_seed(1)
    return Backbone()


def squares(count: int) -> np.ndarray:
    """Disjoint masks in an image of 96x128."""
    masks = np.zeros((count, 96, 128), bool)
    for i, mask in enumerate(masks):
        y, x = divmod(i, 8)
        mask[y * 16 : y * 16 + 14, x * 16 : x * 16 + 14] = True
    return masks


def picture(seed: int) -> Frame:
    return Frame(np.random.default_rng(seed).integers(0, 256, (96, 128, 3), dtype=np.uint8))


def test_it_keeps_the_contract(weights: NameWeights, backbone: Backbone) -> None:
    namer: Namer = CropNamer(backbone, weights)
    found = namer.score(picture(0), regions(squares(5), [OBJECT] * 5), ('mug', 'tool', 'flumadiddle'))
    assert found.log_odds.shape == (5, 3)
    assert found.log_odds.dtype == np.float32
    assert np.isfinite(found.log_odds).all()
    assert found.known.tolist() == [True, True, False]
    assert len(found.best) == 5


def test_a_view_without_regions_has_no_names(weights: NameWeights, backbone: Backbone) -> None:
    found = CropNamer(backbone, weights).score(picture(0), regions(squares(0), []), ('mug',))
    assert found.log_odds.shape == (0, 1)
    assert found.best == ()


def test_a_view_is_looked_at_once(weights: NameWeights, backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    namer, looks = CropNamer(backbone, weights), []
    pooled = namer.pooled
    monkeypatch.setattr(namer, 'pooled', lambda crops: looks.append(len(crops)) or pooled(crops))
    view, found = picture(0), regions(squares(9), [OBJECT] * 9)
    for noun in ('mug', 'hammer'):
        namer.score(view, found, (noun,))
    assert looks == [9, 9]  # each region with a faded and with a grey background
    namer.score(picture(1), found, ('mug',))
    assert len(looks) == 4


def test_detections_that_a_proposer_has_are_used(weights: NameWeights, backbone: Backbone) -> None:
    """With the same input of the detector, the names are those of the namer's own run."""
    view, found, asked = picture(0), regions(squares(4), [OBJECT] * 4), []

    def detections(view: Frame) -> list[Detections]:
        asked.append(view)
        rgb = cv2.resize(view.rgb, (512, 384), interpolation=cv2.INTER_LINEAR)
        mean, std = (torch.tensor(v)[:, None, None] for v in (MEAN, STD))
        pixels = torch.from_numpy(rgb[..., ::-1].copy()).permute(2, 0, 1).float()
        with torch.inference_mode():
            levels: list[Detections] = backbone.detector(((pixels - mean) / std)[None])
        return levels

    given = CropNamer(backbone, weights, detections=detections).score(view, found, ('mug', 'thing'))
    own = CropNamer(backbone, weights).score(view, found, ('mug', 'thing'))
    assert asked == [view]
    np.testing.assert_allclose(given.log_odds, own.log_odds, atol=1e-4)


def test_surfaces_are_encoded_as_well(weights: NameWeights, backbone: Backbone) -> None:
    found = regions(squares(4), [OBJECT, SURFACE, AGENT, 2])
    assert sorted(worth_a_crop(found)) == [0, 1, 2, 3]


def test_the_best_regions_are_looked_at_where_there_are_many() -> None:
    quality = [i / 40 for i in range(40)]
    chosen = worth_a_crop(regions(squares(40), [OBJECT] * 40, quality))
    assert len(chosen) == CROPS
    assert sorted(chosen) == list(range(40 - CROPS, 40))


def test_the_file_gives_the_same_answers(weights: NameWeights, backbone: Backbone, tmp_path: Path) -> None:
    path = tmp_path / 'names.safetensors'
    save_names(path, weights)
    view, found = picture(3), regions(squares(3), [OBJECT] * 3)
    nouns = ('mug', 'hammer', 'beaker')
    here = CropNamer(backbone, weights).score(view, found, nouns)
    there = load_namer(backbone, path).score(view, found, nouns)
    assert np.allclose(here.log_odds, there.log_odds, atol=0.05)
    assert load_names(path).scaling == weights.scaling


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'names.safetensors'
    path.write_bytes(b'nothing of the kind')
    with pytest.raises(InputError, match='not the weights of names'):
        load_names(path)


def test_a_detection_that_fits_a_region_names_it_unless_the_crop_is_certain() -> None:
    """A box of probability 0.8 raises a noun of 0.05 to 0.43, and changes nothing where no box fits."""
    found = torch.tensor([[0.05, 0.55, 0.40]] * 3).log()
    evidence = torch.zeros(3, EVIDENCE)
    evidence[0, 1], evidence[2, 2] = 0.8, 0.9  # the last class has no noun
    places = torch.full((80,), -1)
    places[1] = 0
    mixed_in = with_boxes(found, evidence, places).exp()
    assert torch.allclose(mixed_in[0], torch.tensor([0.43, 0.33, 0.24]), atol=1e-6)
    assert torch.allclose(mixed_in[1:], found[1:].exp(), atol=1e-6)


def test_every_class_of_the_detector_has_a_noun_of_the_shipped_head() -> None:
    nouns = load_names(find_model('compact') / 'names.safetensors').head.sources.nouns
    places = nouns_of_detector(nouns, vocabulary())
    assert (places >= 0).all() and nouns[int(places[0])] == 'person'
