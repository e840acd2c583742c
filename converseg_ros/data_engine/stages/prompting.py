"""Stage 4: prompts for the verified regions, positives and hard negatives, without language errors or duplicates."""

from collections import Counter

from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.instruction import clean_text
from converseg_ros.data_engine.contracts import Judge, Picture, PromptDraft
from converseg_ros.data_engine.grammar.linter import lint
from converseg_ros.data_engine.stages.verification import VerifiedRegion


def write_prompts(
    judge: Judge, picture: Picture, verified: list[VerifiedRegion], count: int, negatives: float
) -> tuple[list[PromptDraft], Counter[str]]:
    """Return usable drafts, and why others were dropped; `negatives` is the share without a target."""
    known = {v.region.key for v in verified}
    kept: list[PromptDraft] = []
    seen: set[str] = set()
    dropped: Counter[str] = Counter()
    for draft in judge.prompts(picture, [v.region for v in verified], count, negatives):
        text = clean_text(draft.text)
        problems = lint(text, bare=draft.phase == 'literal', context=draft.context)
        if problems:
            dropped[f'language: {problems[0]}'] += 1
        elif draft.sub_concept not in SUB_CONCEPTS:
            dropped['unknown sub-concept'] += 1
        elif not set(draft.regions) <= known:
            dropped['needs a rejected region'] += 1
        elif text.lower() in seen:
            dropped['said before'] += 1
        else:
            seen.add(text.lower())
            kept.append(draft.model_copy(update={'text': text}))
    return kept, dropped
