"""Facts about classes of everyday things: names, wider kinds, properties, sizes and materials; and inflection.

The facts are data (`data/*.csv`, `data/tags.yaml`; docs/knowledge.md describes the columns); `loader` reads and
validates them once. Other packages import the functions below.
"""

from converseg_ros.knowledge.colours import colour_samples
from converseg_ros.knowledge.entries import Appearance, Statement, Tag, Thing, Use
from converseg_ros.knowledge.inflector import article, counted, plural, singular
from converseg_ros.knowledge.lookup import (
    appearance,
    class_of,
    confusable,
    cousins,
    denoted,
    footprint,
    implies,
    is_known,
    kind,
    kinds,
    labelled,
    meanings,
    nouns,
    nouns_of,
    nouns_with,
    senses,
    statements,
    tags,
    tags_decided_by_class,
    thing,
    things,
    use_phrases,
)

__all__ = [
    'Appearance',
    'Statement',
    'Tag',
    'Thing',
    'Use',
    'appearance',
    'article',
    'class_of',
    'colour_samples',
    'confusable',
    'counted',
    'cousins',
    'denoted',
    'footprint',
    'implies',
    'is_known',
    'kind',
    'kinds',
    'labelled',
    'meanings',
    'nouns',
    'nouns_of',
    'nouns_with',
    'plural',
    'senses',
    'singular',
    'statements',
    'tags',
    'tags_decided_by_class',
    'thing',
    'things',
    'use_phrases',
]
