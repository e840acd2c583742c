"""SAM 2 of transformers (Ravi et al., arXiv 2408.00714), from a local model folder, as a promptable network."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.network.encoders.pretrained import load_model, model_type, resized
from converseg_ros.network.precision import autocast

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the images SAM 2 was trained on
KINDS = ('sam2', 'sam2_video')  # the released folders have the second kind, which contains the image model


class Sam2Network:
    """transformers' Sam2Model; the image is stretched to the input square, as by its processor."""

    def __init__(self, model: Any, name: str, dtype: torch.dtype = torch.float32) -> None:
        """Create the network with a model on its device; dtype: precision, for example bfloat16."""
        self.model, self.name, self.dtype = model.eval(), name, dtype
        self._size = int(model.config.vision_config.backbone_config.image_size[0])
        self._embeddings: Any = None
        self._shape, self._out = (0, 0), (0, 0)

    def set_image(self, rgb: NDArray[np.uint8], size: tuple[int, int] | None = None) -> None:
        """Encode an (H, W, 3) image; see Promptable."""
        self._shape = rgb.shape[0], rgb.shape[1]
        self._out = size or self._shape
        pixels = resized(rgb, (self._size, self._size), 'bilinear').to(self.model.device) / 255
        mean, std = (torch.tensor(v, device=pixels.device).view(3, 1, 1) for v in (MEAN, STD))
        with torch.inference_mode(), autocast(self.model.device, self.dtype):
            self._embeddings = self.model.get_image_embeddings(((pixels - mean) / std)[None])

    def from_boxes(self, boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (N, 3, h, w) and scores (N, 3) for N boxes."""
        scaled = boxes * np.tile(self._scale(), 2)
        return self._decode(input_boxes=torch.from_numpy(scaled)[None].to(self.model.device))

    def from_points(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (N, 3, h, w) and scores (N, 3) for N points."""
        scaled = torch.from_numpy(points * self._scale())[None, :, None].to(self.model.device)
        labels = torch.ones(scaled.shape[:3], dtype=torch.int64, device=scaled.device)
        return self._decode(input_points=scaled, input_labels=labels)

    def _scale(self) -> NDArray[np.float32]:
        height, width = self._shape
        return np.array([self._size / width, self._size / height], np.float32)

    def _decode(self, **prompts: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode(), autocast(self.model.device, self.dtype):
            out = self.model(image_embeddings=self._embeddings, multimask_output=True, **prompts)
        masks = F.interpolate(out.pred_masks[0].float(), self._out, mode='bilinear')
        return masks.cpu().numpy(), out.iou_scores[0].float().cpu().numpy()


def load_sam2(folder: Path, device: torch.device | None = None, dtype: torch.dtype = torch.float32) -> Sam2Network:
    """Load a transformers folder such as sam2.1-hiera-large; raise InputError for other folders."""
    from transformers import Sam2Model

    if (kind := model_type(folder)) not in KINDS:
        raise InputError(f'not a SAM 2 model but {kind!r}', where=str(folder), do='give the folder of a SAM 2 model')
    where = device or torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    model = load_model(Sam2Model, folder, 'a SAM 2 model of transformers').to(where)
    return Sam2Network(model, f'sam2/{folder.name}', dtype)
