"""The entries of the data files of `knowledge`: tags, kinds and classes of things."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Use:
    """Phrases that ask for a tag: `verbs` end where the thing would follow ('cut bread with'); `sayings` are whole."""

    sub_concept: str
    verbs: tuple[str, ...] = ()
    sayings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A property, use or hazard of a class of things.

    decided_by_class: the tag depends on the class alone; the attributes of an instance in a scene do not change it.
    hazard: complete prompts about the danger. adjective: sub-concept and noun phrase. excludes: tags that exclude this
    one. stand_ins, substitute: tags of things that can replace one with this tag, and prompts that ask for those.
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

    names: other names. one, many: how a mass noun is counted ('piece of furniture', 'pieces of furniture').
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

    names: the usual name first. loose_names: names that only some people use. kinds: wider kinds, including their own
    wider kinds. tags: properties that it has; doubtful: those that opinions differ about. size: typical extents in
    metres, (longer side, shorter side, height) in its usual resting pose, or None. materials: the most frequent first.
    labelled: a class of COCO or of the scenes.
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
        """Return all its names, including those of its kinds."""
        return frozenset((*self.names, *self.loose_names, *self.kinds))


@dataclass(frozen=True, slots=True)
class Appearance:
    """The classes that something looks like, for a network that does not know it.

    alike: what it is probably called. similar: further classes that it may be called.
    """

    alike: tuple[str, ...]
    similar: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What some classes do, are used for, suffer or endanger, as one would ask for it.

    wordings: verb phrases of one meaning ("squeeze for juice"). classes: those for which it is typically true, the most
    typical first.
    """

    wordings: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The validated contents of all data files."""

    tags: Mapping[str, Tag]
    kinds: Mapping[str, Kind]
    things: Mapping[str, Thing]
    look_alikes: tuple[frozenset[str], ...]
    appearances: Mapping[str, Appearance]
    coco_names: Mapping[str, str]
    irregular_plurals: Mapping[str, str]
    statements: tuple[Statement, ...]
