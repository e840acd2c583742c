"""The proposer `sam2`: SAM 2 of transformers, from a local model folder."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.data_engine.proposers.sam_family import SamFamilyProposer

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the images SAM 2 was trained on


class Sam2Network:
    """transformers' Sam2Model; the image is stretched to the network's square, as its own processor does."""

    def __init__(self, model: Any, name: str) -> None:
        self.model, self.name = model.eval(), name
        self._size = int(model.config.vision_config.backbone_config.image_size[0])
        self._embeddings: Any = None
        self._shape = (0, 0)

    def set_image(self, rgb: NDArray[np.uint8]) -> None:
        """Encode an (H, W, 3) image."""
        import torch
        from torch.nn import functional

        self._shape = rgb.shape[:2]
        pixels = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float() / 255
        pixels = functional.interpolate(pixels, (self._size, self._size), mode='bilinear', antialias=True)
        mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
        with torch.inference_mode():
            self._embeddings = self.model.get_image_embeddings(((pixels - mean) / std).to(self.model.device))

    def _scale(self) -> NDArray[np.float32]:
        height, width = self._shape
        return np.array([self._size / width, self._size / height], np.float32)

    def _decode(self, **prompts: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            out = self.model(image_embeddings=self._embeddings, multimask_output=True, **prompts)
            masks = functional.interpolate(out.pred_masks[0].float(), self._shape, mode='bilinear')
        return masks.cpu().numpy(), out.iou_scores[0].float().cpu().numpy()

    def from_boxes(self, boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (N, 3, H, W) and scores (N, 3) for N boxes."""
        import torch

        scaled = boxes * np.tile(self._scale(), 2)
        return self._decode(input_boxes=torch.from_numpy(scaled)[None].to(self.model.device))

    def from_points(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (N, 3, H, W) and scores (N, 3) for N points."""
        import torch

        scaled = torch.from_numpy(points * self._scale())[None, :, None].to(self.model.device)
        labels = torch.ones(scaled.shape[:3], dtype=torch.int64, device=scaled.device)
        return self._decode(input_points=scaled, input_labels=labels)


class Sam2Proposer(SamFamilyProposer):
    """Stage 2 with SAM 2."""

    @classmethod
    def load(cls, folder: str, device: str = '') -> 'Sam2Proposer':
        """Load a transformers folder such as sam2.1-hiera-large; raise InputError where it is not one."""
        try:
            import torch
            from transformers import Sam2Model

            where = device or ('cuda' if torch.cuda.is_available() else 'cpu')
            model: Any = Sam2Model.from_pretrained(folder, local_files_only=True)
            model.to(torch.device(where))
        except (OSError, ValueError, ImportError) as error:
            raise InputError(f'not a SAM 2 model of transformers ({str(error)[:200]})', where=folder) from error
        return cls(Sam2Network(model, f'sam2/{Path(folder).name}'))
