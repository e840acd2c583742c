"""Texts with exclusions ("no bowls"): normalization, and a check that the program excludes the same.

A program that asks for what a text excludes is the worst possible answer, and a parser can be certain of it. Therefore
the exclusions that are misread most often are rewritten to the one that is read best, and `contradiction` reports a
program that still asks for a noun after "not", "no" or "except".
"""

import re

from converseg_ros.core.instruction import without_closing_marks
from converseg_ros.knowledge import singular, thing
from converseg_ros.programs.nodes import Except, Filter, FreeSpace, Node, Parts
from converseg_ros.programs.vocabulary import COLOURS

_ALL = r'(?:anything|everything|whatever|all|all (?:the )?(?:things|objects)|(?:the |every )?(?:things?|objects?))'
_BUT = r'(?:but not|but|except for|except|other than|apart from|aside from|besides|excluding|bar)'
_IS_NOT = r"(?:(?:that|which) )?(?:is not|isn['\u2019]?t|are not|aren['\u2019]?t|is no|are no)"
_THAT_IS_NOT = r"(?:that|which) (?:is not|isn['\u2019]?t|are not|aren['\u2019]?t)"
_DETERMINER = r'(?:the|an?|any|my|your|our|these|those)'
_DETERMINERS = {'the', 'a', 'an', 'any', 'my', 'your', 'our', 'these', 'those', 'that', 'this', 'of', 'for', 'even'}
# exclusion -> plain form; `noun` must be known, and a plural after "no"
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), plain)
    for pattern, plain in (
        (r'^(?:nothing|no one|nobody|none) (?:but|except|other than) (?P<rest>.+)$', 'only {rest}'),
        (r'^neither (?P<rest>.+?),? n?or (?P<noun>[^,;]+)$', 'everything except {rest} and the {noun}'),
        (rf'^{_ALL},? {_BUT} (?P<rest>(?!one\b|two\b|three\b|also\b).+)$', 'everything except {rest}'),
        (rf'^{_ALL} {_IS_NOT} (?P<noun>[^,;]+)$', 'everything except {noun}'),
        (r'^(?:no|not any|not|none)(?: of)? (?P<noun>[^,;]+)$', 'everything except the {noun}'),
        (r'^(?P<rest>.+?),? but not (?P<more>.+)$', '{rest} except {more}'),
        (r'^(?P<rest>.+), (?:not|no) (?P<noun>[^,;]+)$', '{rest} except the {noun}'),
        (
            rf'^(?P<rest>.+?) {_THAT_IS_NOT} (?P<more>{"|".join(COLOURS)})$',
            '{rest} except the {more} one',
        ),
    )
)
_ALL_BUT_SOME = re.compile(r'\ball (?:the \w+ )?but (?:one|two|three|four|a few|some)\b', re.IGNORECASE)
_CUE = re.compile(
    r'\b(?:not|no|none|neither|nor|never|except(?: for)?|excluding|other than|apart from|aside from|without|non)\b'
    r"|n['\u2019]t\b"
)
# "not only the mug" excludes nothing, "the no entry sign" is a name
_NO_CUE = re.compile(
    r'\b(?:not (?:only|just|merely|too|very)|no (?:more|less|matter)|nothing (?:but|except)|(?:the|a) no)\b'
)
_END = re.compile(
    r'[,;:.!?]|\b(?:and|or|but|that|which|who|with|on|in|at|to|from|by|of|near|under|over|behind|beside|between|above|below'
    r'|is|are|was|were|can|could|may|must|has|have|touching|lying|standing|next)\b'
)


def said_plainly(text: str) -> str:
    """Return a text with its exclusion in the form "... except ...", or unchanged if it has no known one."""
    plain = without_closing_marks(text)
    for pattern, words in _RULES:
        found = pattern.match(plain)
        if found is None:
            continue
        parts = found.groupdict()
        if 'noun' in parts:
            parts['noun'] = re.sub(rf'^{_DETERMINER} ', '', parts['noun'], flags=re.IGNORECASE)
            some = found.start('noun') >= 3 and plain[: found.start('noun')].lower().endswith('no ')
            if not _is_thing(parts['noun'], plural=some):
                continue
        return words.format(**parts)
    return plain


def _is_thing(phrase: str, *, plural: bool) -> bool:
    """Return whether a phrase names a known thing; `plural`: only plurals, as in "no bowls" but not "no entry sign"."""
    one = singular(phrase)
    if _END.search(phrase.lower()) or phrase.lower().startswith(('only ', 'just ')):
        return False
    return thing(one) is not None and (not plural or one != phrase.lower())


def left_out(text: str) -> tuple[str, ...]:
    """Return the nouns, in the singular, directly after a word of exclusion or negation."""
    lowered = text.lower()
    silent = [m.span() for m in _NO_CUE.finditer(lowered)]
    found = []
    for cue in _CUE.finditer(lowered):
        if any(a <= cue.start() < b for a, b in silent):
            continue
        rest = lowered[cue.end() :].lstrip(' -')
        while (first := rest.split(' ', 1)[0]) in _DETERMINERS and ' ' in rest:
            rest = rest[len(first) + 1 :]
        end = _END.search(rest)
        phrase = rest[: end.start()].strip() if end else rest.strip()
        if phrase:
            found.append(singular(phrase))
    return tuple(found)


def contradiction(text: str, program: Node) -> str:
    """Return as text what a text excludes and its program does not, '' without a contradiction."""
    if number := _ALL_BUT_SOME.search(text):
        return f'"{number[0]}" cannot be answered'
    gone = left_out(text)
    asked = set(_asked(program)) if gone else set()
    for phrase in gone:
        for noun in asked:
            if phrase == noun or phrase.endswith(f' {noun}'):
                return f'the text leaves out "{noun}", and it was understood as asking for it'
    return ''


def _asked(node: Node) -> list[str]:
    """Return the nouns that a program asks for, in the singular, without those that it excludes."""
    if isinstance(node, Except):
        return _asked(node.of)
    own = [singular(node.value)] if isinstance(node, Filter) and node.by == 'name' else []
    own += [singular(node.noun)] if isinstance(node, Parts) else []
    own += ['space', 'room', 'place'] if isinstance(node, FreeSpace) else []
    return own + [noun for child in node.children() for noun in _asked(child)]
