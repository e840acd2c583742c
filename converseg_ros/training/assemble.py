"""Create a trainer from a configuration: the start network and its data."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from converseg_ros.core import InputError
from converseg_ros.network.config import NetworkConfig, QwenConfig
from converseg_ros.network.model import ConverSegNet
from converseg_ros.network.weights.checkpoints import add_lora, load_network
from converseg_ros.training.batches import JoinedSource, Source, ViewSource
from converseg_ros.training.config import LoraConfig, SourceConfig, TrainConfig
from converseg_ros.training.learner import Learner
from converseg_ros.training.loop import Trainer
from converseg_ros.training.records import read_records
from converseg_ros.training.texts import TextCache, weights_hash


def start_network(config: TrainConfig) -> ConverSegNet:
    """Load the start folder; a LoRA stays separate, or is added."""
    network = load_network(Path(config.start), merge=config.lora is None)
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
    if config.cache and not learner.trains_language and not network.language_encoder.sees:
        learner.texts = TextCache(Path(config.cache) / f'texts-{weights_hash(network.language_encoder)}.pt')
    train = [source(s, 'train', config, network.config) for s in config.train]
    val = [source(s, 'val', config, network.config) for s in config.val]
    merged: Source | None = None
    if val:
        merged = JoinedSource(val)
    report('views: ' + ', '.join(f'{s.path} {len(d)}' for s, d in zip(config.train, train, strict=True)))
    if merged is not None:
        report(f'validation views: {len(merged)}')
    return Trainer(config, learner, train, merged, report=report)


def source(settings: SourceConfig, split: str, config: TrainConfig, network: NetworkConfig) -> Source:
    """Return the views of one data set for a split; those for training are augmented."""
    records = read_records(settings, split, needed=split == 'train')
    return ViewSource(records, network, config.augment if split == 'train' else None)
