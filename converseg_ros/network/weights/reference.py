"""The reference implementation's release folder, as it is: names of its files, keys of its tensors.

FOLDER/ConverSeg-Net_sam2_90000.torch (published as .torch.torch): {'model': SAM 2's state}
FOLDER/ConverSeg-Net_plm_90000.torch: {'plm': adapters and the whole language model, with its LoRA, in bfloat16}
FOLDER/lora_plm_adapter_90000/: the same LoRA in PEFT's format
FOLDER/configs/*.yaml: SAM 2's configuration (optional: T, S, B+ and L are recognised by their sizes)
FOLDER/Qwen/NAME/: config.json and tokenizer.json of the language model (optional: else from the hub's cache)
"""

from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any

import torch
from torch import Tensor

from converseg_ros.core import InputError
from converseg_ros.core.files import read_object
from converseg_ros.network.config import DecoderConfig, NetworkConfig, QwenConfig, Sam2ImageConfig

State = dict[str, Tensor]
AGAIN = 'fetch the folder again'
HUB_SOURCE = 'aadarsh99/ConverSeg-Net-3B'
QWEN_SOURCE = 'Qwen/Qwen2.5-VL-3B-Instruct'
QWEN_FILES = ('config.json', 'tokenizer.json')

# Hiera's heads and global attention do not follow from the tensors' shapes: (width, blocks) -> (heads, global, ...).
HIERA: dict[tuple[int, tuple[int, ...]], dict[str, Any]] = {
    (96, (1, 2, 7, 2)): {'trunk_heads': 1, 'global_attention_blocks': (5, 7, 9)},
    (96, (1, 2, 11, 2)): {'trunk_heads': 1, 'global_attention_blocks': (7, 10, 13)},
    (112, (2, 3, 16, 3)): {'trunk_heads': 2, 'global_attention_blocks': (12, 16, 20)},
    (144, (2, 6, 36, 4)): {'trunk_heads': 2, 'global_attention_blocks': (23, 33, 43), 'window_sizes': (8, 4, 16, 8)},
}

# The first match is used; both sides are halves of regular expressions.
_SAM_KEYS = (
    (r'^image_encoder\.trunk\.', 'image_encoder.vision.backbone.'),
    (r'^image_encoder\.neck\.convs\.(\d+)\.conv\.', r'image_encoder.vision.neck.convs.\1.'),
    (r'^no_mem_embed$', 'image_encoder.no_memory'),
    (r'^sam_mask_decoder\.conv_(s[01])\.', r'image_encoder.conv_\1.'),
    (r'^sam_mask_decoder\.', 'decoder.sam.'),
    (r'^sam_prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix$', 'decoder.grid.gaussian'),
)
_SAM_PARTS = (
    (r'patch_embed\.proj\.', 'patch_embed.projection.'),
    (r'\.norm(\d|_final_attn)\.', r'.layer_norm\1.'),
    (r'\.out_proj\.', '.o_proj.'),
    (r'output_upscaling\.0\.', 'upscale_conv1.'),
    (r'output_upscaling\.1\.', 'upscale_layer_norm.'),
    (r'output_upscaling\.3\.', 'upscale_conv2.'),
)
_UNUSED = re.compile(
    r'^(memory_|maskmem|no_mem_pos_enc|no_obj_ptr|mask_downsample|obj_ptr|no_obj_embed'
    r'|sam_prompt_encoder\.(?!pe_layer))'
)
_MLP = re.compile(r'^(.*(?:\.mlp|_mlps\.\d+|iou_prediction_head|pred_obj_score_head))\.layers\.(\d+)\.(weight|bias)$')


@dataclass(frozen=True, slots=True)
class Release:
    """The files of a release folder; adapter and sam_config may be absent."""

    sam: Path
    plm: Path
    qwen: Path
    adapter: Path | None = None
    sam_config: Path | None = None


def is_release(folder: Path) -> bool:
    """Return whether `folder` has at least one of the release's two weight files."""
    return bool(_newest(folder, '*_sam2_*.torch*') or _newest(folder, '*_plm_*.torch*'))


def find(folder: Path, qwen: Path | None = None) -> Release:
    """Return the files of a release; raise InputError with what is missing. qwen: the language model's folder."""
    sam, plm = _newest(folder, '*_sam2_*.torch*'), _newest(folder, '*_plm_*.torch*')
    if sam is None or plm is None:
        lacking = '*_sam2_*.torch' if sam is None else '*_plm_*.torch'
        raise InputError(
            f'{lacking} is missing', where=str(folder), do='fetch it: converseg weights fetch converseg-net-3b'
        )
    adapters = sorted(folder.glob('lora_plm_adapter_*/adapter_config.json'))
    configs = sorted(folder.glob('configs/*.yaml'))
    return Release(
        sam,
        plm,
        qwen or _qwen_folder(folder),
        adapters[-1].parent if adapters else None,
        configs[0] if configs else None,
    )


def _newest(folder: Path, pattern: str) -> Path | None:
    """Return the file of the highest step."""
    found = [p for p in folder.glob(pattern) if re.search(r'_\d+\.torch(\.torch)?$', p.name)]
    return max(found, key=lambda p: int(re.findall(r'_(\d+)\.torch', p.name)[-1]), default=None)


def _qwen_folder(folder: Path) -> Path:
    """Return the language model's folder next to the weights or in the hub's cache."""
    for config in sorted(folder.glob('**/config.json')):
        data = read_object(config, AGAIN)
        if data.get('model_type') == 'qwen2_5_vl' and (config.parent / 'tokenizer.json').is_file():
            return config.parent
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(QWEN_SOURCE, name) for name in QWEN_FILES]
    if all(isinstance(f, str) for f in found):
        return Path(str(found[0])).parent
    raise InputError(
        f"the language model's {' and '.join(QWEN_FILES)} are missing",
        where=f"{folder / QWEN_SOURCE} and the hub's cache",
        do='fetch them: converseg weights fetch converseg-net-3b',
    )


def read_torch(path: Path, key: str) -> State:
    """Read one of the release's weight files, memory-mapped; only tensors are unpickled."""
    try:
        data = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    except FileNotFoundError as error:
        raise InputError('the file is missing', where=str(path), do='fetch it again') from error
    except Exception as error:  # torch raises RuntimeError, UnpicklingError, EOFError, ...
        raise InputError(
            f'the file is truncated or no checkpoint ({str(error).splitlines()[0]})',
            where=str(path),
            do='fetch it again; converseg weights check says more',
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get(key), dict):
        keys = sorted(map(str, data))[:5] if isinstance(data, dict) else type(data).__name__
        raise InputError(f'no {key!r} in the checkpoint (it has {keys})', where=str(path), do='is it another file?')
    state: State = data[key]
    return state


def sam_state(state: State) -> State:
    """Return SAM 2's tensors under ConverSegNet's names, without video memory and point prompts."""
    out = {}
    for key, value in state.items():
        if _UNUSED.match(key):
            continue
        for pattern, new in _SAM_KEYS:
            name, count = re.subn(pattern, new, key)
            if count:
                break
        else:
            raise InputError(f'unknown tensor {key!r}', where='SAM 2 checkpoint', do='is it another model?')
        for pattern, new in _SAM_PARTS:
            name = re.sub(pattern, new, name)
        if mlp := _MLP.match(name):
            depth = 1 + max(int(m[2]) for m in map(_MLP.match, _same_mlp(key, state)) if m)
            name = f'{mlp[1]}.{_mlp_layer(int(mlp[2]), depth)}.{mlp[3]}'
        out[name] = value.flatten() if name.endswith('no_memory') else value
    return out


def _same_mlp(key: str, state: State) -> list[str]:
    """Return the keys of the MLP that `key` belongs to."""
    stem = key.rsplit('.layers.', 1)[0] + '.layers.'
    return [k for k in state if k.startswith(stem)]


def _mlp_layer(index: int, depth: int) -> str:
    """Return transformers' name of an MLP's layer."""
    return 'proj_in' if index == 0 else 'proj_out' if index == depth - 1 else f'layers.{index - 1}'


def plm_state(state: State) -> State:
    """Return adapters and language model under ConverSegNet's names; PEFT's names are kept.

    The vocabulary head is excluded.
    """
    out = {}
    for key, value in state.items():
        if not key.startswith('backbone.'):
            out[f'adapters.{key}'] = value
            continue
        name = re.sub(r'^backbone\.(base_model\.model\.)?(model\.)?', '', key)
        if not name.startswith('lm_head.'):
            out[f'language_encoder.model.{name}'] = value
    return out


def adapter_state(folder: Path) -> State:
    """Return the tensors of a PEFT folder under ConverSegNet's names."""
    from safetensors.torch import load_file

    path = folder / 'adapter_model.safetensors'
    try:
        state = load_file(path)
    except Exception as error:
        raise InputError(f'cannot be read ({error})', where=str(path), do='fetch it again') from error
    out = {}
    for key, value in state.items():
        name = re.sub(r'^base_model\.model\.(model\.)?', '', key)
        name = re.sub(r'\.(lora_[AB])\.weight$', r'.\1.default.weight', name)
        out[f'language_encoder.model.{name}'] = value
    return out


def configuration(release: Release, sam: State, plm: State) -> NetworkConfig:
    """Return the network's configuration from the files next to the weights and the shapes of the tensors."""
    settings = read_object(release.qwen / 'config.json', AGAIN)
    processor = (
        read_object(release.qwen / 'preprocessor_config.json', AGAIN)
        if (release.qwen / 'preprocessor_config.json').is_file()
        else {}
    )
    decoder = DecoderConfig(
        mlp_dim=sam['sam_mask_decoder.transformer.layers.0.mlp.layers.0.weight'].shape[0],
        multimask_outputs=sam['sam_mask_decoder.mask_tokens.weight'].shape[0] - 1,
        iou_head_dim=sam['sam_mask_decoder.iou_prediction_head.layers.0.weight'].shape[0],
    )
    language = QwenConfig(
        hidden_size=plm['to_sparse.weight'].shape[1],
        source=_source(release),
        settings=settings,
        **{k: processor[k] for k in ('min_pixels', 'max_pixels') if k in processor},
    )
    return NetworkConfig(
        name='converseg-net',
        image=_image_config(release, sam),
        language=language,
        decoder=decoder,
        select='best',
        licences={'weights': f'see {HUB_SOURCE}', 'sam2': 'Apache-2.0', 'language model': f'see {language.source}'},
        provenance={'sam': release.sam.name, 'plm': release.plm.name},
    )


def _source(release: Release) -> str:
    """Return the hub's name of the language model, from the adapter if it exists."""
    if release.adapter is not None:
        name = read_object(release.adapter / 'adapter_config.json', AGAIN).get('base_model_name_or_path')
        if isinstance(name, str) and name:
            return name
    return QWEN_SOURCE


def _image_config(release: Release, sam: State) -> Sam2ImageConfig:
    """Return Hiera's sizes from the YAML next to the weights, else by recognising the trunk."""
    channels = sam['sam_mask_decoder.iou_token.weight'].shape[1]
    if release.sam_config is not None:
        import yaml

        model = yaml.safe_load(release.sam_config.read_text())['model']
        trunk = model['image_encoder']['trunk']
        return Sam2ImageConfig(
            image_size=(model['image_size'], model['image_size']),
            channels=channels,
            trunk_dim=trunk['embed_dim'],
            trunk_heads=trunk['num_heads'],
            blocks_per_stage=tuple(trunk.get('stages', (2, 3, 16, 3))),
            global_attention_blocks=tuple(trunk.get('global_att_blocks', (12, 16, 20))),
            window_sizes=tuple(trunk.get('window_spec', (8, 4, 14, 7))),
            background_size=tuple(trunk.get('window_pos_embed_bkg_spatial_size', (14, 14))),
        )
    width = sam['image_encoder.trunk.pos_embed'].shape[1]
    background = tuple(sam['image_encoder.trunk.pos_embed'].shape[2:])
    ends = sorted(int(m[1]) for k in sam if (m := re.match(r'image_encoder\.trunk\.blocks\.(\d+)\.proj\.weight$', k)))
    count = 1 + max(int(m[1]) for k in sam if (m := re.match(r'image_encoder\.trunk\.blocks\.(\d+)\.', k)))
    blocks = tuple(b - a for a, b in zip([0, *ends], [*ends, count]))
    known = HIERA.get((width, blocks))
    if known is None:
        raise InputError(
            f'an image encoder of width {width} and {blocks} blocks is none of T, S, B+ and L',
            where=str(release.sam),
            do='put its SAM 2 configuration into configs/NAME.yaml',
        )
    return Sam2ImageConfig(
        channels=channels,
        trunk_dim=width,
        blocks_per_stage=blocks,
        background_size=(background[0], background[1]),
        **known,
    )
