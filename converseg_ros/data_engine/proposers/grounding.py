"""Boxes for descriptions by a zero-shot object detector of transformers: OWL-ViT, OWLv2, Grounding DINO."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.mask import box_iou
from converseg_ros.data_engine.contracts import Picture, Region

SAME = 0.85  # IoU above which two boxes show the same object
TOKENS = 240  # maximum tokens of one prompt of a detector that reads all descriptions as one text


class ZeroShotDetector:
    """A detector in a local folder; nothing is downloaded."""

    def __init__(self, folder: str, *, threshold: float = 0.1) -> None:
        try:
            from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

            self._processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True)
            self._model: Any = AutoModelForZeroShotObjectDetection.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError, ImportError) as error:
            raise InputError(
                f'not a zero-shot detector that transformers can load ({str(error)[:300]})', where=folder
            ) from error
        self._folder, self.threshold = folder, threshold
        self._one_text = 'dino' in self._model.config.model_type  # it reads "a cat. a dog." and scores its tokens

    @property
    def name(self) -> str:
        """Return the folder name of the detector."""
        return f'zero-shot/{Path(self._folder).name}'

    def ground(self, picture: Picture, regions: list[Region]) -> list[Region]:
        """Assign to each region the best box for its text, near the judge's own box if there is one.

        Boxes are integer pixels inside the image. Two regions of a category never get the same box: the better one
        keeps it. A region without a box above the threshold is dropped.
        """
        claims: list[tuple[float, int, tuple[int, int, int, int]]] = []
        for first, members in self._batches(regions):
            scores, boxes = self._detect(picture, members)
            for offset, region in enumerate(members):
                for query in np.flatnonzero(scores[offset] >= self.threshold):
                    box = _inside(boxes[query], picture)
                    if box is not None:
                        near = box_iou(region.box, box) if region.box else 0.0
                        claims.append((float(scores[offset, query]) + near, first + offset, box))
        given: dict[int, tuple[int, int, int, int]] = {}
        for _, index, box in sorted(claims, key=lambda c: (-c[0], c[1], c[2])):
            taken = any(
                regions[i].category == regions[index].category and box_iou(b, box) > SAME for i, b in given.items()
            )
            if index not in given and not taken:
                given[index] = box
        return [r.model_copy(update={'box': given[i]}) for i, r in enumerate(regions) if i in given]

    def _batches(self, regions: list[Region]) -> list[tuple[int, list[Region]]]:
        """Return batches of regions for one forward pass, each with the index of its first region."""
        if not self._one_text:
            return [(0, regions)] if regions else []
        out: list[tuple[int, list[Region]]] = []
        length = TOKENS
        for index, region in enumerate(regions):
            tokens = len(self._tokens(region))
            if length + tokens > TOKENS:
                out.append((index, []))
                length = 0
            out[-1][1].append(region)
            length += tokens
        return out

    def _tokens(self, region: Region) -> list[int]:
        ids: list[int] = self._processor.tokenizer(_phrase(region), add_special_tokens=False)['input_ids']
        return ids[: TOKENS - 1]

    def _detect(self, picture: Picture, regions: list[Region]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return scores (regions, queries) in 0..1 and boxes (queries, 4) in pixels of the picture."""
        import torch

        size = [(picture.height, picture.width)]
        if self._one_text:
            inputs = self._processor(
                text=' '.join(_phrase(r) for r in regions), images=picture.rgb, return_tensors='pt'
            )
        else:
            words = [[r.text for r in regions]]
            inputs = self._processor(text=words, images=picture.rgb, return_tensors='pt', truncation=True)
        with torch.inference_mode():
            outputs = self._model(**inputs)
        more: dict[str, Any] = {}
        if self._one_text:
            more = {'input_ids': inputs['input_ids'], 'text_threshold': 2.0}
        found = self._processor.post_process_grounded_object_detection(
            outputs, threshold=-1.0, target_sizes=size, **more
        )[0]
        chances = torch.sigmoid(outputs.logits[0])  # (queries, texts or tokens)
        if self._one_text:
            spans, start = [], 1  # after the first special token
            for region in regions:
                end = start + len(self._tokens(region))
                spans.append(chances[:, start : end - 1].amax(1))  # without the full stop
                start = end
            scores = torch.stack(spans)
        else:
            scores = chances.T
        return scores.numpy().astype(np.float32), found['boxes'].numpy().astype(np.float32)


def _phrase(region: Region) -> str:
    return f'{region.text.lower().replace(".", " ").strip()}.'


def _inside(box: NDArray[np.float32], picture: Picture) -> tuple[int, int, int, int] | None:
    """Return a box as integer pixels inside the picture, or None if it is outside."""
    if not np.isfinite(box).all():
        return None
    x0, y0 = max(0, round(float(box[0]))), max(0, round(float(box[1])))
    x1, y1 = min(picture.width, round(float(box[2]))), min(picture.height, round(float(box[3])))
    return (x0, y0, x1, y1) if x1 - x0 >= 2 and y1 - y0 >= 2 else None
