"""Build a pipeline from a judge, a proposer and shots."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
import threading

from converseg_ros.core.errors import InputError
from converseg_ros.data_engine.contracts import Judge, Picture
from converseg_ros.data_engine.judges.facts_judge import FactsJudge
from converseg_ros.data_engine.judges.model_judge import ModelJudge
from converseg_ros.data_engine.options import FACTS_JUDGES, JUDGES, OPENAI, PROPOSERS, RunOptions
from converseg_ros.data_engine.pipeline import Pipeline, Settings
from converseg_ros.data_engine.proposers.grounding import DetectorGrounder
from converseg_ros.data_engine.proposers.proposer import GraphProposer, Proposer
from converseg_ros.data_engine.proposers.sam_family import SamFamilyProposer
from converseg_ros.data_engine.stages.understanding import Grounder
from converseg_ros.data_engine.world.bag_frames import is_bag, write_frames
from converseg_ros.data_engine.world.sources import Shot, kind_of, read_source
from converseg_ros.data_engine.world.world import World
from converseg_ros.llm.calls import Calls, Limits
from converseg_ros.llm.chat import ChatModel
from converseg_ros.llm.http import GeminiChat, OpenAIChat
from converseg_ros.llm.local import LocalChat
from converseg_ros.network.registry import find_part

FRAMES = 'frames'  # folder of the images of bags, in the output folder


@dataclass(frozen=True, slots=True)
class Plan:
    """A run: its sources, its output folder and its options, from the command line or the node."""

    sources: list[Path]
    out: Path
    options: RunOptions = field(default_factory=lambda: RunOptions(judge='scene'))
    agree_remote: bool = False  # to send the images to a judge on another machine
    max_images: int = 0

    @property
    def settings(self) -> Settings:
        """Return the settings of the pipeline."""
        o = self.options
        workers = o.workers or (1 if o.judge in FACTS_JUDGES else 4)
        return Settings(o.prompts, o.negatives, o.shard_of(), workers)

    @property
    def limits(self) -> Limits:
        """Return the limits of the calls of the judge."""
        o = self.options
        return Limits(o.per_minute, o.budget, o.price_in, o.price_out, tries=o.tries, back_off=o.back_off)


def plan(
    options: RunOptions,
    sources: list[Path],
    out: Path,
    *,
    agree_remote: bool = False,
    max_images: int = 0,
    topics: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan of a run; without a judge in the options, that of the sources is used.

    The images of a bag are written to OUT/frames, which replaces the bag as a source. topics: see write_frames.
    """
    o = options
    sources = [
        write_frames(s, out / FRAMES, period=o.frame_period, change=o.frame_change, topics=topics) if is_bag(s) else s
        for s in sources
    ]
    return Plan(sources, out, replace(o, judge=o.judge or natural_judge(sources)), agree_remote, max_images)


def natural_judge(sources: Iterable[Path]) -> str:
    """Return the judge of all sources: their labels or scene graphs; raise InputError for plain photographs."""
    kinds = {kind_of(source) for source in sources}
    judges = {'coco': 'labels', 'scene': 'scene'}
    if len(kinds) == 1 and (kind := kinds.pop()) in judges:
        return judges[kind]
    raise InputError(
        'photos need a judge that looks at them',
        where='engine run',
        do='name a judge and a proposer, by flags or in a configuration',
    )


def gather(sources: Iterable[Path], max_images: int = 0) -> list[Shot]:
    """Return the shots of several folders without duplicates; at most `max_images` if that is not 0."""
    shots: dict[str, Shot] = {}
    for source in sources:
        for shot in read_source(source):
            shots.setdefault(shot.key, shot)
            if max_images and len(shots) >= max_images:
                return list(shots.values())
    return list(shots.values())


class Worlds:
    """Finds the world of a picture by its content; the last few are cached."""

    def __init__(self, shots: Iterable[Shot], keep: int = 8) -> None:
        self._shots = {s.key: s for s in shots}
        self._kept: dict[str, World] = {}
        self._keep = keep
        self._lock = threading.Lock()

    def __call__(self, picture: Picture) -> World:
        """Return the world of the picture; raise InputError if there is none."""
        with self._lock:
            world = self._kept.get(picture.key)
            if world is None:
                shot = self._shots.get(picture.key)
                if shot is None or shot.world is None:
                    raise InputError(
                        'there are no labels for this image',
                        where=picture.key,
                        do='choose a judge that looks at pixels',
                    )
                world = self._kept[picture.key] = shot.world(picture.rgb)
                while len(self._kept) > self._keep:
                    self._kept.pop(next(iter(self._kept)))
        if (world.height, world.width) != (picture.height, picture.width):
            raise InputError(
                f'the labels are for {world.width}x{world.height}, the image is {picture.width}x{picture.height}',
                where=picture.key,
            )
        return world


def make_chat(plan: Plan) -> ChatModel:
    """Return the chat model of a plan; photographs are sent to another machine only if the user has agreed."""
    o = plan.options
    if not o.model:
        raise InputError(f'the judge {o.judge} needs a model', where='--model', do='name one')
    chat: ChatModel
    if o.judge == 'openai':
        chat = OpenAIChat(o.model, o.base_url, key_env=o.key_env or 'OPENAI_API_KEY', timeout=o.timeout)
    elif o.judge == 'gemini':
        base = {} if o.base_url == OPENAI else {'base_url': o.base_url}
        chat = GeminiChat(o.model, key_env=o.key_env or 'GEMINI_API_KEY', timeout=o.timeout, **base)
    else:
        chat = LocalChat(o.model)
    if chat.remote and not plan.agree_remote:
        raise InputError(
            f'the judge {chat.name} is on another machine and would be sent the images',
            where='--judge',
            do='say --agree-remote if that is all right, or use a local server',
        )
    return chat


def make_judge(plan: Plan, worlds: Callable[[Picture], World]) -> Judge:
    """Return the judge of a plan."""
    o = plan.options
    if o.judge in FACTS_JUDGES:
        return FactsJudge(o.judge, worlds, bare=o.judge == 'labels', seed=o.seed)
    if o.judge in JUDGES:
        return ModelJudge(Calls(make_chat(plan), plan.out / 'cache', plan.limits))
    raise InputError(f'no judge {o.judge!r}', where='--judge', do=f'choose one of {", ".join(JUDGES)}')


def make_proposer(plan: Plan, shots: list[Shot], worlds: Callable[[Picture], World]) -> Proposer:
    """Return the proposer of a plan."""
    o = plan.options
    name = o.proposer or ('graph' if all(s.world for s in shots) else 'sam2')
    if name == 'graph':
        return GraphProposer(worlds, faults=o.faults)
    if name in ('sam', 'sam2'):
        weights = find_part(o.proposer_weights or ('sam2' if name == 'sam2' else ''), 'segments')
        if weights is None:
            raise InputError('the proposer sam needs weights', where='--proposer-weights', do='give a checkpoint')
        from converseg_ros.network.segments.sam import load_sam  # imports torch, which other proposers do not need
        from converseg_ros.network.segments.sam2 import load_sam2

        return SamFamilyProposer(load_sam2(weights) if name == 'sam2' else load_sam(weights))
    raise InputError(f'no proposer {name!r}', where='--proposer', do=f'choose one of {", ".join(PROPOSERS)}')


def make_pipeline(plan: Plan, shots: list[Shot]) -> Pipeline:
    """Return the pipeline of a plan over its shots."""
    worlds = Worlds(shots)
    judge = make_judge(plan, worlds)
    detector = find_part(plan.options.detector, 'detector')
    grounder: Grounder | None = None if detector is None else DetectorGrounder(detector)
    return Pipeline(judge, make_proposer(plan, shots, worlds), plan.settings, grounder)
