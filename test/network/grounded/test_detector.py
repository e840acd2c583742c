"""Zero-shot detectors, tiny and random: boxes as transformers' own post-processing gives them, and bad input."""

from pathlib import Path
import shutil

import numpy as np
import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from micro_detectors import write_detector

from converseg_ros.core import InputError
from converseg_ros.network.grounded.boxes import MAX_BOXES, best_boxes
from converseg_ros.network.grounded.detector import DINO, OMDET, OWL, ZeroShotDetector, sides

RGB = np.random.default_rng(0).integers(0, 255, (56, 84, 3)).astype(np.uint8)
PHRASES = ['the red mug', 'plate']


@pytest.fixture(scope='module', params=[*DINO, *OWL, *OMDET])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_detector(request.param, tmp_path_factory.mktemp(request.param))


def expected(folder: Path, rgb: np.ndarray = RGB) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and boxes by transformers' own processor and post-processing."""
    model = transformers.AutoModelForZeroShotObjectDetection.from_pretrained(folder, local_files_only=True).eval()
    kind, (height, width) = model.config.model_type, rgb.shape[:2]
    if kind in OMDET:  # its post-processing suppresses with torchvision; scores and boxes enter it as they are here
        from transformers.image_transforms import center_to_corners_format
        from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil

        read = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        same = {'padding': 'max_length', 'max_length': 77, 'truncation': True, 'return_tensors': 'pt'}
        texts = {'classes': read(PHRASES, **same), 'tasks': read([f'Detect {", ".join(PHRASES)}.'], **same)}
        inputs = {f'{name}_{k}': v for name, tokens in texts.items() for k, v in tokens.items()}
        pixels = DetrImageProcessorPil.from_pretrained(folder)(images=rgb, return_tensors='pt')['pixel_values']
        with torch.inference_mode():
            out = model(pixel_values=pixels, classes_structure=torch.tensor([2]), **inputs)
        boxes = center_to_corners_format(out.decoder_coord_logits[0]) * torch.tensor([width, height] * 2)
        return out.decoder_class_logits[0].sigmoid().T.numpy(), boxes.numpy()
    processor = transformers.AutoProcessor.from_pretrained(folder, local_files_only=True)
    text = 'the red mug. plate.' if kind in DINO else [PHRASES]
    inputs = processor(images=rgb, text=text, return_tensors='pt')
    with torch.inference_mode():
        out = model(**inputs)
    more = {'input_ids': inputs['input_ids'], 'text_threshold': 2.0} if kind in DINO else {}
    found = processor.post_process_grounded_object_detection(
        out, threshold=-1.0, target_sizes=[(height, width)], **more
    )[0]
    scores = out.logits[0].sigmoid()
    if kind in DINO:
        scores = torch.stack([scores[:, 1:4].amax(1), scores[:, 5:6].amax(1)], 1)
    return scores.T.numpy(), found['boxes'].numpy()


def test_boxes_and_scores_are_those_of_transformers(folder: Path) -> None:
    scores, boxes = ZeroShotDetector(folder).detect(RGB, PHRASES)
    true_scores, true_boxes = expected(folder)
    assert boxes.shape == true_boxes.shape and scores.shape == true_scores.shape
    assert np.abs(boxes - true_boxes).max() < 1
    np.testing.assert_allclose(scores, true_scores, atol=0.02)


def test_scores_of_an_image_that_is_not_resized_are_exactly_those_of_transformers(folder: Path) -> None:
    """PIL, which resizes for transformers' processors here, rounds pixels to whole numbers."""
    rgb = np.ascontiguousarray(RGB[:32, :32])
    scores, boxes = ZeroShotDetector(folder).detect(rgb, PHRASES)
    true_scores, true_boxes = expected(folder, rgb)
    np.testing.assert_allclose(scores, true_scores, atol=1e-4)
    assert np.abs(boxes - true_boxes).max() < 0.01


def test_what_is_found_is_inside_the_image_and_above_the_threshold(folder: Path) -> None:
    found = ZeroShotDetector(folder, threshold=0.0).find(RGB, PHRASES)
    assert set(found) == set(PHRASES) and any(found.values())
    for boxes in found.values():
        assert [f.score for f in boxes] == sorted((f.score for f in boxes), reverse=True)
        assert all(0 <= f.box.x0 < f.box.x1 <= 84 and 0 <= f.box.y0 < f.box.y1 <= 56 for f in boxes)
    nothing = ZeroShotDetector(folder, threshold=1.0).find(RGB, PHRASES)
    assert nothing == {p: [] for p in PHRASES}


def test_weights_that_are_not_finite_are_an_error_in_words(folder: Path) -> None:
    detector = ZeroShotDetector(folder)
    for parameter in detector.model.parameters():
        parameter.data.fill_(float('nan'))
    with pytest.raises(InputError, match='not finite'):
        detector.find(RGB, PHRASES)


def test_many_phrases_are_read_in_runs(folder: Path) -> None:
    detector = ZeroShotDetector(folder)
    phrases = [f'the red mug with a plate {k}' for k in range(90)]
    runs = detector.batches(phrases)
    assert [p for run in runs for p in run] == phrases and len(runs) > 1


def test_a_million_boxes_become_a_few() -> None:
    rng = np.random.default_rng(0)
    corner = rng.uniform(-50, 700, (10**6, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(-5, 200, (10**6, 2))], 1)
    boxes[::7] = np.nan
    kept = best_boxes(boxes, rng.uniform(0, 1, 10**6), (480, 640), 0.3)
    assert 0 < len(kept) <= MAX_BOXES and min(f.score for f in kept) > 0.3
    assert best_boxes(np.zeros((0, 4)), np.zeros(0), (480, 640), 0.3) == []


@pytest.mark.parametrize('size', [(480, 640), (640, 480), (720, 1280), (1280, 720), (800, 800), (300, 2000)])
def test_sides_are_rounded_as_transformers_does(size: tuple[int, int]) -> None:
    from transformers.image_transforms import get_size_with_aspect_ratio

    assert sides(*size, 800, 1333) == get_size_with_aspect_ratio(size, 800, 1333)


def test_a_missing_processor_or_tokenizer_is_said(folder: Path, tmp_path: Path) -> None:
    for pattern, match in (('*processor_config.json', 'preprocessor_config.json is missing'), ('*', 'no tokenizer')):
        broken = tmp_path / str(len(match))
        shutil.copytree(folder, broken)
        keep = ('config.json', 'model.safetensors', 'preprocessor_config.json', 'processor_config.json')
        for path in broken.glob(pattern):
            if pattern != '*' or path.name not in keep:
                path.unlink()
        with pytest.raises(InputError, match=match):
            ZeroShotDetector(broken)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'config.json').write_text('{"model_type": "clip"}')
    with pytest.raises(InputError, match='not a zero-shot detector'):
        ZeroShotDetector(tmp_path)
