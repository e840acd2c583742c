"""Unsure texts are read again in other words, or literally; see test_parser.py for the parser itself."""

from collections.abc import Sequence
import math

import pytest
import torch

from converseg_ros import knowledge
from converseg_ros.network.parser.intents import UNSURE_PARSE
from converseg_ros.network.parser.model import ParserConfig, ParserModel
from converseg_ros.network.parser.parser import Calibration, Parsed, Parser
from converseg_ros.network.parser.pieces import Pieces
from converseg_ros.network.parser.search import Hypothesis
from converseg_ros.network.registry import find_model
from converseg_ros.programs.linear import Grammar, State
from converseg_ros.programs.nodes import Act, Filter, Like, Rank, Select
from converseg_ros.programs.spans import Text, split


@pytest.fixture(scope='module')
def grammar() -> Grammar:
    return Grammar(tuple(knowledge.tags()))


@pytest.fixture(scope='module')
def pieces() -> Pieces:
    return Pieces.load(find_model('compact'))


def model(grammar: Grammar) -> ParserModel:
    torch.manual_seed(0)
    return ParserModel(ParserConfig(grammar.size, width=16, heads=2, encoder_layers=1, decoder_layers=1))


def test_an_unsure_text_is_read_again_in_other_words(
    grammar: Grammar, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The surer reading counts; what is sure, and what has no other words, is read once."""
    shares = {'shatter': 0.5, 'break': 0.9, 'smash': 0.95, 'leak': 0.9, 'mug': 0.5}
    read: list[str] = []

    def found(
        net: object, memory: object, grammar: Grammar, texts: Sequence[Text], beam: int
    ) -> list[list[Hypothesis]]:
        out = []
        for text in texts:
            word = next(word for word in shares if word in text.words)
            read.append(word)
            program = Select('one', Filter('tag', 'fragile' if word == 'break' else 'sharp'))
            tokens = tuple(grammar.write(program, text.words))
            out.append([Hypothesis(tokens, math.log(shares[word]), State())])
        return out

    monkeypatch.setattr('converseg_ros.network.parser.parser.search', found)
    parser = Parser(model(grammar), grammar, pieces, Calibration())
    texts = ('what would shatter', 'what could leak', 'a mug', 'what would smash')
    confidence = [parser.parse(text).confidence for text in texts]
    assert read == ['shatter', 'break', 'leak', 'mug', 'smash']
    assert confidence == pytest.approx([UNSURE_PARSE, 0.9, 0.5, 0.95]), 'other words are never certain'


def test_a_free_text_is_replaced_by_a_reading_with_facts_that_is_less_sure(
    grammar: Grammar, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The free text counts if the other reading is below UNSURE_PARSE, and of a noun only if it is less sure."""
    shares = {'shatter': 0.9, 'break': 0.7, 'spill': 0.4}

    def found(
        net: object, memory: object, grammar: Grammar, texts: Sequence[Text], beam: int
    ) -> list[list[Hypothesis]]:
        out = []
        for text in texts:
            word = next((word for word in shares if word in text.words), '')
            free = Select('one', Like(word or text.words[-1]))
            program = free if word in ('shatter', '') else Select('one', Filter('tag', 'fragile'))
            share = shares.get(word, 0.9)
            out.append([Hypothesis(tuple(grammar.write(program, text.words)), math.log(share), State())])
        return out

    monkeypatch.setattr('converseg_ros.network.parser.parser.search', found)
    parser = Parser(model(grammar), grammar, pieces, Calibration())
    facts, free = parser.parse('what would shatter'), parser.parse('what would leak')
    assert facts.program == Select('one', Filter('tag', 'fragile')) and facts.confidence < UNSURE_PARSE + 1e-9
    assert free.program == Select('one', Like('leak')) and free.confidence == pytest.approx(0.9)


def test_an_unsure_program_that_says_more_than_its_text_is_read_literally(
    grammar: Grammar, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = split('the runner sliding into the base')
    runner = Filter('name', 'runner')
    wrong = Select('one', Act('watching', 'agent', runner, Filter('name', 'base')))

    def parse(share: float) -> Parsed:
        """Return what is parsed if the search finds the wrong program with this probability."""
        found = [Hypothesis(tuple(grammar.write(wrong, words)), math.log(share), State())]
        monkeypatch.setattr('converseg_ros.network.parser.parser.search', lambda *_: [found])
        return Parser(model(grammar), grammar, pieces, Calibration()).parse(' '.join(words))

    unsure = parse(0.1)
    assert (unsure.program, unsure.second) == (Select('one', Like('sliding into the base', runner)), wrong)
    assert parse(1 - 1e-9).program == wrong


@pytest.mark.parametrize(('share', 'free_texts', 'read'), [(0.2, True, True), (0.2, False, False), (0.9, True, False)])
def test_an_unsure_property_is_read_as_a_free_text_if_these_can_be_answered(
    grammar: Grammar,
    pieces: Pieces,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    free_texts: bool,
    read: bool,
) -> None:
    words = split('what could I toss the salad with')
    wrong = Select('all', Filter('tag', 'wipe'))
    found = [Hypothesis(tuple(grammar.write(wrong, words)), math.log(share), State())]
    monkeypatch.setattr('converseg_ros.network.parser.parser.search', lambda *_: [found])
    parser = Parser(model(grammar), grammar, pieces, Calibration(), free_texts=free_texts)
    parsed = parser.parse(' '.join(words))
    assert parsed.program == (Select('all', Like('toss the salad with')) if read else wrong)
    assert parsed.confidence == pytest.approx(share)


def test_readings_that_differ_only_in_how_they_say_a_place_count_together(
    grammar: Grammar, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = split('the box on the left')
    box = Filter('name', 'box')
    readings = {Rank('x', 'min', box): 0.4, Select('one', Filter('region', 'left', box)): 0.3, Select('one', box): 0.2}
    found = [Hypothesis(tuple(grammar.write(p, words)), math.log(share), State()) for p, share in readings.items()]
    monkeypatch.setattr('converseg_ros.network.parser.parser.search', lambda *_: [found])
    parsed = Parser(model(grammar), grammar, pieces, Calibration()).parse(' '.join(words))
    assert parsed.program == Rank('x', 'min', box) and parsed.confidence == pytest.approx(0.7)
