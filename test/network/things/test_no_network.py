"""Nothing but `weights fetch --accept` and a configured endpoint connects to another machine."""

import json
from pathlib import Path
import socket
from typing import Any

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('transformers')

from micro_detectors import write_detector
from micro_segmenters import write_sam2, write_sam3
from transformers_micro import write_clipseg, write_towers

from converseg_ros.cli import main
from converseg_ros.core import InputError, Status
from converseg_ros.network import load

RGB = np.ascontiguousarray(
    np.kron(np.random.default_rng(0).integers(0, 255, (6, 8, 3)), np.ones((20, 20, 1))).astype(np.uint8)
)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Refuse every connection and every look-up of a name; return the list of those that were tried."""
    tried: list[Any] = []

    def refuse(*given: Any, **more: Any) -> Any:
        tried.append(given[-1] if given else more)
        raise OSError('there is no network')

    for owner, names in ((socket.socket, ('connect', 'connect_ex', 'sendto')), (socket, ('getaddrinfo',))):
        for name in names:
            monkeypatch.setattr(owner, name, refuse)
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    monkeypatch.delenv('HF_HUB_OFFLINE', raising=False)
    return tried


def test_the_fixture_sees_a_connection(attempts: list[Any]) -> None:
    assert main(['weights', 'fetch', 'siglip2-base', '--accept']) == 1
    assert attempts


@pytest.mark.parametrize(
    'kind', ['compact', 'clip', 'siglip', 'clipseg and sam2', 'grounded', 'sam3', 'nothing is fetched']
)
def test_models_load_and_answer_without_a_connection(kind: str, attempts: list[Any], tmp_path: Path) -> None:
    model, parts = 'compact', {}
    if kind in ('clip', 'siglip'):
        parts = {'namer': str(write_towers(kind, tmp_path / kind))}
    if kind == 'clipseg and sam2':
        parts = {'namer': str(write_clipseg(tmp_path / 'c')), 'segments': str(write_sam2(tmp_path / 's'))}
    if kind in ('grounded', 'sam3'):
        config = {'kind': kind, 'name': 'mine', 'threshold': 0.3}
        if kind == 'sam3':
            config['weights'] = str(write_sam3(tmp_path / 'three'))
        else:
            config |= {
                'masks': str(write_sam2(tmp_path / 's')),
                'detector': str(write_detector('owlv2', tmp_path / 'd')),
            }
        (tmp_path / 'model').mkdir()
        (tmp_path / 'model' / 'config.json').write_text(json.dumps(config))
        model = str(tmp_path / 'model')
    if kind == 'nothing is fetched':
        for role, name in (('namer', 'siglip2-base'), ('namer', 'google/some-siglip'), ('segments', 'sam2')):
            with pytest.raises(InputError, match='weights fetch'):
                load('compact', device='cpu', **{role: name})
    else:
        network = load(model, device='cpu', precision='fp32', **parts)
        if parts.get('segments'):
            network.parts.proposer.grid = 2
        network.set_image(RGB)
        assert network.predict(['the red mug'])[0].status != Status.ERROR
        network.close()
    assert attempts == []


def test_commands_that_only_tell_connect_to_nothing(
    attempts: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['weights', 'list']) == 0
    assert main(['weights', 'fetch', 'siglip2-base']) == 1 and main(['weights', 'fetch', 'owner/name']) == 1
    assert main(['weights', 'check', 'micro']) == 0
    assert 'Nothing was downloaded' in capsys.readouterr().err
    images = tmp_path / 'photos'
    images.mkdir()
    import cv2

    cv2.imwrite(str(images / 'a.png'), RGB)
    run = [
        'engine',
        'run',
        '--source',
        str(images),
        '--judge',
        'openai',
        '--model',
        'any',
        '--out',
        str(tmp_path / 'd'),
    ]
    assert main([*run, '--agree-remote', '--proposer', 'graph', '--dry-run']) == 0
    assert main([*run, '--proposer', 'graph']) == 1, 'the judge is elsewhere, and nobody agreed'
    assert attempts == []
