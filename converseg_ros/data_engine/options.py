"""The options of a run of the engine, from a YAML file or flags of `converseg engine run`."""

from dataclasses import dataclass

from converseg_ros.core.errors import InputError
from converseg_ros.core.options import check_options, option

FACTS_JUDGES = ('scene', 'labels')
JUDGES = (*FACTS_JUDGES, 'openai', 'gemini', 'local')
PROPOSERS = ('graph', 'sam', 'sam2')
OPENAI = 'https://api.openai.com/v1'


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of a run, without the sources and the output folder."""

    judge: str = option('', choices=('', *JUDGES))
    """The judge; by default the labels or scene graphs of the source."""
    model: str = ''
    """Model of the judge; a folder for local."""
    base_url: str = OPENAI
    """Address of an OpenAI-compatible server."""
    key_env: str = ''
    """Environment variable that holds the API key."""
    proposer: str = option('', choices=('', *PROPOSERS))
    """The source of masks; by default graph for labelled images and sam2 for photographs."""
    proposer_weights: str = ''
    """Model of sam2: a name of the catalogue, OWNER/NAME or a folder (default: sam2); checkpoint of sam."""
    detector: str = ''
    """Zero-shot detector for the boxes: a name of the catalogue, OWNER/NAME or a folder."""
    prompts: int = option(13, 1, 1000)
    """Prompts per image."""
    negatives: float = option(0.23, 0.0, 0.99)
    """Share of prompts without a target."""
    seed: str = ''
    """Seed of the selection of prompts and words."""
    faults: float = option(0.0, 0.0, 1.0)
    """Share of masks that the graph proposer corrupts, to test the later stages."""
    frame_period: float = option(1.0, 0.0, 3600.0)
    """Seconds between two images that are taken from a bag."""
    frame_change: float = option(4.0, 0.0, 255.0)
    """Minimum mean difference in grey levels between an image of a bag and the previous one."""
    shard: str = '0/1'
    """i/n: process only the images of the i-th of n shards."""
    ray: int = option(0, 0, 10_000)
    """Workers of a Ray cluster to distribute the images to; 0: this process."""
    workers: int = option(0, 0, 256)
    """Images that are processed in parallel; 0: four with a model judge, else one."""
    per_minute: float = option(0.0, 0.0, 100_000.0)
    """Maximum calls of the judge per minute; 0: no limit."""
    budget: float = option(0.0, 0.0, 1_000_000.0)
    """Cost at which the run stops; 0: no limit."""
    price_in: float = option(0.0, 0.0, 100_000.0)
    """Price of a million input tokens."""
    price_out: float = option(0.0, 0.0, 100_000.0)
    """Price of a million output tokens."""
    timeout: float = option(120.0, 0.1, 3600.0)
    """Timeout of an answer in seconds."""
    back_off: float = option(1.0, 0.0, 600.0)
    """Seconds before the second attempt of a call; doubled each time."""
    tries: int = option(6, 1, 100)
    """Attempts of a call before the run stops."""

    def __post_init__(self) -> None:
        """Validate the options."""
        check_options(self, 'engine run')
        self.shard_of()

    def shard_of(self) -> tuple[int, int]:
        """Return index and number of shards; raise InputError if `shard` is not i/n."""
        try:
            index, count = (int(part) for part in self.shard.split('/'))
        except ValueError:
            index, count = -1, 0
        if not 0 <= index < count:
            raise InputError(f'{self.shard!r} is not i/n with 0 <= i < n', where='shard')
        return index, count
