"""Training examples of the parser, generated during training; each batch is a function of its number."""

from collections import Counter
from dataclasses import dataclass
import random

from torch import Tensor

from converseg_ros.core.errors import InputError
from converseg_ros.network.parser.pieces import Encoded, Inputs, Pieces, collate
from converseg_ros.network.parser.search import batch_tokens
from converseg_ros.programs.canonical import canonical
from converseg_ros.programs.exclusion import said_plainly
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.nodes import Node
from converseg_ros.programs.phrasing import Part
from converseg_ros.programs.spans import split
from converseg_ros.training.parser.source import Pairs, misspell_copied, phrased, read


@dataclass(frozen=True, slots=True)
class Example:
    """A text as words and pieces, its canonical program and the linear form."""

    words: list[str]
    text: Encoded
    program: Node
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Batch:
    """inputs: B texts. tokens: the decoder's inputs. follow: the target after each, -100 for none."""

    inputs: Inputs
    tokens: Tensor
    follow: Tensor


class Examples:
    """Pools of examples with phrases of `part`; `lost` counts programs without a linear form."""

    def __init__(self, grammar: Grammar, pieces: Pieces, part: Part, *, seed: int, pairs: Pairs | None = None) -> None:
        """Create a source; pairs: texts of a file that are also used."""
        self.grammar, self.pieces, self.part, self.seed, self.pairs = grammar, pieces, part, seed, pairs
        if pairs is not None:
            read(pairs.path)  # report an invalid file immediately
        self.lost: Counter[str] = Counter()

    def examples(self, number: int, count: int) -> list[Example]:
        """Return `count` examples of pool `number`."""
        rng = random.Random(f'{self.seed}-{self.part}-{number}')
        out: list[Example] = []
        tries = 0
        while len(out) < count:
            tries += 1
            if tries > 20 * count + 100:
                raise InputError(f'too few examples can be written: {self.lost.most_common(3)}', where='parser data')
            example = self._example(rng)
            if example is not None:
                out.append(example)
        return out

    def _example(self, rng: random.Random) -> Example | None:
        try:
            text, program = phrased(rng, self.part, self.pairs)
            program = canonical(program)
            words = split(said_plainly(text))
            tokens = self.grammar.write(program, words)
            pointers = [t - self.grammar.size for t in tokens if t >= self.grammar.size]
            misspell_copied(rng, words, pointers)
            encoded = self.pieces.encode(words)
        except InputError as error:
            self.lost[f'{error.where}: {error.what}'] += 1
            return None
        return None if len(encoded.ids) > 100 else Example(words, encoded, program, tokens)

    def pool(self, number: int, size: int, batches: int) -> list[Batch]:
        """Return the batches of a pool, each of `size` examples of similar length, in random order."""
        made = self.examples(number, size * batches)
        made.sort(key=lambda e: (len(e.text.ids), len(e.tokens)))
        groups = [made[i : i + size] for i in range(0, len(made), size)]
        random.Random(number).shuffle(groups)
        return [Batch(collate([e.text for e in g]), *batch_tokens([e.tokens for e in g])) for g in groups]
