"""Measure facts: how well relations, states, properties and orders of a rendered room agree with its ground truth.

converseg bench facts rooms_val --json out.json

Each predicate is computed from the noisy depth of a view in two ways. `true`: on the labelled masks with their true
names, so that errors are those of the geometry. `seen`: on the segments and names of a model, for the regions of the
flat cut that match an object (IoU of at least MATCH); errors of objects without such a region are not in the table.
Statements about which the ground truth is undecided are left out, and so are objects that are too small or too hidden
for a prompt.

n, true: number of statements, and of true ones. auc: area under the ROC curve of the degree. p, r: precision and
recall of degrees of at least 0.5. log: mean negative log-likelihood in nats. Orders (`order height`) are statements
that one object precedes another; each pair is counted in both directions.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_json
from converseg_ros.core.segments import KINDS, NameScores, Posterior, Segments
from converseg_ros.data_engine.world.truth import Truth
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.naming import facts_of_view
from converseg_ros.facts.table import Facts
from converseg_ros.knowledge.vocabulary import vocabulary
from converseg_ros.programs import vocabulary as v

if TYPE_CHECKING:
    from converseg_ros.core.frame import Frame
    from converseg_ros.data_engine.world.world import Entity
    from converseg_ros.network.things.things_network import ThingsNetwork

MATCH = 0.5  # minimum IoU of a region with an object
CERTAIN = 0.95  # degree from which a statement of the ground truth is true; false at most 1 - CERTAIN
SURE_NAME, SURE_KIND = 4.0, 0.97  # log-odds of true names, and probability of true kinds
CLIP = 1e-3  # minimum distance of a degree to 0 and 1 in the log-likelihood
FILTERS = (('state', v.STATES), ('physics', v.PHYSICS), ('colour', v.COLOURS), ('material', v.MATERIALS))
WAYS = ('true', 'seen')
Floats = NDArray[np.float64]


@dataclass(eq=False)
class Statements:
    """Degrees of statements, and whether they are true."""

    degrees: list[Floats] = field(default_factory=list)
    truths: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, found: Degree, true: Degree, asked: NDArray[np.bool_]) -> None:
        """Add the statements of one view that are asked and that the ground truth decides."""
        decided = asked & ((true.low >= CERTAIN) | (true.high <= 1 - CERTAIN))
        self.degrees.append(found.p[decided])
        self.truths.append(true.low[decided] >= CERTAIN)

    def summary(self) -> dict[str, float | None]:
        """Return the measures; None for those without statements."""
        p, true = np.concatenate(self.degrees), np.concatenate(self.truths)
        said, clipped = p >= 0.5, np.clip(p, CLIP, 1 - CLIP)
        both = 0 < true.sum() < len(true)
        ranks = rankdata(p)[true] if both else np.zeros(0)
        area = (ranks.mean() - (len(ranks) + 1) / 2) / (len(true) - len(ranks)) if both else None
        return {
            'n': len(true),
            'true': int(true.sum()),
            'auc': None if area is None else float(area),
            'precision': float(true[said].mean()) if said.any() else None,
            'recall': float(said[true].mean()) if true.any() else None,
            'log_loss': float(-np.log(np.where(true, clipped, 1 - clipped)).mean()) if len(true) else None,
        }


class TrueNames:
    """Implements core.segments.Namer: the names of labelled objects."""

    def __init__(self, entities: Sequence['Entity']) -> None:
        self._things = [e.thing for e in entities]

    def score(self, view: 'Frame', segments: Segments, nouns: Sequence[str]) -> NameScores:
        """Return SURE_NAME for the names of each object, else its negative; kinds are names as well."""
        named = [{*thing.names, *thing.kinds} for thing in self._things]
        odds = np.array([[SURE_NAME if n in words else -SURE_NAME for n in nouns] for words in named], np.float32)
        best = tuple((thing.name, SURE_NAME) for thing in self._things)
        return NameScores(tuple(nouns), odds.reshape(len(named), len(nouns)), np.ones(len(nouns), bool), best)

    def posterior(self, view: 'Frame', segments: Segments) -> Posterior:
        """Return certainty for the class of each object; none of the nouns for a class that has no noun."""
        nouns = vocabulary().names
        return Posterior(nouns, np.array([[float(n == t.name) for n in nouns] for t in self._things], np.float32))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('rooms', type=Path, help='folder of rendered rooms (converseg scenes render)')
    parser.add_argument('--model', default='compact', help='name or folder of the model with segments and names')
    parser.add_argument('--limit', type=int, default=0, help='views; 0 = all')
    parser.add_argument('--json', type=Path, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    from converseg_ros.network.registry import load
    from converseg_ros.network.things.things_network import ThingsNetwork

    network = load(args.model)
    if not isinstance(network, ThingsNetwork):
        raise InputError('the model has no facts', where=args.model, do='give one of kind things')
    table: dict[str, dict[str, Statements]] = defaultdict(lambda: {way: Statements() for way in WAYS})
    objects = matched = views = 0
    for truth, frame in views_of(args.rooms, args.limit):
        views += 1
        places = add_view(table, truth, frame, network)
        objects, matched = objects + len(places), matched + int((places >= 0).sum())
    found = {name: {way: s.summary() for way, s in ways.items()} for name, ways in table.items()}
    print(f'{args.rooms.name}: {views} views, {objects} objects, {matched} with a region of the flat cut')
    for line in lines(found):
        print(line)
    if args.json:
        write_json(args.json, {'views': views, 'objects': objects, 'matched': matched, 'predicates': found})
    return 0


def views_of(folder: Path, limit: int = 0) -> Iterator[tuple[Truth, 'Frame']]:
    """Yield the ground truth of each view of a folder of rooms, and the view with its noisy depth."""
    from converseg_ros.data_engine.world.scene_world import scene_world
    from converseg_ros.datasets.regions import labelled_names, read_labelled
    from converseg_ros.scenes.graph import Scene

    for count, name in enumerate(labelled_names(folder)):
        if limit and count >= limit:
            return
        room, _, view_name = name.partition('/')
        scene = Scene.load(folder / room)
        view = next(x for x in scene.views if x.name == view_name)
        yield Truth(scene_world(scene, view, folder / room, name)), read_labelled(folder, name).view


def add_view(
    table: dict[str, dict[str, Statements]], truth: Truth, frame: 'Frame', network: 'ThingsNetwork'
) -> NDArray[np.intp]:
    """Add the statements of one view; return the index of the region of each evaluated object, -1 for none."""
    segments = network.parts.proposer.propose(frame)
    seen = network.facts_of(frame, segments)
    labelled = true_segments(truth, (segments.masks.shape[1], segments.masks.shape[2]))
    exact = facts_of_view(frame, labelled, TrueNames(_wholes(truth)))
    asked = [i for i, e in enumerate(truth.listed) if e.kind in ('object', 'agent', 'surface')]
    asked = [i for i in asked if not truth.world.faint(truth.listed[i])]
    own = np.array([_wholes(truth).index(truth.listed[i]) for i in asked], np.intp)
    places = matching(labelled.masks[own], segments.masks, seen.whole)
    for way, facts, where in (('true', exact, own), ('seen', seen, places)):
        rows = np.array(asked, np.intp)[where >= 0]
        if len(rows):
            for name, found, true, chosen in statements(facts, where[where >= 0], truth.facts, rows):
                table[name][way].add(found, true, chosen)
    return places


def _wholes(truth: Truth) -> list['Entity']:
    return [e for e in truth.listed if e.kind != 'part']


def true_segments(truth: Truth, shape: tuple[int, int]) -> Segments:
    """Return the labelled objects, surfaces and structures as regions of a flat cut on a grid of `shape`."""
    from converseg_ros.data_engine.world.truth import KINDS as KIND_OF

    wholes, size = _wholes(truth), (truth.world.height, truth.world.width)
    small = [cv2.resize(e.mask.view(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT) for e in wholes]
    kinds = np.full((len(wholes), len(KINDS)), (1 - SURE_KIND) / (len(KINDS) - 1), np.float32)
    kinds[range(len(wholes)), [KINDS.index(KIND_OF.get(e.kind, 'structure')) for e in wholes]] = SURE_KIND
    ones, none = np.ones(len(wholes), np.float32), np.full(len(wholes), -1, np.intp)
    return Segments(np.stack(small).view(bool), size, kinds, ones, ones > 0, none, none)


def matching(objects: NDArray[np.bool_], masks: NDArray[np.bool_], flat: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return (N,) the region of the flat cut with the largest IoU with each object, -1 if that is below MATCH."""
    a = objects.reshape(len(objects), -1).astype(np.float32)
    b = (masks & flat[:, None, None]).reshape(len(masks), -1).astype(np.float32)
    inside = a @ b.T
    iou = inside / np.maximum(a.sum(1)[:, None] + b.sum(1)[None] - inside, 1)
    return np.where(iou.max(1, initial=0.0) >= MATCH, iou.argmax(1), -1) if len(masks) else np.full(len(a), -1)


def statements(
    facts: Facts, where: NDArray[np.intp], true: Facts, rows: NDArray[np.intp]
) -> Iterator[tuple[str, Degree, Degree, NDArray[np.bool_]]]:
    """Yield (predicate, degrees, true degrees, which of them are statements) about N objects.

    where, rows: their indices in the facts and in the true facts.
    """
    pair, own = np.ix_(where, where), np.ix_(rows, rows)
    others = ~np.eye(len(where), dtype=bool)
    for name in v.RELATIONS:
        if name not in ('between', 'part_of'):
            yield name, facts.relation(name)[pair], true.relation(name)[own], others
    apart = others[:, :, None] & others[:, None, :] & others[None]
    yield 'between', facts.between()[np.ix_(where, where, where)], true.between()[np.ix_(rows, rows, rows)], apart
    every = np.ones(len(where), bool)
    for kind in v.ACTS:
        yield f'act {kind}', facts.act(kind)[pair], true.act(kind)[own], np.ones_like(others)
    filters = [(by, value) for by, values in FILTERS for value in values] + [('tag', t) for t in knowledge.tags()]
    for by, value in filters:
        degree = true.filter(by, value)
        if not (by == 'state' and degree.doubt.all()):  # the scene does not state it
            yield f'{by} {value}', facts.filter(by, value)[where], degree[rows], every
    for key in v.RANK_KEYS:
        if key != 'distance_to':
            yield f'order {key}', _order(facts, where, key), _order(true, rows, key), others


def _order(facts: Facts, where: NDArray[np.intp], key: str) -> Degree:
    """Return (N, N) degrees that one object is before another on a scale; undecided where the scale is not firm."""
    scale = facts.scale(key)
    p = scale.beats('max')[np.ix_(where, where)]
    firm = (scale.firm[where, None] & scale.firm[where][None]) if facts.exact else np.ones_like(p, bool)
    return Degree.partly(np.where(firm, p, np.nan), scale.note)


def lines(found: dict[str, dict[str, dict[str, Any]]]) -> Iterator[str]:
    """Yield the lines of the table: predicates with at least one true statement."""
    head = 'n     true  auc  p    r    log  '
    yield f'{"":22}true: {head}  seen: {head}'
    for name, ways in found.items():
        if ways['true']['true']:
            yield f'{name:22}' + '  '.join(_cells(ways[way]) for way in WAYS)


def _cells(row: dict[str, Any]) -> str:
    shown = (row[key] for key in ('auc', 'precision', 'recall', 'log_loss'))
    shares = ' '.join(' -  ' if x is None else f'{x:.2f}' for x in shown)
    return f'{row["n"]:7} {row["true"]:5} {shares}'
