"""An adapter changes the parser that it was trained for, and no other one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.network.file_names import ADAPTER
from converseg_ros.network.parser.adapter import AdaptedParser, load_adapter, save_adapter, updated
from converseg_ros.network.parser.model import ParserConfig, ParserModel
from converseg_ros.network.parser.parser import Calibration, load_model, save_parser
from converseg_ros.programs.linear import Grammar

CALIBRATION = (0.7, -0.25)


@pytest.fixture(scope='module')
def grammar() -> Grammar:
    return Grammar(tuple(knowledge.tags()))


@pytest.fixture
def parser(grammar: Grammar, tmp_path: Path) -> Path:
    """A parser file with random weights."""
    torch.manual_seed(0)
    model = ParserModel(ParserConfig(grammar.size, width=16, heads=2, encoder_layers=1, decoder_layers=1))
    save_parser(tmp_path / 'parser.safetensors', model, grammar, Calibration(1.5, 0.5))
    return tmp_path / 'parser.safetensors'


def changed(parser: Path, grammar: Grammar, seed: int = 1) -> AdaptedParser:
    """Return an adapter with random changes of every weight."""
    adapted = AdaptedParser(load_model(parser, grammar)[0], rank=3)
    generator = torch.Generator().manual_seed(seed)
    for value in adapted.changes.values():
        value.data = torch.randn(value.shape, generator=generator) * 0.1
    return adapted


def tensors(model: ParserModel) -> Iterator[tuple[str, torch.Tensor]]:
    return iter(model.state_dict().items())


def test_a_new_adapter_changes_nothing_and_only_its_own_weights_are_trained(parser: Path, grammar: Grammar) -> None:
    base = load_model(parser, grammar)[0]
    adapted = AdaptedParser(base, rank=3)
    assert all(torch.equal(value, base.state_dict()[name]) for name, value in tensors(adapted.merged()))
    trained = {name for name, p in adapted.named_parameters() if p.requires_grad}
    assert trained and all(name.startswith('changes.') for name in trained)
    assert adapted.weights().keys() == dict(base.named_parameters()).keys()


def test_the_update_of_a_matrix_has_the_given_rank_and_every_vector_is_changed(parser: Path, grammar: Grammar) -> None:
    adapted = changed(parser, grammar)
    before = adapted.base.state_dict()
    for name, value in tensors(adapted.merged()):
        difference = value - before[name]
        assert difference.abs().max() > 0, name
        if value.ndim == 2:
            assert torch.linalg.matrix_rank(difference, rtol=1e-4) <= 3, name


def test_a_loaded_adapter_gives_the_merged_weights_to_float16(parser: Path, grammar: Grammar, tmp_path: Path) -> None:
    adapted = changed(parser, grammar)
    save_adapter(tmp_path / ADAPTER, adapted, parser, grammar.tokens, CALIBRATION)
    loaded, calibration = load_model(parser, grammar, tmp_path / ADAPTER)
    merged = adapted.merged().state_dict()
    for name, value in tensors(loaded):
        torch.testing.assert_close(value, merged[name], atol=2e-3, rtol=2e-3)
    assert (calibration.slope, calibration.offset) == CALIBRATION
    plain, calibration = load_model(parser, grammar, tmp_path / 'missing.safetensors')
    assert all(torch.equal(value, adapted.base.state_dict()[name]) for name, value in tensors(plain))
    assert calibration == Calibration(1.5, 0.5)


def test_an_adapter_of_another_parser_is_refused(parser: Path, grammar: Grammar, tmp_path: Path) -> None:
    save_adapter(tmp_path / ADAPTER, changed(parser, grammar), parser, grammar.tokens, CALIBRATION)
    other = tmp_path / 'other.safetensors'
    save_parser(other, changed(parser, grammar, 2).merged(), grammar, Calibration())
    with pytest.raises(InputError, match=r'belongs to another parser than other\.safetensors'):
        load_model(other, grammar, tmp_path / ADAPTER)
    (tmp_path / ADAPTER).write_bytes((tmp_path / ADAPTER).read_bytes()[:-100])
    with pytest.raises(InputError, match='truncated'):
        load_adapter(tmp_path / ADAPTER, parser)


def test_the_rows_of_an_adapter_follow_their_tokens(grammar: Grammar, tmp_path: Path) -> None:
    """The adapter has the tokens in another order than the grammar, as after a new version of the grammar."""
    torch.manual_seed(0)
    size = grammar.size
    older = tuple(reversed(grammar.tokens))
    turned = torch.arange(size).flip(0)
    model = ParserModel(ParserConfig(size, width=16, heads=2, encoder_layers=1, decoder_layers=1))
    path = tmp_path / 'parser.safetensors'
    save_parser(path, model, grammar, Calibration())
    adapted = changed(path, grammar)
    rows = AdaptedParser(load_model(path, grammar)[0], rank=3)
    for name, value in adapted.changes.items():  # the same changes, by the older order of the tokens
        rows.changes[name].data = value.data.clone()
        if name in ('token/weight/up', 'bias/added'):
            rows.changes[name].data[:size] = value.data[:size][turned]
    save_adapter(tmp_path / ADAPTER, rows, path, older, CALIBRATION)
    loaded = load_model(path, grammar, tmp_path / ADAPTER)[0].state_dict()
    for name, value in tensors(adapted.merged()):
        torch.testing.assert_close(loaded[name], value, atol=2e-3, rtol=2e-3)


def test_weights_that_an_adapter_does_not_have_stay(parser: Path, grammar: Grammar) -> None:
    adapted = changed(parser, grammar)
    state = {'base': torch.ones(2), **adapted.base.state_dict()}
    out = updated(state, {'bias/added': adapted.changes['bias/added'].detach()})
    assert torch.equal(out['base'], torch.ones(2)) and torch.equal(out['token.weight'], state['token.weight'])
    assert torch.equal(out['bias'], state['bias'] + adapted.changes['bias/added'])
