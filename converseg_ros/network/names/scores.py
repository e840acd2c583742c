"""Log-odds of noun phrases for regions from probabilities of exclusive nouns, with back-off to kinds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.probability import log_odds
from converseg_ros.core.segments import NameScores, Posterior
from converseg_ros.knowledge import appearance, thing, things
from converseg_ros.knowledge.vocabulary import Vocabulary
from converseg_ros.network.names.weights import Meanings, Scaling

Encoder = Callable[[Sequence[str]], NDArray[np.float32]]
AGENT, PEOPLE = 'agent', frozenset({'person', 'man', 'woman', 'child'})
MIN_PROBABILITY = 1e-4  # minimum probability
SURE = 0.5  # probability from which a noun is named; below it, a wider kind
NEAREST = 5  # nouns that replace a phrase without evidence
SHARP = 15.0  # of the softmax over their cosines
KIN = 0.1  # added to the cosine of nouns that share a kind
FAR, NEAR = 0.35, 1.0  # cosine at which the nearest noun has no weight, and full weight
BY_HEAD = 0.9  # weight of the head of a phrase that is not in the vocabulary
ALIKE, SIMILAR = 0.7, 0.1  # weights of the nouns that a class without evidence looks like
BY_KIND, NARROW = 0.6, 12  # weight of the nouns of a kind for another member, lower for kinds with more nouns than this
WIDER = 0.15  # weight of the noun of a wider class: something called a bottle may be a water bottle
AS_ROLE = 0.7  # weight of the looks of people for a role (waiter, bride), which is hardly visible
BY_MEANING = 0.5  # maximum weight of a similar noun's probability for a phrase


@dataclass(frozen=True)
class Meaning:
    """The score of a phrase: the sum of `weights` times the probabilities of nouns, and whether it is known."""

    places: NDArray[np.intp]
    weights: NDArray[np.float32]
    known: bool


NOTHING = Meaning(np.zeros(0, np.intp), np.zeros(0, np.float32), False)


class Phrases:
    """Converts phrases to sums over the K nouns of a head; phrases are cached."""

    def __init__(
        self, nouns: Sequence[str], scaling: Scaling, meanings: Meanings, words: Vocabulary, encode: Encoder | None
    ) -> None:
        """Index the nouns. encode: unit vectors of texts, for phrases outside of the vocabulary."""
        self._nouns = tuple(nouns)
        self._place = {noun: i for i, noun in enumerate(nouns)}
        self._scaling, self._words, self._encode = scaling, words, encode
        self._vectors = dict(zip(meanings.nouns, meanings.vectors))
        self._found: dict[str, Meaning] = {}
        self._last: tuple[NDArray[np.float32], tuple[tuple[str, float], ...]] | None = None

    def scores(self, p: NDArray[np.float32], nouns: Sequence[str]) -> NameScores:
        """Return the scores of phrases for regions whose nouns have the probabilities `p` (S, K)."""
        found = [self.meaning(noun) for noun in nouns]
        found_odds = np.empty((len(p), len(found)), np.float32)
        for column, (noun, meaning) in enumerate(zip(nouns, found, strict=True)):
            total = p[:, meaning.places] @ meaning.weights
            found_odds[:, column] = log_odds(total, MIN_PROBABILITY) * self._scaling.of(noun)
        known = np.array([m.known for m in found], bool)
        return NameScores(tuple(nouns), found_odds, known, self._called(p))

    def posterior(self, p: NDArray[np.float32]) -> Posterior:
        """Return the posterior for probabilities p (S, K) of the nouns: normalised powers, with the shared factor."""
        none = np.clip(1 - p.sum(1, keepdims=True), 0, 1)
        power = np.concatenate([p, none], 1) ** self._scaling.shared
        share = power / np.maximum(power.sum(1, keepdims=True), MIN_PROBABILITY)
        return Posterior(self._nouns, np.asarray(share[:, :-1], np.float32))

    def _called(self, p: NDArray[np.float32]) -> tuple[tuple[str, float], ...]:
        """Return the name of each region; cached for a view, whose probabilities are the same array."""
        if self._last is None or self._last[0] is not p:
            best = self._best(p)
            odds = log_odds([total for _, total in best], MIN_PROBABILITY).tolist()
            self._last = p, tuple((name, x * self._scaling.of(name)) for (name, _), x in zip(best, odds))
        return self._last[1]

    def meaning(self, phrase: str) -> Meaning:
        """Return the meaning of a phrase."""
        if phrase not in self._found:
            self._found[phrase] = self._look_up(phrase)
        return self._found[phrase]

    def _look_up(self, phrase: str) -> Meaning:
        if phrase == 'thing':
            return Meaning(np.arange(len(self._nouns)), np.ones(len(self._nouns), np.float32), True)
        denoted = {self._words.names[i]: share for i, share in self._words.denoted(phrase).items()}
        spoken = [(self._place[n], share) for n, share in denoted.items() if n in self._place]
        if any(share == 1 for _, share in spoken):
            own = Meaning(np.array([i for i, _ in spoken], np.intp), np.array([s for _, s in spoken], np.float32), True)
            return replace(self._united(self._of_people(phrase, own), self._of_wider(phrase)), known=True)
        if (people := self._of_people(phrase)).known:
            return people
        seen_as = self._by_looks(denoted or {phrase: 1.0})
        if len(seen_as.places):
            return seen_as
        for head in _heads(phrase):
            wider = self.meaning(head)
            if wider.known:
                return Meaning(wider.places, BY_HEAD * wider.weights, False)
        return self._united(self._of_kind(phrase), self._similar(phrase))

    def _of_people(self, phrase: str, own: Meaning = NOTHING) -> Meaning:
        """Let people without a visible role represent one: a person may be a waiter."""
        found = thing(phrase)
        if found is None or AGENT not in found.kinds or {found.name, *found.kinds} & PEOPLE:
            return own
        looks = [self.meaning(name) for name in found.loose_names if name in PEOPLE]
        if not looks:
            return own
        wide = [Meaning(m.places, AS_ROLE * m.weights, True) for m in looks]
        return replace(self._united(own, *wide), known=True)

    def _of_wider(self, phrase: str) -> Meaning:
        """Let the nouns of wider classes represent a class: labels are often wider than the names in texts."""
        found = thing(phrase)
        if found is None:
            return NOTHING
        names = {*found.loose_names, *found.kinds, found.name.rpartition(' ')[2]} - {found.name}
        if AGENT in found.kinds:
            names &= {'person'}
        places = [self._place[name] for name in sorted(names) if name in self._place]
        return Meaning(np.array(places, np.intp), np.full(len(places), WIDER, np.float32), True)

    def _by_looks(self, denoted: Mapping[str, float]) -> Meaning:
        """Let the nouns that things without evidence look like represent them, beside those that have evidence."""
        weights = dict[int, float]()
        for name, share in denoted.items():
            looks = appearance(name)
            seen_as = {name: 1.0}
            if looks is not None:
                seen_as = dict.fromkeys(looks.similar, SIMILAR) | dict.fromkeys(looks.alike, ALIKE)
            for noun, weight in seen_as.items():
                if (place := self._place.get(noun)) is not None:
                    weights[place] = max(weights.get(place, 0.0), share * weight)
        return Meaning(np.array(list(weights), np.intp), np.array(list(weights.values()), np.float32), False)

    def _of_kind(self, phrase: str) -> Meaning:
        """Let the nouns of the narrowest kind of a class represent it if it has no evidence."""
        found = thing(phrase)
        kinds = set(found.kinds) if found else set()
        for kind, members in self._members.items():
            if kind in kinds:
                trust = BY_KIND * min(1.0, NARROW / len(members))
                return Meaning(members, np.full(len(members), trust, np.float32), False)
        return NOTHING

    def _united(self, *meanings: Meaning) -> Meaning:
        weights = np.zeros(len(self._nouns), np.float32)
        for meaning in meanings:
            np.maximum.at(weights, meaning.places, meaning.weights)
        places = np.flatnonzero(weights)
        return Meaning(places, weights[places], False)

    @cached_property
    def _matrix(self) -> NDArray[np.float32]:
        size = next(iter(self._vectors.values())).shape[0] if self._vectors else 1
        return np.array([self._vectors.get(n, np.zeros(size)) for n in self._nouns], np.float32).reshape(-1, size)

    def _similar(self, phrase: str) -> Meaning:
        """Let similar nouns represent a phrase without evidence."""
        place = self._words.find(phrase)
        name = self._words.names[place] if place is not None else phrase
        vector = self._vectors.get(name)
        if vector is None and self._encode is not None:
            vector = np.asarray(self._encode([phrase]), np.float32)[0]
        if vector is None:
            return NOTHING
        cosine = self._matrix @ vector
        kin = [m for k in things()[name].kinds if (m := self._members.get(k)) is not None] if name in things() else []
        if kin:
            cosine[np.unique(np.concatenate(kin))] += KIN
        best = np.argpartition(-cosine, min(NEAREST, len(cosine) - 1))[:NEAREST]
        best = best[np.argsort(-cosine[best])]
        share = np.exp(SHARP * (cosine[best] - cosine[best[0]]))
        trust = BY_MEANING * np.clip((cosine[best[0]] - FAR) / (NEAR - FAR), 0, 1)
        return Meaning(best.astype(np.intp), (trust * share / share.sum()).astype(np.float32), False)

    @cached_property
    def _members(self) -> dict[str, NDArray[np.intp]]:
        """Return the wider kinds and the indices of their nouns, the narrowest first."""
        members: dict[str, list[int]] = {}
        for i, noun in enumerate(self._nouns):
            for kind in things()[noun].kinds if noun in things() else ():
                members.setdefault(kind, []).append(i)
        return {k: np.array(m, np.intp) for k, m in sorted(members.items(), key=lambda pair: len(pair[1]))}

    def _best(self, p: NDArray[np.float32]) -> list[tuple[str, float]]:
        """Return the most natural noun of each region, and its probability: a wider kind if no noun is certain."""
        if not len(self._nouns):
            return [('thing', 0.0)] * len(p)
        top = p.argmax(1)
        found = [(self._nouns[i], float(row[i])) for row, i in zip(p, top)]
        unsure = np.flatnonzero(p[np.arange(len(p)), top] < SURE)
        for kind, members in self._members.items():
            if not len(unsure):
                break
            total = p[unsure[:, None], members].sum(1)
            for i in np.flatnonzero(total >= SURE):
                found[unsure[i]] = kind, float(total[i])
            unsure = unsure[total < SURE]
        for i in unsure:
            found[i] = 'thing', float(p[i].sum())
        return found


def _heads(phrase: str) -> tuple[str, ...]:
    """Return the shorter phrases that say what a phrase is about, the best first.

    A soup can is a can: its modifiers are ignored. A bottle of water is a bottle; if the first noun is only a measure,
    the second one counts: a bunch of bananas.
    """
    first, of, second = phrase.strip().partition(' of ')
    if of:
        return first, second
    _, _, head = first.partition(' ')
    return (head,) if head else ()
