"""Training of the namer's head: cached features, training, calibration, the weights file."""

from collections.abc import Callable
from pathlib import Path

import torch

from converseg_ros.knowledge.vocabulary import vocabulary
from converseg_ros.network.names.detector import Evidence
from converseg_ros.network.segments.backbone import load_backbone
from converseg_ros.network.segments.boundary import channels_last
from converseg_ros.network.weights.things_loader import load_text_encoder
from converseg_ros.training.names.config import NamesConfig
from converseg_ros.training.names.features import cache_round
from converseg_ros.training.names.fit import Prepared, finish
from converseg_ros.training.names.table import read_table

WEIGHTS = 'names.safetensors'


def train_names(config: NamesConfig, report: Callable[[str], None]) -> Path:
    """Train to the end and return the weights file; a killed run resumes with the missing features."""
    torch.set_num_threads(config.threads)
    words, folder = vocabulary(), Path(config.backbone)
    backbone = channels_last(load_backbone(folder))
    evidence = Evidence(backbone.detector, torch.bfloat16)
    for number in range(config.rounds + 1):
        for source in config.sources:
            cache_round(
                Path(config.cache), Path(source.path), number, backbone.trunk, evidence, report, most=source.most
            )
    path = Path(config.out) / WEIGHTS
    prepared = Prepared(read_table(config, words), backbone.trunk, words)
    finish(prepared, config, load_text_encoder(folder), path, report)
    return path
