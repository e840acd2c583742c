"""The five concept families of conversational segmentation (arXiv 2602.13195, section 3)."""

from enum import StrEnum


class Family(StrEnum):
    """What an instruction is about."""

    ENTITIES = 'entities'
    SPATIAL = 'spatial'
    RELATIONS = 'relations'
    AFFORDANCES = 'affordances'
    PHYSICS = 'physics'
