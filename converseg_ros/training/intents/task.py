"""The task `intents`: a classifier of sentence vectors of the frozen MiniLM."""

from collections.abc import Callable, Sequence
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.core.instruction import without_closing_marks
from converseg_ros.network.file_names import INTENTS
from converseg_ros.network.parser.context import load_context
from converseg_ros.network.parser.intents import IntentModel, save_intents
from converseg_ros.network.parser.pieces import Pieces, collate
from converseg_ros.network.registry import find_model
from converseg_ros.programs.exclusion import said_plainly
from converseg_ros.programs.intents import OTHER, intents
from converseg_ros.programs.spans import split
from converseg_ros.training.intents.config import IntentTraining
from converseg_ros.training.intents.sentences import Sentence, by_people, drawn, phrased
from converseg_ros.training.task import Scores, Task

TOGETHER = 64  # texts that MiniLM encodes at once
Encoded = tuple[Tensor, Tensor]
"""Sentence vectors (N, E), and the places of their intents (N,)."""


class IntentTask(Task[Encoded]):
    """Trains a multinomial logistic regression; a batch has a fixed share of sentences of people."""

    def __init__(self, config: IntentTraining, report: Callable[[str], None] = print) -> None:
        """Encode all sentences once."""
        self.config, self.optim = config, config.optim
        self.intents = intents()
        self.pieces = Pieces.load(find_model(config.pieces))
        self.context = load_context(find_model(config.pieces))
        people, used = by_people('all'), by_people('train')
        made = [*phrased(config.phrased, config.seed), *drawn(config.drawn, config.seed)]
        report(f'{len(used)} of {len(people)} sentences of people, {len(made)} generated ones')
        self.people, self.made = self.encoded(used), self.encoded(made)
        self.held_out = self.encoded(by_people('held_out'))
        self.others = self.encoded(list(drawn(config.validate, -1)))
        self.identity = hashlib.sha256('\n'.join(f'{t}\t{i}' for t, i in people).encode()).hexdigest()

    def encoded(self, sentences: Sequence[Sentence]) -> Encoded:
        """Return the vectors and the intents of sentences."""
        texts = [self.pieces.encode(split(said_plainly(without_closing_marks(text)))) for text, _ in sentences]
        order = sorted(range(len(texts)), key=lambda i: len(texts[i].ids))  # texts of one length are not padded
        vectors = torch.zeros(len(texts), self.pieces.weight.shape[1])
        for start in range(0, len(order), TOGETHER):
            rows = order[start : start + TOGETHER]
            inputs = collate([texts[i] for i in rows])
            vectors[rows] = self.context.hidden(inputs.ids, inputs.lengths).mean
        place = {name: i for i, name in enumerate(self.intents)}
        return vectors, torch.tensor([place[intent] for _, intent in sentences])

    def build(self) -> IntentModel:
        """Return a classifier with zero weights."""
        return IntentModel(self.intents, self.pieces.weight.shape[1])

    def batch(self, step: int, number: int) -> Encoded:
        """Return random sentences of people and generated ones."""
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + number)
        people = round(self.config.people * self.config.batch)
        parts = []
        for (vectors, places), count in ((self.people, people), (self.made, self.config.batch - people)):
            chosen = torch.randint(len(places), (count,), generator=generator)
            parts.append((vectors[chosen], places[chosen]))
        return torch.cat([v for v, _ in parts]), torch.cat([p for _, p in parts])

    def loss(self, network: nn.Module, batch: Encoded) -> dict[str, Tensor]:
        """Return the mean cross-entropy, and its sum with the penalty."""
        assert isinstance(network, IntentModel)
        vectors, places = batch
        cost = F.cross_entropy(network(vectors), places)
        return {'total': cost + self.config.penalty * network.linear.weight.square().sum(), 'entropy': cost}

    def validate(self, network: nn.Module, step: int) -> Scores:
        """Return the accuracy on held-out sentences (the goal), and the share of random programs that are recognized.

        properties: of the held-out sentences that ask for a property. drawn: random programs of the grammar.
        """
        other = self.intents.index(OTHER)
        found, right = (network(vectors).argmax(1) == places for vectors, places in (self.held_out, self.others))
        values = {
            'held_out': float(found.float().mean()),
            'properties': float(found[self.held_out[1] != other].float().mean()),
            'drawn': float(right.float().mean()),
        }
        return Scores(values['held_out'], values)

    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        """Write intents.safetensors with the temperature that fits the held-out sentences."""
        assert isinstance(network, IntentModel)
        path = (folder or Path(self.config.out)) / INTENTS
        save_intents(path, network, self.temperature(network))
        return path

    @torch.no_grad()
    def temperature(self, network: nn.Module) -> float:
        """Return the temperature with the least cross-entropy on the held-out sentences (Guo et al., 1706.04599)."""
        logits = network(self.held_out[0])
        steps = torch.logspace(-1, 1, 200)
        costs = torch.stack([F.cross_entropy(logits / t, self.held_out[1]) for t in steps])
        return float(steps[costs.argmin()])


create = IntentTask
