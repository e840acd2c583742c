"""What the five stages exchange, and what they ask of a judge."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from converseg_ros.core.mask import Box


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright image: key of its content, (H, W, 3) uint8 pixels."""

    key: str
    rgb: NDArray[np.uint8]

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.rgb.shape[1])


class Region(BaseModel):
    """Stage 1: something in the image, in words and as a box in pixels (x0, y0, x1, y1)."""

    model_config = ConfigDict(extra='ignore')

    key: str
    text: str = Field(min_length=1, max_length=200)
    category: str = Field(min_length=1, max_length=60)
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Stage 2: a mask (H, W) proposed for a region."""

    region: Region
    mask: NDArray[np.bool_]
    score: float
    origin: str


class Verdict(BaseModel):
    """Stages 3 and 5: whether a mask shows what the words say."""

    model_config = ConfigDict(extra='ignore', strict=True)

    ok: bool
    score: float = Field(ge=0, le=1, strict=False)
    reason: str = ''


class PromptDraft(BaseModel):
    """Stage 4: a prompt and the regions that answer it; none for a negative.

    program: JSON object of the program that the prompt means, where the judge knows it.
    """

    model_config = ConfigDict(extra='ignore')

    text: str = Field(min_length=1, max_length=300)
    regions: tuple[str, ...] = ()
    sub_concept: str
    phase: Literal['literal', 'conversational'] = 'conversational'
    strategy: Literal['positive', 'missing_cousin', 'false_attribute', 'wrong_relation'] = 'positive'
    context: str = ''
    spoken: str = ''
    program: dict[str, Any] | None = None


class Judge(Protocol):
    """Whoever sees an image and answers the engine's questions: a scene graph, annotations, or a model."""

    @property
    def name(self) -> str:
        """Judge, model and version, for the provenance."""
        ...

    def describe(self, picture: Picture) -> list[Region]:
        """Stage 1: say what is in the image."""
        ...

    def verify(self, picture: Picture, region: Region, mask: NDArray[np.bool_]) -> Verdict:
        """Stage 3: say whether the mask covers the region, all of it and nothing else."""
        ...

    def prompts(self, picture: Picture, regions: list[Region], count: int, negatives: float) -> list[PromptDraft]:
        """Stage 4: write about `count` prompts that these regions answer, a share of them negatives."""
        ...

    def align(self, picture: Picture, text: str, mask: NDArray[np.bool_]) -> Verdict:
        """Stage 5: say whether the mask, which may be empty, is the answer to the prompt."""
        ...


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return intersection over union of two masks; 1 if both are empty."""
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 1.0


def box_iou(a: tuple[int, int, int, int] | Box, b: tuple[int, int, int, int] | Box) -> float:
    """Return intersection over union of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / both if both > 0 else 0.0
