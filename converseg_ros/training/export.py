"""Export a trained network as a model folder: float16 weights; the file of the language encoder is copied."""

from dataclasses import replace
import json
from pathlib import Path
import shutil
from typing import Any

from safetensors.torch import save_file

from converseg_ros.core.files import atomic_path, write_json
from converseg_ros.network.encoders.minilm import TOKENIZER
from converseg_ros.network.model import ConverSegNet
from converseg_ros.network.weights.checkpoints import CONFIG, LANGUAGE, WEIGHTS
from converseg_ros.training.seed import write_weights


def export(network: ConverSegNet, start: Path, folder: Path, *, provenance: dict[str, Any] | None = None) -> None:
    """Write `network` to `folder`; if the start folder has a separate language encoder, its file is copied."""
    folder.mkdir(parents=True, exist_ok=True)
    apart = (start / LANGUAGE).is_file()
    for name in [TOKENIZER, *([LANGUAGE] if apart else [])]:
        source = start / name
        if source.is_file() and source.resolve() != (folder / name).resolve():
            with atomic_path(folder / name) as temporary:
                shutil.copyfile(source, temporary)
    if apart:
        write_weights(folder, network.state_dict(), half=True)
    else:
        with atomic_path(folder / WEIGHTS) as temporary:
            save_file({k: v.detach().contiguous().clone() for k, v in sorted(network.state_dict().items())}, temporary)
    config = network.config
    config = replace(config, provenance={**config.provenance, **(provenance or {})})
    write_json(folder / CONFIG, json.loads(json.dumps(config.to_json())))
