"""Estimate the cost of a run with a paid judge before the first call."""

from dataclasses import dataclass

from converseg_ros.data_engine.judges import prompts
from converseg_ros.data_engine.output.store import Store
from converseg_ros.data_engine.pipeline import Settings
from converseg_ros.data_engine.world.sources import Shot
from converseg_ros.llm.calls import Limits

REGIONS = 18  # average number of regions of a room in our scenes
IMAGE_TOKENS = (
    # tokens of an image of about 1024 x 768, by the published tile and patch rules of providers; above the average
    1100
)
CHARS_PER_TOKEN = 4.0
ANSWER = {'describe': 1200, 'verify': 40, 'write': 1100, 'align': 40}  # tokens


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected use of a run."""

    images: int
    calls: int
    tokens_in: int
    tokens_out: int
    money: float
    minutes: float


def estimate(todo: int, settings: Settings, limits: Limits, seconds_per_call: float = 3.0) -> Estimate:
    """Return the usage for `todo` images without cached replies."""
    words = {
        'describe': len(prompts.SYSTEM + prompts.DESCRIBE),
        'verify': len(prompts.SYSTEM + prompts.VERIFY),
        'write': len(prompts.SYSTEM + prompts.WRITE) + 5500,
        'align': len(prompts.SYSTEM + prompts.ALIGN),
    }
    times = {'describe': 1.0, 'verify': float(REGIONS), 'write': 1.0, 'align': float(settings.prompts)}
    images = {'describe': 1, 'verify': 3, 'write': 1, 'align': 3}
    calls = todo * sum(times.values())
    tokens_in = todo * sum(n * (words[t] / CHARS_PER_TOKEN + images[t] * IMAGE_TOKENS) for t, n in times.items())
    tokens_out = todo * sum(n * ANSWER[t] for t, n in times.items())
    minutes = calls * seconds_per_call / 60 / max(1, settings.workers)
    if limits.per_minute:
        minutes = max(minutes, calls / limits.per_minute)
    return Estimate(
        todo,
        round(calls),
        round(tokens_in),
        round(tokens_out),
        limits.cost(round(tokens_in), round(tokens_out)),
        minutes,
    )


def unfinished(shots: list[Shot], store: Store) -> int:
    """Return the number of images that are not finished in a store."""
    return sum(not store.journal(s.key).done for s in shots)
