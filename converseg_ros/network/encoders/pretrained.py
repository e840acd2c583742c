"""Model folders of transformers: strict loading without downloads, and image preparation with torch.

transformers initializes missing weights randomly and only logs it; here missing weights are an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import read_object

REMEDY = 'fetch the folder again: converseg weights fetch NAME'
CONFIG = 'config.json'
PROCESSORS = ('preprocessor_config.json', 'processor_config.json')  # of transformers 4 and 5
TOKENIZERS = ('tokenizer.json', 'vocab.json', 'vocab.txt', 'spiece.model', 'tokenizer.model')
FILTERS = {2: 'bilinear', 3: 'bicubic'}  # PIL's numbers for resampling
BLOCK = 1 << 22  # bytes


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Image preparation of a model.

    size: the entry in the folder, whose keys depend on the model. rescale: factor for pixels in 0..255, before mean and
    standard deviation are applied.
    """

    size: dict[str, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resample: str = 'bilinear'
    rescale: float = 1 / 255


def model_type(folder: Path) -> str:
    """Return the architecture in the config.json of a folder; raise InputError if there is none."""
    found = read_object(folder / CONFIG, REMEDY).get('model_type')
    if not isinstance(found, str):
        raise InputError('no model_type', where=str(folder / CONFIG), do='give the folder of a transformers model')
    return found


def image_settings(folder: Path) -> ImageSettings:
    """Read the settings of the image processor; raise InputError if the file is missing or incomplete."""
    path = next((folder / name for name in PROCESSORS if (folder / name).is_file()), None)
    if path is None:
        raise InputError(f'{PROCESSORS[0]} is missing', where=str(folder), do=REMEDY)
    data = read_object(path, REMEDY)
    data = data.get('image_processor', data)
    try:
        size = data.get('size') or {}
        size = {'height': int(size), 'width': int(size)} if isinstance(size, int) else dict(size)
        mean, std = tuple(map(float, data['image_mean'])), tuple(map(float, data['image_std']))
        resample = FILTERS[int(data.get('resample', 2))]
        rescale = float(data.get('rescale_factor', 1 / 255)) if data.get('do_rescale', True) else 1.0
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f'not the settings of an image processor ({error})', where=str(path), do=REMEDY) from error
    return ImageSettings(size, mean, std, resample, rescale)


def load_model(cls: Any, folder: Path, what: str) -> Any:
    """Return a model of a transformers class in evaluation mode; raise InputError with the error.

    what: the kind of model, for the message.
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # progress bars are not useful in the log of a node
    try:
        model, found = cls.from_pretrained(str(folder), local_files_only=True, output_loading_info=True)
    except Exception as error:  # transformers and safetensors raise many kinds of errors for broken files
        raise InputError(f'not {what} ({str(error)[:200]})', where=str(folder), do=REMEDY) from error
    missing = sorted({*found['missing_keys'], *(str(k) for k in found.get('mismatched_keys', ()))})
    if missing:
        raise InputError(f'{len(missing)} tensors are missing, e.g. {missing[0]}', where=str(folder), do=REMEDY)
    return model.eval()


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of the folder; raise InputError if there is none.

    Without its files transformers would create a tokenizer without a vocabulary.
    """
    from transformers import AutoTokenizer

    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise InputError(f'no tokenizer: {TOKENIZERS[0]} is missing', where=str(folder), do=REMEDY)
    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:
        raise InputError(f'no tokenizer ({str(error)[:200]})', where=str(folder), do=REMEDY) from error


def weights_hash(path: Path) -> str:
    """Return a short hash of a checkpoint file, or of all safetensors of a folder."""
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.glob('*.safetensors')):
        with file.open('rb') as opened:
            while block := opened.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()[:16]


def resized(rgb: NDArray[np.uint8], size: tuple[int, int], resample: str) -> Tensor:
    """Return (3, h, w) float32 in 0..255 of an (H, W, 3) image, resized with antialiasing as PIL does."""
    pixels = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
    if tuple(pixels.shape[2:]) == size:
        return pixels[0].float()
    return F.interpolate(pixels, size, mode=resample, antialias=True)[0].float()


def normalised(pixels: Tensor, settings: ImageSettings) -> Tensor:
    """Return (..., 3, h, w) pixels in 0..255 scaled to the model's mean and standard deviation."""
    mean, std = (torch.tensor(v, device=pixels.device).view(-1, 1, 1) for v in (settings.mean, settings.std))
    return (pixels * settings.rescale - mean) / std


def check_finite(values: Tensor, what: Sequence[str] | str) -> Tensor:
    """Return the tensor; raise InputError with the name of the model if a number is not finite."""
    if not bool(torch.isfinite(values).all()):
        raise InputError('the model answered with numbers that are not finite', where=str(what), do=REMEDY)
    return values
