"""`names.safetensors`: the trained head, its calibration, and the meanings of the nouns of the vocabulary.

Nouns are stored by name, so that `knowledge` may change after the training.
"""

from dataclasses import dataclass
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
import torch
from torch import Tensor

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import atomic_path
from converseg_ros.network.names.head import NameHead, NounSources

FORMAT = '1'
AGAIN = 'train it again: converseg train config/train/names.yaml'


@dataclass(frozen=True)
class Scaling:
    """Calibration: log-odds are multiplied by a noun's own factor (fitted on 20 or more instances), or by `shared`.

    own: factors by noun.
    """

    shared: float
    own: dict[str, float]

    def __post_init__(self) -> None:
        """Validate that the factors preserve order."""
        for noun, factor in {'shared': self.shared, **self.own}.items():
            if not 0 < factor < 20:
                raise InputError(f'the factor of {noun} is {factor}', where='calibration of names', do=AGAIN)

    def of(self, noun: str) -> float:
        """Return the factor of a noun."""
        return self.own.get(noun, self.shared)


@dataclass(frozen=True)
class Meanings:
    """Unit vectors (V, D) of nouns by the text encoder, for nouns without evidence."""

    nouns: tuple[str, ...]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class NameWeights:
    """The contents of the file."""

    head: NameHead
    scaling: Scaling
    meanings: Meanings


def save_names(path: Path, weights: NameWeights) -> None:
    """Write the file atomically: matrices in float16, meanings in int8."""
    head, meanings = weights.head, weights.meanings
    tensors: dict[str, Tensor] = {
        f'head.{name}': value.half() if value.ndim > 1 else value for name, value in head.state_dict().items()
    }
    sources = head.sources
    tensors['sources.crops'] = torch.from_numpy(sources.crops).int()
    tensors['sources.classes'] = torch.from_numpy(sources.classes).int()
    tensors['sources.kinds'] = torch.from_numpy(sources.kinds)
    tensors['meanings'] = torch.from_numpy(np.round(meanings.vectors * 127).astype(np.int8))
    facts = {
        'nouns': sources.nouns,
        'meant': meanings.nouns,
        'scaling': {'shared': weights.scaling.shared, 'own': weights.scaling.own},
    }
    with atomic_path(path) as temporary:
        save_file(
            {k: v.contiguous() for k, v in sorted(tensors.items())},
            temporary,
            {'format': FORMAT, 'facts': json.dumps(facts)},
        )


def load_names(path: Path) -> NameWeights:
    """Read the file; raise InputError if it is invalid."""
    try:
        with safe_open(path, 'pt') as file:
            metadata = file.metadata() or {}
            if metadata.get('format') != FORMAT:
                raise InputError(f'format {metadata.get("format")!r}', where=str(path), do=AGAIN)
            facts = json.loads(metadata['facts'])
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        sources = NounSources(
            tuple(facts['nouns']),
            tensors['sources.crops'].numpy().astype(np.intp),
            tensors['sources.classes'].numpy().astype(np.intp),
            tensors['sources.kinds'].numpy(),
        )
        head = NameHead(sources)
        head.load_state_dict({k.removeprefix('head.'): v.float() for k, v in tensors.items() if k.startswith('head.')})
        vectors = tensors['meanings'].numpy().astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        scaling = Scaling(float(facts['scaling']['shared']), dict(facts['scaling']['own']))
        return NameWeights(head.eval(), scaling, Meanings(tuple(facts['meant']), vectors))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f'not the weights of names ({error})', where=str(path), do=AGAIN) from error
