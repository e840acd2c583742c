"""Against the reference implementation's own numbers (the development data's parity folder)."""

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from converseg_ros.datasets.images import read_rgb
from converseg_ros.network.converseg.predictor import Predictor
from converseg_ros.network.converseg.preprocess import inner_size, normalise, offset, to_image, to_input
from converseg_ros.network.converseg.selection import choose
from converseg_ros.network.features import Decoded, ImageFeatures, LanguageFeatures
from converseg_ros.network.options import Options
from converseg_ros.network.precision import set_precision
from converseg_ros.network.weights.checkpoints import load_network

CASES = {'a0': 'coffee', 'b0': 'portrait'}
SIZE = (1024, 1024)
# The allowed differences. Logits and masks (share of pixels): as the notes of the development data allow. The others:
# the notes tell what another implementation reached (0 and 3.3e-6); a little more is left for another BLAS.
ENCODER, PROMPT, LOGIT, MASK = 2e-5, 1e-5, 2e-4, 1e-4


def target_of(mask, size=SIZE, grid=(256, 256), erode=5):
    """Return an (H, W) mask as the bool target of padded logits on `grid`, eroded as in the reference's training."""
    inner = inner_size(mask.shape, size)
    top, left = offset(inner, size)
    placed = np.zeros(size, np.uint8)
    small = cv2.resize(mask.astype(np.uint8), (inner[1], inner[0]), interpolation=cv2.INTER_NEAREST)
    placed[top : top + inner[0], left : left + inner[1]] = small
    placed = np.asarray(cv2.erode(placed, np.ones((erode, erode), np.uint8)), np.uint8)
    rows, columns = (np.arange(grid[i]) * size[i] // grid[i] for i in (0, 1))
    return torch.from_numpy(placed[rows][:, columns] > 0)


@dataclass
class Reference:
    folder: Path
    arrays: Any
    facts: dict[str, Any]
    network: Any

    def rgb(self, image):
        return read_rgb(self.folder / 'images' / f'{image}.png')

    def mask(self, key, shape):
        return np.unpackbits(self.arrays[key])[: shape[0] * shape[1]].reshape(shape).astype(bool)

    def encode(self, image, mode):
        config = self.network.config.image
        pixels = normalise(to_input(self.rgb(image), SIZE, mode), config.mean, config.std, torch.float32)
        return pixels, self.network.encode_image(pixels)


@pytest.fixture(scope='module')
def reference(shared):
    folder = shared / 'parity'
    if not (folder / 'expected.npz').is_file():
        pytest.skip(f'no parity files in {folder}')
    network = load_network(folder)
    set_precision(network, torch.float32)
    facts = json.loads((folder / 'expected.json').read_text())
    return Reference(folder, np.load(folder / 'expected.npz'), facts, network)


@dataclass
class Answer:
    pixels: Any
    features: Any
    seen: Any
    language: Any
    prompts: Any
    decoded: Any


@pytest.fixture(scope='module')
def answers(reference):
    """Both cases in both preprocessing modes, each computed once."""
    cache: dict[tuple[str, str], Answer] = {}

    def get(case, mode='pad'):
        if (case, mode) not in cache:
            with torch.no_grad():
                pixels, features = reference.encode(CASES[case], mode)
                seen = reference.network.language_encoder.prepare_image(reference.rgb(CASES[case]))
                language = reference.network.encode_text([reference.facts[case]['prompt']], seen)
                prompts = reference.network.prompts(language)
                cache[case, mode] = Answer(
                    pixels, features, seen, language, prompts, reference.network.decode(features, prompts)
                )
        return cache[case, mode]

    return get


def gap(ours, theirs):
    return float(np.abs(np.asarray(ours.detach() if torch.is_tensor(ours) else ours) - theirs).max())


@pytest.mark.parametrize('case', CASES)
def test_image_side(reference, answers, case):
    z, image, a = reference.arrays, CASES[case], answers(case)
    assert gap(a.pixels[0, :, ::16, ::16], z[f'{image}/sam_input_s16']) == 0
    assert gap(a.features.embedding[0], z[f'{image}/image_embed']) <= ENCODER
    assert gap(a.features.high_res[1][0, :, ::4, ::4], z[f'{image}/high_res_s1_s4']) <= ENCODER
    assert gap(a.features.high_res[0][0, :, ::4, ::4], z[f'{image}/high_res_s0_s4']) <= ENCODER


@pytest.mark.parametrize('case', CASES)
def test_language_side(reference, answers, case):
    z, image, a = reference.arrays, CASES[case], answers(case)
    cut = a.seen.patches
    assert [1, cut.rows, cut.columns] == z[f'{image}/image_grid_thw'][0].tolist()
    assert gap(cut.pixels[::37], z[f'{image}/pixel_values_s37']) <= 1e-6
    chat = reference.network.language_encoder.chat
    image_token = reference.network.language_encoder.model.config.image_token_id
    middle = [image_token] * (cut.grid[0] * cut.grid[1])
    ids = [*chat.prefix, *middle, chat.vision_end, *chat.suffix(reference.facts[case]['prompt'])]
    assert ids == z[f'{case}/input_ids'].tolist()
    special = {chat.end[0], chat.vision_end, image_token, chat.prefix[0], chat.prefix[-1]}
    text = [n for n, i in enumerate(ids) if i not in special]
    assert gap(a.language.tokens[0], z[f'{case}/last_hidden'][text]) <= PROMPT
    assert gap(a.prompts.sparse[0], z[f'{case}/sparse']) <= PROMPT
    assert gap(a.prompts.dense[0], z[f'{case}/dense']) <= PROMPT


@pytest.mark.parametrize('case', CASES)
def test_decoder(reference, answers, case):
    z, decoded = reference.arrays, answers(case).decoded
    assert gap(decoded.masks[0, 1:], z[f'{case}/low_res_logits']) <= LOGIT
    assert gap(decoded.iou[0, 1:], z[f'{case}/scores']) <= 1e-5
    assert gap(decoded.object_score, z[f'{case}/object_score_logits']) <= 1e-4
    assert gap(decoded.masks[0, 0, ::2, ::2], z[f'{case}/token0_logits_s2']) <= LOGIT
    assert gap(decoded.iou[0, :1], z[f'{case}/token0_score']) <= 1e-5
    single, score = choose(decoded, 'stable')  # SAM 2's rule for a single mask
    assert gap(single[0, ::2, ::2], z[f'{case}/single_logits_eval_s2']) <= LOGIT
    assert gap(score, z[f'{case}/single_score_eval']) <= 1e-5


@pytest.mark.parametrize('mode, kind', [('pad', 'demo'), ('stretch', 'eval')])
@pytest.mark.parametrize('case', CASES)
def test_masks_at_image_size(reference, answers, case, mode, kind):
    decoded = answers(case, mode).decoded
    shape = tuple(reference.facts[case]['hw'])
    scores = 'scores' if kind == 'demo' else 'scores_eval'
    assert gap(decoded.iou[0, 1:], reference.arrays[f'{case}/{scores}']) <= 1e-5
    best, _ = choose(Decoded(decoded.masks[:, 1:], decoded.iou[:, 1:], decoded.object_score), 'best')
    full = to_image(best, shape, SIZE, mode)[0]
    assert gap(full[::4, ::4], reference.arrays[f'{case}/logit_{kind}_s4']) <= LOGIT
    assert (np.asarray(full > 0) != reference.mask(f'{case}/mask_{kind}', shape)).mean() <= MASK


def test_predictor_gives_the_reference_masks(reference, answers):
    predictor = Predictor(load_network(reference.folder), options=Options(precision='fp32'))
    prompts = [reference.facts[case]['prompt'] for case in CASES]
    for case, image in CASES.items():
        predictor.set_image(reference.rgb(image))
        # both cases' prompts at once: the other one, longer or shorter, must change nothing
        answer = predictor.predict(prompts)[list(CASES).index(case)]
        shape = tuple(reference.facts[case]['hw'])
        assert (answer.mask != reference.mask(f'{case}/mask_demo', shape)).mean() <= MASK


# The training batch's words are told by no file; these three give its sparse tokens exactly.
BATCH = (('coffee', 'the cup which can hold hot coffee'), ('portrait', 'helmet'), ('wide', 'segment'))


def test_one_training_step(reference):
    z = reference.arrays
    network = load_network(reference.folder, merge=False)
    set_precision(network, torch.float32)
    rows, features = [], []
    for image, text in BATCH:
        with torch.no_grad():
            features.append(reference.encode(image, 'pad')[1])
            seen = network.language_encoder.prepare_image(reference.rgb(image))
            rows.append(network.encode_text([text], seen))
    tokens = torch.nn.utils.rnn.pad_sequence([r.tokens[0] for r in rows], batch_first=True)
    lengths = torch.tensor([r.tokens.shape[1] for r in rows])
    live = torch.arange(tokens.shape[1]) < lengths[:, None]
    prompts = network.prompts(LanguageFeatures(tokens, live, torch.cat([r.pooled for r in rows])))
    assert gap(prompts.sparse, z['train/batch_sparse']) <= PROMPT
    assert gap(prompts.dense, z['train/batch_dense']) <= PROMPT
    s0, s1 = (torch.cat([f.high_res[i] for f in features]) for i in (0, 1))
    image = ImageFeatures(torch.cat([f.embedding for f in features]), (s0, s1))
    # the reference lets padded slots take part in training: no mask
    decoded = network.decode(image, prompts._replace(mask=None), image_of=torch.arange(3), tokens=(0,))
    assert gap(decoded.masks[:, 0], z['train/low_logits']) <= LOGIT
    assert gap(decoded.iou, z['train/scores']) <= 1e-5

    truths = [read_rgb(reference.folder / 'images' / f'{i}_mask.png')[..., 0] > 0 for i, _ in BATCH]
    truth = torch.stack([target_of(t) for t in truths])
    assert (truth.numpy() == np.unpackbits(z['train/gt256']).reshape(3, 256, 256).astype(bool)).all()
    target, logits = truth.float(), decoded.masks[:, 0]
    bce = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    p, t = logits.sigmoid().flatten(1), target.flatten(1)
    dice = (1 - 2 * (p * t).sum(1) / (p.sum(1) + t.sum(1))).mean()
    assert bce.item() == pytest.approx(float(z['train/bce']), abs=1e-5)
    assert 0.25 * dice.item() == pytest.approx(float(z['train/dice025']), abs=1e-5)
    (bce + 0.25 * dice).backward()
    adapters, sam = network.adapters, network.decoder.sam
    for name, parameter in {
        'to_sparse.weight': adapters.to_sparse.weight,
        'to_dense.2.weight': adapters.to_dense[2].weight,
        'txt_norm.weight': adapters.txt_norm.weight,
        'scale': adapters.scale,
        'temp': adapters.temp,
        'mask_tokens': sam.mask_tokens.weight,
        'iou_token': sam.iou_token.weight,
    }.items():
        # three times the largest difference under PyTorch's plain, AVX2 and AVX-512 kernels (1.3e-4)
        assert gap(parameter.grad, z[f'train/grad/{name}']) <= 4e-4, name
