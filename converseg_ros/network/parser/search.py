"""Grammar-constrained beam search: every hypothesis is a prefix of a valid program."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import torch

from converseg_ros.network.parser.model import Cache, Memory, ParserModel
from converseg_ros.programs.linear import Grammar, State
from converseg_ros.programs.spans import Text

NEGLIGIBLE = 6.0
"""Hypotheses that are e^6 times less probable than the best program are dropped."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A complete or partial linear form, and the logarithm of its probability among all valid programs."""

    tokens: tuple[int, ...]
    log_probability: float
    state: State


@torch.inference_mode()
def search(
    model: ParserModel, memory: Memory, grammar: Grammar, texts: Sequence[Text], beam: int = 4
) -> list[list[Hypothesis]]:
    """Return up to `beam` complete programs for each text of the memory, the most probable first.

    The probability of a token is normalized over those that the grammar allows, so that it sums to 1 over all programs.
    The hypotheses of all texts are decoded together.
    """
    alive = [[Hypothesis((), 0.0, State())] for _ in texts]
    whole: list[list[Hypothesis]] = [[] for _ in texts]
    of = list(range(len(texts)))  # the text of each row
    last, step = torch.full((len(texts), 1), -1), 0
    cache: Cache | None = None
    by_row, rows_of = memory, of
    while of:
        if of != rows_of:  # often the same texts have as many hypotheses as before
            by_row, rows_of = memory.rows(of), of
        logits, cache = model.decode(last, by_row, cache, step)
        scores = logits[:, -1].float().numpy()
        rows: list[int] = []  # the parent of each new row
        start, of = 0, []
        for index, text in enumerate(texts):
            end = start + len(alive[index])
            alive[index], whole[index], parents = _extended(
                alive[index], whole[index], scores[start:end], grammar, text, beam
            )
            rows += [start + parent for parent in parents]
            of += [index] * len(parents)
            start = end
        if rows != list(range(len(scores))):
            place = torch.tensor(rows, dtype=torch.long)
            cache = {name: (k[place], v[place]) for name, (k, v) in cache.items()}
        last = torch.tensor([[h.tokens[-1]] for hypotheses in alive for h in hypotheses])
        step += 1
    return whole


def _extended(
    alive: list[Hypothesis],
    whole: list[Hypothesis],
    scores: NDArray[np.float32],
    grammar: Grammar,
    text: Text,
    beam: int,
) -> tuple[list[Hypothesis], list[Hypothesis], list[int]]:
    """Return the hypotheses of a text with one more token, the complete ones, and the parent of each of the former.

    scores: logits of the next token, (len(alive), tokens and words).
    """
    extended: list[tuple[float, int, int]] = []
    for row, hypothesis in enumerate(alive):
        allowed = np.flatnonzero(grammar.allowed(hypothesis.state, text))
        values = scores[row, allowed]
        top = values.max()
        values = values - top - np.log(np.exp(values - top).sum())
        best = np.argpartition(-values, beam)[:beam] if len(values) > beam else np.arange(len(values))
        extended.extend((hypothesis.log_probability + float(values[i]), row, int(allowed[i])) for i in best)
    extended.sort(key=lambda e: -e[0])
    kept: list[tuple[Hypothesis, int]] = []
    for probability, row, token in extended[:beam]:
        parent = alive[row]
        child = Hypothesis((*parent.tokens, token), probability, grammar.follow(parent.state, token))
        if child.state.done:
            whole = [*whole, child]
        else:
            kept.append((child, row))
    whole = sorted(whole, key=lambda h: -h.log_probability)[:beam]
    if whole:  # a longer program is never more probable than its prefix
        least = whole[0].log_probability - NEGLIGIBLE
        least = max(least, whole[-1].log_probability) if len(whole) == beam else least
        kept = [(h, row) for h, row in kept if h.log_probability > least]
    return [h for h, _ in kept], whole, [row for _, row in kept]


def batch_tokens(targets: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the decoder's inputs (-1 is the start) and the target after each (-100 is padding), both (B, T)."""
    size = max(len(t) for t in targets)
    inputs = torch.zeros(len(targets), size, dtype=torch.long)
    follow = torch.full((len(targets), size), -100, dtype=torch.long)
    for row, target in enumerate(targets):
        follow[row, : len(target)] = torch.tensor(target)
        inputs[row, 1 : len(target)] = torch.tensor(target[:-1])
    inputs[:, 0] = -1
    return inputs, follow
