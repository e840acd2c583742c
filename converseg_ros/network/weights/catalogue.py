"""The catalogue of models: purpose, source, licence and requirements.

`weights list`, `weights fetch`, `doctor` and the table in docs/models.md use it. A model of another repository is
fetched as OWNER/NAME and used in the same way.
"""

from dataclasses import dataclass
from typing import Literal

from converseg_ros.core import InputError

Role = Literal['network', 'namer', 'segments', 'detector', 'concepts']
NOT_MEASURED = 'not measured'


@dataclass(frozen=True, slots=True)
class Entry:
    """One model.

    role: network: a model by itself (`--model`); namer, segments: a part of another one (`--namer`, `--segments`);
    detector: a part of a folder of kind grounded; concepts: the weights of a folder of kind sam3. repo: on the Hugging
    Face hub, '' if there is none. commercial: whether the licence permits commercial use; None: under conditions, see
    its terms. download_mb: approximate; 0 if nothing is downloaded. gpu_gb: minimum GPU memory, estimated from the
    model's size; 0: a CPU is sufficient. latency: measured for one view with weights of the real size, and where, or
    NOT_MEASURED. ran: whether the real weights have been run by the authors of this package.
    """

    name: str
    role: Role
    repo: str
    licence: str
    commercial: bool | None
    download_mb: int
    gpu_gb: int
    good_for: str
    latency: str = NOT_MEASURED
    ran: bool = False

    @property
    def hardware(self) -> str:
        """Return the minimum hardware as text."""
        return f'a CUDA GPU, {self.gpu_gb} GB' if self.gpu_gb else 'a CPU'

    @property
    def commercial_use(self) -> str:
        """Return whether the licence permits commercial use, as text."""
        return {True: 'yes', False: '**no**', None: 'see its terms'}[self.commercial]


APACHE, MIT = 'Apache-2.0', 'MIT'
CPU, GPU, LARGE_GPU = 0, 4, 8
ENTRIES: tuple[Entry, ...] = (
    Entry(
        'compact',
        'network',
        '',
        'Apache-2.0; training photographs have their own',
        None,
        0,
        CPU,
        'robots without a GPU: instructions about common things, sizes, places and free space',
        latency='0.26 s with two CPU cores (its model card)',
        ran=True,
    ),
    Entry(
        'converseg-net-3b',
        'network',
        'aadarsh99/ConverSeg-Net-3B',
        'Qwen Research Licence, Apache-2.0 (SAM 2)',
        False,
        8000,
        16,
        "the paper's network and numbers; research",
    ),
    Entry('siglip2-base', 'namer', 'google/siglip2-base-patch16-224', APACHE, True, 1500, CPU, 'open-vocabulary names'),
    Entry('siglip-base', 'namer', 'google/siglip-base-patch16-224', APACHE, True, 810, CPU, 'open-vocabulary names'),
    Entry(
        'siglip2-so400m',
        'namer',
        'google/siglip2-so400m-patch14-384',
        APACHE,
        True,
        4500,
        LARGE_GPU,
        'open-vocabulary names; large',
    ),
    Entry(
        'clip-base',
        'namer',
        'openai/clip-vit-base-patch32',
        MIT,
        True,
        600,
        CPU,
        'open-vocabulary names; the smallest of these',
    ),
    Entry(
        'clipseg',
        'namer',
        'CIDAS/clipseg-rd64-refined',
        APACHE,
        True,
        600,
        CPU,
        'noun phrases in the context of the whole image, on a CPU',
    ),
    Entry('sam2', 'segments', 'facebook/sam2.1-hiera-tiny', APACHE, True, 160, CPU, 'outlines; cluttered scenes'),
    Entry('sam2-small', 'segments', 'facebook/sam2.1-hiera-small', APACHE, True, 190, GPU, 'as sam2'),
    Entry('sam2-base', 'segments', 'facebook/sam2.1-hiera-base-plus', APACHE, True, 330, GPU, 'as sam2'),
    Entry('sam2-large', 'segments', 'facebook/sam2.1-hiera-large', APACHE, True, 900, GPU, 'the finest outlines'),
    Entry('grounding-dino', 'detector', 'IDEA-Research/grounding-dino-tiny', APACHE, True, 690, GPU, 'noun phrases'),
    Entry('owlv2', 'detector', 'google/owlv2-base-patch16-ensemble', APACHE, True, 620, GPU, 'rare nouns'),
    Entry(
        'omdet',
        'detector',
        'omlab/omdet-turbo-swin-tiny-hf',
        APACHE,
        True,
        460,
        GPU,
        'noun phrases; fast',
    ),
    Entry(
        'mm-grounding-dino',
        'detector',
        'openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det',
        APACHE,
        True,
        690,
        GPU,
        'noun phrases; trained on open data',
    ),
    Entry(
        'sam3',
        'concepts',
        'facebook/sam3',
        'SAM License of Meta (custom); gated: request access on the hub, then set HF_TOKEN',
        None,
        3500,
        LARGE_GPU,
        'noun phrases, all instances with masks',
    ),
)
BY_NAME = {e.name: e for e in ENTRIES}


def entry(name: str) -> Entry:
    """Return the entry with a name; raise InputError with the list of names."""
    if name not in BY_NAME:
        raise InputError(
            'there is no such model',
            where=name,
            do=f'give OWNER/NAME of the hub, or one of: {", ".join(BY_NAME)}',
        )
    return BY_NAME[name]


def folder_name(name: str) -> str:
    """Return the folder name of a fetched model: OWNER/NAME becomes OWNER--NAME."""
    return name.replace('/', '--')
