"""SAM 3, tiny and random: scores and masks as transformers' own post-processing gives them, and bad input."""

import json
from pathlib import Path
import shutil

import numpy as np
import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from micro_segmenters import repaired_torchvision, torchvision_without_cuda, write_sam3

repaired_torchvision()
if not hasattr(transformers, 'Sam3Model'):
    pytest.skip('this version of transformers has no SAM 3', allow_module_level=True)

from converseg_ros.cli import main
from converseg_ros.core import InputError, Status
from converseg_ros.core.mask import iou
from converseg_ros.network import load
from converseg_ros.network.grounded.boxes import MAX_BOXES
from converseg_ros.network.grounded.network import GroundedNetwork
from converseg_ros.network.grounded.sam3 import Sam3Finder
from converseg_ros.network.weights.inspection import describe

RGB = np.ascontiguousarray(
    np.kron(np.random.default_rng(0).integers(0, 255, (6, 8, 3)), np.ones((20, 20, 1))).astype(np.uint8)
)
PLAIN = np.full_like(RGB, 90)  # few regions: bfloat16 is slow where the processor has no instructions for it
PLAIN[40:80, 50:110] = (200, 30, 30)
PHRASES = ('red mug', 'plate')


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sam3(tmp_path_factory.mktemp('sam3'))


def masks_of(finder: Sam3Finder, phrase: str, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    scores, logits = finder.detect(RGB, phrase)
    return scores.numpy(), np.stack([finder.mask(m, size) for m in logits])


def test_scores_and_masks_are_those_of_the_model_on_the_same_pixels(folder: Path) -> None:
    """The arithmetic of transformers' post-processing, with its model on the pixels that its settings mean."""
    finder = Sam3Finder(folder, threshold=0.0)
    model = transformers.Sam3Model.from_pretrained(folder, local_files_only=True).eval()
    read = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    pixels = torch.nn.functional.interpolate(
        torch.from_numpy(RGB).permute(2, 0, 1)[None], (112, 112), mode='bilinear', antialias=True
    )
    for phrase in PHRASES:
        tokens = read(phrase, padding='max_length', max_length=32, return_tensors='pt')
        with torch.inference_mode():
            out = model(pixel_values=pixels.float() / 127.5 - 1, **tokens)
        scores, masks = masks_of(finder, phrase, (120, 160))
        expected = out.pred_logits.sigmoid() * out.presence_logits.sigmoid()
        np.testing.assert_allclose(scores, expected[0].numpy(), atol=1e-4)
        drawn = torch.nn.functional.interpolate(out.pred_masks.sigmoid(), (120, 160), mode='bilinear') > 0.5
        assert 0 < drawn.float().mean() < 1
        assert min(iou(a, b) for a, b in zip(masks, drawn[0].numpy())) > 0.999


def test_masks_and_scores_are_those_of_its_own_processor(folder: Path) -> None:
    torchvision_without_cuda()
    from transformers.models.sam3.image_processing_sam3 import Sam3ImageProcessor

    images = Sam3ImageProcessor(size={'height': 112, 'width': 112}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    read = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    processor = transformers.Sam3Processor(images, read, target_size=112)
    model = transformers.Sam3Model.from_pretrained(folder, local_files_only=True).eval()
    finder = Sam3Finder(folder, threshold=0.0)
    for phrase in PHRASES:
        inputs = processor(images=RGB, text=phrase, return_tensors='pt')
        with torch.inference_mode():
            out = model(**{k: v for k, v in inputs.items() if k != 'original_sizes'})
        found = images.post_process_instance_segmentation(out, threshold=-1.0, target_sizes=[(120, 160)])[0]
        scores, masks = masks_of(finder, phrase, (120, 160))
        np.testing.assert_allclose(scores, found['scores'].numpy(), atol=1e-4)
        assert min(iou(a, b.numpy().astype(bool)) for a, b in zip(masks, found['masks'])) > 0.999


def test_what_is_found_is_above_the_threshold_best_first_and_each_once(folder: Path) -> None:
    found = Sam3Finder(folder, threshold=0.0).find(RGB, (60, 80), PHRASES)
    assert set(found) == set(PHRASES) and any(found.values())
    for masks in found.values():
        assert len(masks) <= MAX_BOXES and [m.score for m in masks] == sorted((m.score for m in masks), reverse=True)
        assert all(m.mask.shape == (60, 80) and m.mask.any() and 0 <= m.quality <= 1 for m in masks)
    assert Sam3Finder(folder, threshold=1.0).find(RGB, (60, 80), PHRASES) == {p: [] for p in PHRASES}


def test_an_image_is_encoded_once_for_all_phrases(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finder, seen = Sam3Finder(folder, threshold=0.3), []
    real = type(finder.model).get_vision_features
    monkeypatch.setattr(
        type(finder.model), 'get_vision_features', lambda self, **given: seen.append(1) or real(self, **given)
    )
    finder.find(RGB, (60, 80), PHRASES)
    finder.find(RGB, (60, 80), ['table', 'a phrase that is longer than the text encoder reads, word after word'])
    assert len(seen) == 1
    finder.find(RGB.copy(), (60, 80), PHRASES)
    assert len(seen) == 2


def test_the_image_model_of_a_released_folder_is_used(folder: Path, tmp_path: Path) -> None:
    """The release is a video model: a detector, which is the image model, and a tracker."""
    from safetensors.torch import load_file, save_file

    video = tmp_path / 'video'
    shutil.copytree(folder, video)
    detector = json.loads((folder / 'config.json').read_text())
    (video / 'config.json').write_text(json.dumps({'model_type': 'sam3_video', 'detector_config': detector}))
    state = {f'detector_model.{k}': v for k, v in load_file(folder / 'model.safetensors').items()}
    save_file({**state, 'tracker_model.any': torch.zeros(2)}, video / 'model.safetensors', {'format': 'pt'})
    alone, inside = (Sam3Finder(f, threshold=0.0).detect(RGB, 'plate') for f in (folder, video))
    torch.testing.assert_close(alone, inside)


def test_weights_that_are_not_finite_are_an_error_in_words(folder: Path) -> None:
    finder = Sam3Finder(folder, threshold=0.3)
    for parameter in finder.model.mask_decoder.parameters():
        parameter.data.fill_(float('nan'))
    with pytest.raises(InputError, match='not finite'):
        finder.find(RGB, (60, 80), PHRASES)


def test_what_is_wrong_with_a_folder_is_said(folder: Path, tmp_path: Path) -> None:
    for name, match in (
        ('preprocessor_config.json', 'preprocessor_config.json is missing'),
        ('model.safetensors', 'not a SAM 3 model'),
        ('config.json', 'not SAM 3'),
    ):
        broken = tmp_path / name
        shutil.copytree(folder, broken)
        (broken / name).unlink()
        if name == 'config.json':
            (broken / name).write_text('{"model_type": "sam2"}')
        with pytest.raises(InputError, match=match):
            Sam3Finder(broken, threshold=0.3)


def test_a_folder_of_kind_sam3_answers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    model = tmp_path / 'model'
    model.mkdir()

    def write(**changes: object) -> None:
        given = {'kind': 'sam3', 'name': 'concepts', 'base': 'compact', 'threshold': 0.0, **changes}
        (model / 'config.json').write_text(json.dumps(given))

    write()
    with pytest.raises(InputError, match='converseg weights fetch sam3'):
        load(str(model), device='cpu')
    write(weights=str(folder), masks='sam2')
    with pytest.raises(InputError, match=r"unknown keys \['masks'\]"):
        load(str(model), device='cpu')
    write(kind='grounded', weights=str(folder))
    with pytest.raises(InputError, match=r"unknown keys \['weights'\]"):
        load(str(model), device='cpu')
    write(weights=str(folder))
    network = load(str(model), device='cpu', precision='fp32')
    assert isinstance(network, GroundedNetwork) and not network.calibrated and 'SAM 3 takes' in network.notes[-1]
    network.set_image(RGB)
    answer = network.predict(['the red mug'])[0]
    assert answer.status != Status.ERROR and answer.mask.shape == (120, 160) and not answer.calibrated
    assert network.counts['phrases_looked_for'] == 1
    assert network.finder.dtype == torch.float32
    network.close()
    low = load(str(model), device='cpu', precision='bf16')
    assert low.finder.dtype == torch.bfloat16
    low.set_image(PLAIN)
    assert low.predict(['the red mug'])[0].status != Status.ERROR
    low.close()
    assert 'sam3: other models' in describe(model) and 'of kind sam3' in describe(folder)
    assert main(['weights', 'check', str(model)]) == 0
    assert 'masks by sam3/' in capsys.readouterr().out
