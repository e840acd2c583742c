"""Split a sentence into clauses: several requests, and corrections of the previous one."""

from dataclasses import dataclass
import re

from converseg_ros.dialogue.prohibitions import KEEP_OUT
from converseg_ros.dialogue.vocabulary import (
    ATTACHED,
    CORRECTION,
    DET,
    LIST_BLOCKERS,
    ORDINALS,
    PLACES,
    QUALITY,
    START,
    VERB,
)

KEEP_OUTS = '|'.join(KEEP_OUT)
FIRST = '|'.join((*ORDINALS, 'last'))
INSIDE = ('drawer', 'cupboard', 'cabinet', 'box')


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: its words, whether it replaces the previous clause, and whether it continues its list."""

    text: str
    corrects: bool = False
    continues: bool = False
    apposed: bool = False  # after a comma only: 'the screwdriver, the yellow one'


def split(sentence: str) -> list[Clause]:
    """Return the clauses of a normal sentence (see normal.py), in order."""
    s = re.sub(r'[.;!?:…]+(?=\s|$)|\s[-–—]+\s|[–—]', ' | ', sentence)
    s = re.sub(r'^(?:oh |no,? |ah |sorry,? )*i (?:mean|meant) (?=\w)', '|! ', s)
    s = re.sub(rf',? so (?={KEEP_OUTS}|(?:please |you )?(?:be careful|do not|never))', ' | ', s)
    s = re.sub(
        rf'^{PLACES},? (?P<rest>(?:the )?(?:{FIRST}|{QUALITY})\b.+)',
        _put,
        s,
    )
    marker = rf'(?:(?<=[|,] )|(?<=^)|(?<=\s))(?:{CORRECTION}\s*[,|]*\s*)+(?={START})'
    s = re.sub(marker, ' |! ', s)
    out: list[Clause] = []
    for piece in s.split('|'):
        corrects = piece.startswith('!')
        conjuncts = _conjuncts(piece.lstrip('!').strip(' ,'))
        for n, (text, continues, comma) in enumerate(conjuncts):
            if text:
                apposed = (
                    comma and n == len(conjuncts) - 1 and re.match(r'(?:the|that|a|an) (?:[\w-]+ )*?ones?\b', text)
                )
                out.append(Clause(text, corrects and n == 0, continues, apposed is not None and bool(apposed)))
    return out


def _put(match: re.Match[str]) -> str:
    """Return 'the third box on the second shelf' for 'second shelf, third box'."""
    rest = re.sub(r'^the ', '', match['rest'])
    return f'the {rest} {"in" if match["place"] in INSIDE else "on"} the {match["where"]}'


def _conjuncts(sentence: str) -> list[tuple[str, bool, bool]]:
    """Split at 'and', 'then', and at commas before another request or another item of a list."""
    out: list[tuple[str, bool, bool]] = []
    start, continues, comma = 0, False, False
    for match in re.finditer(r',? (?:and then|and also|and|then|but|as well as|plus) |, ', sentence):
        left, right = sentence[start : match.start()].strip(), sentence[match.end() :]
        if not left or match.start() < start:
            continue
        word = match.group().strip(' ,')
        if word == 'but' and re.search(
            r'\b(?:everything|everybody|everyone|anything|all|nothing|any|every [\w-]+|all [\w-]+ ?[\w-]*)$', left
        ):
            continue  # 'everything but the knife' is one thing
        if re.match(ATTACHED, right) and not re.match(rf'{"|".join(KEEP_OUT)}', right):
            continue
        verb = re.match(rf'{VERB}\b', right) is not None
        item = re.match(rf'(?:{DET}|its)\b', right) is not None
        is_list = item and not any(re.search(b, _bare(left)) for b in LIST_BLOCKERS)
        if not (verb or is_list or word == '' or word.endswith('then')):
            continue
        out.append((left, continues, comma))
        start, continues, comma = match.end(), not verb, word == ''
    out.append((sentence[start:].strip(), continues, comma))
    return out


def _bare(left: str) -> str:
    """Return the left side without introductory words."""
    return re.sub(r'^(?:show me|find|point to|where (?:is|are)|and|now|please|first)\s+', '', left)
