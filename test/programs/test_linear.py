"""The linear form: every program has one, it reads back as the same program, and nothing else can be written."""

import random

import numpy as np
import pytest
from random_programs import random_program, text_of

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.programs.linear import MAX_TOKENS, Grammar, State
from converseg_ros.programs.nodes import Filter, FreeSpace, Parts, Rank, Select, Things, node_from_json
from converseg_ros.programs.spans import Text, length, read_span, split


@pytest.fixture(scope='module')
def grammar() -> Grammar:
    return Grammar(tuple(knowledge.tags()))


@pytest.mark.parametrize('seed', range(300))
def test_a_program_reads_back_from_its_linear_form_and_its_json(grammar: Grammar, seed: int) -> None:
    rng = random.Random(seed)
    program = random_program(rng, 4)
    words = text_of(program, rng)
    try:
        tokens = grammar.write(program, words)
    except InputError as error:
        assert 'tokens' in str(error)  # too long: an error, never a part of a program
        return
    assert grammar.read(tokens, words) == program
    assert node_from_json(program.to_json()) == program


@pytest.mark.parametrize('words', ['mug', 'room for 20 by 30 cm or half a metre', '5cm 5cm'])
@pytest.mark.parametrize('seed', range(100))
def test_every_path_through_the_grammar_ends_in_a_valid_program(grammar: Grammar, seed: int, words: str) -> None:
    text = Text(tuple(words.split()))
    rng = np.random.default_rng(seed)
    state, tokens = State(), []
    while not state.done:
        allowed = np.flatnonzero(grammar.allowed(state, text))
        assert len(allowed)
        tokens.append(int(rng.choice(allowed)))
        state = grammar.follow(state, tokens[-1])
    assert len(tokens) <= MAX_TOKENS
    grammar.read(tokens, text.words)  # raises where a node refuses its values


def test_nouns_are_copied_from_the_text_in_the_singular(grammar: Grammar) -> None:
    program = Select('all', Filter('name', 'kitchen knife'))
    words = split('Show me the kitchen knives, please!')
    tokens = grammar.write(program, words)
    assert [t - grammar.size for t in tokens if t >= grammar.size] == [3, 4]
    assert grammar.read(tokens, split('show me the bread boards please')) == Select(
        'all', Filter('name', 'bread board')
    )


def test_a_noun_that_is_not_said_cannot_be_written_unless_it_is_implied(grammar: Grammar) -> None:
    with pytest.raises(InputError, match='not among the words'):
        grammar.write(Filter('name', 'mug'), split('the cup'))
    program = Parts('grip', Filter('name', 'cup'))
    assert (
        grammar.read(grammar.write(program, split('where do I hold the cup')), split('where do I hold the cup'))
        == program
    )


@pytest.mark.parametrize('tokens', [[], [-1], [10_000], [0, 0], [1, 1, 1]])
def test_what_is_no_linear_form_is_refused(grammar: Grammar, tokens: list[int]) -> None:
    with pytest.raises(InputError):
        grammar.read(tokens, ['mug'])


def test_only_distance_has_an_anchor(grammar: Grammar) -> None:
    program = Rank('distance_to', 'min', Things(), anchor=Filter('name', 'drill'))
    assert grammar.read(grammar.write(program, ['drill']), ['drill']) == program
    plain = grammar.follow(State(), grammar.number['rank'])
    options = [t for t, ok in zip(grammar.tokens, grammar.allowed(plain, Text(())), strict=True) if ok]
    assert options and not any('distance_to' in t for t in options)


@pytest.mark.parametrize(
    ('text', 'metres'),
    [
        ('20 cm', 0.2), ('20cm', 0.2), ('20 by 30 centimetres', 0.3), ('half a metre', 0.5), ('a metre', 1.0),
        ('twenty five centimeters', 0.25), ('1.5 m', 1.5), ('three inches', 0.0762), ('1 foot', 0.3048),
        ('a hundred millimetres', 0.1), ('a quarter of a metre', 0.25),
    ],
)  # fmt: skip
def test_lengths_are_read_in_metres(text: str, metres: float) -> None:
    assert length(split(text)) == pytest.approx(metres, abs=1e-4)


@pytest.mark.parametrize('text', ['20', 'cm', 'the mug', '20 mugs'])
def test_what_has_no_number_or_no_unit_is_no_length(text: str) -> None:
    assert length(split(text)) is None


def test_a_length_is_copied(grammar: Grammar) -> None:
    words = split('where is there room for something of 30 by 40 cm?')
    program = FreeSpace(size=0.4)
    assert grammar.read(grammar.write(program, words), words) == program


def test_a_possessive_and_a_mark_are_words_of_their_own() -> None:
    assert split("The mug’s handle, where's it? 1.5 m") == [
        'the', 'mug', "'s", 'handle', ',', 'where', "'s", 'it', '?', '1.5', 'm',
    ]  # fmt: skip


@pytest.mark.parametrize('text', ['', '   ', '?!', '🙂🙂', 'word ' * 5000])
def test_texts_without_words_or_with_far_too_many_are_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        split(text)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(('text', 'noun'), [('a lunch', 'lunch'), ('the cups', 'cup'), ('an um egg', 'egg')])
def test_a_copied_noun_has_no_article(text: str, noun: str) -> None:
    assert read_span('noun', split(text)) == noun
