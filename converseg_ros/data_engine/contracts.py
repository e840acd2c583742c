"""The data types of the five stages, and the interface of a judge."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


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
    """Stage 1: a region of the image, as text and as a box in pixels (x0, y0, x1, y1)."""

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
    """Stages 3 and 5: whether a mask shows what the text describes."""

    model_config = ConfigDict(extra='ignore', strict=True)

    ok: bool
    score: float = Field(ge=0, le=1, strict=False)
    reason: str = ''


class PromptDraft(BaseModel):
    """Stage 4: a prompt and the regions that answer it; none for a negative.

    program: JSON object of the program that the prompt means, if the judge knows it.
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
    """Answers the questions of the engine about an image: a scene graph, annotations, or a model."""

    @property
    def name(self) -> str:
        """Return judge, model and version, for the provenance."""
        ...

    def describe(self, picture: Picture) -> list[Region]:
        """Stage 1: describe the contents of the image."""
        ...

    def verify(self, picture: Picture, region: Region, mask: NDArray[np.bool_]) -> Verdict:
        """Stage 3: return whether the mask covers the complete region and nothing else."""
        ...

    def prompts(self, picture: Picture, regions: list[Region], count: int, negatives: float) -> list[PromptDraft]:
        """Stage 4: write about `count` prompts that these regions answer, with a share of negatives."""
        ...

    def align(self, picture: Picture, text: str, mask: NDArray[np.bool_]) -> Verdict:
        """Stage 5: return whether the mask, which may be empty, is the answer to the prompt."""
        ...
