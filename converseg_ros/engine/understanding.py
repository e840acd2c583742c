"""Stage 1: regions from a judge, with boxes that make sense; a detector may give the boxes instead."""

from typing import Any, Protocol

from converseg_ros.core.errors import InputError
from converseg_ros.engine.judging import Judge, Picture, Region, box_iou


class Grounder(Protocol):
    """Turns descriptions into boxes."""

    @property
    def name(self) -> str:
        """Detector, for the provenance."""
        ...

    def ground(self, picture: Picture, regions: list[Region]) -> list[Region]:
        """Return the regions with boxes in pixels; those that cannot be found are left out."""
        ...


def understand(judge: Judge, picture: Picture, grounder: Grounder | None = None) -> list[Region]:
    """Return the judge's regions: boxes inside the image, no two of the same thing, one key each.

    With a grounder the boxes are the detector's; without one they are the judge's own.
    """
    regions = judge.describe(picture)
    if grounder is not None:
        regions = grounder.ground(picture, regions)
    kept: list[Region] = []
    seen: set[str] = set()
    for region in regions:
        box = region.box
        if box is None or region.key in seen:
            continue
        x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(picture.width, box[2]), min(picture.height, box[3])
        if x1 <= x0 or y1 <= y0:
            continue
        region = region.model_copy(update={'box': (x0, y0, x1, y1)})
        if any(k.text == region.text and k.category == region.category and _same(k, region) for k in kept):
            continue
        seen.add(region.key)
        kept.append(region)
    return kept


def _same(a: Region, b: Region) -> bool:
    return a.box is not None and b.box is not None and box_iou(a.box, b.box) > 0.85


class ZeroShotDetector:
    """Any zero-shot object detector of transformers (OWL-ViT, OWLv2, Grounding DINO) in a local folder."""

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

    @property
    def name(self) -> str:
        """Folder name of the detector."""
        from pathlib import Path

        return f'zero-shot/{Path(self._folder).name}'

    def ground(self, picture: Picture, regions: list[Region]) -> list[Region]:
        """Detect each description; the highest-scoring box wins, near the judge's own box if it gave one."""
        import torch

        if not regions:
            return []
        inputs = self._processor(text=[[r.text for r in regions]], images=picture.rgb, return_tensors='pt')
        with torch.inference_mode():
            outputs = self._model(**inputs)
        found = self._processor.post_process_grounded_object_detection(
            outputs, threshold=self.threshold, target_sizes=[(picture.height, picture.width)]
        )[0]
        out = []
        for index, region in enumerate(regions):
            best, best_score = None, -1.0
            for score, label, box in zip(found['scores'], found['labels'], found['boxes']):
                corners = tuple(round(float(v)) for v in box)
                if int(label) != index:
                    continue
                near = box_iou(region.box, (corners[0], corners[1], corners[2], corners[3])) if region.box else 0.0
                if float(score) + near > best_score:
                    best, best_score = (corners[0], corners[1], corners[2], corners[3]), float(score) + near
            if best is not None:
                out.append(region.model_copy(update={'box': best}))
        return out
