"""Model folders of kind converseg: read release files or a converted folder, build the network, write a folder.

A converted folder has config.json (NetworkConfig), model.safetensors, tokenizer.json and optionally calibration.json. A
large network is built on the meta device and uses the tensors of the file directly.
"""

from collections.abc import Mapping
from dataclasses import replace
import json
from pathlib import Path
import re
import shutil
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
import torch
from torch import Tensor

from converseg_ros.core import InputError
from converseg_ros.core.errors import import_extra
from converseg_ros.core.files import atomic_path, read_object, write_json
from converseg_ros.network.config import NetworkConfig, QwenConfig
from converseg_ros.network.converseg.model import ConverSegNet
from converseg_ros.network.encoders.minilm import from_int8, load_tokenizer
from converseg_ros.network.file_names import CALIBRATION, CONFIG, TOKENIZER, WEIGHTS
from converseg_ros.network.weights import reference

REMEDY = 'fetch or convert the folder again; converseg weights check says more'
State = dict[str, Tensor]


def load_network(folder: Path, *, qwen: Path | None = None, merge: bool = True) -> ConverSegNet:
    """Return the network of a converted folder or of a release folder, in the precision of the files, on the CPU.

    qwen: folder of the language model's config.json and tokenizer.json, if a release folder has none next to it. merge:
    merge a LoRA into its base weights; False keeps it separate, for training.
    """
    config, state, tokenizer = read(folder, qwen=qwen, merge=merge)
    return build(config, state, tokenizer=load_tokenizer(tokenizer), where=str(folder))


def read(folder: Path, *, qwen: Path | None = None, merge: bool = True) -> tuple[NetworkConfig, State, Path]:
    """Return configuration, tensors by ConverSegNet's names, and the folder of the tokenizer."""
    if not folder.is_dir():
        raise InputError('there is no such folder', where=str(folder), do='converseg weights list shows what there is')
    if (folder / CONFIG).is_file():
        config, state = read_config(folder), read_weights(folder / WEIGHTS)
        tokenizer = folder
    elif reference.is_release(folder):
        config, state, tokenizer = read_release(folder, qwen)
    else:
        raise InputError(
            f'neither a converted folder ({CONFIG}) nor a release (*_sam2_*.torch)', where=str(folder), do=REMEDY
        )
    if merge and isinstance(config.language, QwenConfig) and config.language.lora_rank:
        state = merge_lora(state, config.language.lora_alpha / config.language.lora_rank)
        config = config.with_(language=replace(config.language, lora_rank=0))
    return config, state, tokenizer


def read_release(folder: Path, qwen: Path | None = None) -> tuple[NetworkConfig, State, Path]:
    """Read a release folder; its LoRA stays separate."""
    release = reference.find(folder, qwen)
    sam, plm = reference.read_torch(release.sam, 'model'), reference.read_torch(release.plm, 'plm')
    try:
        config = reference.configuration(release, sam, plm)
    except KeyError as error:
        raise InputError(f'{error} is missing in the checkpoint', where=str(folder), do=REMEDY) from error
    state = reference.sam_state(sam) | reference.plm_state(plm)
    if not any('.lora_A.' in k for k in state) and release.adapter is not None:
        state = _base_names(state | reference.adapter_state(release.adapter))
    rank = max((v.shape[0] for k, v in state.items() if '.lora_A.' in k), default=0)
    if rank:
        alpha = 32
        if release.adapter is not None:
            alpha = int(json.loads((release.adapter / 'adapter_config.json').read_text())['lora_alpha'])
        assert isinstance(config.language, QwenConfig)
        config = config.with_(language=replace(config.language, lora_rank=rank, lora_alpha=alpha))
    return config, state, release.qwen


def _base_names(state: State) -> State:
    """Rename the base weights of a LoRA as in PEFT."""
    adapted = {k.split('.lora_A.')[0] for k in state if '.lora_A.' in k}
    return {
        (
            f'{stem}.base_layer.{leaf}'
            if (stem := k.rpartition('.')[0]) in adapted and (leaf := k.rpartition('.')[2])
            else k
        ): v
        for k, v in state.items()
    }


def read_config(folder: Path) -> NetworkConfig:
    """Read a converted folder's config.json."""
    path = folder / CONFIG
    return NetworkConfig.from_json(read_object(path, REMEDY), where=str(path))


def read_weights(path: Path) -> State:
    """Read a safetensors file, memory-mapped; int8 matrices are converted to float32."""
    if not path.is_file():
        raise InputError('the file is missing', where=str(path), do=REMEDY)
    try:
        state = from_int8(load_file(path))
        # float32 for computing on a CPU
        return {k: v.float() if v.dtype == torch.float16 else v for k, v in state.items()}
    except (SafetensorError, OSError) as error:
        raise InputError(f'the file is truncated or no safetensors ({error})', where=str(path), do=REMEDY) from error


def merge_lora(state: Mapping[str, Tensor], scaling: float) -> State:
    """Return `state` with W + scaling * B A instead of each base weight W; added in float32, in W's precision."""
    out = {}
    for key, value in state.items():
        if '.lora_' in key:
            continue
        stem = key.removesuffix('.base_layer.weight')
        if stem != key:
            down, up = state[f'{stem}.lora_A.default.weight'], state[f'{stem}.lora_B.default.weight']
            # float32 even for bfloat16 weights: rounding would lose most of a small update
            value = value.float() + scaling * (up.float() @ down.float())
        out[key.replace('.base_layer.', '.')] = value
    return out


def build(config: NetworkConfig, state: State, *, tokenizer: Any = None, where: str = '') -> ConverSegNet:
    """Return the network with these tensors in eval mode; raise InputError with the tensors that do not fit."""
    big = isinstance(config.language, QwenConfig)
    with torch.device('meta' if big else 'cpu'):
        network = ConverSegNet(config, tokenizer=tokenizer)
    if big:
        add_lora(network)
    wanted = network.state_dict()
    _compare({k: tuple(v.shape) for k, v in wanted.items()}, {k: tuple(v.shape) for k, v in state.items()}, where)
    network.load_state_dict(state, assign=True)
    if big:
        network.language_encoder.materialise()
    return network.eval()


def add_lora(network: ConverSegNet) -> None:
    """Insert the LoRA of the configuration (PEFT), for training and for an unmerged state."""
    config = network.config.language
    if not isinstance(config, QwenConfig) or not config.lora_rank:
        return
    with import_extra('train'):
        from peft import LoraConfig, inject_adapter_in_model

    names = ('q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj')
    inject_adapter_in_model(
        LoraConfig(
            r=config.lora_rank,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=list(names),
        ),
        network.language_encoder.get_submodule('model'),
        low_cpu_mem_usage=True,
    )


def _compare(wanted: dict[str, tuple[int, ...]], given: dict[str, tuple[int, ...]], where: str) -> None:
    """Raise InputError if names or shapes differ, with their number and the first one."""
    wrong = [
        f'{k} is {given[k]}, not {wanted[k]}' for k in sorted(wanted.keys() & given.keys()) if given[k] != wanted[k]
    ]
    for text, names in (('missing', wanted.keys() - given.keys()), ('unknown', given.keys() - wanted.keys())):
        if names:
            wrong.append(f'{len(names)} tensors are {text}, e.g. {sorted(names)[0]}')
    if wrong:
        more = f' (and {len(wrong) - 3} more)' if len(wrong) > 3 else ''
        raise InputError(
            f'the weights do not fit the configuration: {"; ".join(wrong[:3])}{more}', where=where, do=REMEDY
        )


def save_network(folder: Path, config: NetworkConfig, state: Mapping[str, Tensor], tokenizer: Path) -> None:
    """Write a converted folder; `tokenizer` is the folder or file its tokenizer.json is copied from."""
    folder.mkdir(parents=True, exist_ok=True)
    source = tokenizer if tokenizer.is_file() else tokenizer / TOKENIZER
    if source.resolve() != (folder / TOKENIZER).resolve():
        with atomic_path(folder / TOKENIZER) as temporary:
            shutil.copyfile(source, temporary)
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file({k: v.detach().contiguous().clone() for k, v in state.items()}, temporary)
    write_json(folder / CONFIG, config.to_json())


def convert(
    source: Path, target: Path, *, qwen: Path | None = None, half: bool = True, name: str = ''
) -> NetworkConfig:
    """Write `source` (a release) as a converted folder with its LoRA merged.

    half: keep the language model in bfloat16, as released (the merged LoRA is rounded to it); False: all in float32.
    """
    config, state, tokenizer = read(source, qwen=qwen)
    build(config, state, where=str(source))  # report errors before anything is written
    config = config.with_(name=name or config.name)
    language = re.compile(r'^language_encoder\.')
    state = {k: v.to(torch.bfloat16 if half and language.match(k) else torch.float32) for k, v in state.items()}
    save_network(target, config, state, tokenizer)
    if (source / CALIBRATION).is_file():
        shutil.copyfile(source / CALIBRATION, target / CALIBRATION)
    return config
