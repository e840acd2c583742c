"""Zero-shot detectors of transformers: Grounding DINO and MM Grounding DINO, OWL-ViT and OWLv2, OmDet-Turbo."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.network.encoders.pretrained import (
    check_finite,
    image_settings,
    load_model,
    load_tokenizer,
    model_type,
    normalised,
    resized,
)
from converseg_ros.network.grounded.boxes import Found, best_boxes

DINO, OWL, OMDET = ('grounding-dino', 'mm-grounding-dino'), ('owlvit', 'owlv2'), ('omdet-turbo',)
KINDS = (*DINO, *OWL, *OMDET)
THRESHOLD = 0.25
TOKENS = 240  # maximum tokens of one text of a detector that reads all phrases as one text
PHRASES = 32  # maximum phrases per pass of the others


class ZeroShotDetector:
    """A detector in a local folder; images are prepared with torch as by the folder's processor."""

    def __init__(self, folder: Path, *, device: torch.device | None = None, threshold: float = THRESHOLD) -> None:
        """Load a folder; raise InputError for another kind or missing files."""
        from transformers import AutoModelForZeroShotObjectDetection

        self.kind = model_type(folder)
        if self.kind not in KINDS:
            raise InputError(
                f'{self.kind!r} is not a zero-shot detector', where=str(folder), do=f'give one of {", ".join(KINDS)}'
            )
        self._settings, self._tokenizer = image_settings(folder), load_tokenizer(folder)
        where = device or torch.device('cpu')
        model: Any = load_model(AutoModelForZeroShotObjectDetection, folder, 'a zero-shot detector of transformers')
        self.model, self.threshold, self.device = model.to(where), threshold, where
        self.name = f'zero-shot/{folder.name}'

    def find(self, rgb: NDArray[np.uint8], phrases: Sequence[str]) -> dict[str, list[Found]]:
        """Return the boxes of each phrase above the threshold; see boxes.Grounder."""
        found: dict[str, list[Found]] = {}
        for members in self.batches(phrases):
            scores, boxes = self.detect(rgb, members)
            size = rgb.shape[0], rgb.shape[1]
            found.update({p: best_boxes(boxes, s, size, self.threshold) for p, s in zip(members, scores)})
        return found

    def batches(self, phrases: Sequence[str]) -> list[list[str]]:
        """Return batches of phrases for one forward pass."""
        if self.kind not in DINO:
            return [list(phrases[i : i + PHRASES]) for i in range(0, len(phrases), PHRASES)]
        out: list[list[str]] = []
        length = TOKENS
        for phrase in phrases:
            tokens = len(self._pieces(phrase))
            if length + tokens > TOKENS:
                out.append([])
                length = 0
            out[-1].append(phrase)
            length += tokens
        return out

    def detect(self, rgb: NDArray[np.uint8], phrases: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return scores (K, N) in 0..1 and boxes (N, 4) in pixels (x0, y0, x1, y1) of one batch of phrases.

        Raises InputError if a number is not finite.
        """
        pixels, covered = self._pixels(rgb)
        with torch.inference_mode():
            if self.kind in DINO:
                chances, centred = self._dino(pixels, phrases)
            elif self.kind in OWL:
                chances, centred = self._owl(pixels, phrases)
            else:
                chances, centred = self._omdet(pixels, phrases)
        check_finite(chances, self.name)
        middle, extent = check_finite(centred, self.name).float().cpu().split(2, 1)
        corners = torch.cat([middle - extent / 2, middle + extent / 2], 1)
        scale = torch.tensor([covered[1], covered[0]] * 2, dtype=torch.float32)
        return chances.float().cpu().numpy(), np.asarray((corners * scale).numpy(), np.float32)

    def _pixels(self, rgb: NDArray[np.uint8]) -> tuple[Tensor, tuple[int, int]]:
        """Return the input of the model (1, 3, h, w), and the (rows, columns) of the image that it covers."""
        height, width = rgb.shape[0], rgb.shape[1]
        size, covered = self._settings.size, (height, width)
        if self.kind in DINO:
            target = sides(height, width, int(size.get('shortest_edge', 800)), int(size.get('longest_edge', 1333)))
        else:
            side = {'owlv2': 960, 'owlvit': 768}.get(self.kind, 640)
            target = int(size.get('height', side)), int(size.get('width', side))
        if self.kind == 'owlv2':  # padded to a square on the right and below
            longest = max(height, width)
            covered = longest, longest
            filled = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float()
            filled = F.pad(filled, (0, longest - width, 0, longest - height))
            factors = longest / target[0], longest / target[1]
            pixels = F.interpolate(blurred(filled, factors), target, mode='bilinear')[0]
        else:
            pixels = resized(rgb, target, self._settings.resample)
        return normalised(pixels[None].to(self.device), self._settings), covered

    def _dino(self, pixels: Tensor, phrases: Sequence[str]) -> tuple[Tensor, Tensor]:
        pieces = [self._pieces(p) for p in phrases]
        text = self._tokenizer(' '.join(map(sentence, phrases)), return_tensors='pt').to(self.device)
        out = self.model(pixel_values=pixels, pixel_mask=torch.ones_like(pixels[:, 0], dtype=torch.long), **text)
        chances, spans, start = out.logits[0].sigmoid(), [], 1  # after the first special token
        for piece in pieces:
            end = start + len(piece)
            spans.append(chances[:, start : max(end - 1, start + 1)].amax(1))  # without the full stop
            start = end
        return torch.stack(spans), out.pred_boxes[0]

    def _owl(self, pixels: Tensor, phrases: Sequence[str]) -> tuple[Tensor, Tensor]:
        longest = int(self.model.config.text_config.max_position_embeddings)
        text = self._tokenizer(
            list(phrases), padding='max_length', max_length=longest, truncation=True, return_tensors='pt'
        ).to(self.device)
        out = self.model(input_ids=text['input_ids'], attention_mask=text['attention_mask'], pixel_values=pixels)
        return out.logits[0].sigmoid().T, out.pred_boxes[0]

    def _omdet(self, pixels: Tensor, phrases: Sequence[str]) -> tuple[Tensor, Tensor]:
        def read(texts: list[str]) -> Any:
            return self._tokenizer(texts, padding='max_length', max_length=77, truncation=True, return_tensors='pt').to(
                self.device
            )

        task, classes = read([f'Detect {", ".join(phrases)}.']), read(list(phrases))
        out = self.model(
            pixel_values=pixels,
            classes_input_ids=classes['input_ids'],
            classes_attention_mask=classes['attention_mask'],
            tasks_input_ids=task['input_ids'],
            tasks_attention_mask=task['attention_mask'],
            classes_structure=torch.tensor([len(phrases)], device=self.device),
        )
        chances = out.decoder_class_logits[0].sigmoid()[:, : len(phrases)]
        return chances.T, out.decoder_coord_logits[0]

    def _pieces(self, phrase: str) -> list[int]:
        ids: list[int] = self._tokenizer(sentence(phrase), add_special_tokens=False)['input_ids']
        return ids[: TOKENS - 1]


def blurred(pixels: Tensor, factors: tuple[float, float]) -> Tensor:
    """Return (B, C, h, w) pixels with OWLv2's Gaussian filter against aliasing when downsampling by the factors."""
    for dim, factor in zip((2, 3), factors):
        sigma = (factor - 1) / 2
        radius = min(int(4 * sigma + 0.5), pixels.shape[dim] - 1) if sigma > 0 else 0
        if radius:
            at = torch.arange(-radius, radius + 1, dtype=torch.float32, device=pixels.device)
            weights = torch.exp(-0.5 * (at / sigma) ** 2)
            shape, pad = (1, 1, -1, 1) if dim == 2 else (1, 1, 1, -1), (0, 0, radius, radius)
            kernel = (weights / weights.sum()).view(shape)
            padded = F.pad(pixels, pad if dim == 2 else pad[2:] + pad[:2], mode='reflect')
            pixels = F.conv2d(padded.flatten(0, 1)[:, None], kernel).unflatten(0, pixels.shape[:2])[:, :, 0]
    return pixels


def sentence(phrase: str) -> str:
    """Return a phrase in the training format of Grounding DINO: in lower case, with exactly one final full stop."""
    return f'{phrase.lower().replace(".", " ").strip()}.'


def sides(height: int, width: int, shortest: int, longest: int) -> tuple[int, int]:
    """Return rows and columns of an image whose shorter side is `shortest`, unless the longer one exceeds `longest`.

    Rounded as transformers does, so that the features agree.
    """
    small, large = min(height, width), max(height, width)
    exact = float(shortest)
    if large / small * shortest > longest:
        exact = longest * small / large
    short = round(exact)
    long = int((exact if exact != shortest else short) * large / small)
    return (long, short) if width < height else (short, long)
