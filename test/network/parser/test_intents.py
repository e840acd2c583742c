"""The intent reader, and when its program replaces that of the parser."""

from pathlib import Path

import pytest
import torch

from converseg_ros.core.errors import InputError
from converseg_ros.network.file_names import INTENTS
from converseg_ros.network.parser.context import load_context
from converseg_ros.network.parser.intents import (
    UNSURE_PARSE,
    Intent,
    IntentModel,
    IntentReader,
    load_model,
    preferred,
    save_intents,
)
from converseg_ros.network.parser.parser import Parser, load_parser
from converseg_ros.network.parser.pieces import Pieces, collate
from converseg_ros.network.registry import find_model
from converseg_ros.network.weights.things_loader import load_text_encoder
from converseg_ros.programs.intents import OTHER, intents
from converseg_ros.programs.nodes import Filter, Select
from converseg_ros.programs.spans import split

PARSED = Select('one', Filter('tag', 'flammable'))


def test_an_unsure_parse_gives_way_to_a_more_probable_property() -> None:
    found = (Intent('keep_cold', 0.5), Intent('edible', 0.2))
    assert preferred(found, PARSED, 0.4) == (Select('one', Filter('tag', 'keep_cold')), 0.5)
    assert preferred(found, PARSED.of, 0.4) == (Select('all', Filter('tag', 'keep_cold')), 0.5)


def test_no_instruction_becomes_certain_by_the_reader() -> None:
    found = preferred((Intent('keep_cold', 0.99), Intent('edible', 0.01)), PARSED, 0.4)
    assert found is not None and 0.4 < found[1] < UNSURE_PARSE


def test_the_program_of_the_parser_is_kept_otherwise() -> None:
    sure = (Intent('keep_cold', 0.99), Intent('edible', 0.01))
    assert preferred(sure, PARSED, UNSURE_PARSE) is None
    assert preferred((Intent('keep_cold', 0.3), Intent('edible', 0.2)), PARSED, 0.4) is None
    assert preferred((Intent(OTHER, 0.9), Intent('edible', 0.05)), PARSED, 0.01) is None
    assert preferred(sure, Select('one', Filter('tag', 'flammable', Filter('name', 'milk'))), 0.4) is None


def test_a_file_gives_the_same_model(tmp_path: Path) -> None:
    model = IntentModel(intents(), 8)
    torch.nn.init.normal_(model.linear.weight)
    save_intents(tmp_path / INTENTS, model.half().float(), 1.5)
    again, temperature = load_model(tmp_path / INTENTS)
    assert again.values == model.values and temperature == 1.5
    vectors = torch.randn(3, 8)
    assert torch.equal(again(vectors), model(vectors)) and torch.allclose(model(vectors), model(3 * vectors), atol=1e-5)


def test_wrong_files_are_named(tmp_path: Path) -> None:
    save_intents(tmp_path / INTENTS, IntentModel(('edible', 'levitates', OTHER), 8), 1.0)
    with pytest.raises(InputError, match='levitates'):
        load_model(tmp_path / INTENTS)
    (tmp_path / INTENTS).write_bytes((tmp_path / INTENTS).read_bytes()[:40])
    with pytest.raises(InputError, match=INTENTS):
        load_model(tmp_path / INTENTS)


def test_the_sentence_vector_is_that_of_the_text_encoder_whatever_is_beside_it() -> None:
    folder = find_model('compact')
    pieces, context, early = Pieces.load(folder), load_context(folder), load_context(folder, 2)
    texts = ['the mug', 'where does the milk go so that it does not turn sour']
    inputs = collate([pieces.encode(split(text)) for text in texts])
    hidden = early.hidden(inputs.ids, inputs.lengths)
    vectors = torch.nn.functional.normalize(hidden.after(context.layers[2:]).mean, dim=1)
    torch.testing.assert_close(vectors, torch.from_numpy(load_text_encoder(folder)(texts)), atol=1e-4, rtol=1e-3)
    alone = hidden.rows([1]).after(context.layers[2:]).mean
    torch.testing.assert_close(torch.nn.functional.normalize(alone, dim=1), vectors[1:])


def test_the_parser_asks_the_reader_about_unsure_texts_only() -> None:
    parser = load_parser(find_model('compact'))
    texts = ['the red mug', 'where does the milk go so that it does not turn sour', 'what did my aunt buy in 1987']
    parser.reader = None
    plain = parser.parse_all(texts)
    model = IntentModel(intents(), 384)
    model.linear.bias.data[model.values.index('keep_cold')] = 20.0
    assert parser.context is not None
    with_reader = Parser(
        parser.model, parser.grammar, parser.pieces, parser.calibration, context=parser.context,
        reader=IntentReader(model, 1.0, ()),
    )  # fmt: skip
    for before, after in zip(plain, with_reader.parse_all(texts)):
        assert not isinstance(before, InputError) and not isinstance(after, InputError)
        if before.confidence >= UNSURE_PARSE or 'name' in str(before.program.to_json()):
            assert after == before
        else:
            assert after.program.of == Filter('tag', 'keep_cold') and after.second == before.program  # type: ignore[attr-defined]
            assert before.confidence < after.confidence < UNSURE_PARSE
