"""Segment Anything (Kirillov et al., arXiv 2304.02643) from one of its checkpoints, as a promptable network."""

import importlib
import importlib.util
from pathlib import Path
from pickle import UnpicklingError
import sys
import types
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch

from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.network.encoders.pretrained import resized
from converseg_ros.network.precision import autocast

KINDS = {768: 'vit_b', 1024: 'vit_l', 1280: 'vit_h'}  # width of the image encoder -> registry name


def build_module() -> Any:
    """Return segment_anything.build_sam without the package's __init__, which requires torchvision."""
    if 'segment_anything' in sys.modules:
        return importlib.import_module('segment_anything.build_sam')
    spec = importlib.util.find_spec('segment_anything')
    if spec is None:
        raise ConversegError(
            'segment-anything is not installed', where='sam', do="pip install '.[engine]' in the clone"
        )
    package = types.ModuleType('segment_anything')
    package.__path__ = list(spec.submodule_search_locations or [])
    sys.modules['segment_anything'] = package
    try:
        return importlib.import_module('segment_anything.build_sam')
    finally:
        del sys.modules['segment_anything']


class SamNetwork:
    """segment_anything's Sam; the longest side is scaled to the network's size and the rest padded."""

    def __init__(self, model: Any, name: str, dtype: torch.dtype = torch.float32) -> None:
        """Create the network with a model on its device; dtype: precision, for example bfloat16."""
        self.model, self.name, self.dtype = model.eval(), name, dtype
        self._embedding: Any = None
        self._shape, self._input, self._out = (0, 0), (0, 0), (0, 0)

    def set_image(self, rgb: NDArray[np.uint8], size: tuple[int, int] | None = None) -> None:
        """Encode an (H, W, 3) image; see Promptable."""
        self._shape = rgb.shape[0], rgb.shape[1]
        self._out = size or self._shape
        scale = self.model.image_encoder.img_size / max(self._shape)
        self._input = round(self._shape[0] * scale), round(self._shape[1] * scale)
        pixels = resized(rgb, self._input, 'bilinear')[None].to(self.model.device)
        with torch.inference_mode(), autocast(self.model.device, self.dtype):
            self._embedding = self.model.image_encoder(self.model.preprocess(pixels))

    def from_boxes(self, boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (N, 3, h, w) and scores (N, 3) for N boxes."""
        return self._decode(None, torch.from_numpy(boxes * np.tile(self._scale(), 2)).to(self.model.device))

    def from_points(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (N, 3, h, w) and scores (N, 3) for N points."""
        scaled = torch.from_numpy(points * self._scale())[:, None].to(self.model.device)
        labels = torch.ones(scaled.shape[:2], dtype=torch.int64, device=scaled.device)
        return self._decode((scaled, labels), None)

    def _scale(self) -> NDArray[np.float32]:
        return np.array([self._input[1] / self._shape[1], self._input[0] / self._shape[0]], np.float32)

    def _decode(self, points: Any, boxes: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode(), autocast(self.model.device, self.dtype):
            sparse, dense = self.model.prompt_encoder(points=points, boxes=boxes, masks=None)
            low, scores = self.model.mask_decoder(
                image_embeddings=self._embedding,
                image_pe=self.model.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=True,
            )
            masks = self.model.postprocess_masks(low.float(), self._input, self._out)
        return masks.cpu().numpy(), scores.float().cpu().numpy()


def load_sam(checkpoint: Path, device: torch.device | None = None, dtype: torch.dtype = torch.float32) -> SamNetwork:
    """Load sam_vit_b/l/h_*.pth; raise InputError for other files."""
    try:
        state = torch.load(checkpoint, map_location='cpu', weights_only=True)
        width = int(state['image_encoder.patch_embed.proj.weight'].shape[0])
        model = build_module().sam_model_registry[KINDS[width]]()
        model.load_state_dict(state)
    except (
        OSError,
        EOFError,
        KeyError,
        RuntimeError,
        TypeError,
        AttributeError,
        ValueError,
        UnpicklingError,
    ) as error:
        raise InputError(f'not a segment-anything checkpoint ({str(error)[:200]})', where=str(checkpoint)) from error
    model.to(device or torch.device('cuda' if torch.cuda.is_available() else 'cpu'))
    return SamNetwork(model, f'sam/{checkpoint.stem}', dtype)
