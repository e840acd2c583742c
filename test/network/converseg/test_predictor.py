"""What is computed once and what again, what can be cancelled, and what is said when something is wrong."""

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from converseg_ros.core import ConversegError, InputError, Role, Status
from converseg_ros.core.segmentation import Query
from converseg_ros.network import load
from converseg_ros.network.calibration import Calibration
from converseg_ros.network.graphs import BUCKETS, bucket
from converseg_ros.network.options import DeviceMemoryError


@pytest.fixture
def fresh(micro):
    micro.forget()
    return micro


def test_an_image_is_encoded_once_for_its_key(fresh, picture):
    fresh.set_image(picture(0), key=('camera', 1))
    first = fresh.predict(['a cup'])[0]
    fresh.set_image(picture(1), key=('camera', 2))
    other = fresh.predict(['a cup'])[0]
    fresh.set_image(picture(0), key=('camera', 1))
    again = fresh.predict(['a cup'])[0]
    assert fresh.counts['images_encoded'] == 2 and fresh.counts['images_cached'] == 1
    assert (first.mask == again.mask).all() and (first.mask != other.mask).any()
    fresh.set_image(picture(0))  # without a key nothing is known to be the same
    assert fresh.counts['images_encoded'] == 3


def test_a_key_with_another_shape_is_another_image(fresh, picture):
    fresh.set_image(picture(0, (60, 80)), key=1)
    fresh.set_image(picture(0, (90, 80)), key=1)
    assert fresh.predict(['a cup'])[0].mask.shape == (90, 80)


def test_old_images_are_dropped(fresh, picture):
    for key in range(fresh.options.images + 1):
        fresh.set_image(picture(key, (40, 60)), key=key)
    fresh.set_image(picture(0, (40, 60)), key=0)
    assert fresh.counts['images_cached'] == 0


def test_words_and_the_prefix_are_encoded_once_an_image(fresh, picture):
    fresh.set_image(picture(0), key=0)
    first = fresh.predict(['a cup', 'the hot plate', 'a cup'])
    assert fresh.counts['texts_encoded'] == 2 and fresh.counts['prefixes_encoded'] == 1
    assert (first[0].mask == first[2].mask).all()
    second = fresh.predict(['the hot plate', 'a knife'])
    assert fresh.counts['texts_encoded'] == 3
    assert fresh.counts['prefixes_encoded'] == 1 and fresh.counts['prefixes_cached'] == 1
    assert np.abs(second[0].object_score - first[1].object_score) < 1e-5
    # the knife behind the kept prefix is the knife of a fresh image
    fresh.forget()
    fresh.set_image(picture(0))
    alone = fresh.predict(['a knife'])[0]
    assert (alone.mask != second[1].mask).mean() < 1e-3
    # this encoder sees the image: another image needs the words again
    fresh.set_image(picture(1))
    fresh.predict(['a knife'])
    assert fresh.counts['texts_encoded'] == 2


def test_many_instructions_are_decoded_in_chunks_without_a_difference(fresh, picture):
    fresh.set_image(picture(0))
    texts = [f'thing number {k}' + ' indeed' * (k % 3) for k in range(fresh.options.chunk + 3)]
    together = fresh.predict(texts)
    assert fresh.counts['decodes'] == 2
    for k in (0, len(texts) - 1):
        alone = fresh.predict([texts[k]])[0]
        assert (alone.mask != together[k].mask).mean() < 1e-3
        assert alone.object_score == pytest.approx(together[k].object_score, abs=1e-4)


def test_stages_are_told_and_can_be_cancelled(fresh, picture):
    fresh.set_image(picture(0), key=0)
    seen = []
    p = fresh.predict(['a cup'], checkpoint=seen.append)[0]
    assert seen == ['text', 'decode', 'masks']
    assert set(p.stage_ms) == {'preprocess', 'image', 'text', 'decode', 'masks'}
    assert all(v >= 0 for v in p.stage_ms.values())
    assert 'image' not in fresh.predict(['a cup'])[0].stage_ms  # its encoding was told already

    class CancelledError(Exception):
        pass

    def cancel(stage):
        if stage == 'decode':
            raise CancelledError

    with pytest.raises(CancelledError):
        fresh.predict(['a spoon'], checkpoint=cancel)
    assert fresh.predict(['a cup'])[0].area == p.area  # and it still works


def test_misuse_is_said_in_words(fresh, picture):
    with pytest.raises(ConversegError, match='set_image'):
        fresh.predict(['a cup'])
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(InputError, match='uint8'):
            fresh.set_image(wrong)
    fresh.set_image(picture(0))
    assert fresh.predict([]) == []
    with pytest.raises(InputError, match='programs'):
        fresh.predict([Query('a', {'version': 1, 'root': {'op': 'things'}})])
    with pytest.raises(InputError, match='options'):
        load('micro', presision='bf16')
    with pytest.raises(InputError, match=r'one of: .*micro'):
        load('no-such-model')


def test_any_image_size_works(fresh, picture):
    for shape in ((1, 1), (3, 500), (700, 5), (37, 41)):
        fresh.set_image(picture(0, shape))
        assert fresh.predict(['a cup'])[0].mask.shape == shape


def test_uncalibrated_says_so_and_claims_nothing(fresh, picture):
    fresh.set_image(picture(0))
    p = fresh.predict([Query('a cup', role=Role.SAFETY)])[0]
    assert not fresh.calibrated and not p.calibrated and p.probability is None
    assert p.status == (Status.OK if p.area else Status.NO_TARGET) and 'not calibrated' in p.reason


def test_calibration_decides(picture):
    predictor = load('micro', device='cpu')
    predictor.set_image(picture(0))
    p = predictor.predict(['a cup'])[0]
    logit = np.log(p.object_score / (1 - p.object_score))
    for shift, status in ((4.0, Status.OK), (0.0, Status.LOW_CONFIDENCE), (-4.0, Status.NO_TARGET)):
        predictor.calibration = Calibration(1.0, 0.0, shift - logit, no_target=0.3, recall=0.01, confident=0.7)
        decided, safe = predictor.predict(['a cup', Query('a cup', role=Role.SAFETY)])
        assert decided.status == status and decided.calibrated
        assert decided.score == pytest.approx(1 / (1 + np.exp(-shift)), abs=1e-3)
        assert decided.mask.any() == (status != Status.NO_TARGET)
        assert safe.status != Status.NO_TARGET  # a safety instruction's threshold is lower
    assert decided.probability.shape == p.mask.shape  # published only when calibrated


def test_closing_gives_back_and_says_so(picture):
    predictor = load('micro', device='cpu')
    predictor.set_image(picture(0), key=1)
    predictor.close()
    with pytest.raises(ConversegError, match='closed'):
        predictor.set_image(picture(0))
    predictor.close()


def test_out_of_memory_is_an_error_one_can_answer_with(fresh, picture, monkeypatch):
    fresh.set_image(picture(0), key=0)

    def full(*args, **kwargs):
        raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB')

    with monkeypatch.context() as patch:
        patch.setattr(fresh.network.decoder, 'forward', full)
        with pytest.raises(DeviceMemoryError, match='out of memory'):
            fresh.predict(['a cup'])
    fresh.set_image(picture(0), key=0)
    assert fresh.predict(['a cup'])[0].mask.any()


def test_buckets_hold_everything():
    assert [bucket(n, BUCKETS) for n in (1, 16, 17, 1024, 1025)] == [16, 16, 32, 1024, 2048]


def test_filling_up_a_bucket_changes_nothing(fresh, picture):
    """Tokens that fill up a fixed length for CUDA graphs are seen by nobody."""
    encoder = fresh.network.language_encoder
    seen = encoder.prepare_image(picture(0))
    with torch.inference_mode():
        exact = encoder(['a cup', 'the hot plate on the left'], seen)
        kept = encoder.bucket
        encoder.bucket = lambda length: bucket(length, BUCKETS)
        try:
            more, first = encoder(['a cup', 'the hot plate on the left'], seen), None
            first = encoder(['a cup', 'the hot plate on the left'], encoder.prepare_image(picture(0)))
        finally:
            encoder.bucket = kept
    for filled in (more, first):
        assert torch.allclose(exact.pooled, filled.pooled, atol=1e-4)
        assert torch.allclose(exact.tokens, filled.tokens, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA GPU')
def test_on_a_gpu_graphs_change_nothing_and_memory_comes_back(picture):
    torch.cuda.init()
    before = torch.cuda.mem_get_info()[0]
    exact = load('micro', device='cpu', precision='fp32')
    predictor = load('micro', device='cuda', precision='fp32')
    predictor.warm_up(((120, 160),), (1, 4))
    captures = predictor.graphs.captures
    assert captures > 0
    texts = ['a cup', 'the hot plate on the left', 'a knife']
    for seed in (0, 1, 0):
        exact.set_image(picture(seed))
        predictor.set_image(picture(seed))
        for a, b in zip(exact.predict(texts), predictor.predict(texts)):
            assert (a.mask != b.mask).mean() < 1e-2
    predictor.close()
    assert torch.cuda.memory_allocated() < 2**20
    assert before - torch.cuda.mem_get_info()[0] < 2**29  # the context and cuBLAS stay


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_one_weight_that_is_not_finite_makes_every_answer_an_error(picture, bad):
    predictor = load('micro', device='cpu', precision='fp32')
    with torch.no_grad():
        next(predictor.network.decoder.parameters()).view(-1)[0] = bad
    for calibration in (None, Calibration(1.0, 0.0, 0.0, no_target=0.4, recall=0.1, confident=0.8)):
        predictor.calibration = calibration
        predictor.set_image(picture())
        for answer in predictor.predict([Query('the knife', role=Role.SAFETY), 'the mug']):
            assert answer.status == Status.ERROR and 'not finite' in answer.reason
            assert not answer.mask.any()
    predictor.close()
