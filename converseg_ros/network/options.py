"""What can be chosen when a network is loaded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from converseg_ros.core import ConversegError, InputError
from converseg_ros.network.config import Outline, Preprocess, Select

if TYPE_CHECKING:
    import torch

Precision = Literal['auto', 'fp32', 'bf16']


class DeviceMemoryError(ConversegError):
    """The device has too little memory for this request; the predictor can still be used."""


@dataclass(frozen=True, slots=True)
class Options:
    """Choices that trade quality for speed or memory; docs/models.md says what each costs and does.

    precision: of weights and activations; auto is bf16 on a GPU, fp32 on a CPU. preprocess, select, outline: None takes
    the model's own. max_pixels: cap on the image the language model sees (252 * 252 = 63504 is fast); None is native.
    images, texts: how many images and instructions are remembered. chunk: instructions decoded at once, at most.
    probability: whether each prediction carries its per-pixel map; None: only if calibrated. graphs: CUDA graphs.
    namer, segments: models that take the place of these parts of a model of kind things, by name, hub name or folder
    (docs/models.md); '' leaves the model's own.
    """

    precision: Precision = 'auto'
    preprocess: Preprocess | None = None
    select: Select | None = None
    outline: Outline | None = None
    max_pixels: int | None = None
    images: int = 4
    texts: int = 256
    chunk: int = 8
    probability: bool | None = None
    graphs: bool = True
    namer: str = ''
    segments: str = ''


def device_of(name: 'str | torch.device | None') -> 'torch.device':
    """Return the device of a name, a GPU where there is one for None; raise InputError where it is not there."""
    import torch

    device = torch.device(name or ('cuda' if torch.cuda.is_available() else 'cpu'))
    if device.type == 'cuda' and not torch.cuda.is_available():
        raise InputError('there is no CUDA GPU, or this torch has no CUDA', where='device', do='use --device cpu')
    return device
