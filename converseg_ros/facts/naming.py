"""Names, tags and materials of the regions of a view, from a namer, `knowledge` and colours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from converseg_ros import knowledge
from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import Namer, NameScores, Posterior, Segments
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.geometry.measures import measure
from converseg_ros.facts.geometry.planes import ViewGeometry, view_geometry
from converseg_ros.facts.predicates.colours import TRACE, colour_words
from converseg_ros.facts.predicates.size_evidence import SizeEvidence
from converseg_ros.facts.predicates.surfaces import by_class, is_background, with_planes_of_regions
from converseg_ros.facts.table import Facts, Similarity
from converseg_ros.programs.vocabulary import COLOURS

Floats = NDArray[np.float64]
Scores = Callable[[Sequence[str]], NameScores]
Described = Callable[[str], Mapping[str, float]]
LIKENESS = 0.5  # factor on the score of a class that the namer does not have
SIZE_WEIGHT = 0.5  # weight of the log-likelihood ratio of a measured size
MIN_FIT = 0.05  # added to the probability that a region is of the kind of a noun; that probability may be wrong
LEAST_DETAIL = 0.01  # degree of a region without the colour that a part should have: the part may not be visible
OF_THE_WHOLE = ('colourful',)  # words of colour that no part has
MATERIALS_BY_TAG = {'transparent': 'transparent', 'food': 'edible', 'plant': 'plant'}
"""Materials that are stored as tags of classes."""
AGENTS = frozenset({'agent', 'animal', 'person', 'body part'})
OBJECTS_OR_SURFACES = frozenset({'furniture', 'plant'})


@dataclass(eq=False)
class Seen:
    """Properties of regions from a namer and colours; each noun is scored at its first use.

    scores: of any nouns. make_posterior: the probabilities of the exclusive nouns of the namer. make_colours: (S,
    len(COLOURS)) probabilities that each region has a colour. described: the classes that a free text describes, each
    with a weight in 0 to 1. make_traces: like `make_colours`, that a part of each region has a colour. Most
    instructions name no colour, so colours are measured at the first use.
    """

    scores: Scores
    make_posterior: Callable[[], Posterior]
    make_colours: Callable[[], Floats]
    described: Described = lambda text: {}
    make_traces: Callable[[], Floats] | None = None
    _nouns: dict[str, tuple[Floats, bool]] = field(default_factory=dict)

    def look_up(self, by: str, value: str) -> Degree | None:
        """Return (S,) degrees of a name, tag, colour, material or free text; None if this does not decide it."""
        if by == 'name':
            return Degree.known(self._noun(value)[0])
        if by == 'colour':
            return Degree.known(self._colours[:, COLOURS.index(value)])
        if by == 'tag':
            return self._tag(value)
        if by == 'material':
            return self._material(value)
        if by == 'like' and (classes := self.described(value)):
            return Degree.known(self._any_of(classes))
        if by == 'detail':
            return self._detail(value)
        return None

    def knows(self, noun: str) -> bool:
        """Return whether the namer or `knowledge` knows the noun."""
        return self._noun(noun)[1] or knowledge.thing(noun) is not None

    def part(self, noun: str) -> Degree | None:
        """Return None: namers recognise whole objects, so the shape decides parts."""
        return None

    def _noun(self, noun: str) -> tuple[Floats, bool]:
        word = knowledge.singular(noun.casefold())
        if word not in self._nouns:
            found = self.scores([word])
            p = expit(np.asarray(found.log_odds, np.float64)[:, 0])
            self._nouns[word] = (p, bool(found.known[0]))
        return self._nouns[word]

    def _tag(self, tag: str) -> Degree:
        """Return the probability that each region is of a class with a tag; uncertain classes count half."""
        if tag not in knowledge.tags():
            return Degree.unknown(len(self._posterior.p), f'nothing is known of "{tag}"')
        return Degree.known(self._any_of(dict(knowledge.nouns_with(tag))))

    def _detail(self, text: str) -> Degree | None:
        """Return whether a part of each region has the colours of a text, "with the red handle"; None without one."""
        wanted = [COLOURS.index(word) for word in text.split() if word in COLOURS and word not in OF_THE_WHOLE]
        if not wanted or self.make_traces is None:
            return None
        return Degree.known(np.maximum(self._traces[:, wanted].min(1), LEAST_DETAIL))

    @cached_property
    def _colours(self) -> Floats:
        return self.make_colours()

    @cached_property
    def _traces(self) -> Floats:
        assert self.make_traces is not None
        return self.make_traces()

    def _material(self, material: str) -> Degree:
        """Return the usual materials of a region's class: the first has full weight, later ones less."""
        if material in MATERIALS_BY_TAG:
            return self._tag(MATERIALS_BY_TAG[material])
        return by_class(material, self._any_of(dict(knowledge.nouns_of(material))))

    @cached_property
    def _posterior(self) -> Posterior:
        return self.make_posterior()

    def _any_of(self, weights: Mapping[str, float]) -> Floats:
        """Return (S,) the probability that each region is of one of some classes, times its weight.

        Classes are exclusive, so this is a sum over the posterior of the namer, and the many classes of a tag such as
        `electric` do not add noise: where the posterior is flat, the sum is their share of all classes. If the namer
        has none of the classes, similar nouns replace them; their scores are redundant, so only the largest counts.
        """
        found = self._posterior
        factors = np.array([weights.get(noun, 0.0) for noun in found.nouns])
        if factors.any():
            return np.asarray(np.clip(found.p @ factors, 0, 1))
        p = expit(np.asarray(self.scores(tuple(weights)).log_odds, np.float64)) * np.array(list(weights.values()))
        return np.asarray(LIKENESS * p.max(1, initial=0.0))


def facts_of_view(
    view: Frame,
    segments: Segments,
    namer: Namer,
    geometry: ViewGeometry | None = None,
    similarity: Similarity | None = None,
    described: Described = lambda text: {},
) -> Facts:
    """Return the facts about the segments of a view.

    geometry: of the view at the resolution of the segments, if it has been computed already. similarity: see Facts.
    described: see Seen.
    """
    h, w = segments.masks.shape[1:]
    if geometry is None:
        geometry = view_geometry(view, h, w)
    if geometry is not None:
        geometry = with_planes_of_regions(segments.masks, segments.kinds, segments.flat, geometry)
    small = np.asarray(cv2.resize(view.rgb, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    measures = measure(segments.masks, geometry)
    evidence = SizeEvidence(measures) if measures.metric.any() else None

    def scores(nouns: Sequence[str]) -> NameScores:
        found = namer.score(view, segments, nouns)
        return found if evidence is None else scores_by_size(found, evidence)

    def posterior() -> Posterior:
        found = posterior_by_kind(namer.posterior(view, segments), segments.kinds)
        return found if evidence is None else posterior_by_size(found, evidence)

    return Facts(
        segments,
        measures,
        Seen(
            scores,
            posterior,
            lambda: colour_words(small, segments.masks),
            described,
            lambda: colour_words(small, segments.masks, TRACE),
        ),
        geometry,
        similarity=similarity,
        image=small,
    )


def scores_by_size(found: NameScores, evidence: SizeEvidence) -> NameScores:
    """Return scores that combine measured sizes with appearance."""
    return replace(found, log_odds=np.asarray(found.log_odds + SIZE_WEIGHT * evidence(found.nouns), np.float32))


def posterior_by_kind(found: Posterior, kinds: NDArray[np.float32]) -> Posterior:
    """Return a posterior in which nouns that do not fit the kind of a region count less; each row keeps its sum.

    kinds: (S, 4) probabilities of core.segments.KINDS. The texture of a floor may resemble any object, and the crop of
    a person may show what the person wears.
    """
    fit = MIN_FIT + np.asarray(kinds, np.float64) @ np.array([fitting_kinds(n) for n in found.nouns]).reshape(-1, 4).T
    total = found.p.sum(1, keepdims=True)
    weighed = found.p * fit
    share = weighed / np.maximum(weighed.sum(1, keepdims=True), np.finfo(np.float64).tiny)
    return replace(found, p=np.asarray(share * total, np.float32))


@cache
def fitting_kinds(noun: str) -> tuple[int, int, int, int]:
    """Return which of core.segments.KINDS a noun may name, 1 or 0 for each."""
    kinds = set(knowledge.kinds(noun))
    if kinds & AGENTS:
        return 0, 0, 0, 1
    if kinds & OBJECTS_OR_SURFACES:
        return 1, 1, 0, 0
    return (0, 1, 1, 0) if is_background(noun) else (1, 0, 0, 0)


def posterior_by_size(found: Posterior, evidence: SizeEvidence) -> Posterior:
    """Return a posterior that combines measured sizes with appearance; the size of none of the nouns is not known."""
    p = np.asarray(found.p, np.float64)
    weighed = p * np.exp(SIZE_WEIGHT * evidence(found.nouns))
    total = weighed.sum(1, keepdims=True) + np.clip(1 - p.sum(1, keepdims=True), 0, 1)
    return replace(found, p=np.asarray(weighed / np.maximum(total, np.finfo(np.float64).tiny), np.float32))
