"""Diagnosis of a model folder."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from converseg_ros.core import InputError
from converseg_ros.network.calibration import Calibration
from converseg_ros.network.config import NetworkConfig
from converseg_ros.network.encoders.minilm import load_tokenizer
from converseg_ros.network.file_names import CALIBRATION, CONFIG, STATEMENTS, WEIGHTS
from converseg_ros.network.names.statements import missing_wordings
from converseg_ros.network.options import Options
from converseg_ros.network.weights import reference
from converseg_ros.network.weights.checkpoints import build, read, read_config, read_weights
from converseg_ros.network.weights.things_folder import ThingsConfig, is_grounded, is_things, kind_of, read_json
from converseg_ros.network.weights.things_loader import load_things


@dataclass(slots=True)
class Findings:
    """problems: reasons why it cannot be used. notes: other information."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    config: NetworkConfig | None = None


def inspect_folder(folder: Path, qwen: Path | None = None) -> Findings:
    """Read all files of a model folder and return what it is and what is wrong with it."""
    try:
        if is_things(folder):
            return _inspect_things(folder)
    except InputError as error:  # config.json is invalid
        return Findings([str(error)])
    found = Findings()
    release = not (folder / CONFIG).is_file() and reference.is_release(folder)
    if release:
        found.notes.append('a release folder, used as it is; converseg weights convert makes it load faster')
        for pattern in ('*.torch*', '**/*.safetensors'):
            for path in sorted(folder.glob(pattern)):
                found.notes.append(f'{path.relative_to(folder)}: {path.stat().st_size / 1e6:.1f} MB')
    try:
        config, state, tokenizer = read(folder, qwen=qwen)
    except InputError as error:
        found.problems.append(str(error))
        return found
    found.config = config
    try:
        network = build(config, state, tokenizer=load_tokenizer(tokenizer), where=str(folder))
        count = sum(p.numel() for p in network.parameters())
        found.notes.append(f'{config.image.family} and {config.language.family}, {count / 1e6:.1f} M parameters')
    except InputError as error:
        found.problems.append(str(error))
    broken = [k for k, v in state.items() if v.is_floating_point() and not bool(torch.isfinite(v).all())]
    if broken:
        found.problems.append(f'{len(broken)} tensors hold NaN or infinity, e.g. {broken[0]}; fetch the folder again')
    if (folder / CALIBRATION).is_file():
        try:
            report = Calibration.load(folder / CALIBRATION).report
            found.notes.append('calibrated' + (f' on {report["n"]:.0f} items' if 'n' in report else ''))
        except InputError as error:
            found.problems.append(str(error))
    else:
        found.notes.append('not calibrated: only an empty mask is NO_TARGET; converseg eval items ... --calibrate')
    for part, licence in config.licences.items():
        found.notes.append(f'licence of {part}: {licence}')
    return found


def _inspect_things(folder: Path) -> Findings:
    found = Findings()
    try:
        config, network = (
            ThingsConfig.load(folder),
            load_things(folder, device='cpu', options=Options(precision='fp32')),
        )
    except InputError as error:
        found.problems.append(str(error))
        return found
    found.notes.append('segments, names, facts and programs (kind things)')
    for path in sorted(folder.glob('*.safetensors')):
        state = read_weights(path)
        found.notes.append(f'{path.name}: {path.stat().st_size / 1e6:.1f} MB')
        broken = [k for k, v in state.items() if v.is_floating_point() and not bool(torch.isfinite(v).all())]
        if broken:
            found.problems.append(f'{path.name}: {len(broken)} tensors hold NaN or infinity, e.g. {broken[0]}')
    if not (folder / STATEMENTS).is_file():
        found.notes.append(f'no {STATEMENTS}: free texts are not compared with statements; converseg weights assemble')
    elif missing := missing_wordings(folder / STATEMENTS):
        found.notes.append(
            f'{STATEMENTS}: {len(missing)} wordings of statements are not in it, e.g. "{missing[0]}", and are encoded '
            'when the model is loaded; converseg weights assemble writes it anew'
        )
    if network.calibration is not None:
        found.notes.append(f'calibrated ({", ".join(sorted(network.calibration.modes))})')
    else:
        found.notes.append('not calibrated for these weights; converseg eval labels ... --calibrate')
    for part, licence in config.licences.items():
        found.notes.append(f'licence of {part}: {licence}')
    network.close()
    return found


def describe(folder: Path) -> str:
    """Return a one-line description of a folder, without reading its weights."""
    size = sum(p.stat().st_size for p in folder.rglob('*') if p.is_file()) / 1e6
    calibrated = 'calibrated' if (folder / CALIBRATION).is_file() else 'not calibrated'
    if not (folder / CONFIG).is_file():
        kind = 'release folder' if reference.is_release(folder) else 'no model'
        return f'{size:8.1f} MB  {kind}, {calibrated}'
    try:
        if is_things(folder):
            licence = '; '.join(ThingsConfig.load(folder).licences.values()) or 'not stated'
            return f'{size:8.1f} MB  segments, facts and programs, {calibrated}, licence: {licence}'
        if is_grounded(folder):
            return f'{size:8.1f} MB  {kind_of(folder)}: other models find what a program names, {calibrated}'
        if part := read_json(folder).get('model_type'):
            return f'{size:8.1f} MB  a part of other models, of kind {part}'
        config = read_config(folder)
    except InputError as error:
        return f'{size:8.1f} MB  broken: {error.what}'
    if not (folder / WEIGHTS).is_file():
        return f'{size:8.1f} MB  broken: {WEIGHTS} is missing'
    licence = '; '.join(config.licences.values()) or 'not stated'
    return f'{size:8.1f} MB  {config.image.family} + {config.language.family}, {calibrated}, licence: {licence}'
