"""A low-rank update of the parser's weights (LoRA, Hu et al., arXiv 2106.09685).

The parser is trained on generated phrases. Its adapter is trained on instructions that were written one by one,
together with such phrases: every matrix W becomes W + up @ down, and every vector gets an increment.
"""

from copy import deepcopy
from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
from typing import Final

from safetensors.torch import save
import torch
from torch import Tensor, nn

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_bytes
from converseg_ros.network.parser.files import read_tensors
from converseg_ros.network.parser.model import ParserModel

FORMAT: Final = '1'
AGAIN: Final = 'fetch the model folder again, or train the adapter again'
DOWN, UP, ADDED = '.down', '.up', '.added'


class AdaptedParser(nn.Module):
    """A frozen parser with a trainable update of its weights, which is zero at the start."""

    def __init__(self, base: ParserModel, rank: int) -> None:
        """Freeze `base`. rank: of the update of each matrix."""
        super().__init__()
        self.base = base.requires_grad_(False)
        self.changes = nn.ParameterDict()
        for name, value in base.named_parameters():
            if value.ndim == 2:
                self.changes[_key(name, DOWN)] = nn.Parameter(torch.randn(rank, value.shape[1]) / value.shape[1] ** 0.5)
                self.changes[_key(name, UP)] = nn.Parameter(torch.zeros(value.shape[0], rank))
            else:
                self.changes[_key(name, ADDED)] = nn.Parameter(torch.zeros_like(value))

    def weights(self) -> dict[str, Tensor]:
        """Return the updated weights by their names in the parser."""
        return updated(dict(self.base.named_parameters()), dict(self.changes))

    def merged(self) -> ParserModel:
        """Return a parser with the updated weights."""
        out = deepcopy(self.base)
        out.load_state_dict({name: value.detach() for name, value in self.weights().items()})
        return out


def updated(state: dict[str, Tensor], changes: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of a parser with the changes of an adapter, in their precision."""
    out = dict(state)
    for name, value in state.items():
        if (up := changes.get(_key(name, UP))) is not None:
            out[name] = value + up @ changes[_key(name, DOWN)]
        elif (added := changes.get(_key(name, ADDED))) is not None:
            out[name] = value + added
    return out


def _key(name: str, part: str) -> str:
    return (name + part).replace('.', '/')  # a ParameterDict has no keys with dots


@dataclass(frozen=True)
class AdapterFile:
    """The contents of a file. tokens: the closed tokens of the parser, in the order of its rows."""

    changes: dict[str, Tensor]
    tokens: tuple[str, ...]
    calibration: tuple[float, float]


def save_adapter(
    path: Path, network: AdaptedParser, parser: Path, tokens: tuple[str, ...], calibration: tuple[float, float]
) -> None:
    """Write an adapter in float16 atomically; it belongs to the file `parser`."""
    state = {name: value.detach().half().contiguous() for name, value in network.changes.items()}
    metadata = {
        'format': FORMAT,
        'parser': _hash(parser),
        'tokens': json.dumps(tokens),
        'calibration': json.dumps(calibration),
    }
    write_bytes(path, save(state, metadata))


def load_adapter(path: Path, parser: Path) -> AdapterFile:
    """Read an adapter of the file `parser`; raise InputError if it belongs to another one."""
    changes, metadata = read_tensors(path, FORMAT, again=AGAIN)
    if metadata.get('parser') != _hash(parser):
        raise InputError(f'the adapter belongs to another parser than {parser.name}', where=str(path), do=AGAIN)
    slope, offset = json.loads(metadata['calibration'])
    return AdapterFile(changes, tuple(json.loads(metadata['tokens'])), (slope, offset))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
