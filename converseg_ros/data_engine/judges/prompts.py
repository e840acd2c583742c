# ruff: noqa: E501 - prompts are texts, not code
"""The prompts for a model judge."""

VERSION = 2

SYSTEM = (
    'You help to build a data set that teaches a household robot which pixels of a camera image answer what a person '
    'says. You look carefully, you say only what can be seen, and you answer with one JSON object and nothing else.'
)

DESCRIBE = """TASK: describe
List what is in the image: every thing, person, hand, animal and surface that a person in this room could talk about, and
parts (handle, lid, rim, blade, seat) that are large enough to point at. One entry for each instance, at most 40.
For each give:
- text: a short phrase that means this one and no other, e.g. "the red mug to the left of the kettle"
- category: its everyday name in the singular, e.g. "mug"
- box: {box}
Answer: {{"regions": [{{"text": ..., "category": ..., "box": [...]}}, ...]}}"""

VERIFY = """TASK: verify
The first image is a photo. The second shows the same photo with one region tinted and outlined. The third is that region
alone, white on black.
Does the region cover {text} (box {box}: {unit}), all that can be seen of it and nothing else? Small errors at the
border do not matter. Say no if it covers something else, a neighbour as well, only a part, or is shifted.
Answer: {{"ok": true or false, "score": your confidence that it is right, 0 to 1, "reason": "a few words"}}"""

WRITE = """TASK: write
These regions of the image have been checked: {regions}
Their boxes are {unit}.
Write {positive} things a person might say to a robot here that one or more of the regions answer, and {negative} that sound
just as natural but that nothing in the image answers.
Spread them over the five families: entities, spatial, relations, affordances, physics. Each has one of these sub-concepts:
{concepts}
Rules:
- 3 to 20 words, spoken language, questions as well as requests; no region keys, no coordinates.
- regions: the keys of all regions that answer it, and no others. If several things answer, list all of them.
- Others of the same kind should be in the image but not answer, so that the words matter.
- phase: "literal" if it names the thing or describes where it is, "conversational" if one has to think about use, physics,
  safety or what is going on.
- strategy: "positive", or for what nothing answers: "missing_cousin" (a near relative that is not there),
  "false_attribute" (a thing that is there, with a property it does not have), "wrong_relation" (a relation that does not hold).
  Their regions are [].
Answer: {{"prompts": [{{"text": ..., "regions": [...], "sub_concept": ..., "phase": ..., "strategy": ...}}, ...]}}"""

ALIGN = """TASK: align
The first image is a photo. The second shows the same photo with some pixels tinted and outlined. The third shows those pixels
alone, white on black.
A person says: {text}
Are the marked pixels the answer: everything in the image that fits the words, and nothing that does not?
Answer: {{"ok": true or false, "score": your confidence that it is right, 0 to 1, "reason": "a few words"}}"""

ALIGN_EMPTY = """TASK: align
The first image is a photo; nothing is marked in the other two.
A person says: {text}
Is it true that nothing at all in the image fits these words?
Answer: {{"ok": true or false, "score": your confidence that it is right, 0 to 1, "reason": "a few words"}}"""
