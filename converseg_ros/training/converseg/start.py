"""The network at the start of a run: a model folder, a LoRA, and which parameters are trained."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from torch import nn

from converseg_ros.core import InputError
from converseg_ros.network.config import QwenConfig
from converseg_ros.network.converseg.model import ConverSegNet
from converseg_ros.network.converseg.selection import tokens
from converseg_ros.network.weights.checkpoints import add_lora, load_network
from converseg_ros.training.converseg.config import LoraConfig, TrainConfig


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


def choose_trained(network: ConverSegNet, trainable: Sequence[str]) -> None:
    """Freeze all parameters but those whose names start with or match one of `trainable` (`*.lora_*`)."""
    chosen: set[str] = set()
    for pattern in trainable:
        found = {n for n, _ in network.named_parameters() if n.startswith(pattern) or fnmatchcase(n, pattern)}
        if not found:
            raise InputError(f'no parameter is called {pattern!r}', where='trainable')
        chosen |= found
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in chosen)
        if parameter.requires_grad and parameter.dtype != torch.float32:
            parameter.data = parameter.data.float()  # float32 master weights, because bfloat16 loses small updates
    selected = tokens(network.config.select, network.config.decoder.multimask_outputs)
    if network.decoder.sam.iou_token.weight.requires_grad and len(selected) == 1:
        for index, head in enumerate(network.decoder.sam.output_hypernetworks_mlps):
            if index not in selected:  # the heads of masks that are never selected get no gradient
                head.requires_grad_(False)
