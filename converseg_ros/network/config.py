"""Configurations of ConverSeg-Net: encoders and sizes, as stored in config.json of a model folder."""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from converseg_ros.core import InputError

Preprocess = Literal['pad', 'stretch']
Select = Literal['token0', 'best', 'stable']
Outline = Literal['network', 'image']
FORMAT = 1  # of config.json


@dataclass(frozen=True, slots=True)
class Sam2ImageConfig:
    """SAM 2's Hiera trunk and feature pyramid (transformers' Sam2Model); see docs/models.md for T, S, B+ and L."""

    family: Literal['sam2'] = 'sam2'
    image_size: tuple[int, int] = (1024, 1024)  # rows, columns of the network's input; a multiple of 32
    channels: int = 256  # C of the embedding; the high-resolution maps have C/8 and C/4
    trunk_dim: int = 96
    trunk_heads: int = 1
    blocks_per_stage: tuple[int, ...] = (1, 2, 7, 2)
    global_attention_blocks: tuple[int, ...] = (5, 7, 9)
    window_sizes: tuple[int, ...] = (8, 4, 14, 7)
    background_size: tuple[int, int] = (7, 7)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class QwenConfig:
    """Qwen2.5-VL as a text-and-image encoder (transformers); `settings` is its own config.json."""

    family: Literal['qwen2_5_vl'] = 'qwen2_5_vl'
    hidden_size: int = 2048
    source: str = 'Qwen/Qwen2.5-VL-3B-Instruct'  # the source of tokenizer and licence
    min_pixels: int = 56 * 56
    max_pixels: int = 14 * 14 * 4 * 16384  # native: of the reference's processor
    settings: dict[str, Any] = field(default_factory=dict)
    lora_rank: int = 0  # > 0: the weights contain an unmerged PEFT adapter (training)
    lora_alpha: int = 32
    lora_dropout: float = 0.05


@dataclass(frozen=True, slots=True)
class MiniLMConfig:
    """A MiniLM sentence encoder; uses the text only."""

    family: Literal['minilm'] = 'minilm'
    hidden_size: int = 384
    max_tokens: int = 64
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """From language features to prompt tokens and a dense bias; `hidden_size` 0 uses that of the language encoder."""

    hidden_size: int = 0
    norm_eps: float = 1e-5


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """SAM's mask decoder; its width is the image encoder's `channels`."""

    layers: int = 2
    heads: int = 8
    mlp_dim: int = 2048
    attention_downsample: int = 2
    multimask_outputs: int = 3
    iou_head_depth: int = 3
    iou_head_dim: int = 256


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The configuration of a ConverSegNet, and the defaults of its Predictor."""

    name: str
    image: Sam2ImageConfig
    language: QwenConfig | MiniLMConfig
    adapter: AdapterConfig = field(default_factory=AdapterConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    preprocess: Preprocess = 'pad'
    select: Select = 'token0'  # the mask of the decoder that is returned, see network/converseg/selection.py
    outline: Outline = 'network'  # the outlines of masks, see network/guided_filter.py
    version: str = '1'
    licences: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate the sizes."""
        channels, decoder = self.image.channels, self.decoder
        if channels % 8 or channels % (decoder.heads * decoder.attention_downsample):
            raise InputError(f'image.channels is {channels}, not a multiple of 8 and of the heads', where=self.name)
        if any(s % 32 for s in self.image.image_size):
            raise InputError(f'image.image_size is {self.image.image_size}, not multiples of 32', where=self.name)
        if self.preprocess not in get_args(Preprocess) or self.select not in get_args(Select):
            raise InputError(f'preprocess is {self.preprocess!r}, select is {self.select!r}', where=self.name)
        if self.outline not in get_args(Outline):
            raise InputError(f'outline is {self.outline!r}', where=self.name, do='use network or image')

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this configuration."""
        return {'format': FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any], *, where: str = 'config.json') -> 'NetworkConfig':
        """Return the configuration of a JSON object; raise InputError for unknown keys and values."""
        if data.get('format', FORMAT) > FORMAT:
            raise InputError(f'format {data["format"]} is newer than this program', where=where, do='update converseg')
        try:
            image = _part(data['image'], {'sam2': Sam2ImageConfig}, where)
            language = _part(data['language'], {'qwen2_5_vl': QwenConfig, 'minilm': MiniLMConfig}, where)
            rest = {k: v for k, v in data.items() if k in {f.name for f in fields(cls)}}
            rest |= {'image': image, 'language': language}
            rest |= {'adapter': _build(AdapterConfig, data.get('adapter', {}), where)}
            rest |= {'decoder': _build(DecoderConfig, data.get('decoder', {}), where)}
            return cls(**rest)
        except (KeyError, TypeError) as error:
            raise InputError(f'not a model configuration ({error})', where=where) from error

    def with_(self, **changes: Any) -> 'NetworkConfig':
        """Return a copy with `changes`."""
        return replace(self, **changes)


WITHOUT_EFFECT = {'alignment_heads'}  # keys of earlier versions; 0 in every folder of a known family


def _part(data: dict[str, Any], classes: dict[str, type], where: str) -> Any:
    """Build the dataclass of data['family']."""
    family = data.get('family', '')
    if family not in classes:
        raise InputError(f'family is {family!r}, not one of {", ".join(classes)}', where=where)
    return _build(classes[family], data, where)


def _build(cls: type, data: dict[str, Any], where: str) -> Any:
    """Build a dataclass; JSON lists become tuples; unknown keys are an error."""
    data = {k: v for k, v in data.items() if k not in WITHOUT_EFFECT}
    unknown = set(data) - {f.name for f in fields(cls)}
    if unknown:
        raise InputError(f'unknown keys {sorted(unknown)} in {cls.__name__}', where=where, do='update converseg')
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})
