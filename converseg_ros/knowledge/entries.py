"""What the data files of `knowledge` hold: tags, kinds and classes of things."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Use:
    """How people ask for a tag: `verbs` end where the thing would stand ('cut bread with'), `sayings` are prompts."""

    sub_concept: str
    verbs: tuple[str, ...] = ()
    sayings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A property, use or hazard that a class of things can have.

    decided_by_class: what people mean by the tag follows from the class alone, whatever one instance is like; a
    scene's attributes do not change it. hazard: whole prompts about the danger. adjective: sub-concept and noun
    phrase. excludes: tags that nothing with this one has. stand_ins, substitute: tags of things that can replace one
    with this tag, and prompts that ask for those.
    """

    name: str
    meaning: str
    decided_by_class: bool = False
    use: Use | None = None
    hazard: Use | None = None
    adjective: tuple[str, str] | None = None
    stand_ins: tuple[str, ...] = ()
    substitute: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A wider kind of things.

    names: what else it is called. one, many: how a mass noun is counted ('piece of furniture', 'pieces of furniture').
    """

    name: str
    wider: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    one: str = ''
    many: str = ''
    tags: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Thing:
    """A class of things.

    names: what it is called, the usual name first. loose_names: what only some people would call it. kinds: wider
    kinds, the kinds of those included. tags: properties that it has; doubtful: those of which opinions differ.
    size: typical extents in metres, (longer side, shorter side, height) as it usually lies or stands, or None.
    materials: what it is usually made of, the most usual first. labelled: a class of COCO or of the scenes.
    """

    name: str
    names: tuple[str, ...]
    loose_names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: frozenset[str] = field(default_factory=frozenset)
    doubtful: frozenset[str] = field(default_factory=frozenset)
    mass: bool = False
    plural_only: bool = False
    size: tuple[float, float, float] | None = None
    materials: tuple[str, ...] = ()
    labelled: bool = False

    @property
    def words(self) -> frozenset[str]:
        """Everything it may be called, kinds included."""
        return frozenset((*self.names, *self.loose_names, *self.kinds))


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The checked contents of all data files."""

    tags: Mapping[str, Tag]
    kinds: Mapping[str, Kind]
    things: Mapping[str, Thing]
    look_alikes: tuple[frozenset[str], ...]
    coco_names: Mapping[str, str]
    irregular_plurals: Mapping[str, str]
