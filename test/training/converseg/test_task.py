"""The same loop fine-tunes the vision-language configuration by LoRA, and exports the averaged weights."""

from pathlib import Path

import pytest
import torch

from converseg_ros.network.weights.checkpoints import load_network
from converseg_ros.training.loop import Trainer
from converseg_ros.training.task import create, read_config


def silent(_: str) -> None:
    """Swallow a report."""


@pytest.fixture(scope='module')
def micro(tmp_path_factory) -> Path:
    """Write a micro vision-language model folder."""
    from converseg_ros.network.weights.checkpoints import save_network
    from converseg_ros.network.weights.presets import byte_tokenizer, preset, random_network

    folder = tmp_path_factory.mktemp('micro')
    config = preset('micro')
    network = random_network(config)
    byte_tokenizer().save(str(folder / 'bytes.json'))
    save_network(folder, config, network.state_dict(), folder / 'bytes.json')
    return folder


def test_lora_learns_and_the_base_stays(micro, settings, tmp_path):
    changes = {
        'start': str(micro),
        'steps': 2,
        'cache': '',
        'trainable': ['adapters', 'decoder', '*.lora_*'],
        'lora': {'rank': 4},
        'phases': [{'until': 9, 'literal': 0.5}],
        'validate_every': 2,
        'panels': 0,
        'validate_images': 1,
        'batch.images': 1,
        'batch.prompts': 2,
        'batch.accumulation': 2,
    }
    trainer = Trainer(create(read_config(settings, changes), silent), report=silent)
    names = list(trainer.parameters)
    language = [n for n in names if n.startswith('language_encoder')]
    assert language and all('.lora_' in n for n in language)
    before = {n: p.detach().clone() for n, p in trainer.network.named_parameters()}
    trainer.train()
    after = dict(trainer.network.named_parameters())
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    assert any('.lora_B.' in n for n in changed) and any(n.startswith('decoder') for n in changed)
    assert changed <= set(names)
    trainer.export(tmp_path / 'model')
    merged = load_network(tmp_path / 'model')  # merges the LoRA, as inference does
    assert not any('lora' in n for n, _ in merged.named_parameters())


def test_the_exported_folder_has_the_averaged_weights(settings, start, tmp_path):
    trainer = Trainer(create(read_config(settings, {'steps': 1, 'val': []}), silent), report=silent)
    trainer.train()
    trainer.export(tmp_path / 'model')
    assert (tmp_path / 'model' / 'tokenizer.json').read_bytes() == (start / 'tokenizer.json').read_bytes()
    network = load_network(tmp_path / 'model')
    assert network.config.provenance == {'run': 'toy', 'step': 1}
    pixels = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), trainer.averaged() as averaged:
        exported = network(pixels, ['the red square']).masks
        trained = averaged(pixels, ['the red square']).masks
    torch.testing.assert_close(exported, trained)
    assert not torch.equal(exported, load_network(start)(pixels, ['the red square']).masks)
