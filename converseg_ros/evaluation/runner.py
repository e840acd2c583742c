"""Evaluate a network and its baselines on samples, image by image, with a record that makes runs resumable."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
import json
from pathlib import Path
import time
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, Frame, Prediction, Role, Status, encode_rle
from converseg_ros.core.files import write_text
from converseg_ros.core.mask import overlap
from converseg_ros.core.progress import Progress, Report
from converseg_ros.core.segmentation import Query, SegmentationNetwork
from converseg_ros.core.stages import JobStage
from converseg_ros.datasets.samples import Sample, by_image, digest, fit_mask
from converseg_ros.evaluation.ladder import selected, step_of_answer
from converseg_ros.evaluation.metrics import Mask, Score, boundary_f
from converseg_ros.evaluation.record import Answer, read_record
from converseg_ros.facts.table import Facts

MODEL = 'model'  # name of the evaluated network among the answerers
BATCH = 8  # prompts per call
SWAP_OVERLAP = 0.1  # masks with a lower IoU are different objects (language sensitivity)


class Baseline(Protocol):
    """A baseline; its input is the image, the prompts of that image and the network's answers to them."""

    name: str

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Answer K texts on the view; it is set in `network`, and `own` are the network's answers."""
        ...


class Runner:
    """Evaluates samples; `record` is the file that makes a run resumable."""

    def __init__(
        self,
        network: SegmentationNetwork,
        baselines: Sequence[Baseline] = (),
        record: Path | None = None,
        report: Callable[[str], None] = print,
        weights: str = '',
        role: Role = Role.PLAIN,
        proposals: bool = False,
    ) -> None:
        """Create a runner.

        weights: `record.fingerprint` of the model folder, so that a record of other weights is not used.
        role: with which all prompts are asked. proposals: score the mask of an answer that is NO_TARGET too, for a
        calibration, which decides itself which answers are.
        """
        self.network, self.baselines, self.record, self.report = network, list(baselines), record, report
        self.progress: Report | None = None  # called for each image
        self.weights, self.role, self.proposals = weights, role, proposals
        self.names = [MODEL, *(b.name for b in self.baselines)]
        self.image_ms: list[float] = []

    def run(self, samples: Sequence[Sample]) -> dict[str, list[Answer]]:
        """Return the answers of the network and of each baseline, in the order of the samples."""
        head = {
            'model': self.network.name,
            'weights': self.weights,
            'answerers': self.names,
            'data': digest(samples),
            'role': self.role.name,
            **({'proposals': True} if self.proposals else {}),
        }
        wanted = {(name, s.id) for name in self.names for s in samples}
        before = read_record(self.record, head) if self.record else []
        kept = {(a.by, a.score.id): a for a in before if (a.by, a.score.id) in wanted}
        groups = list(by_image(samples))
        open_groups = [g for g in groups if any((n, s.id) not in kept for n in self.names for s in g)]
        for g in open_groups:  # images are processed as a unit, because their items are compared with one another
            for s in g:
                for n in self.names:
                    kept.pop((n, s.id), None)
        if self.record:
            write_text(self.record, '\n'.join([json.dumps(head), *(a.to_json() for a in kept.values())]) + '\n')
        if len(open_groups) < len(groups):
            self.report(f'resumed: {len(groups) - len(open_groups)} of {len(groups)} images were done before')
        for number, g in enumerate(_progress(open_groups, len(groups) - len(open_groups)), 1):
            answers = list(self._group(g))
            kept |= {(a.by, a.score.id): a for a in answers}
            if self.record:
                with self.record.open('a') as f:
                    f.write(''.join(a.to_json() + '\n' for a in answers))
            if self.progress is not None:
                done = len(groups) - len(open_groups) + number
                self.progress(Progress(stage=JobStage.IMAGES, done=done, total=len(groups)))
        return {name: [kept[name, s.id] for s in samples] for name in self.names}

    def _group(self, group: list[Sample]) -> Iterator[Answer]:
        """Yield the answers of every answerer to the prompts of one image."""
        truths: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_] | None]] = {}
        problems: dict[str, str] = {}
        view = None
        for s in group:
            try:
                view = s.view() if view is None else view
                truth = fit_mask(s.truth(), *view.rgb.shape[:2])
                ignore = s.ignore() if s.ignore else None
                truths[s.id] = truth, ignore
            except Exception as error:
                problems[s.id] = _say(error)
        good = [s for s in group if s.id in truths]
        own: dict[str, Prediction] = {}
        if view is not None and good:
            start = time.perf_counter()
            try:
                self.network.set_image(view, key=(group[0].image_id, view.rgb.shape))
                self.image_ms.append(1e3 * (time.perf_counter() - start))
            except Exception as error:
                problems |= {s.id: _say(error) for s in good}
                good = []
        millis: dict[str, float] = {}
        for chunk in (good[i : i + BATCH] for i in range(0, len(good), BATCH)):
            start = time.perf_counter()
            answers, failed = self._ask(
                chunk, lambda c: self.network.predict([Query(s.prompt, s.program, self.role) for s in c])
            )
            own |= answers
            problems |= failed
            millis |= {s.id: 1e3 * (time.perf_counter() - start) / len(chunk) for s in chunk}
        steps = self._steps(good, view, truths, own) if view is not None and own else {}
        for id_, problem in problems.items():
            self.report(f'skipped {id_}: {problem}')
        for answer in self._scored(MODEL, group, truths, own, problems, millis):
            yield replace(answer, score=replace(answer.score, step=steps.get(answer.score.id, '')))
        answered = [s for s in good if s.id in own]
        for baseline in self.baselines:
            found: dict[str, Prediction] = {}
            failed = dict(problems)
            if view is not None and answered:
                image = view

                def call(c: list[Sample], image: Any = image, baseline: Baseline = baseline) -> list[Prediction]:
                    return baseline.answer(image, [s.prompt for s in c], self.network, [own[s.id] for s in c])

                found, more = self._ask(answered, call)
                failed |= more
            yield from self._scored(baseline.name, group, truths, found, failed, {})

    def _steps(
        self,
        samples: list[Sample],
        view: Frame,
        truths: Mapping[str, tuple[Mask, Mask | None]],
        own: Mapping[str, Prediction],
    ) -> dict[str, str]:
        """Return the step at which each answer failed, for a network that executes programs."""
        if getattr(self.network, 'facts', None) is None:
            return {}
        answered = [s for s in samples if s.id in own]
        given: dict[str, Prediction] = {}
        if golds := [s for s in answered if s.gold is not None]:
            given, _ = self._ask(golds, lambda c: self.network.predict([Query(s.prompt, s.gold, self.role) for s in c]))
        facts: Facts = self.network.facts  # type: ignore[attr-defined]  # after a search for nouns of given programs
        return {
            s.id: step_of_answer(s, view, facts, truths[s.id][0], own[s.id], given.get(s.id), self.role)
            for s in answered
        }

    def _ask(
        self, samples: list[Sample], call: Callable[[list[Sample]], list[Prediction]]
    ) -> tuple[dict[str, Prediction], dict[str, str]]:
        """Ask all prompts at once; if that fails, one at a time, so that only the failing prompt is affected."""
        try:
            answers = call(samples)
            if len(answers) != len(samples):
                raise ConversegError(f'{len(answers)} answers to {len(samples)} prompts')
            return {s.id: p for s, p in zip(samples, answers)}, {}
        except Exception as error:
            if len(samples) == 1:
                return {}, {samples[0].id: _say(error)}
        found: dict[str, Prediction] = {}
        failed: dict[str, str] = {}
        for s in samples:
            one, bad = self._ask([s], call)
            found |= one
            failed |= bad
        return found, failed

    def _scored(
        self,
        by: str,
        group: list[Sample],
        truths: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_] | None]],
        found: dict[str, Prediction],
        problems: dict[str, str],
        millis: dict[str, float],
    ) -> Iterator[Answer]:
        """Yield the scored answers of one answerer to one image."""
        swapped = swap_scores({k: t for k, (t, _) in truths.items()}, {k: p.mask for k, p in found.items()})
        for s in group:
            truth, ignore = truths.get(s.id, (None, None))
            p = found.get(s.id)
            why = problems.get(s.id, '')
            if p is not None and p.status == Status.ERROR and not why:
                why = p.reason or 'the network answered ERROR'
            positive = None if truth is None else bool(truth.any())
            score = Score(
                s.id, s.image_id, s.prompt, positive, family=s.family, sub_concept=s.sub_concept, weight=s.weight
            )
            if p is None or truth is None or why:
                union = 0 if truth is None else int(np.count_nonzero(truth))
                yield Answer(by, replace(score, union=union, error=why or 'no answer'))
                continue
            mask = selected(p) if self.proposals else p.mask
            mask = mask if ignore is None else mask & ~ignore
            truth = truth if ignore is None else truth & ~ignore
            intersection, union = overlap(mask, truth)
            score = replace(
                score,
                refused=p.status == Status.NO_TARGET,
                status=p.status.name,
                intersection=intersection,
                union=union,
                boundary=boundary_f(mask, truth) if positive else 0.0,
                recall=intersection / np.count_nonzero(truth) if truth.any() else 0.0,
                marked=float(mask.mean()),
                score=float(p.score),
                object_score=None if p.object_score is None else float(p.object_score),
                mask_score=None if p.mask_score is None else float(p.mask_score),
                evidence=p.evidence,
                swapped=swapped.get(s.id),
                ms=millis.get(s.id, 0.0),
            )
            yield Answer(by, score, encode_rle(mask))


def swap_scores(truths: dict[str, NDArray[np.bool_]], masks: dict[str, NDArray[np.bool_]]) -> dict[str, float]:
    """Return, for each positive item of one image, the mean IoU of its mask with the answers to *other* prompts.

    Only prompts with a target whose mask has an IoU below 0.1 with this one are used.
    """
    positive = {k: t for k, t in truths.items() if t.any() and k in masks}
    values: dict[str, list[float]] = defaultdict(list)
    for a, truth in positive.items():
        for b, other in positive.items():
            if a == b:
                continue
            shared, union = overlap(truth, other)
            if shared / union < SWAP_OVERLAP:
                intersection, union = overlap(masks[b], truth)
                values[a].append(intersection / union)
    return {k: float(np.mean(v)) for k, v in values.items()}


def _say(error: Exception) -> str:
    """Return a one-line description of an error."""
    text = str(error) if isinstance(error, ConversegError) else f'{type(error).__name__}: {error}'
    return ' '.join(text.split())[:300] or type(error).__name__


def _progress(groups: list[list[Sample]], done: int) -> Any:
    from tqdm import tqdm

    return tqdm(groups, total=len(groups) + done, initial=done, unit='image', disable=None, leave=False)
