"""The parser gives a valid program for any text, whatever its weights are, and refuses what is no instruction."""

from dataclasses import replace
import math
from pathlib import Path

import pytest
from safetensors.torch import load_file
import torch

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.network.encoders.minilm import from_int8
from converseg_ros.network.parser.context import load_context
from converseg_ros.network.parser.model import ParserConfig, ParserModel
from converseg_ros.network.parser.parser import FAULT, Calibration, Parsed, Parser, load_parser, save_parser
from converseg_ros.network.parser.pieces import Pieces, collate
from converseg_ros.network.parser.search import Hypothesis, batch_tokens, search
from converseg_ros.network.registry import find_model
from converseg_ros.programs.canonical import canonical
from converseg_ros.programs.linear import Grammar, State
from converseg_ros.programs.nodes import Except, Filter, Relate, Select, node_from_json
from converseg_ros.programs.spans import Text, split

TEXTS = (
    'the tallest mug', 'wheres the er coffee mugs pls', 'ROOM FOR 20 CM', 'a', '12', "the man's hand 🙂", 'naïve café',
    'xqzvwj', 'the red mug and the blue mug and the green mug and the yellow mug next to the box',
)  # fmt: skip


@pytest.fixture(scope='module')
def grammar() -> Grammar:
    return Grammar(tuple(knowledge.tags()))


@pytest.fixture(scope='module')
def pieces() -> Pieces:
    return Pieces.load(find_model('compact'))


def model(grammar: Grammar, seed: int = 0) -> ParserModel:
    torch.manual_seed(seed)
    made = ParserModel(ParserConfig(grammar.size, width=16, heads=2, encoder_layers=1, decoder_layers=2))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(8)  # far from uniform, so that different weights write different programs
    return made


@pytest.mark.parametrize('beam', [1, 4])
@pytest.mark.parametrize('seed', range(4))
def test_any_weights_give_a_valid_program(grammar: Grammar, pieces: Pieces, seed: int, beam: int) -> None:
    parser = Parser(model(grammar, seed), grammar, pieces, Calibration(), beam=beam)
    for text in TEXTS:
        parsed = parser.parse(text)
        assert node_from_json(parsed.program.to_json()) == parsed.program
        assert 0 <= parsed.confidence <= 1


def test_context_is_what_the_whole_language_encoder_computes(pieces: Pieces) -> None:
    """All six layers give the last hidden states of transformers' BERT, whatever is beside a text in the batch."""
    from transformers import BertConfig, BertModel

    context = load_context(find_model('compact'))
    config = BertConfig(
        vocab_size=len(context.words),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
    )
    bert = BertModel(config, add_pooling_layer=False).eval()
    bert.load_state_dict(bert_state(find_model('compact')))
    texts = [pieces.encode(split(t)) for t in ('the mug', 'the unbelievably colourful box on the table')]
    inputs = collate(texts)
    states = context(inputs.ids, inputs.lengths)
    first, last = context.ends
    for row, text in enumerate(texts):
        with torch.inference_mode():
            whole = bert(input_ids=torch.tensor([[first, *text.ids, last]])).last_hidden_state[0, 1:-1]
        torch.testing.assert_close(states[row, : len(text.ids)], whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(('dtype', 'most'), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
def test_packed_layers_of_any_precision_give_about_the_same_states(
    pieces: Pieces, dtype: torch.dtype, most: float
) -> None:
    inputs = collate([pieces.encode(split(t)) for t in ('the mug', 'the unbelievably colourful box on the table')])
    plain = load_context(find_model('compact')).hidden(inputs.ids, inputs.lengths)
    packed = load_context(find_model('compact'), dtype=dtype, packed=True).hidden(inputs.ids, inputs.lengths)
    assert packed.states.dtype == torch.float32
    assert float((packed.states - plain.states)[plain.mask[:, 0, 0]].abs().max()) < most
    assert float(torch.cosine_similarity(packed.mean, plain.mean).min()) > 0.999


def test_a_model_with_context_depends_on_it_and_comes_back_from_its_file(
    grammar: Grammar, pieces: Pieces, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = ParserConfig(grammar.size, width=16, heads=2, encoder_layers=1, decoder_layers=1, context=1)
    net = ParserModel(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_()
    net.load_state_dict({k: v.half().float() for k, v in net.state_dict().items()})
    save_parser(tmp_path / 'parser.safetensors', net, grammar, Calibration())
    again = load_parser(find_model('compact'), tmp_path / 'parser.safetensors')
    mine = Parser(net, grammar, pieces, Calibration(), context=load_context(find_model('compact'), 1))
    assert again.parse('the tallest mug') == mine.parse('the tallest mug')
    with torch.no_grad():
        assert net.contextual is not None
        net.contextual.weight.zero_()
    without = Parser(net, grammar, pieces, Calibration(), context=mine.context)
    assert without.parse('the tallest mug') != again.parse('the tallest mug')


def test_more_layers_than_there_are_is_an_error() -> None:
    with pytest.raises(InputError, match='fewer than 7'):
        load_context(find_model('compact'), 7)


def bert_state(folder: Path) -> dict[str, torch.Tensor]:
    state = from_int8(load_file(folder / 'language.safetensors'))
    return {n.removeprefix('language_encoder.').removeprefix('bert.'): v for n, v in state.items()}


def test_words_one_by_one_give_the_same_logits_as_all_at_once(grammar: Grammar, pieces: Pieces) -> None:
    net = model(grammar).eval()
    words = split('the red mugs on the table')
    tokens = grammar.write(Select('all', Filter('colour', 'red', Filter('name', 'mug'))), words)
    given, _ = batch_tokens([tokens])
    inputs = collate([pieces.encode(words)])
    vectors = pieces.vectors(inputs.ids)
    with torch.inference_mode():
        memory = net.encode(vectors, inputs.inner, inputs.lengths, inputs.first, inputs.words)
        whole, _ = net.decode(given, memory)
        cache, single = None, []
        for i in range(given.shape[1]):
            logits, cache = net.decode(given[:, i : i + 1], memory, cache, i)
            single.append(logits)
    torch.testing.assert_close(torch.cat(single, 1), whole, rtol=1e-4, atol=1e-4)


def test_padding_changes_nothing(grammar: Grammar, pieces: Pieces) -> None:
    net = model(grammar).eval()
    short, long = (pieces.encode(split(t)) for t in ('the mug', 'the mug behind the unbelievably colourful boxes'))
    given, _ = batch_tokens([[0, 1], [0, 1]])
    logits = []
    for texts in ([short], [short, long]):
        inputs = collate(texts)
        vectors = pieces.vectors(inputs.ids)
        with torch.inference_mode():
            memory = net.encode(vectors, inputs.inner, inputs.lengths, inputs.first, inputs.words)
            logits.append(net.decode(given[: len(texts)], memory)[0][:1, :, : grammar.size + 2])
    torch.testing.assert_close(logits[0], logits[1], rtol=1e-4, atol=1e-4)


def test_a_wider_beam_is_never_less_probable(grammar: Grammar, pieces: Pieces) -> None:
    net = model(grammar, 3).eval()
    inputs = collate([pieces.encode(split('the mug on the box'))])
    with torch.inference_mode():
        vectors = pieces.vectors(inputs.ids)
        memory = net.encode(vectors, inputs.inner, inputs.lengths, inputs.first, inputs.words)
    text = Text(('the', 'mug', 'on', 'the', 'box'))
    found = {beam: search(net, memory, grammar, [text], beam)[0] for beam in (1, 8)}
    assert found[8][0].log_probability >= found[1][0].log_probability
    assert len({h.tokens for h in found[8]}) == len(found[8])


def test_a_probable_long_program_is_not_lost_to_short_ones(grammar: Grammar) -> None:
    """Short programs that are whole early do not end the search while a longer one is more probable."""
    words = split('the mugs except the red mugs on the table')
    mug = Filter('name', 'mug')
    long = canonical(Select('all', Except(mug, Filter('colour', 'red', Relate('on', mug, Filter('name', 'table'))))))
    target = grammar.write(long, words)

    class Steps:
        """Stands in for a model: at each step the next token of the target is the likeliest."""

        def decode(self, tokens: torch.Tensor, memory: object, cache: object, at: int) -> tuple[torch.Tensor, dict]:
            logits = torch.zeros(len(tokens), 1, grammar.size + len(words))
            logits[:, 0, target[min(at, len(target) - 1)]] = 6
            return logits, {}

        def rows(self, index: object) -> object:
            return self

    (found,) = search(Steps(), Steps(), grammar, [Text(tuple(words))], 4)  # type: ignore[arg-type]
    assert list(found[0].tokens) == target


def test_a_file_gives_the_same_parser(grammar: Grammar, pieces: Pieces, tmp_path: Path) -> None:
    net, calibration = model(grammar, 1), Calibration(0.5, -1.0)
    net.load_state_dict({k: v.half().float() for k, v in net.state_dict().items()})
    path = tmp_path / 'parser.safetensors'
    save_parser(path, net, grammar, calibration)
    again = load_parser(find_model('compact'), path)
    parser = Parser(net, grammar, pieces, calibration)
    assert again.parse('the tallest mug') == parser.parse('the tallest mug')


def test_a_file_of_another_grammar_keeps_what_both_know(grammar: Grammar, pieces: Pieces, tmp_path: Path) -> None:
    fewer = Grammar(tuple(knowledge.tags())[5:])
    path = tmp_path / 'parser.safetensors'
    save_parser(path, model(fewer), fewer, Calibration())
    again = load_parser(find_model('compact'), path)
    lost = {f'tag:{t}' for t in tuple(knowledge.tags())[:5]}
    rows = [grammar.number[t] for t in lost]
    assert bool((again.model.bias[rows] <= -1e4).all())
    kept = [t for t in grammar.tokens if t not in lost]
    mine = again.model.token.weight[[grammar.number[t] for t in kept]]
    theirs = model(fewer).token.weight[[fewer.number[t] for t in kept]]
    torch.testing.assert_close(mine, theirs, rtol=1e-2, atol=1e-2)


def test_the_same_text_is_parsed_once(grammar: Grammar, pieces: Pieces, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = Parser(model(grammar), grammar, pieces, Calibration())
    first = parser.parse('the mug')
    monkeypatch.setattr(parser.model, 'encode', None)  # would fail if it was asked again
    assert parser.parse('the mug') is first


def test_texts_that_are_read_together_have_the_programs_of_each(grammar: Grammar, pieces: Pieces) -> None:
    net = model(grammar, 2)
    together, alone = (Parser(net, grammar, pieces, Calibration()) for _ in range(2))
    found = together.parse_all([*TEXTS, '', *TEXTS])
    assert isinstance(found[len(TEXTS)], InputError), 'an unreadable text does not prevent the others'
    assert found[: len(TEXTS)] == found[len(TEXTS) + 1 :]
    for text, parsed in zip(TEXTS, found):
        expected = alone.parse(text)
        assert isinstance(parsed, Parsed) and parsed.program == expected.program
        assert parsed.confidence == pytest.approx(expected.confidence, abs=1e-4)


@pytest.mark.parametrize('text', ['', '  ', '🙂', '...', 'mug ' * 5000, 'Donaudampfschifffahrt' * 60 + ' ' + 'q ' * 70])
def test_what_is_no_instruction_is_refused_with_a_reason(grammar: Grammar, pieces: Pieces, text: str) -> None:
    parser = Parser(model(grammar), grammar, pieces, Calibration())
    if text.startswith('Donau'):
        parser.model.config = replace(parser.model.config, pieces=40)
    with pytest.raises(InputError) as error:
        parser.parse(text)
    assert error.value.do and len(str(error.value)) < 200


def test_capitals_spaces_and_closing_marks_change_nothing(grammar: Grammar, pieces: Pieces) -> None:
    parser = Parser(model(grammar, 2), grammar, pieces, Calibration())
    plain = parser.parse('where is the red mug')
    assert all(
        parser.parse(t) == plain
        for t in ('Where is the red mug?', ' where  is the RED mug...', 'where is the red mug!')
    )


def test_calibration_keeps_the_order_and_stays_between_0_and_1() -> None:
    calibration = Calibration(0.7, -0.5)
    values = [calibration(p) for p in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert values == sorted(values) and values[0] > 0 and values[-1] < 1


def test_a_folder_without_a_parser_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='no parser'):
        load_parser(tmp_path)


def test_a_program_without_faults_is_preferred_and_its_confidence_counts_the_rest(
    grammar: Grammar, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = split('my keys')
    one, many = Select('one', Filter('name', 'key')), Select('all', Filter('name', 'key'))

    def parse(p_one: float, p_many: float) -> Parsed:
        """Return what is parsed if the search finds the two programs with these probabilities."""
        found = [
            Hypothesis(tuple(grammar.write(program, words)), math.log(p), State())
            for program, p in ((one, p_one), (many, p_many))
        ]
        monkeypatch.setattr('converseg_ros.network.parser.parser.search', lambda *_: [found])
        return Parser(model(grammar), grammar, pieces, Calibration()).parse('my keys')

    parsed = parse(0.8, 0.1)
    assert (parsed.program, parsed.second) == (many, one)
    assert parsed.confidence == pytest.approx(0.1 / (0.1 + 0.8 * math.exp(-FAULT) + 0.1))
    assert parse(0.9999, 1e-5).program == one, 'a nearly certain program is kept'
