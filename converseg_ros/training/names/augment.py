"""Augmented variants of a labelled object: rotated, occluded, badly lit, blurred, small, and badly segmented."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.network.names.crops import look, window

PATCH, REACH = 288, 2.25  # pixels of a patch, and its side divided by the longer side of the object's box
Mask = NDArray[np.bool_]
Rgb = NDArray[np.uint8]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Patch:
    """An object with its surroundings: (PATCH, PATCH, 3) uint8 and its mask."""

    rgb: Rgb
    mask: Mask


def patch_of(rgb: Rgb, mask: Mask) -> Patch:
    """Return an object with its surroundings, centred."""
    where = window(mask, REACH)
    inside = look(mask.view(np.uint8) * np.uint8(255), where, PATCH, cv2.BORDER_CONSTANT)
    return Patch(look(rgb, where, PATCH), inside > 127)


@dataclass
class Augmenter:
    """Draws variants; earlier patches provide occluders and backgrounds."""

    rng: Rng
    pool: deque[Patch] = field(default_factory=lambda: deque(maxlen=64))

    def variant(self, patch: Patch) -> Patch:
        """Return a variant of `patch`, and add `patch` to the pool."""
        if not self.pool or self.pool[-1] is not patch:
            self.pool.append(patch)
        rgb, mask = patch.rgb, patch.mask
        rgb, mask = self._turn(rgb, mask)
        if self._chance(0.2):
            rgb = self._elsewhere(rgb, mask)
        if self._chance(0.3):
            rgb, mask = self._covered(rgb, mask)
        rgb = self._camera(self._light(rgb), mask)
        return Patch(rgb, self._segmented(mask))

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def _turn(self, rgb: Rgb, mask: Mask) -> tuple[Rgb, Mask]:
        """Mirror, rotate by any angle, and change the aspect ratio slightly."""
        if self._chance(0.5):
            rgb, mask = np.ascontiguousarray(rgb[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
        angle = self.rng.uniform(-180, 180) if self._chance(0.55) else self.rng.normal(0, 6)
        move = cv2.getRotationMatrix2D((PATCH / 2, PATCH / 2), float(angle), 1.0)
        stretch = np.eye(3)
        stretch[0, 0], stretch[0, 1] = self.rng.uniform(0.82, 1.2), self.rng.normal(0, 0.06)
        stretch[0, 2] = PATCH / 2 * (1 - stretch[0, 0] - stretch[0, 1])
        move = move @ stretch
        turned = cv2.warpAffine(rgb, move, (PATCH, PATCH), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        inside = cv2.warpAffine(mask.view(np.uint8), move, (PATCH, PATCH), flags=cv2.INTER_NEAREST)
        return np.asarray(turned, np.uint8), inside.astype(bool)

    def _other(self) -> Patch:
        return self.pool[int(self.rng.integers(len(self.pool)))]

    def _elsewhere(self, rgb: Rgb, mask: Mask) -> Rgb:
        """Put the object before the background of another picture, or before one colour."""
        if self._chance(0.3):
            behind: NDArray[Any] = np.broadcast_to(self.rng.uniform(0, 255, 3), rgb.shape)
        else:
            behind = np.rot90(self._other().rgb, int(self.rng.integers(4)))
        weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)[..., None]
        return np.asarray(rgb * weight + behind * (1 - weight), np.uint8)

    def _covered(self, rgb: Rgb, mask: Mask) -> tuple[Rgb, Mask]:
        """Paste a part of another picture over up to half of the object."""
        other = self._other()
        shape = np.roll(other.mask, tuple(self.rng.integers(-PATCH // 3, PATCH // 3, 2)), (0, 1))
        if np.count_nonzero(shape & mask) > 0.5 * np.count_nonzero(mask):
            return rgb, mask
        return np.where(shape[..., None], np.roll(other.rgb, PATCH // 5, 0), rgb), mask & ~shape

    def _light(self, rgb: Rgb) -> Rgb:
        """Change white balance, saturation, brightness, contrast and gamma."""
        if not self._chance(0.85):
            return rgb
        x = rgb.astype(np.float32) / 255
        x = x * np.exp(self.rng.normal(0, 0.09, 3)).astype(np.float32)
        grey = x.mean(2, keepdims=True)
        x = grey + (x - grey) * np.float32(self.rng.uniform(0.45, 1.35))
        x = (x - 0.5) * np.float32(self.rng.uniform(0.65, 1.25)) + 0.5 + np.float32(self.rng.normal(0, 0.09))
        x = np.clip(x, 0, 1) ** np.float32(np.exp(self.rng.normal(0, 0.25)))
        return np.asarray(x * 255, np.uint8)

    def _camera(self, rgb: Rgb, mask: Mask) -> Rgb:
        """Simulate a larger distance, defocus or motion blur, and noise."""
        if self._chance(0.35):
            side = int(PATCH * self.rng.uniform(0.1, 0.5))
            small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)
            rgb = np.asarray(cv2.resize(small, (PATCH, PATCH), interpolation=cv2.INTER_LINEAR), np.uint8)
        if self._chance(0.25):
            rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), float(self.rng.uniform(0.8, 4))), np.uint8)
        elif self._chance(0.1):
            length = int(self.rng.integers(5, 17))
            kernel = np.zeros((length, length), np.float32)
            angle = self.rng.uniform(0, np.pi)
            reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
            middle = length / 2
            start, end = (tuple(int(v) for v in middle + s * reach) for s in (-1, 1))
            cv2.line(kernel, start, end, 1.0)
            rgb = np.asarray(cv2.filter2D(rgb, -1, kernel / max(kernel.sum(), 1)), np.uint8)
        if self._chance(0.3):
            noise = self.rng.normal(0, self.rng.uniform(2, 14), rgb.shape)
            rgb = np.clip(rgb + noise, 0, 255).astype(np.uint8)
        return rgb

    def _segmented(self, mask: Mask) -> Mask:
        """Change the mask like an imperfect segmenter: grown, shrunk, cut off, or merged with a neighbour."""
        out: NDArray[Any] = mask.view(np.uint8)
        size = int(self.rng.integers(1, 12)) | 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        out = cv2.dilate(out, kernel) if self._chance(0.5) else cv2.erode(out, kernel)
        rows, columns = np.nonzero(out)
        if len(rows) and self._chance(0.25):  # a part is missing
            angle = self.rng.uniform(0, 2 * np.pi)
            along = columns * np.cos(angle) + rows * np.sin(angle)
            gone = along > np.quantile(along, self.rng.uniform(0.62, 0.95))
            out = out.copy()
            out[rows[gone], columns[gone]] = 0
        elif len(rows) and self._chance(0.2):  # something next to it belongs to the segment
            pick = int(self.rng.integers(len(rows)))
            axes = tuple(int(v) for v in self.rng.uniform(0.05, 0.22, 2) * PATCH / REACH * 1.5)
            out = out.copy()
            centre = (int(columns[pick]), int(rows[pick]))
            cv2.ellipse(out, centre, axes, float(self.rng.uniform(0, 180)), 0, 360, 1, -1)
        if np.count_nonzero(out) < 40:
            out = mask.view(np.uint8)
        return out.astype(bool)
