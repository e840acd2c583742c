"""Phrasings of programs, and random sensible programs with text: the training data of the parser.

Conventions that assign one program to a text (used by parser, printer and executor):

- `Select` is at the root, and elsewhere only with a number ("the left one of the two bowls"); anchors have
  none. 'one': the singular, definite or not, and superlatives. 'all': plurals, "every", "any", and each question with
  "what" or "who" without a superlative ("what is on the table", "what could I cut with", "who is holding it").
  A number: exactly so many ("both mugs", "the three tallest": Select(3, Rank(count=3))).
- "The mug and the plate" is Union(Select, Select); "mugs and plates" is Select('all', Union).
- A noun is Filter('name', singular, Everything()), including compounds and wider kinds ("tool").
- "Thing", "one", "object", "something", "what" without a noun is Things() for colour, material, state, physics, region,
  rank, except and most relations; Everything() for tags, acts, `like`, and the relations of `draw_sets.ON_EVERYTHING`.
- The order at a noun, the innermost first: name, tag, material, colour, state or physics or region, relation or act,
  like, except, rank, select.
- "The big mug" (definite, singular) is Rank('size', 'max', count=1); "the mug on the left" is Rank('x', 'min'), while
  "what is on the left", "the mugs on the left" and "in the left half" are the region.
- Negation is Except(of, property(of)): "the mugs that are not red" is Except(mug, red(mug)).
- What must be moved to see or reach X: hides. What rests on X: on. What X rests on: supports.
- "In use", "being used" is Filter('state', 'used'); "free", "taken" of a seat is Act('sitting'); "connected to" is
  Act('plugging').
- "The free part beside the sink" is Relate(next_to, FreeSpace(), sink); a part with a function ("the part of the drill
  that spins") is Like('spins', Parts('part', drill)).
- "Which is taller, the mug or the can" is Rank over Union; "the middle one of the three" is Rank(x, min, first=2) of
  Select(3); "the red and blue mugs" is the Union of both.
- What is dangerous, or dangerous to a child, is a Union of tags (`data/unions.yaml`), in that order.
- "He", "she", "somebody" in an action leave `other` empty.
- Text without a closed form is Like, with the words unchanged: Like('with a cat printed on it', mug).

Phrases are data (`data/*.yaml`); one template in ten, by a checksum of its id, is held out (`part`).
"""

import random

from converseg_ros.programs.nodes import Node
from converseg_ros.programs.phrasing.draw import draw
from converseg_ros.programs.phrasing.noise import roughen
from converseg_ros.programs.phrasing.sentence import Style, say
from converseg_ros.programs.phrasing.templates import Part

__all__ = ['Part', 'Style', 'draw', 'sample', 'say']


def sample(rng: random.Random, part: Part = 'train') -> tuple[str, Node]:
    """Return a text and the program that it means; the same state of `rng` gives the same pair."""
    node = draw(rng)
    return roughen(say(node, rng, part), node, rng, part), node
