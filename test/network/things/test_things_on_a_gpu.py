"""Compact on a simulated GPU: the same answers as on the CPU, its memory, and errors of CUDA."""

from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from drawn_scene import scene
from simulated_gpu import SimulatedGpu, counted

from converseg_ros.core import Instruction, Status
from converseg_ros.core.mask import iou
from converseg_ros.network import load
from converseg_ros.network.encoders.nanodet import Detections
from converseg_ros.network.options import DeviceMemoryError
from converseg_ros.network.segments import backbone, proposer
from converseg_ros.network.things.things_network import ThingsNetwork
from converseg_ros.network.weights import things_loader
from converseg_ros.perception.segmenter import Segmenter

TEXTS = ('the red thing', 'the blue thing', 'all the things on the table', 'the tallest thing', 'a cup')
LOST = 'CUDA error: an illegal memory access was encountered'


@pytest.fixture(scope='module', autouse=True)
def small() -> Iterator[None]:
    """A quarter of the pixels, the layers of the trunk one by one as on a GPU, and two boxes of people in each view."""

    def with_people(levels: list[Detections]) -> tuple[torch.Tensor, torch.Tensor]:
        boxes, agents = detected(levels)
        people = torch.tensor([[0.1, 0.2, 0.5, 0.9, 0.8], [0.6, 0.1, 0.9, 0.6, 0.5]], device=boxes.device)
        return torch.cat([people, boxes]), torch.cat([people[:, 4] > 0, agents])

    detected = proposer.detected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposer, 'detected', with_people)
        patch.setattr(backbone, 'AREA', 320 * 240)
        patch.setattr(things_loader, 'can_fuse', lambda *_: False)
        yield


@pytest.fixture(scope='module')
def exact(small: None) -> Iterator[ThingsNetwork]:
    network = load('compact', device='cpu', precision='fp32')
    yield network
    network.close()


@pytest.fixture(scope='module')
def gpu() -> SimulatedGpu:
    return SimulatedGpu(1)


@pytest.fixture(scope='module')
def fast(gpu: SimulatedGpu, small: None) -> Iterator[ThingsNetwork]:
    """A network on cuda:1, in bfloat16, which is `auto` there; the last test closes it."""
    with gpu:
        network = load('compact', device='cuda:1')
    yield network
    gpu.repair()
    with gpu:
        network.close()


def in_float32(network: ThingsNetwork, patch: pytest.MonkeyPatch) -> None:
    for part in (network.parts.proposer, network.parts.namer):
        assert part.dtype == torch.bfloat16
        patch.setattr(part, 'dtype', torch.float32)


@pytest.mark.parametrize('precision', ['fp32', 'bf16'])
@pytest.mark.parametrize('depth', [True, False])
def test_answers_are_those_of_the_cpu(
    exact: ThingsNetwork,
    fast: ThingsNetwork,
    gpu: SimulatedGpu,
    depth: bool,
    precision: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No operation combines tensors of two devices, and no array is made of a tensor of the GPU: those raise."""
    if precision == 'fp32':
        in_float32(fast, monkeypatch)
    exact.set_image(scene(depth))
    with gpu, counted(gpu) as counts:
        fast.set_image(scene(depth))
        answers = fast.predict(TEXTS)
    assert fast.device == 'cuda:1' and counts['operations'] > 500
    assert counts['uploads'] < 20 and counts['reads'] < 20, 'none for each region or layer'
    for a, b in zip(exact.predict(TEXTS), answers, strict=True):
        if precision == 'fp32':
            np.testing.assert_array_equal(a.mask, b.mask)
            assert (a.status, a.reason) == (b.status, b.reason) and a.score == pytest.approx(b.score, abs=1e-4)
        elif a.mask.any():
            assert iou(a.mask, b.mask) > 0.8


def test_full_memory_is_named_and_the_network_remains_usable(fast: ThingsNetwork, gpu: SimulatedGpu) -> None:
    with gpu:
        gpu.fail(torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB'), after=300)
        with pytest.raises(DeviceMemoryError, match='out of memory'):
            fast.set_image(scene())
        fast.set_image(scene())
        assert fast.predict(['the red thing'])[0].mask.any()


def test_a_lost_device_is_an_error_and_the_network_can_be_closed(
    fast: ThingsNetwork, exact: ThingsNetwork, gpu: SimulatedGpu
) -> None:
    """The segmenter answers with the reason, from which the node sees that it must use the CPU; no memory remains."""
    segmenter, asked = Segmenter(fast), [Instruction('the red thing', id='red')]
    with gpu:
        for after in (400, 0):  # in the middle of a view, and from then on
            gpu.fail(RuntimeError(LOST), after=after)
            (region,) = segmenter.segment(scene(), asked)
            assert region.status == Status.ERROR and LOST in region.prediction.reason
            assert segmenter.failure.endswith(LOST)
        segmenter.network = exact
        (region,) = segmenter.segment(scene(), asked)
        assert region.status == Status.OK and region.prediction.mask.any() and not segmenter.failure
        fast.close()
    assert not gpu.allocated
