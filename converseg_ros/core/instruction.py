"""An instruction: its text, the role of the answer, and its operator."""

from dataclasses import dataclass
from enum import IntEnum
import re
import unicodedata
import zlib

from converseg_ros.core.errors import InputError
from converseg_ros.core.families import Family

MAX_TEXT = 500  # characters; longer texts are refused instead of truncated
OPERATOR_NAME = r'[\w.-]{1,64}'


class Role(IntEnum):
    """The use of the answer; the numbers are those of msg/Instruction.msg."""

    PLAIN = 0
    AFFORDANCE = 1
    SAFETY = 2


def clean_text(text: str) -> str:
    """Return `text` in NFC with single spaces; raise InputError if it is empty, too long or has control characters."""
    normal = unicodedata.normalize('NFC', text)
    bad = {c for c in normal if unicodedata.category(c) in ('Cc', 'Cs', 'Co', 'Cn') and c not in '\t\n\r'}
    if bad:
        codes = ', '.join(sorted(f'U+{ord(c):04X}' for c in bad))
        raise InputError(f'the text has control characters ({codes})', where='instruction', do='send plain words')
    normal = ' '.join(normal.split())
    if not normal:
        raise InputError('the text is empty', where='instruction', do='write what to look for')
    if len(normal) > MAX_TEXT:
        raise InputError(
            f'the text has {len(normal)} characters, the limit is {MAX_TEXT}',
            where='instruction',
            do='use a shorter text',
        )
    return normal


def without_closing_marks(text: str) -> str:
    """Return a text with single spaces, without leading and trailing punctuation, which does not change its meaning."""
    return ' '.join(text.split()).strip(' .,;:!?\u2026-')


def said_by(operator: str, text: str) -> str:
    """Return a text with the prefix of its operator ('@ann the mug'); raise InputError if the name is invalid."""
    if not operator:
        return text
    if re.fullmatch(OPERATOR_NAME, operator) is None:
        raise InputError(
            f'{operator[:80]!r} is not a valid name', where='operator', do='use letters, digits, dots, - and _'
        )
    return f'@{operator} {text}'


@dataclass(frozen=True, slots=True)
class Instruction:
    """One request; `text` is the text of the operator, `resolved` the query to the network."""

    text: str
    role: Role = Role.PLAIN
    family: Family | None = None
    id: str = ''
    name: str = ''  # class name of a standing instruction
    resolved: str = ''  # defaults to `text`
    standing: bool = False

    def __post_init__(self) -> None:
        """Normalize both texts and validate the enums."""
        object.__setattr__(self, 'text', clean_text(self.text))
        object.__setattr__(self, 'resolved', clean_text(self.resolved or self.text))
        object.__setattr__(self, 'role', Role(self.role))
        if self.family is not None:
            object.__setattr__(self, 'family', Family(self.family))

    @property
    def key(self) -> int:
        """Return the CRC-32 of the id in UTF-8 (RFC 1952), 0 without an id.

        It identifies the instruction in point clouds, which cannot contain text.
        """
        return zlib.crc32(self.id.encode())
