"""Actions: pairs of an agent and an object in contact, combined with the known uses of the object.

One image shows contact, not movement. What contact and class do not determine is unknown, never false; without an agent
in view there is no action.
"""

from typing import TYPE_CHECKING

import numpy as np

from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.predicates.relations import ramp

if TYPE_CHECKING:
    from converseg_ros.facts.table import Facts

HELD = ('holding', 'carrying', 'using')
BY_TAG: dict[str, tuple[str, ...]] = {
    'cutting': ('cuts',),
    'writing': ('writes', 'write_on'),
    'cleaning': ('cleans', 'wipe', 'sweep'),
    'stirring': ('stirs',),
    'eating': ('edible', 'eat_with'),
    'drinking': ('drink', 'drinkable'),
    'wearing': ('wearable',),
    'sitting': ('sittable',),
    'riding': ('ride',),
    'watching': ('watch_screen',),
}
"""Tags of the object (any of them) that an agent in contact with it would use in the action."""
BY_ROLE: dict[tuple[str, str], tuple[str, ...]] = {
    ('writing', 'patient'): ('write_on',),
    ('writing', 'instrument'): ('writes',),
    ('eating', 'patient'): ('edible',),
    ('eating', 'instrument'): ('eat_with',),
}
"""Those of the tags that tell what is acted on from what it is done with: one writes in a notebook with a pen."""
TOOLS = frozenset({'cutting', 'pouring', 'plugging'})  # one object acts on another, whether or not somebody holds it
UNSEEN = 'one image does not show what happens'


def act(kind: str, facts: 'Facts', role: str = 'agent') -> Degree:
    """Return (S, S) degrees: region i does one of programs.vocabulary.ACTS to region j.

    role: one of programs.vocabulary.ROLES; for 'patient' j is what is acted on, for 'instrument' what it is done with.
    """
    count = len(facts)
    agent = facts.kinds[:, 3]
    touch = facts.primitives.contact | facts.primitives.support | facts.primitives.support.T
    between = touch.scaled(np.outer(agent, 1 - agent) * (1 - facts.kinds[:, 1:3].sum(1))[None])
    if kind in HELD:
        # an object in contact with a hand is probably held, but the hand may rest on it
        held = _at_most(between, 0.75)
        return held | _on_wheels(facts) if kind == 'carrying' else held
    if kind in TOOLS:
        return _tool(kind, facts)
    if kind in BY_TAG:
        fits = Degree.known(np.zeros(count))
        for tag in BY_ROLE.get((kind, role), BY_TAG[kind]):
            fits = fits | facts.filter('tag', tag)
        found = between & Degree(fits.p[None], fits.low[None], fits.high[None], fits.notes)
        if kind in ('sitting', 'riding'):
            found = found & (facts.primitives.support | facts.primitives.contact.scaled(0.5))
        return _at_most(found, 0.75)
    if kind == 'facing':
        return facts.relation('facing').scaled(np.repeat(agent[:, None], count, 1))
    if kind == 'falling' and facts.primitives.floating is not None:
        return _at_most(Degree.known(np.diag(facts.primitives.floating)), 0.75)  # nobody makes it fall
    somebody = np.repeat(agent[:, None], count, 1) * (1 - np.eye(count))
    if kind == 'reaching':
        near = facts.relation('near').scaled(somebody * facts.kinds[None, :, 0]) & ~facts.primitives.contact
        return Degree(0.4 * near.p, np.zeros_like(near.p), near.high, near.notes | {UNSEEN})
    p = 0.3 * somebody
    return Degree(p, np.zeros_like(p), np.where(somebody > 0.2, 1.0, p), frozenset({UNSEEN}))


def _on_wheels(facts: 'Facts') -> Degree:
    """Return (S, S) how far object i is a cart, or something else with wheels, that object j is on or in."""
    things = facts.kinds[:, 0]
    loaded = facts.relation('supports').scaled(np.outer(things, things))
    wheels = facts.filter('tag', 'wheels')
    pairs = loaded & Degree(wheels.p[:, None], wheels.low[:, None], wheels.high[:, None], wheels.notes)
    return _at_most(pairs, 0.6)


def _at_most(found: Degree, ceiling: float) -> Degree:
    """Return contact as evidence: the estimate is at most `ceiling`, the upper bound is higher."""
    high = np.maximum(found.high, found.p)
    return Degree(ceiling * found.p, np.where(found.p > 0.6, ceiling * found.low, 0), high, found.notes | {UNSEEN})


def _tool(kind: str, facts: 'Facts') -> Degree:
    """Return degrees for a blade in an object, a vessel tilted over another, or a plug in an outlet."""
    m = facts.measures
    if kind == 'pouring':
        vessel, target = facts.filter('tag', 'pours'), facts.filter('tag', 'holds_liquid')
        tilted = ramp(-np.abs(np.abs(m.long_axis[:, 2]) - 0.55), -0.4, -0.2)
        over = facts.relation('above')
        pair = over & _outer(vessel & Degree.partly(tilted, 'depth is missing, so tilt is not known'), target)
        return _at_most(pair, 0.7)
    tags = {'cutting': ('cuts', ''), 'plugging': ('electric', 'plug_in')}[kind]
    blade = facts.filter('tag', tags[0])
    target = facts.filter('tag', tags[1]) if tags[1] else Degree.known(facts.kinds[:, 0])
    return _at_most(facts.primitives.contact & _outer(blade, target), 0.6)


def _outer(first: Degree, second: Degree) -> Degree:
    """Return (S, S): i fulfils the first and j the second."""
    a = Degree(first.p[:, None], first.low[:, None], first.high[:, None], first.notes)
    b = Degree(second.p[None], second.low[None], second.high[None], second.notes)
    return a & b
