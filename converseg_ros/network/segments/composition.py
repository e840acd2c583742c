"""The segments of a view: selected nodes of the merge tree, completed by the people and animals that a detector finds.

A tree separates what has an outline; it divides a person into clothes, and joins what looks alike. An agent with a
box replaces the flat regions that it consists of, where its predicted IoU promises more than they do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.segments import KINDS
from converseg_ros.network.segments.agents import Agents
from converseg_ros.network.segments.selection import MIN_CELLS, SAME, Chosen, gain_of
from converseg_ros.network.segments.tree import MergeTree

Leaves = NDArray[np.bool_]
AGENT = KINDS.index('agent')
BELONGS = 0.5  # share of a superpixel or a region inside of an agent from which it belongs to the agent
MIN_AGENT_QUALITY = 0.25  # predicted IoU, below which a box of the detector is mostly that of nothing
WORTH = 0.6  # minimum gain of an agent, as a share of the gain of the regions that it replaces


@dataclass(frozen=True, slots=True)
class Composition:
    """Segments as sets of superpixels.

    leaves (S, k) bool, kinds (S, 4), quality (S,), flat (S,) bool; parent (S,), the index of a part's whole, or -1.
    """

    leaves: Leaves
    kinds: NDArray[np.float32]
    quality: NDArray[np.float32]
    flat: NDArray[np.bool_]
    parent: NDArray[np.intp]


def composed(
    tree: MergeTree, chosen: Chosen, score: NDArray[np.float32], kinds: NDArray[np.float32], agents: Agents | None
) -> Composition:
    """Return the selected nodes with the agents of the view.

    score: (N, 2) predicted IoU of each node as an object and as a part. kinds: (N, 4).
    """
    position = np.empty(tree.leaves, np.intp)
    position[tree.order] = np.arange(tree.leaves)
    first, last = tree.first[chosen.nodes], tree.last[chosen.nodes]
    leaves = (position >= first[:, None]) & (position < last[:, None])
    quality = score[chosen.nodes, (chosen.parent >= 0).astype(np.intp)]
    found = Composition(leaves, kinds[chosen.nodes], quality, chosen.flat, chosen.parent)
    if agents is None or not len(agents.quality):
        return found
    size = tree.area[: tree.leaves]
    share = tree.leaf_sums(agents.masks.reshape(len(agents.masks), -1).T).T / size
    bodies, of_leaf = share > BELONGS, kinds[: tree.leaves] * size[:, None]
    for index in np.argsort(-agents.quality, kind='stable'):
        found = _with_agent(found, bodies[index], float(agents.quality[index]), of_leaf, size)
    return found


def _with_agent(
    found: Composition, own: Leaves, quality: float, of_leaf: NDArray[np.float64], size: NDArray[np.float64]
) -> Composition:
    """Return the segments with an agent (k,) in place of the flat regions that belong to it, if that is a gain."""
    flat = np.flatnonzero(found.flat)
    area = found.leaves @ size
    common = (found.leaves[flat] & own) @ size
    covered = common > BELONGS * area[flat]
    own = own & ~found.leaves[flat[~covered & (area[flat] < own @ size)]].any(0)  # keeps smaller objects in front of it
    total = float(own @ size)
    if total < MIN_CELLS or quality <= MIN_AGENT_QUALITY:
        return found
    union = area[flat] + total - (found.leaves[flat] & own) @ size
    if ((found.leaves[flat] & own) @ size > SAME * union).any():
        return found  # the tree has it, with a sharper outline
    replaced = flat[covered]
    kind = (own @ of_leaf / total).astype(np.float32)
    if kind.argmax() != AGENT:
        return found
    if gain_of(np.array(total), np.array(quality)) < WORTH * gain_of(area[replaced], found.quality[replaced]).sum():
        return found
    leaves, flags, parent = found.leaves.copy(), found.flat.copy(), found.parent.copy()
    leaves[flat[~covered]] &= ~own
    flags[replaced] = False
    parts = np.flatnonzero(parent >= 0)
    inside = (leaves[parts] & own) @ size > BELONGS * area[parts]
    leaves[parts] &= np.where(inside[:, None], own, ~own)  # a part lies in its whole
    parent[parts[~inside & np.isin(parent[parts], replaced)]] = -1
    parent[parts[inside]] = len(leaves)
    return Composition(
        np.concatenate([leaves, own[None]]),
        np.concatenate([found.kinds, kind[None]]),
        np.append(found.quality, np.float32(quality)),
        np.append(flags, True),
        np.append(parent, -1),
    )
