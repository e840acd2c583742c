"""The five concept families of conversational segmentation (arXiv 2602.13195, section 3)."""

from enum import StrEnum


class Family(StrEnum):
    """The family of concepts of an instruction."""

    ENTITIES = 'entities'
    SPATIAL = 'spatial'
    RELATIONS = 'relations'
    AFFORDANCES = 'affordances'
    PHYSICS = 'physics'
