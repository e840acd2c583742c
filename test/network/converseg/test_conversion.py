"""Conversion of the published weights: merging LoRA, and the folders of a release."""

from functools import partial
import shutil

import pytest

torch = pytest.importorskip('torch')

from converseg_ros.cli import main
from converseg_ros.core import InputError
from converseg_ros.network.weights.checkpoints import load_network, merge_lora


def test_merging_adds_the_update_in_float32():
    generator = torch.Generator().manual_seed(0)
    w, a, b = (torch.randn(s, generator=generator).bfloat16() for s in ((6, 4), (2, 4), (6, 2)))
    state = {
        'x.base_layer.weight': w,
        'x.base_layer.bias': torch.ones(6),
        'x.lora_A.default.weight': a,
        'x.lora_B.default.weight': b,
    }
    merged = merge_lora(state, 2.0)
    assert set(merged) == {'x.weight', 'x.bias'}
    assert torch.equal(merged['x.weight'], w.float() + 2 * b.float() @ a.float())


@pytest.fixture
def release(shared):
    path = shared / 'parity'
    if not path.is_dir():
        pytest.skip('no parity files')
    return path


def test_a_converted_release_answers_as_the_release(release, tmp_path, picture, capsys):
    target = tmp_path / 'converted'
    assert main(['weights', 'convert', str(release), str(target), '--precision', 'fp32']) == 0
    assert main(['weights', 'convert', str(release), str(target)]) == 1  # never over a model
    a, b = load_network(release), load_network(target)
    rgb = picture(0)
    for network in (a, b):
        network.float()
    with torch.no_grad():
        x, y = (n.encode_text(['a cup'], n.language_encoder.prepare_image(rgb)) for n in (a, b))
    assert torch.allclose(x.pooled, y.pooled, atol=1e-5)
    ours, theirs = a.decoder.state_dict(), b.decoder.state_dict()
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)


@pytest.mark.parametrize('name', ['doubled ending', 'missing plm', 'truncated', 'no qwen'])
def test_release_folders(release, tmp_path, name, monkeypatch):
    monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'none'))
    target = tmp_path / 'release'
    shutil.copytree(release, target, copy_function=partial(shutil.copyfile))
    for path in [target, *target.rglob('*')]:
        path.chmod(0o755)
    sam, plm = target / 'ConverSeg-Net_sam2_90000.torch', target / 'ConverSeg-Net_plm_90000.torch'
    if name == 'doubled ending':
        sam.rename(sam.with_name(sam.name + '.torch'))
        assert load_network(target).config.image.trunk_dim == 16
        return
    message = {'missing plm': '_plm_', 'truncated': 'truncated', 'no qwen': 'tokenizer.json are missing'}[name]
    if name == 'missing plm':
        plm.unlink()
    elif name == 'truncated':
        sam.write_bytes(sam.read_bytes()[:100_000])
    else:
        shutil.rmtree(target / 'Qwen')
    with pytest.raises(InputError, match=message):
        load_network(target)
