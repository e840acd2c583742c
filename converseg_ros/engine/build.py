"""Put a pipeline together from names: which judge, which proposer, over which shots."""

from collections.abc import Callable, Iterable
from pathlib import Path

from converseg_ros.core.errors import InputError
from converseg_ros.engine.facts_judge import FactsJudge
from converseg_ros.engine.judging import Judge, Picture
from converseg_ros.engine.proposal import GraphProposer, Proposer
from converseg_ros.engine.sources import Shot, read_source
from converseg_ros.engine.world import World

FACTS_JUDGES = ('scene', 'labels')


def gather(sources: Iterable[Path], max_images: int = 0) -> list[Shot]:
    """Return the shots of several folders, the same content only once; at most `max_images` if that is not 0."""
    shots: dict[str, Shot] = {}
    for source in sources:
        for shot in read_source(source):
            shots.setdefault(shot.key, shot)
            if max_images and len(shots) >= max_images:
                return list(shots.values())
    return list(shots.values())


class Worlds:
    """Finds the world of a picture by its content; the last one is kept."""

    def __init__(self, shots: Iterable[Shot]) -> None:
        self._shots = {s.key: s for s in shots}
        self._last: World | None = None

    def __call__(self, picture: Picture) -> World:
        """Return what is known of the picture; raise InputError where nothing is."""
        if self._last is None or self._last.key != picture.key:
            shot = self._shots.get(picture.key)
            if shot is None or shot.world is None:
                raise InputError(
                    'there are no labels for this image', where=picture.key, do='choose a judge that looks at pixels'
                )
            self._last = shot.world()
        world = self._last
        if (world.height, world.width) != (picture.height, picture.width):
            raise InputError(
                f'the labels are for {world.width}x{world.height}, the image is {picture.width}x{picture.height}',
                where=picture.key,
            )
        return world


def facts_judge(name: str, worlds: Callable[[Picture], World], seed: str = '') -> FactsJudge:
    """Return the judge `scene` or `labels`."""
    return FactsJudge(name, worlds, bare=name == 'labels', seed=seed)


def graph_proposer(worlds: Callable[[Picture], World], faults: float = 0.0) -> Proposer:
    """Return the proposer of exact masks, with a share of seeded faults."""
    return GraphProposer(worlds, faults=faults)


def make_judge(name: str, shots: Iterable[Shot]) -> tuple[Judge, Proposer]:
    """Return a facts judge and the graph proposer over the same worlds."""
    worlds = Worlds(shots)
    return facts_judge(name, worlds), graph_proposer(worlds)
