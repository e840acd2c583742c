"""A bigram model of what operators say, to rescore the hypotheses of the recogniser.

`phrases.txt` has the counts of word pairs in the data engine's prompts and, each weighted ten times, in the written
dialogues and in `examples.txt` (the instructions of the demo and the evaluation, and phrases for places). Sentences
that share four consecutive words with a list that `bench speech` measures are excluded. It is written by

python -m converseg_ros.speech.phrases phrases.txt prompts.txt dialogues.txt:10 examples.txt:10

`words.txt` has the vocabulary of the rules of the dialogue and of the data engine.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
import math
from pathlib import Path
import re
import sys

from converseg_ros.core.files import atomic_path

START, END = '<', '>'
DISCOUNT = 0.7  # subtracted from every count and given to pairs without counts (Ney, Essen and Kneser 1994)
EXPECTED, HOT = 0.1, 0.05  # probability shares of the vocabulary and of the hot-words
FLOOR = 1e-7  # probability of any other word
ENDINGS = ('', "'s", 's', 'es', 'ed', 'd', 'ing')  # inflections of words of the vocabulary

Pairs = dict[str, Counter[str]]


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return re.findall(r"[a-z']+", text.casefold())


class Phrases:
    """Bigram probabilities of sentences."""

    def __init__(self, pairs: Pairs, expected: Iterable[str] = ()) -> None:
        """Take the counts of the words after each word, and the vocabulary of words without counts."""
        self._pairs, self._expected = pairs, frozenset(expected)
        self._alone: Counter[str] = Counter()
        for after in pairs.values():
            self._alone.update(after)
        self._all = max(self._alone.total(), 1)

    @classmethod
    def load(cls, path: Path, expected: Iterable[str] = ()) -> 'Phrases':
        """Read a file written by `write`."""
        pairs: Pairs = {}
        for line in path.read_text().splitlines():
            first, *after = line.split()
            pairs[first] = Counter({word: int(n) for word, n in (pair.split(':') for pair in after)})
        return cls(pairs, expected)

    def write(self, path: Path) -> None:
        """Write the counts: one line per word with its successors, the most frequent first."""
        with atomic_path(path) as temporary:
            lines = (
                ' '.join([first, *(f'{w}:{n}' for w, n in sorted(after.items(), key=lambda p: (-p[1], p[0])))])
                for first, after in sorted(self._pairs.items())
            )
            temporary.write_text('\n'.join(lines) + '\n')

    def log_probability(self, words: Sequence[str], hot: frozenset[str] = frozenset()) -> float:
        """Return the natural logarithm of the probability of a sentence, with `hot` as hot-words."""
        total, last = 0.0, START
        for word in [*words, END]:
            probability = self._single(word, hot)
            after = self._pairs.get(last)
            if after:
                rest = DISCOUNT * len(after) * probability
                probability = (max(after[word] - DISCOUNT, 0) + rest) / after.total()
            total += math.log(probability)
            last = word
        return total

    def _single(self, word: str, hot: frozenset[str]) -> float:
        """Return the unigram probability of a word."""
        known = any(word.endswith(e) and word[: len(word) - len(e)] in self._expected for e in ENDINGS)
        share = (1 - EXPECTED - HOT) * self._alone[word] / self._all + FLOOR
        return share + (EXPECTED / len(self._expected) if known else 0) + (HOT / len(hot) if word in hot else 0)


def count(sentences: Iterable[tuple[str, int]]) -> Pairs:
    """Return the counts of word pairs in sentences, each with its weight."""
    pairs: Pairs = {}
    for text, times in sentences:
        words = [START, *words_of(text), END]
        for first, second in pairwise(words):
            pairs.setdefault(first, Counter())[second] += times
    return pairs


@cache
def operators() -> Phrases:
    """Return the model that is part of the package."""
    folder = Path(__file__).parent
    return Phrases.load(folder / 'phrases.txt', (folder / 'words.txt').read_text().split())


def main(arguments: Sequence[str]) -> None:
    """Write the counts of text files with one sentence per line; `FILE:TIMES` gives a file the weight TIMES."""
    out, *files = arguments
    sentences = []
    for name, _, times in (file.partition(':') for file in files):
        sentences += [(line, int(times or 1)) for line in Path(name).read_text().splitlines()]
    Phrases(count(sentences)).write(Path(out))


if __name__ == '__main__':
    main(sys.argv[1:])
