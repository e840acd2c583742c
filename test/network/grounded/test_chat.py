"""Chat models that find what a program names: conventions, budgets, consent, and replies that cannot be used."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('transformers')

from chat_endpoint import Endpoint, serving
from micro_detectors import write_qwen

from converseg_ros.core import Box, ConversegError, InputError
from converseg_ros.network.grounded.chat import ChatConfig, ChatGrounder

RGB = np.full((120, 160, 3), 120, np.uint8)


@pytest.fixture
def endpoint():
    with serving() as address:
        yield address


def test_boxes_of_a_chat_model_are_read_in_its_convention(endpoint: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv('SOME_KEY', 'secret')
    config = ChatConfig('openai', 'any-vl', endpoint, 'SOME_KEY')
    grounder = ChatGrounder(config, tmp_path)
    found = grounder.find(RGB, ['mug', 'plate'])
    assert [f.box for f in found['mug']] == [Box(20, 20, 60, 60)] and found['plate'] == []
    assert Endpoint.asked[0]['key'] == 'Bearer secret'
    grounder.find(RGB, ['mug', 'plate'])
    assert len(Endpoint.asked) == 1, 'the same image and phrases are paid once'
    assert not any(b'secret' in p.read_bytes() for p in tmp_path.rglob('*') if p.is_file())


def test_gemini_is_asked_in_its_own_convention(endpoint: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv('GEMINI_API_KEY', 'secret')
    config = ChatConfig('gemini', 'gemini-any', endpoint.removesuffix('/v1'))
    found = ChatGrounder(config, tmp_path).find(RGB, ['mug', 'plate'])
    assert [f.box for f in found['mug']] == [Box(20, 20, 60, 60)] and found['plate'] == []
    assert Endpoint.asked[0]['key'] == 'secret' and 'secret' not in Endpoint.asked[0]['path']


def test_a_local_vision_language_model_is_asked_and_its_babble_is_an_error(tmp_path: Path) -> None:
    grounder = ChatGrounder(ChatConfig('local', str(write_qwen(tmp_path / 'qwen'))), tmp_path / 'kept', device='cpu')
    grounder.calls.chat.longest = 8  # tokens; random weights never come to an end
    assert grounder.name == 'local/qwen'
    with pytest.raises(ConversegError, match='no usable'):
        grounder.find(RGB, ['mug'])
    with pytest.raises(InputError, match='not a vision-language model'):
        ChatGrounder(ChatConfig('local', str(tmp_path)), tmp_path / 'kept')


@pytest.mark.parametrize(
    ('mode', 'why'),
    [
        ('html', 'text/html'),
        ('redirect', 'redirected'),
        ('babble', 'no usable'),
        ('slow', 'within'),
        ('drip', 'within'),
    ],
)
def test_bad_answers_are_errors_in_words(mode: str, why: str, endpoint: str, tmp_path: Path) -> None:
    Endpoint.mode = mode
    grounder = ChatGrounder(ChatConfig('openai', 'any-vl', endpoint, timeout=0.5), tmp_path)
    with pytest.raises(ConversegError, match=why):
        grounder.find(RGB, ['mug'])
    Endpoint.mode = 'good'
    other = ChatGrounder(ChatConfig('openai', 'any-vl', endpoint, timeout=30), tmp_path)
    assert other.find(RGB[:100].copy(), ['mug'])['mug'], 'the next image is answered'


def test_budget_and_rate_hold_at_run_time_and_over_restarts(endpoint: str, tmp_path: Path) -> None:
    images = [np.full((40, 60, 3), k, np.uint8) for k in range(4)]
    config = ChatConfig('openai', 'any-vl', endpoint, budget=0.0015, price_in=1.0, price_out=1.0)  # 0.0011 a request
    first = ChatGrounder(config, tmp_path / 'a')
    first.find(images[0], ['mug'])
    first.find(images[1], ['mug'])
    for grounder in (first, ChatGrounder(config, tmp_path / 'a')):
        with pytest.raises(ConversegError, match='budget'):
            grounder.find(images[2], ['mug'])
    assert len(Endpoint.asked) == 2
    slow = ChatGrounder(ChatConfig('openai', 'any-vl', endpoint, per_minute=1), tmp_path / 'b')
    slow.find(images[0], ['mug'])
    with pytest.raises(ConversegError, match='requests a minute'):
        slow.find(images[1], ['mug'])
    assert len(Endpoint.asked) == 3
    with pytest.raises(InputError, match='budget without prices'):
        ChatConfig('openai', 'any-vl', endpoint, budget=1.0)


def test_images_leave_this_machine_only_after_consent(tmp_path: Path) -> None:
    config = ChatConfig('openai', 'any-vl', 'http://example.com/v1')
    with pytest.raises(InputError, match='agree_remote'):
        ChatGrounder(config, tmp_path)
    assert ChatGrounder(config, tmp_path, agree_remote=True).name == 'openai/any-vl'
