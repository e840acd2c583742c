"""Options for loading a network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from converseg_ros.core import ConversegError, InputError
from converseg_ros.network.config import Outline, Preprocess, Select

if TYPE_CHECKING:
    import torch

Precision = Literal['auto', 'fp32', 'bf16']


class DeviceMemoryError(ConversegError):
    """The device has too little memory for this request; the predictor remains usable."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options for quality, speed and memory; docs/models.md describes them.

    precision: of weights and activations; auto is bf16 on a GPU that has it; on a CPU fp32, or for kind things the
    faster one. preprocess, select, outline: None uses those of the model. max_pixels: limit on the image for the
    language model (252 * 252 = 63504 is fast); None is native. images, texts: numbers of cached images and
    instructions. chunk: maximum instructions that are decoded at once. probability: whether predictions include their
    probability map; None: only if calibrated. graphs: CUDA graphs.
    namer, segments: models that replace these parts of a model of kind things, by name, hub name or folder
    (docs/models.md); '' uses those of the model. facts: whether a model of kind converseg measures its regions where
    there is depth (network/converseg/measured.py). agree_remote: images may be sent to a chat model on another machine.
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
    facts: Literal['off', 'on'] = 'off'
    agree_remote: bool = False


def device_of(name: 'str | torch.device | None') -> 'torch.device':
    """Return the device with a name; None selects a GPU if available; raise InputError if it is not available."""
    import torch

    try:
        device = torch.device(name or ('cuda' if torch.cuda.is_available() else 'cpu'))
    except RuntimeError as error:
        raise InputError(f'{name!r} is no device', where='device', do='use cpu, cuda or cuda:N') from error
    if device.type == 'cuda' and not torch.cuda.is_available():
        raise InputError('there is no CUDA GPU, or this torch has no CUDA', where='device', do='use --device cpu')
    if device.type == 'cuda' and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise InputError(f'there is no {device}', where='device', do=f'use cuda:0 to cuda:{count - 1}, or cpu')
    return device
