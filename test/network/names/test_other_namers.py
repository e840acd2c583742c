"""Namers of transformers, tiny and random: similarities as transformers computes them, and errors in words."""

from pathlib import Path
import shutil

import numpy as np
import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from transformers_micro import write_clipseg, write_towers

from converseg_ros.cli import main
from converseg_ros.core import Frame, InputError
from converseg_ros.core.segments import Segments
from converseg_ros.network import load
from converseg_ros.network.names.clipseg import ClipSeg
from converseg_ros.network.names.crops import FADED, cut
from converseg_ros.network.names.open_namer import OpenNamer
from converseg_ros.network.names.towers import Towers
from converseg_ros.network.names.weights import load_names
from converseg_ros.network.registry import find_model
from converseg_ros.network.weights.other_parts import Chosen, other_namer

CPU = torch.device('cpu')
NOUNS = ('mug', 'cordless drill', 'chipped enamel mug')


@pytest.fixture(scope='module', params=['clip', 'siglip', 'siglip2'])
def folder(request, tmp_path_factory) -> Path:
    return write_towers(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope='module')
def clipseg(tmp_path_factory) -> Path:
    return write_clipseg(tmp_path_factory.mktemp('clipseg'))


def view() -> Frame:
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Frame(np.ascontiguousarray(np.kron(small, np.ones((20, 20, 1), np.uint8))))


def segments(frame: Frame, boxes=((4, 4, 40, 30), (30, 40, 70, 58), (50, 2, 78, 30))) -> Segments:
    masks = np.zeros((len(boxes), frame.height // 2, frame.width // 2), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes):
        mask[y0:y1, x0:x1] = True
    count, kinds = len(boxes), np.full((len(boxes), 4), 0.01, np.float32)
    kinds[:, 0] = 0.97
    nowhere = np.full(count, -1)
    return Segments(
        masks, (frame.height, frame.width), kinds, np.ones(count, np.float32), np.ones(count, bool), nowhere, nowhere
    )


def namer_of(folder: Path, texts: Path | None = None) -> OpenNamer:
    return OpenNamer(Towers(folder, CPU), load_names(find_model('compact') / 'names.safetensors'), texts=texts)


@pytest.fixture(scope='module')
def namer(folder: Path) -> OpenNamer:
    """Return a namer for the tests of a folder, which encodes the vocabulary once; none of them changes it."""
    return namer_of(folder)


def test_similarities_are_those_of_transformers(folder, namer):
    frame = view()
    found = namer.logits(frame, segments(frame), NOUNS)
    crops = list(cut(frame.rgb, segments(frame).masks, FADED, namer.towers.side))
    processor = transformers.AutoProcessor.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True).eval()
    fill = True if namer.towers.kind == 'clip' else 'max_length'
    more = {} if namer.towers.kind == 'clip' else {'max_length': 24}
    if namer.towers.kind == 'siglip2':  # its processor's own defaults are those of the base model
        more |= {'patch_size': 8, 'max_num_patches': 16}
    inputs = processor(
        text=[namer.towers.caption(n) for n in NOUNS],
        images=crops,
        padding=fill,
        truncation=True,
        return_tensors='pt',
        **more,
    )
    with torch.inference_mode():
        expected = model(**inputs).logits_per_image.numpy()
    assert found.shape == (3, 3) and np.ptp(expected) > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_names_come_from_a_softmax_and_phrases_do_not_compete_with_their_head(namer):
    frame = view()
    found = namer.score(frame, segments(frame), ('mug', 'thing', 'chipped enamel mug', 'flibbertigibbet'))
    assert found.log_odds.shape == (3, 4) and np.isfinite(found.log_odds).all() and found.known.all()
    assert len(found.best) == 3
    logits = namer.logits(frame, segments(frame), ('chipped enamel mug', *namer.nouns))
    competing = ~np.isin(np.arange(len(namer.nouns)), namer.phrases.meaning('mug').places)
    assert not competing.all()
    from converseg_ros.network.names.open_namer import NONE

    nothing = namer.logits(frame, segments(frame), NONE)
    others = np.concatenate([logits[:, 1:][:, competing], nothing], 1)
    odds = logits[:, 0] - np.log(np.exp(others.astype(np.float64)).sum(1))
    np.testing.assert_allclose(found.log_odds[:, 2], np.clip(odds, -9.21024, 9.21024), atol=1e-2)


def test_a_view_without_segments_has_no_names(namer):
    frame = view()
    found = namer.score(frame, segments(frame, ()), NOUNS)
    assert found.log_odds.shape == (0, 3) and found.best == ()


def test_the_vocabulary_is_encoded_once_for_the_same_weights(folder, tmp_path, monkeypatch):
    texts = tmp_path / 'texts.safetensors'
    first = namer_of(folder, texts)
    encoded: list[int] = []
    real = Towers.texts
    monkeypatch.setattr(Towers, 'texts', lambda self, t: encoded.append(len(t)) or real(self, t))
    again = namer_of(folder, texts)
    assert not encoded
    frame = view()
    a, b = (n.score(frame, segments(frame), ('mug',)).log_odds for n in (first, again))
    np.testing.assert_array_equal(a, b)
    texts.write_bytes(b'torn')
    namer_of(folder, texts)
    assert sum(encoded) > 900


def test_maps_of_clipseg_are_those_of_transformers(clipseg):
    frame, texts = view(), ['a mug', 'the red thing on the left']
    network = ClipSeg(clipseg, CPU)
    network.set_image(frame.rgb)
    found = network.maps(texts)
    processor = transformers.AutoProcessor.from_pretrained(clipseg, local_files_only=True)
    model = transformers.CLIPSegForImageSegmentation.from_pretrained(clipseg, local_files_only=True).eval()
    inputs = processor(
        text=texts, images=[frame.rgb] * 2, padding=True, truncation=True, max_length=16, return_tensors='pt'
    )
    with torch.inference_mode():
        expected = model(**inputs).logits
    assert float(expected.std()) > 1e-3
    # The truth's image passes through PIL, which rounds pixels to whole numbers; its own numbers go in exactly.
    assert float((found - expected).abs().max()) < 0.05 * float(expected.std())
    network.set_pixels(inputs['pixel_values'][:1])
    np.testing.assert_allclose(network.maps(texts).numpy(), expected.numpy(), atol=1e-4)


@pytest.mark.parametrize('kind', ['siglip', 'clipseg'])
def test_compact_answers_with_another_namer(kind, tmp_path, monkeypatch):
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    part = write_clipseg(tmp_path / 'part') if kind == 'clipseg' else write_towers(kind, tmp_path / 'part')
    network = load('compact', device='cpu', precision='fp32', namer=str(part))
    own = load('compact', device='cpu', precision='fp32')
    assert own.calibrated and not network.calibrated and 'part' in network.name
    assert network.parts.fingerprint != own.parts.fingerprint
    frame = view()
    network.set_image(frame)
    answer = network.predict(['the chipped mug'])[0]
    assert answer.mask.shape == (frame.height, frame.width) and not answer.calibrated and answer.program is not None
    network.close()
    own.close()


def test_a_calibration_with_another_namer_is_kept_beside_the_cache_and_found_again(tmp_path, monkeypatch):
    from converseg_ros.network.things.correctness import CorrectnessFit
    from converseg_ros.network.things.existence import Existence, ExistenceFit

    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    part = write_towers('clip', tmp_path / 'part')
    network = load('compact', device='cpu', precision='fp32', namer=str(part))
    assert network.calibration_file != find_model('compact') / 'calibration.json'
    fit = ExistenceFit((0.6, 0.2, 0.3, 0.1, 0.1, 0.2, 0.2, -1.0, 0.2, 0.0), 0.0, no_target=0.3, recall=0.05)
    correct = CorrectnessFit((0.5, 0.0, 0.5, 0.3, 2.0), 0.0, confident=0.6)
    Existence({'rgb': fit}, correct, network.parts.fingerprint).save(network.calibration_file)
    assert load('compact', device='cpu', precision='fp32', namer=str(part)).calibrated


def test_what_is_wrong_with_a_namer_is_said(clipseg, tmp_path, monkeypatch):
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    folder = write_towers('clip', tmp_path / 'whole')
    weights = load_names(find_model('compact') / 'names.safetensors')

    def chosen(target: Path) -> None:
        own = OpenNamer.__new__(OpenNamer)
        other_namer(
            Chosen(target), own, weights, encode=lambda t: np.zeros((len(t), 1)), device=CPU, dtype=torch.float32
        )

    for broken, match in (
        ('preprocessor', 'preprocessor_config.json is missing'),
        ('tokenizer', 'no tokenizer'),
        ('weights', 'not a CLIP or SigLIP'),
        ('lacking', 'tensors are missing'),
        ('kind', 'cannot name regions'),
        ('json', 'not JSON'),
    ):
        target = tmp_path / broken
        shutil.copytree(folder, target)
        if broken == 'preprocessor':
            for name in ('preprocessor_config.json', 'processor_config.json'):
                (target / name).unlink(missing_ok=True)
        if broken == 'tokenizer':
            for path in target.glob('*token*'):
                path.unlink()
            for name in ('vocab.json', 'merges.txt'):
                (target / name).unlink(missing_ok=True)
        if broken == 'weights':
            path = target / 'model.safetensors'
            path.write_bytes(path.read_bytes()[:500])
        if broken == 'lacking':
            from safetensors.torch import load_file, save_file

            state = load_file(target / 'model.safetensors')
            save_file(dict(list(state.items())[3:]), target / 'model.safetensors', {'format': 'pt'})
        if broken == 'kind':
            (target / 'config.json').write_text('{"model_type": "bert"}')
        if broken == 'json':
            (target / 'config.json').write_text('<html>')
        with pytest.raises(InputError, match=match):
            chosen(target)
    with pytest.raises(InputError, match='weights fetch siglip2-base'):
        load('compact', device='cpu', namer='siglip2-base')
    with pytest.raises(InputError, match='weights fetch google/some-siglip'):
        load('compact', device='cpu', namer='google/some-siglip')
    with pytest.raises(InputError, match='no parts that can be replaced'):
        load('micro', device='cpu', namer=str(clipseg))


def test_numbers_that_are_not_finite_are_an_error_of_the_view_and_the_network_stays(folder, tmp_path):
    namer, frame = namer_of(folder), view()
    weights = [p for n, p in namer.towers.model.named_parameters() if 'vision' in n and p.ndim >= 2]
    kept = weights[0].data.clone()
    weights[0].data.fill_(float('nan'))
    with pytest.raises(InputError, match='not finite'):
        namer.score(frame, segments(frame), ('mug',))
    weights[0].data.copy_(kept)
    assert np.isfinite(namer.score(frame, segments(frame), ('mug',)).log_odds).all()


def test_a_slow_namer_says_what_it_costs(folder, monkeypatch):
    import converseg_ros.network.names.open_namer as module

    monkeypatch.setattr(module, 'SLOW', 0.0)
    assert 's on this CPU' in namer_of(folder).note
    monkeypatch.setattr(module, 'SLOW', 1e9)
    assert namer_of(folder).note == ''


def test_the_command_takes_a_namer(tmp_path, monkeypatch, capsys):
    import cv2

    folder = write_towers('clip', tmp_path / 'part')

    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    cv2.imwrite(str(tmp_path / 'image.png'), view().rgb)
    asked = [
        '--image',
        str(tmp_path / 'image.png'),
        '--prompt',
        'the mug',
        '--out',
        str(tmp_path / 'out'),
        '--device',
        'cpu',
    ]
    assert main(['predict', *asked, '--namer', str(folder)]) == 0
    assert 'not calibrated' in capsys.readouterr().err
    assert main(['predict', *asked, '--namer', str(tmp_path / 'nothing')]) == 1
    assert 'there is no such namer' in capsys.readouterr().err
