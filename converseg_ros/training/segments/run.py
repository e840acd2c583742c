"""Training of the segment networks: boundaries, then quality on their merge trees."""

from collections.abc import Callable
from pathlib import Path

import torch

from converseg_ros.network.segments.backbone import load_backbone
from converseg_ros.network.segments.boundary import BoundaryNet
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.segments.quality import QualityNet
from converseg_ros.network.segments.weights import WEIGHTS, save_segments
from converseg_ros.training.segments.boundaries import BoundaryTraining
from converseg_ros.training.segments.config import SegmentsConfig
from converseg_ros.training.segments.quality import train_quality


def train_segments(config: SegmentsConfig, report: Callable[[str], None]) -> Path:
    """Train to the end, from the newest checkpoint if there is one; return the file with both networks."""
    return finish(config, BoundaryTraining(config, report).run(), report)


def finish(config: SegmentsConfig, boundary: BoundaryNet, report: Callable[[str], None]) -> Path:
    """Train the quality network for a boundary network and write both; return the file."""
    torch.set_num_threads(config.threads)
    backbone = load_backbone(Path(config.backbone))
    proposer = TreeProposer(backbone, boundary, QualityNet(), dtype=torch.bfloat16)
    quality = train_quality(config, proposer, report)
    path = Path(config.out) / WEIGHTS
    save_segments(path, boundary, quality)
    return path
