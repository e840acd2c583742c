"""The intent reader: the property that a text asks for, by a linear classifier of MiniLM's sentence vector.

The parser learns from phrase templates, and gives wrong programs for needs in other words ("what keeps the sun off his
face?"). The reader is trained with sentences of people (programs/phrasing/data/intents.yaml). It knows single
properties only, and `other` for every other text. It is a multinomial logistic regression with a temperature (Guo et
al., arXiv 1706.04599), and only used where the parser is uncertain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import json
import math
from pathlib import Path
from typing import Final

from safetensors.torch import save
import torch
from torch import Tensor, nn

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_bytes
from converseg_ros.network.file_names import INTENTS
from converseg_ros.network.parser.context import Hidden, Layer
from converseg_ros.network.parser.files import read_tensors
from converseg_ros.programs.intents import OTHER, condition, intents
from converseg_ros.programs.nodes import Filter, Node, Select

FORMAT: Final = '1'
UNSURE_PARSE: Final = 0.65  # confidence of the parser below which half of its programs are wrong
CERTAIN: Final = math.nextafter(UNSURE_PARSE, 0.0)  # the greatest confidence of a program of the reader
AGAIN: Final = 'fetch the model folder again, or train the intent reader'


@dataclass(frozen=True, slots=True)
class Intent:
    """What a text asks for: an intent of programs/intents.py or OTHER, and the probability that this is right."""

    name: str
    probability: float


class IntentModel(nn.Module):
    """The logits of `values` for sentence vectors of length 1."""

    def __init__(self, values: Sequence[str], size: int) -> None:
        """Create a model with zero weights."""
        super().__init__()
        self.values = tuple(values)
        self.linear = nn.Linear(size, len(self.values))
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return logits (B, K) for vectors (B, E) of any length."""
        out: Tensor = self.linear(nn.functional.normalize(vectors, dim=1))
        return out


class IntentReader:
    """Reads intents from the states of the parser's layers of MiniLM, by the remaining layers and the classifier."""

    def __init__(self, model: IntentModel, temperature: float, layers: Sequence[Layer]) -> None:
        """Create a reader; layers: those of MiniLM after the parser's."""
        self.model, self.temperature, self.layers = model.eval(), temperature, layers

    @torch.inference_mode()
    def read(self, hidden: Hidden) -> list[list[Intent]]:
        """Return the two most probable intents of each of B texts, the more probable one first."""
        vectors = hidden.after(self.layers).mean
        found = (self.model(vectors) / self.temperature).softmax(1).topk(2)
        return [
            [Intent(self.model.values[i], p) for i, p in zip(places, shares)]
            for places, shares in zip(found.indices.tolist(), found.values.tolist())
        ]


def save_intents(path: Path, model: IntentModel, temperature: float) -> None:
    """Write a model in float16 with the names of its intents and its temperature, atomically."""
    state = {name: value.detach().half().contiguous() for name, value in model.state_dict().items()}
    metadata = {'format': FORMAT, 'intents': json.dumps(model.values), 'temperature': json.dumps(temperature)}
    write_bytes(path, save(state, metadata))


def load_model(path: Path) -> tuple[IntentModel, float]:
    """Return the model of a file and its temperature; raise InputError for another file, or intents of a later version.

    An intent that this version does not know is an error: its probability would otherwise go to wrong ones.
    """
    state, metadata = read_tensors(path, FORMAT, again=AGAIN)
    values = json.loads(metadata['intents'])
    if unknown := sorted(set(values) - set(intents())):
        raise InputError(f'its intents {unknown} are unknown', where=str(path), do=AGAIN)
    model = IntentModel(values, state['linear.weight'].shape[1])
    model.load_state_dict(state)
    return model, float(json.loads(metadata['temperature']))


def load_reader(folder: Path, layers: Sequence[Layer]) -> IntentReader | None:
    """Return the reader of a model folder, or None if the folder has none; layers: those after the parser's."""
    path = folder / INTENTS
    return IntentReader(*load_model(path), layers) if path.is_file() else None


def preferred(found: Sequence[Intent], program: Node, confidence: float) -> tuple[Node, float] | None:
    """Return the program of the most probable intent and its confidence, or None if the parser's program is kept.

    found: the most probable intents. program, confidence: of the parser, whose number is kept ("something to ..."). A
    program with a noun is kept: the text says what it asks for ("the kettle that is boiling"). The confidence is the
    probability, but below UNSURE_PARSE: an answer is at most LOW_CONFIDENCE, and no safety instruction becomes certain.
    """
    best = found[0]
    if confidence >= UNSURE_PARSE or best.name == OTHER or best.probability <= confidence:
        return None
    if any(isinstance(node, Filter) and node.by == 'name' for node in program.walk()):
        return None
    quantity = program.quantity if isinstance(program, Select) else 'all'
    return Select(quantity, condition(best.name)), min(best.probability, CERTAIN)
