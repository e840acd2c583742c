"""The network of the kinds `grounded` and `sam3`: the program names phrases, a finder segments them, facts do the rest.

text --parser--> program --its noun phrases--> finder --> masks, put among the segments of the view
program + facts --executor--> answer; the rules of status are those of every network that executes programs
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, Frame
from converseg_ros.core.segments import Namer, NameScores, Posterior, Segments
from converseg_ros.knowledge import singular
from converseg_ros.network.grounded.finder import Finder
from converseg_ros.network.grounded.regions import Region, add_region, united
from converseg_ros.network.segments.nodes import ViewMaps
from converseg_ros.network.things.parts import Parts
from converseg_ros.network.things.things_network import ThingsNetwork, ViewState
from converseg_ros.programs.nodes import Filter, Like, Node
from converseg_ros.programs.nodes import Parts as PartsOf

MISSED = 0.01  # probability that a region is an object that was searched for and not found there
LIMIT = 0.98  # maximum weight of a score, which is not a probability
GRIP = 'grip'  # the part where an object is held, which depends on the shape


@dataclass(slots=True)
class _Looked:
    """The search results on a view. state: the view with the regions that were found."""

    frame: Frame
    base: Segments
    maps: ViewMaps
    phrases: set[str] = field(default_factory=set)
    regions: list[Region] = field(default_factory=list)
    state: ViewState | None = None


class FoundNamer:
    """A `Namer` that scores phrases that were searched for by the results, and others by another namer."""

    def __init__(self, other: Namer) -> None:
        """Create a namer with the namer for all other nouns."""
        self.other = other
        self._segments: Segments | None = None
        self._regions: Sequence[Region | None] = ()
        self._scores: dict[str, NDArray[np.float32]] = {}

    def set_found(self, segments: Segments, regions: Sequence[Region | None], phrases: set[str]) -> None:
        """Set the regions of the segments that follow, and the phrases that were searched for."""
        self._segments, self._regions = segments, regions
        scores = {p: [r.scores.get(p, MISSED) if r is not None else MISSED for r in regions] for p in phrases}
        self._scores = {p: np.clip(np.array(s, np.float32), MISSED, LIMIT) for p, s in scores.items()}

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        """Return the log-odds of each noun for each region."""
        found = self.other.score(view, segments, nouns)
        mine = [i for i, noun in enumerate(nouns) if len(nouns) == 1 and self._key(noun) in self._scores]
        if segments is not self._segments:
            return found
        log_odds, known = found.log_odds.copy(), found.known.copy()
        for i in mine:
            p = self._scores[self._key(nouns[i])]
            log_odds[:, i], known[i] = np.log(p / (1 - p)), True
        best = [self._called(r) or other for r, other in zip(self._regions, found.best)]
        return NameScores(found.nouns, log_odds, known, tuple(best))

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        """Return the probabilities of the other namer."""
        return self.other.posterior(view, segments)

    @staticmethod
    def _called(region: Region | None) -> tuple[str, float] | None:
        """Return the phrase that a region was found for, with the log-odds."""
        if region is None:
            return None
        phrase, score = max(region.scores.items(), key=lambda pair: pair[1])
        p = min(max(score, MISSED), LIMIT)
        return phrase, float(np.log(p / (1 - p)))

    @staticmethod
    def _key(noun: str) -> str:
        return singular(noun.strip().casefold())


class GroundedNetwork(ThingsNetwork):
    """Implements core.segmentation.SegmentationNetwork. Not thread-safe. counts: also phrases_looked_for."""

    def __init__(self, parts: Parts, finder: Finder, maps: Callable[[Frame], ViewMaps], **rest: object) -> None:
        """Create the network from the parts of the base, a finder, and the maps of a view."""
        self._namer = FoundNamer(parts.namer)
        super().__init__(replace(parts, namer=self._namer), **rest)  # type: ignore[arg-type]
        self.finder, self._maps = finder, maps
        self._looked: _Looked | None = None

    def look(self, seen: ViewState, programs: Sequence[Node | None]) -> tuple[ViewState, list[str]]:
        """Search for the nouns of the programs that have not been searched for; see ThingsNetwork.look."""
        wanted = [phrases_of(p) if p is not None else [] for p in programs]
        looked = self._looked
        if looked is None or looked.frame is not seen.frame:
            looked = self._looked = _Looked(seen.frame, seen.segments, self._maps(seen.frame))
        new = [p for p in dict.fromkeys(x for w in wanted for x in w) if p not in looked.phrases]
        why = ''
        if not new and seen is looked.state:
            return seen, [''] * len(programs)
        if new:
            try:
                self._find(looked, new)
            except ConversegError as error:
                why = str(error)
        segments, regions = united(looked.base, looked.regions)
        self._namer.set_found(segments, regions, looked.phrases)
        missing = [why if set(w) & set(new) else '' for w in wanted]
        stages, seen.stages = seen.stages, {}  # reported once
        looked.state = ViewState(seen.frame, segments, self.facts_of(seen.frame, segments), stages)
        self._current = looked.state
        return looked.state, missing

    def _find(self, looked: _Looked, phrases: Sequence[str]) -> None:
        """Find the masks of phrases."""
        grid = looked.base.masks.shape[1:]
        for phrase, masks in self.finder.find(looked.frame.rgb, (grid[0], grid[1]), phrases).items():
            for drawn in masks:
                kinds = np.asarray(looked.maps.kinds[:, drawn.mask].mean(1), np.float32)
                add_region(looked.regions, Region(drawn.mask, drawn.quality, kinds, {phrase: drawn.score}))
        looked.phrases |= set(phrases)
        self.counts['phrases_looked_for'] += len(phrases)

    def forget(self) -> None:
        """Clear the caches."""
        super().forget()
        self._looked = None


def phrases_of(program: Node) -> list[str]:
    """Return the noun phrases of a program, in the singular, without duplicates."""
    found = []
    for node in program.walk():
        if isinstance(node, Filter) and node.by == 'name':
            found.append(node.value)
        elif isinstance(node, PartsOf) and node.noun != GRIP:
            found.append(node.noun)
        elif isinstance(node, Like):
            found.append(node.text)
    return list(dict.fromkeys(singular(p.strip().casefold()) for p in found))
