"""The shipped folder loads, answers, and says in words what is wrong with a broken one."""

from pathlib import Path
import shutil

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from drawn_scene import scene

from converseg_ros import knowledge
from converseg_ros.cli import main
from converseg_ros.core import InputError, Status
from converseg_ros.core.mask import iou
from converseg_ros.knowledge import Statement
from converseg_ros.network import load
from converseg_ros.network.config import MiniLMConfig
from converseg_ros.network.encoders.minilm import MiniLMEncoder, load_tokenizer
from converseg_ros.network.file_names import LANGUAGE, NAMES, PARSER, SEGMENTS, STATEMENTS
from converseg_ros.network.names.statements import missing_wordings, save_statements
from converseg_ros.network.registry import find_model
from converseg_ros.network.weights.assembly import assemble
from converseg_ros.network.weights.checkpoints import read_weights
from converseg_ros.network.weights.things_folder import is_things
from converseg_ros.network.weights.things_loader import load_text_encoder


@pytest.fixture(scope='module')
def network():
    loaded = load('compact', device='cpu', precision='fp32')
    yield loaded
    loaded.close()


def test_the_shipped_folder_answers_with_programs(network):
    assert network.name.startswith('compact') and network.calibrated
    network.set_image(scene())
    red, all_things, nonsense = network.predict(['the red thing', 'all the things on the table', 'die rote Tasse'])
    assert red.mask.shape == (240, 320) and red.program is not None and 'red' in red.program_text
    assert red.mask[95:135, 70:110].mean() > 0.8 and red.mask[95:135, 210:250].mean() < 0.2
    assert all_things.program is not None
    assert nonsense.status == Status.ERROR


def test_rgb_alone_is_enough_for_colours_but_not_for_sizes(network):
    network.set_image(scene(depth=False))
    red, tallest = network.predict(['the red thing', 'the tallest thing'])
    assert red.mask[95:135, 70:110].mean() > 0.8
    assert tallest.status != Status.OK


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA GPU')
def test_on_a_gpu_the_answers_are_the_same_and_memory_comes_back(network):
    torch.cuda.init()
    before = torch.cuda.memory_allocated()
    texts = ['the red thing', 'the blue thing']
    fast = load('compact', device='cuda')
    assert torch.cuda.memory_allocated() > before
    for depth in (True, False):
        network.set_image(scene(depth))
        fast.set_image(scene(depth))
        for exact, near in zip(network.predict(texts), fast.predict(texts)):
            assert iou(exact.mask, near.mask) > 0.8
    fast.close()
    del fast
    assert torch.cuda.memory_allocated() - before < 2**20


@pytest.mark.parametrize('name', [SEGMENTS, NAMES, PARSER, 'backbone.safetensors', 'language.safetensors'])
def test_a_torn_or_missing_file_is_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / 'model'
    shutil.copytree(find_model('compact'), folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:1000])
    with pytest.raises(InputError, match=name):
        load(folder, device='cpu')
    assert main(['weights', 'check', str(folder)]) == 1
    assert name in capsys.readouterr().out
    (folder / name).unlink()
    with pytest.raises(InputError, match=name):
        load(folder, device='cpu')


@pytest.mark.usefixtures('few_statements')
def test_a_folder_is_assembled_without_the_calibration_of_other_weights(tmp_path: Path) -> None:
    source = find_model('compact')
    config = assemble(tmp_path / 'new', source, {SEGMENTS: source / SEGMENTS}, name='new', version='7')
    assert (config.name, config.version) == ('new', '7') and is_things(tmp_path / 'new')
    assert not (tmp_path / 'new' / 'calibration.json').exists() and config.licences
    assert missing_wordings(tmp_path / 'new' / STATEMENTS) == ()
    with pytest.raises(InputError, match='missing'):
        assemble(tmp_path / 'none', source, {NAMES: tmp_path / 'nothing'}, name='none', version='1')


def test_the_shipped_folder_has_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['weights', 'check', 'compact']) == 0
    out = capsys.readouterr().out
    assert 'calibrated (' in out and 'licence of' in out


def test_the_text_encoder_is_the_minilm_of_transformers_whatever_is_beside_a_text() -> None:
    """Vectors of short, empty, punctuated and truncated texts, encoded together, are those of each text alone."""
    folder = find_model('compact')
    state = {k.removeprefix('language_encoder.'): v for k, v in read_weights(folder / LANGUAGE).items()}
    pieces = len(state['bert.embeddings.word_embeddings.weight'])
    whole = MiniLMEncoder(MiniLMConfig(options={'vocab_size': pieces}), load_tokenizer(folder)).eval()
    whole.load_state_dict(state)
    texts = ['mug', 'an unbelievably colourful coffee-pot, with a lid!', '"the mug."', 'a mug ' * 40, '']
    with torch.inference_mode():
        alone = torch.cat([whole([text]).pooled for text in texts])
    expected = torch.nn.functional.normalize(alone, dim=1).numpy()
    np.testing.assert_allclose(load_text_encoder(folder)(texts), expected, atol=2e-5)


def test_a_full_cache_of_texts_keeps_those_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that was known before is returned, although the texts beside it filled the cache."""
    monkeypatch.setattr('converseg_ros.network.weights.things_loader.REMEMBERED', 3)
    encode = load_text_encoder(find_model('compact'))
    first = encode(('mug', 'bowl'))
    again = encode(('mug', 'plate', 'spoon'))
    np.testing.assert_allclose(again[0], first[0], atol=1e-6)
    assert again.shape == (3, first.shape[1])


def test_a_check_counts_the_wordings_that_the_file_of_statements_does_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / 'model'
    shutil.copytree(find_model('compact'), folder)
    (folder / STATEMENTS).unlink(missing_ok=True)
    assert main(['weights', 'check', str(folder)]) == 0
    assert f'no {STATEMENTS}' in capsys.readouterr().out
    given = [Statement(('squeeze for juice', 'press for juice'), ('lemon',))]
    monkeypatch.setattr(knowledge, 'statements', lambda: tuple(given))
    save_statements(folder / STATEMENTS, load_text_encoder(folder))
    assert main(['weights', 'check', str(folder)]) == 0
    assert 'wordings' not in capsys.readouterr().out
    given.append(Statement(('drives a nail', 'hits hard'), ('hammer',)))
    assert main(['weights', 'check', str(folder)]) == 0
    assert '2 wordings of statements are not in it, e.g. "drives a nail"' in capsys.readouterr().out
