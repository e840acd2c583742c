"""Create a trainer from a configuration: the start network, its data, and a cache of trunk features if possible."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
import fcntl
from pathlib import Path
from typing import Any

import torch
from torch import nn

from converseg_ros.core import InputError
from converseg_ros.network.compact import CompactImageEncoder
from converseg_ros.network.config import QwenConfig
from converseg_ros.network.model import ConverSegNet
from converseg_ros.network.weights.checkpoints import add_lora, load_network
from converseg_ros.training.batches import CachedSource, JoinedSource, LiveSource, Source
from converseg_ros.training.cache import build_cache, weights_hash
from converseg_ros.training.config import LoraConfig, SourceConfig, TrainConfig
from converseg_ros.training.learner import Learner
from converseg_ros.training.loop import Trainer
from converseg_ros.training.records import read_records
from converseg_ros.training.texts import TextCache

SEED = 'compact'  # a missing start folder with this name is created from the published weights


def start_network(config: TrainConfig) -> ConverSegNet:
    """Load the start folder; a LoRA stays separate, or is added; a missing compact start folder is created."""
    folder = Path(config.start)
    if not folder.exists() and SEED in folder.name:
        from converseg_ros.training.seed import make_start

        make_start(folder, seed=config.seed, **config.architecture)
    network = load_network(folder, merge=config.lora is None)
    if config.lora is not None:
        with_lora(network, config.lora, config.seed)
    return network


def with_lora(network: ConverSegNet, lora: LoraConfig, seed: int) -> None:
    """Add a LoRA (Hu et al., arXiv 2106.09685) without initial effect to the language model, unless it has one."""
    language = network.config.language
    if not isinstance(language, QwenConfig):
        raise InputError('LoRA is for vision-language configurations', where='lora', do='remove it')
    if language.lora_rank:
        return
    language = replace(language, lora_rank=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout)
    network.config = network.config.with_(language=language)
    add_lora(network)
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter.is_meta:  # PEFT creates its new matrices on the meta device
                setattr(module, name, nn.Parameter(torch.zeros(parameter.shape)))
    for name, parameter in network.named_parameters():
        if '.lora_A.' in name:
            bound = parameter.shape[1] ** -0.5
            parameter.data = (torch.rand(parameter.shape, generator=generator) * 2 - 1) * bound


def assemble(config: TrainConfig, *, report: Callable[[str], None] = print) -> Trainer:
    """Return the trainer of a configuration, with its data prepared."""
    torch.set_num_threads(config.threads)
    network = start_network(config)
    learner = Learner(network, config.trainable, config.loss)
    learner.disturb = (config.augment.drop_features, config.augment.noise_features)
    if config.cache and not learner.trains_language and not network.language_encoder.sees:
        learner.texts = TextCache(Path(config.cache) / f'texts-{weights_hash(network.language_encoder)}.pt')
    train = [source(s, 'train', config, learner, report) for s in config.train]
    val = [source(s, 'val', config, learner, report) for s in config.val]
    merged: Source | None = None
    if val:
        merged = JoinedSource(val)
    report('views: ' + ', '.join(f'{s.path} {len(d)}' for s, d in zip(config.train, train, strict=True)))
    if merged is not None:
        report(f'validation views: {len(merged)}')
    return Trainer(config, learner, train, merged, report=report)


def source(
    settings: SourceConfig, split: str, config: TrainConfig, learner: Learner, report: Callable[[str], None]
) -> Source:
    """Return the views of one data set for a split."""
    records = read_records(settings, split, needed=split == 'train')
    encoder: Any = learner.network.image_encoder
    if not config.cache or learner.trains_trunk or not isinstance(encoder, CompactImageEncoder):
        return LiveSource(records, learner.network.config, config.augment if split == 'train' else None)
    name = '-'.join(Path(settings.path).resolve().with_suffix('').parts[-2:])
    folder = Path(config.cache) / f'{name}-{split}'
    encoder.eval()
    with _alone(folder):
        cache = build_cache(
            folder,
            records,
            encoder,
            variants=settings.variants if split == 'train' else 1,
            augment=config.augment,
            seed=config.seed,
            pictures=split == 'val',
            report=lambda done, total, s: report(f'{name} {split}: encoded {done} of {total} views ({s:.0f} s)'),
        )
    return CachedSource(cache, config.augment if split == 'train' else None)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time build a cache; the others then find it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / '.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
