"""The interface of the parser: load a file, parse a text, get a program and its confidence."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
import json
import math
from pathlib import Path
from typing import Final

from safetensors.torch import save
from scipy.special import expit
import torch
from torch import Tensor

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_bytes
from converseg_ros.core.probability import log_odds
from converseg_ros.network.file_names import ADAPTER, PARSER, STATEMENTS
from converseg_ros.network.parser import adapter as adapters
from converseg_ros.network.parser.context import Context, Hidden, load_context
from converseg_ros.network.parser.files import read_tensors
from converseg_ros.network.parser.intents import CERTAIN, UNSURE_PARSE, IntentReader, load_reader, preferred
from converseg_ros.network.parser.model import ParserConfig, ParserModel
from converseg_ros.network.parser.pieces import Pieces, collate
from converseg_ros.network.parser.search import Hypothesis, search
from converseg_ros.network.parser.spelling import Spelling
from converseg_ros.programs.canonical import by_place, canonical, equal
from converseg_ros.programs.evidence import faults, says_more
from converseg_ros.programs.exclusion import said_plainly
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.literal import as_free_text, literally
from converseg_ros.programs.nodes import Like, Node, Select
from converseg_ros.programs.nouns import with_antecedents, with_plain_nouns
from converseg_ros.programs.pronouns import with_pronouns
from converseg_ros.programs.senses import with_senses
from converseg_ros.programs.spans import Text, split
from converseg_ros.programs.wordings import in_other_words

FORMAT: Final = '1'
AGAIN: Final = 'fetch the model folder again, or train the parser'
AS_FREE_TEXT: Final = 0.5
"""A program that is a single property and has a lower confidence is replaced by a free text."""
REMEMBERED: Final = 256
FAULT: Final = 5.0
"""A program is e^5 times less probable for each of its faults; 4 and 7 give the same results on the labels."""
READ_AGAIN: Final = 0.8
"""A text whose program has a lower confidence is read once more in other words (programs/wordings.py)."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The program of a text, the probability that it is correct (0 to 1), and the second most probable program."""

    program: Node
    confidence: float
    second: Node | None = None

    @property
    def free(self) -> bool:
        """Return whether the target is described by a free text, whose answer is estimated by words alone."""
        return isinstance(self.program, Select) and isinstance(self.program.of, Like)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic map from the log-odds of the search to the probability that a program is correct."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, probability: float) -> float:
        """Return the calibrated probability."""
        return float(expit(self.slope * log_odds(probability) + self.offset))


class Parser:
    """Parses English to programs, on one CPU thread; recent texts are cached."""

    def __init__(
        self,
        model: ParserModel,
        grammar: Grammar,
        pieces: Pieces,
        calibration: Calibration,
        *,
        context: Context | None = None,
        reader: IntentReader | None = None,
        beam: int = 4,
        free_texts: bool = False,
    ) -> None:
        """Create a parser.

        context: the layers of MiniLM of the model's configuration, if any. reader: for texts that the parser is unsure
        about; it continues from the states of `context`. free_texts: whether free texts can be answered, by statements
        of what classes do (network/names/statements.py), so that an unsure property is better read as one.
        """
        self.model, self.grammar, self.pieces = model.eval(), grammar, pieces
        self.calibration, self.beam = calibration, beam
        self.context, self.reader, self.free_texts = context, reader, free_texts
        self.spelling = Spelling(pieces.vocabulary())
        self._known: OrderedDict[str, Parsed] = OrderedDict()

    def parse(self, text: str) -> Parsed:
        """Return the program of a text; raise InputError if it is empty or too long."""
        (found,) = self.parse_all([text])
        if isinstance(found, InputError):
            raise found
        return found

    def parse_all(self, texts: Sequence[str]) -> list[Parsed | InputError]:
        """Return the program of each text, or the error that parse() would raise; new texts are read in one batch."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        found: dict[str, Parsed | InputError] = {t: self._known[t] for t in texts if t in self._known}
        found |= zip(new, self._parse(new))
        for text, parsed in found.items():
            if isinstance(parsed, Parsed):
                self._known[text] = parsed
                self._known.move_to_end(text)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return [found[text] for text in texts]

    @torch.inference_mode()
    def _parse(self, texts: Sequence[str]) -> list[Parsed | InputError]:
        found = self._read(texts)
        unsure = [i for i, p in enumerate(found) if isinstance(p, Parsed) and (p.confidence < READ_AGAIN or p.free)]
        others = {i: other for i in unsure if (other := in_other_words(texts[i])) != texts[i]}
        for i, parsed in zip(others, self._read(list(others.values()))):
            found[i] = _surer(found[i], parsed)
        return [self._described(parsed, text) for parsed, text in zip(found, texts)] if self.free_texts else found

    def _described(self, parsed: Parsed | InputError, text: str) -> Parsed | InputError:
        """Return an unsure program that is a single property as a free text, which statements may describe."""
        if not isinstance(parsed, Parsed) or parsed.confidence >= AS_FREE_TEXT:
            return parsed
        words = self._words(text)
        other = None if isinstance(words, InputError) else as_free_text(parsed.program, words)
        return parsed if other is None else replace(parsed, program=other, second=parsed.program)

    def _read(self, texts: Sequence[str]) -> list[Parsed | InputError]:
        """Return the program of each text as it is worded, in one batch."""
        given = [self._words(text) for text in texts]
        readable = [words for words in given if not isinstance(words, InputError)]
        parsed = iter(self._programs(readable) if readable else ())
        return [words if isinstance(words, InputError) else next(parsed) for words in given]

    def _words(self, text: str) -> list[str] | InputError:
        """Return the corrected words of a text, or why it cannot be read."""
        try:
            words = [self.spelling.correct(word) for word in split(said_plainly(text))]
        except InputError as error:
            return error
        if len(self.pieces.encode(words).ids) > self.model.config.pieces:
            return InputError('the text is too long', where='instruction', do='ask for one thing at a time')
        return words

    def _programs(self, texts: Sequence[Sequence[str]]) -> Iterator[Parsed]:
        """Return the programs of texts that are given as words."""
        inputs = collate([self.pieces.encode(words) for words in texts])
        vectors = self.pieces.vectors(inputs.ids)
        hidden = None if self.context is None else self.context.hidden(inputs.ids, inputs.lengths)
        states = None if hidden is None else hidden.pieces
        memory = self.model.encode(vectors, inputs.inner, inputs.lengths, inputs.first, inputs.words, states)
        found = search(self.model, memory, self.grammar, [Text(tuple(words)) for words in texts], self.beam)
        parsed = [self._best(hypotheses, words) for hypotheses, words in zip(found, texts)]
        parsed = parsed if hidden is None else self._by_intent(parsed, hidden)
        return iter([replace(p, program=with_senses(p.program, words)) for p, words in zip(parsed, texts)])

    def _by_intent(self, parsed: list[Parsed], hidden: Hidden) -> list[Parsed]:
        """Return the programs with those of the intent reader where it is more certain than an unsure parser."""
        unsure = [i for i, p in enumerate(parsed) if p.confidence < UNSURE_PARSE]
        if self.reader is None or not unsure:
            return parsed
        out = list(parsed)
        for i, intents in zip(unsure, self.reader.read(hidden.rows(unsure))):
            program = parsed[i].program
            if (better := preferred(intents, program, parsed[i].confidence)) is not None:
                out[i] = Parsed(*better, second=program)
        return out

    def _best(self, found: Sequence[Hypothesis], words: Sequence[str]) -> Parsed:
        """Return the most probable program; hypotheses with the same canonical form are the same program.

        The probability of a program with faults (programs/evidence.py) is reduced, and all are normalized again
        together with the probability of the programs that were not found. Programs that differ only in how they say a
        place ("on the left") count together, and the most probable of them is returned.
        """
        total: dict[Node, float] = {}
        said: dict[Node, Node] = {}  # the written program of each canonical one, which can be too deep
        for hypothesis in found:
            program = with_antecedents(with_plain_nouns(self.grammar.read_valid(hypothesis.tokens, words)), words)
            program = with_pronouns(program, words)
            same = canonical(program)
            said.setdefault(same, program)
            total[same] = total.get(same, 0.0) + math.exp(hypothesis.log_probability)
        others = max(0.0, 1 - sum(total.values()))
        weight = {same: p * math.exp(-FAULT * faults(said[same], words)) for same, p in total.items()}
        group = {same: by_place(same) for same in weight}
        together: dict[Node, float] = {}
        for same, p in weight.items():
            together[group[same]] = together.get(group[same], 0.0) + p
        best, *rest = sorted(weight, key=lambda same: (-together[group[same]], -weight[same]))
        confidence = self.calibration(together[group[best]] / (sum(weight.values()) + others))
        program, second = said[best], said[rest[0]] if rest else None
        if confidence < UNSURE_PARSE and says_more(program, words) and (plain := literally(program, words)) is not None:
            program, second = plain, program
        return Parsed(program, confidence, second)


def _surer(first: Parsed | InputError, other: Parsed | InputError) -> Parsed | InputError:
    """Return the first reading, or that in other words if it is surer and has another program.

    Facts are better than a free text: a reading without one is taken from UNSURE_PARSE on, even if it is less sure.

    About half of the programs in other words are right, so that their confidence stays below UNSURE_PARSE: an answer is
    at most LOW_CONFIDENCE, and no safety instruction becomes certain.
    """
    if not isinstance(first, Parsed) or not isinstance(other, Parsed):
        return first
    enough = UNSURE_PARSE if first.free and not other.free else first.confidence
    if other.confidence <= min(enough, first.confidence) or equal(first.program, other.program):
        return first
    return replace(other, confidence=min(other.confidence, CERTAIN))


def load_parser(folder: Path, file: Path | None = None, *, language: Context | None = None) -> Parser:
    """Return the parser of a model folder with its adapter, or that of another file with the folder's word pieces.

    language: the MiniLM of the folder, if it is loaded already.
    """
    grammar = Grammar(tuple(knowledge.tags()))
    adapter = folder / ADAPTER if file is None else None
    model, calibration = load_model(file or folder / PARSER, grammar, adapter)
    count, context, reader = model.config.context, None, None
    if count:
        language = language or load_context(folder)
        context, reader = language.first(count), load_reader(folder, language.layers[count:])
    pieces, free_texts = Pieces.load(folder), (folder / STATEMENTS).is_file()
    return Parser(model, grammar, pieces, calibration, context=context, reader=reader, free_texts=free_texts)


def save_parser(path: Path, model: ParserModel, grammar: Grammar, calibration: Calibration) -> None:
    """Write a model in float16 with its tokens and calibration, atomically."""
    state = {name: value.detach().half().contiguous() for name, value in model.state_dict().items()}
    metadata = {
        'format': FORMAT,
        'config': json.dumps(model.config.to_json()),
        'tokens': json.dumps(grammar.tokens),
        'calibration': json.dumps([calibration.slope, calibration.offset]),
    }
    write_bytes(path, save(state, metadata))


def load_model(path: Path, grammar: Grammar, adapter: Path | None = None) -> tuple[ParserModel, Calibration]:
    """Read a model for a grammar; tokens that the file does not have are never written, additional rows are dropped.

    adapter: file of an update of the weights (network/parser/adapter.py), which need not exist.
    """
    if not path.is_file():
        raise InputError('there is no parser', where=str(path), do=AGAIN)
    state, metadata = read_tensors(path, FORMAT, again=AGAIN)
    tokens, calibration = tuple(json.loads(metadata['tokens'])), Calibration(*json.loads(metadata['calibration']))
    if adapter is not None and adapter.is_file():
        change = adapters.load_adapter(adapter, path)
        state = adapters.updated(for_tokens(state, tokens, change.tokens), change.changes)
        tokens, calibration = change.tokens, Calibration(*change.calibration)
    config = ParserConfig(**json.loads(metadata['config']) | {'tokens': grammar.size})
    model = ParserModel(config)
    model.load_state_dict(for_tokens(state, tokens, grammar.tokens))
    return model, calibration


def for_tokens(state: dict[str, Tensor], old: tuple[str, ...], new: tuple[str, ...]) -> dict[str, Tensor]:
    """Return a model's state with the rows of its closed tokens in another order; new ones are never written."""
    place = {token: i for i, token in enumerate(old)}
    weight, bias = state['token.weight'], state['bias']
    rows = torch.tensor([place.get(t, -1) for t in new])
    known = (rows >= 0)[:, None]
    token = torch.where(known, weight[rows], torch.zeros(()))
    never = torch.where(known[:, 0], bias[rows], torch.full((), -1e4))
    return state | {'token.weight': torch.cat((token, weight[len(old) :])), 'bias': never}
