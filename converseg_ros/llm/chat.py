"""The interface of chat models: one question about images, one answer as text, and the possible failures."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.image_files import encode_image


class NoReplyError(RuntimeError):
    """The model gave no reply."""


class RefusedError(NoReplyError):
    """The model refuses to answer this question."""


class UnavailableError(NoReplyError):
    """The model is overloaded, timed out or unreachable; `retry_after` in seconds if the server sent it."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Question:
    """One call: instruction, text, PNG or JPEG images in order, and the JSON schema of the answer."""

    task: str
    system: str
    text: str
    images: tuple[bytes, ...]
    schema: dict[str, Any]
    max_tokens: int = 2000


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of a reply and its number of tokens."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0


class ChatModel(Protocol):
    """One chat model, remote or local."""

    @property
    def name(self) -> str:
        """Return provider and model, for the cache key and the provenance; never contains a secret."""
        ...

    @property
    def remote(self) -> bool:
        """Return whether images are sent to another machine."""
        ...

    def ask(self, question: Question) -> Reply:
        """Answer; raise RefusedError, UnavailableError, or ConversegError for failures that a retry cannot solve."""
        ...


def image_type(data: bytes) -> str:
    """Return the MIME type of PNG or JPEG bytes."""
    return 'image/png' if data[:4] == b'\x89PNG' else 'image/jpeg'


MAX_IMAGE_SIDE = 1024  # pixels of the longer side of images that are sent


def sent_size(shape: tuple[int, ...], longest: int = MAX_IMAGE_SIDE) -> tuple[int, int]:
    """Return (width, height) at which an image of `shape` (H, W, ...) is sent."""
    scale = min(1.0, longest / max(shape[:2]))
    return round(shape[1] * scale), round(shape[0] * scale)


def sent_image(rgb: NDArray[np.uint8], longest: int = MAX_IMAGE_SIDE) -> bytes:
    """Return deterministic JPEG bytes of (H, W, 3) pixels with no side longer than `longest`."""
    import cv2

    size = sent_size(rgb.shape, longest)
    if size != rgb.shape[1::-1]:
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return encode_image(rgb, '.jpg', quality=92)


def sent_mask(mask: NDArray[np.bool_], longest: int = MAX_IMAGE_SIDE) -> bytes:
    """Return PNG bytes of a mask, white on black, with the size that `sent_image` gives its image."""
    import cv2

    size = sent_size(mask.shape, longest)
    image = mask.astype(np.uint8) * 255
    if size != mask.shape[::-1]:
        image = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    return encode_image(image, '.png')
