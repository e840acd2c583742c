"""Names, tags and materials of the regions of a view, from a namer's scores, `knowledge` and colours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from converseg_ros import knowledge
from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import NameScores, Segments
from converseg_ros.facts.colours import colour_words
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.measures import Measures, measure
from converseg_ros.facts.planes import ViewGeometry, view_geometry
from converseg_ros.facts.size_evidence import SizeEvidence
from converseg_ros.facts.table import Facts, Similarity
from converseg_ros.programs.vocabulary import COLOURS

Floats = NDArray[np.float64]
Scores = Callable[[Sequence[str]], NameScores]
MIN_PROBABILITY = 0.003  # probability of a class below which it is noise, because there are thousands of classes
LIKENESS = 0.5  # factor on the score of a class that the namer does not have
SIZE_WEIGHT = 0.5  # weight of the log-likelihood ratio of a measured size
BY_CLASS = 0.6  # maximum degree of a material that follows from the class alone


@dataclass(eq=False)
class Seen:
    """Properties of regions from a namer and colours; each noun is scored at its first use."""

    scores: Scores
    colours: Floats
    _nouns: dict[str, tuple[Floats, bool]] = field(default_factory=dict)

    def look_up(self, by: str, value: str) -> Degree | None:
        """Return (S,) degrees of a name, tag, colour or material; None if geometry decides it."""
        if by == 'name':
            return Degree.known(self._noun(value)[0])
        if by == 'colour':
            return Degree.known(self.colours[:, COLOURS.index(value)])
        if by == 'tag':
            return self._tag(value)
        if by == 'material':
            return self._material(value)
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
            return Degree.unknown(len(self.colours), f'nothing is known of "{tag}"')
        return Degree.known(self._any_of(dict(knowledge.nouns_with(tag))))

    def _material(self, material: str) -> Degree:
        """Return the usual materials of a region's class: the first has full weight, later ones less."""
        if material == 'transparent':
            return self._tag('transparent')
        weights = {
            thing.name: 1 / (1 + thing.materials.index(material))
            for thing in knowledge.things().values()
            if material in thing.materials
        }
        p = BY_CLASS * self._any_of(weights)
        return Degree(p, np.zeros_like(p), np.clip(2 * p, p, 1), frozenset({f'{material} is inferred from the class'}))

    def _any_of(self, weights: dict[str, float]) -> Floats:
        """Return (S,) the probability that each region is of one of some exclusive classes, times its weight.

        The score of a class includes its narrower classes (a bread knife is a knife), so those are excluded. Classes
        that the namer does not have are scored by similar classes; these scores are redundant, so only the largest
        counts, with a lower weight.
        """
        widest = [name for name in weights if not wider(name) & weights.keys()]
        if not widest:
            return np.zeros(len(self.colours))
        found = self.scores(widest)
        p = expit(np.asarray(found.log_odds, np.float64)) * np.array([weights[name] for name in widest])
        p = np.where(p < MIN_PROBABILITY, 0, p)
        by_likeness = LIKENESS * p[:, ~found.known].max(1, initial=0.0)
        return np.asarray(np.clip(p[:, found.known].sum(1), by_likeness, 1))


@cache
def wider(name: str) -> frozenset[str]:
    """Return the other classes whose usual name is also a name of this class."""
    return frozenset(n for n in knowledge.class_of(name).names if n != name and n in knowledge.things())


def facts_of_view(
    view: Frame,
    segments: Segments,
    scores: Scores,
    geometry: ViewGeometry | None = None,
    similarity: Similarity | None = None,
) -> Facts:
    """Return the facts about the segments of a view.

    scores: returns a namer's scores of nouns for these segments. geometry: of the view at the resolution of the
    segments, if it has been computed already.
    """
    h, w = segments.masks.shape[1:]
    if geometry is None:
        geometry = view_geometry(view, h, w)
    small = np.asarray(cv2.resize(view.rgb, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    measures = measure(segments.masks, geometry)
    seen = Seen(by_size_too(scores, measures), colour_words(small, segments.masks))
    return Facts(segments, measures, seen, geometry, similarity=similarity)


def by_size_too(scores: Scores, measures: Measures) -> Scores:
    """Return scores that combine measured sizes with appearance."""
    if not measures.metric.any():
        return scores
    evidence = SizeEvidence(measures)

    def both(nouns: Sequence[str]) -> NameScores:
        found = scores(nouns)
        return replace(found, log_odds=np.asarray(found.log_odds + SIZE_WEIGHT * evidence(nouns), np.float32))

    return both
