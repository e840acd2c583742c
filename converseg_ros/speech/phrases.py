"""What operators are likely to say: a model of word pairs that weighs up what the recogniser may have heard.

`phrases.txt` counts the pairs of words in the data engine's prompts and, ten times each, in the written dialogues and
in `examples.txt`: what the demo and the evaluation ask, and ways to say where a thing is to go. Sentences that have
four words in a row in common with a list that `bench speech` measures were left out. Made by

    python -m converseg_ros.speech.phrases phrases.txt prompts.txt dialogues.txt:10 examples.txt:10

`words.txt` has the words of the dialogue's rules and of what the data engine knows: all of them may be said.
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
DISCOUNT = 0.7  # taken off every count, for pairs that were not counted (Ney, Essen and Kneser 1994)
EXPECTED, HOT = 0.1, 0.05  # shares of the words that may be said, and of those that were announced
FLOOR = 1e-7  # of any other word
ENDINGS = ('', "'s", 's', 'es', 'ed', 'd', 'ing')  # of expected words

Pairs = dict[str, Counter[str]]


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return re.findall(r"[a-z']+", text.casefold())


class Phrases:
    """How likely sentences are, by the pairs of words in others."""

    def __init__(self, pairs: Pairs, expected: Iterable[str] = ()) -> None:
        """Take the counts of what follows each word, and words that may be said though no pair has them."""
        self._pairs, self._expected = pairs, frozenset(expected)
        self._alone: Counter[str] = Counter()
        for after in pairs.values():
            self._alone.update(after)
        self._all = max(self._alone.total(), 1)

    @classmethod
    def load(cls, path: Path, expected: Iterable[str] = ()) -> 'Phrases':
        """Read what `write` wrote."""
        pairs: Pairs = {}
        for line in path.read_text().splitlines():
            first, *after = line.split()
            pairs[first] = Counter({word: int(n) for word, n in (pair.split(':') for pair in after)})
        return cls(pairs, expected)

    def write(self, path: Path) -> None:
        """Write the counts: a line a word, what follows it most first."""
        with atomic_path(path) as temporary:
            lines = (
                ' '.join([first, *(f'{w}:{n}' for w, n in sorted(after.items(), key=lambda p: (-p[1], p[0])))])
                for first, after in sorted(self._pairs.items())
            )
            temporary.write_text('\n'.join(lines) + '\n')

    def log_probability(self, words: Sequence[str], hot: frozenset[str] = frozenset()) -> float:
        """Return the natural logarithm of the probability of a sentence; `hot` words were announced."""
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
        """Return the probability of a word whatever is before it."""
        known = any(word.endswith(e) and word[: len(word) - len(e)] in self._expected for e in ENDINGS)
        share = (1 - EXPECTED - HOT) * self._alone[word] / self._all + FLOOR
        return share + (EXPECTED / len(self._expected) if known else 0) + (HOT / len(hot) if word in hot else 0)


def count(sentences: Iterable[tuple[str, int]]) -> Pairs:
    """Return the pairs of words in sentences, each counted as often as is said beside it."""
    pairs: Pairs = {}
    for text, times in sentences:
        words = [START, *words_of(text), END]
        for first, second in pairwise(words):
            pairs.setdefault(first, Counter())[second] += times
    return pairs


@cache
def operators() -> Phrases:
    """Return the model that comes with the package."""
    folder = Path(__file__).parent
    return Phrases.load(folder / 'phrases.txt', (folder / 'words.txt').read_text().split())


def main(arguments: Sequence[str]) -> None:
    """Write the counts of text files, a sentence a line, `FILE:TIMES` each so often."""
    out, *files = arguments
    sentences = []
    for name, _, times in (file.partition(':') for file in files):
        sentences += [(line, int(times or 1)) for line in Path(name).read_text().splitlines()]
    Phrases(count(sentences)).write(Path(out))


if __name__ == '__main__':
    main(sys.argv[1:])
