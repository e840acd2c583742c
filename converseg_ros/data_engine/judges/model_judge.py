"""A judge that uses pixels: any chat model, with prompts of this package and a schema for its answers."""

import json
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.errors import InputError
from converseg_ros.core.overlay import Layer, draw_overlay
from converseg_ros.data_engine.contracts import Picture, PromptDraft, Region, Verdict
from converseg_ros.data_engine.judges import prompts
from converseg_ros.llm.boxes import convention_of
from converseg_ros.llm.calls import Calls, NoAnswerError
from converseg_ros.llm.chat import Question, sent_image, sent_mask, sent_size
from converseg_ros.llm.reply import schema_of


class _Loose(BaseModel):
    model_config = ConfigDict(extra='ignore')


class DescribedRegion(_Loose):
    """One region in the answer of the model; the box has the convention of its family (llm/boxes.py)."""

    text: str = Field(min_length=1, max_length=200)
    category: str = Field(min_length=1, max_length=60)
    box: list[float] = Field(min_length=4, max_length=4)


class Description(_Loose):
    """The answer of stage 1."""

    regions: list[DescribedRegion]


class WrittenPrompt(_Loose):
    """One prompt in the answer of the model."""

    text: str = Field(min_length=1, max_length=300)
    regions: list[str]
    sub_concept: str
    phase: Literal['literal', 'conversational']
    strategy: Literal['positive', 'missing_cousin', 'false_attribute', 'wrong_relation']


class WrittenPrompts(_Loose):
    """The answer of stage 4."""

    prompts: list[WrittenPrompt]


class ModelJudge:
    """Asks a chat model the question of each stage; an invalid answer rejects a mask, or fails the image."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.boxes = convention_of(calls.chat.name)

    @property
    def name(self) -> str:
        """Return the model and the version of the prompts."""
        return f'{self.calls.chat.name}/prompts-{prompts.VERSION}'

    def _ask(self, task: str, text: str, images: list[bytes], answer: type[BaseModel]) -> Any:
        question = Question(task, prompts.SYSTEM, text, tuple(images), schema_of(answer))
        return self.calls.ask(question, answer)

    def describe(self, picture: Picture) -> list[Region]:
        """Ask for the contents; boxes are clipped to the image, and regions with an empty box are dropped."""
        text = prompts.DESCRIBE.format(box=self.boxes.words(*sent_size(picture.rgb.shape)))
        try:
            answer = self._ask('describe', text, [sent_image(picture.rgb)], Description)
        except NoAnswerError as error:
            raise InputError(str(error), where='scene understanding') from error
        regions = []
        found_regions = answer.regions[:60]
        boxes = self.boxes.read([r.box for r in found_regions], sent_size(picture.rgb.shape))
        for number, (found, share) in enumerate(zip(found_regions, boxes)):
            box = pixels(share, picture.width, picture.height)
            if box is not None:
                regions.append(Region(key=f'r{number}', text=found.text, category=found.category, box=box))
        return regions

    def verify(self, picture: Picture, region: Region, mask: NDArray[np.bool_]) -> Verdict:
        """Ask whether a mask shows the complete region and nothing else."""
        text = prompts.VERIFY.format(
            text=json.dumps(region.text),
            box=self._written(region.box, picture),
            unit=self.boxes.words(*sent_size(picture.rgb.shape)),
        )
        return self._verdict('verify', text, picture, mask)

    def _verdict(self, task: str, text: str, picture: Picture, mask: NDArray[np.bool_]) -> Verdict:
        overlay = draw_overlay(picture.rgb, [Layer(mask)])
        try:
            answer: Verdict = self._ask(
                task, text, [sent_image(picture.rgb), sent_image(overlay), sent_mask(mask)], Verdict
            )
        except NoAnswerError as error:
            return Verdict(ok=False, score=0.0, reason=str(error))
        return answer

    def _written(self, box: tuple[int, int, int, int] | None, picture: Picture) -> list[int] | None:
        """Return a box in pixels in the convention of the model."""
        if box is None:
            return None
        share = [v / (picture.width, picture.height)[i % 2] for i, v in enumerate(box)]
        return self.boxes.write(share, sent_size(picture.rgb.shape))

    def prompts(self, picture: Picture, regions: list[Region], count: int, negatives: float) -> list[PromptDraft]:
        """Ask for prompts; those about unknown regions or of unknown sub-concepts are dropped."""
        listed = [{'key': r.key, 'text': r.text, 'box': self._written(r.box, picture)} for r in regions]
        absent = round(count * negatives)
        text = prompts.WRITE.format(
            unit=self.boxes.words(*sent_size(picture.rgb.shape)),
            regions=json.dumps(listed, ensure_ascii=False),
            positive=count - absent,
            negative=absent,
            concepts='\n'.join(f'- {s.name} ({s.family}): {s.description}' for s in SUB_CONCEPTS.values()),
        )
        try:
            answer = self._ask('write', text, [sent_image(picture.rgb)], WrittenPrompts)
        except NoAnswerError as error:
            raise InputError(str(error), where='prompt generation') from error
        known = {r.key for r in regions}
        out = []
        for p in answer.prompts[: 2 * count]:
            positive = p.strategy == 'positive'
            if p.sub_concept in SUB_CONCEPTS and set(p.regions) <= known and bool(p.regions) == positive:
                out.append(
                    PromptDraft(
                        text=' '.join(p.text.split()),
                        regions=tuple(sorted(set(p.regions))),
                        sub_concept=p.sub_concept,
                        phase=p.phase,
                        strategy=p.strategy,
                    )
                )
        return out

    def align(self, picture: Picture, text: str, mask: NDArray[np.bool_]) -> Verdict:
        """Ask whether the mask answers the prompt; an empty mask means that nothing does."""
        template = prompts.ALIGN if mask.any() else prompts.ALIGN_EMPTY
        return self._verdict('align', template.format(text=json.dumps(text)), picture, mask)


def pixels(box: list[float], width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return a box (left, top, right, bottom; 0..1) as pixels inside the image, or None if it is outside."""
    if not all(np.isfinite(box)):
        return None
    x0, x1 = sorted((box[0] * width, box[2] * width))
    y0, y1 = sorted((box[1] * height, box[3] * height))
    left, right = max(0, round(x0)), min(width, round(x1))
    top, bottom = max(0, round(y0)), min(height, round(y1))
    return (left, top, right, bottom) if right - left >= 2 and bottom - top >= 2 else None
