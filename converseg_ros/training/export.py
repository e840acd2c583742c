"""Export a trained network as a model folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from converseg_ros.network.model import ConverSegNet
from converseg_ros.network.weights.checkpoints import save_network


def export(network: ConverSegNet, start: Path, folder: Path, *, provenance: dict[str, Any]) -> None:
    """Write `network` to `folder` with the tokenizer of the start folder; `provenance` is added to its own."""
    config = replace(network.config, provenance=network.config.provenance | provenance)
    save_network(folder, config, dict(sorted(network.state_dict().items())), start)
