"""Normalize a sentence to the form that the rules expect."""

import re
import unicodedata

# ruff: noqa: E501  # tables of words read better unwrapped
from converseg_ros.core.instruction import without_closing_marks
from converseg_ros.dialogue.prohibitions import DANGLING
from converseg_ros.dialogue.vocabulary import FILLERS

CONTRACTIONS = (
    # variants of negations by recognisers and typists
    (r"\b(do|does|did|is|are|was|were|has|have|had|must|should|would|could|may|might|need)(?: n'?t|n' ?t|'nt|n t)\b", r"\1n't"),
    (r"\bdonot\b|\bdont'?t\b|\bdnt\b|\bdon\b(?= touch\b)", 'do not'), (r"\bcan ?n'? t\b|\bca n't\b", "can't"), (r"\bwont\b(?= (?:you|the|it)\b)", 'will not'),
    (r"\bcan't\b|\bcan not\b", 'cannot'), (r"\bwon't\b", 'will not'), (r"\bshan't\b", 'shall not'), (r"n't\b", ' not'),
    (r'\bdont\b', 'do not'), (r'\b(must|should|does|did|is|are|has|have|could|would)nt\b', r'\1 not'), (r'\bcant\b', 'cannot'),
    (r"\blet's\b", 'let us'), (r'\b(?:gonna)\b', 'going to'), (r'\b(?:wanna)\b', 'want to'), (r"'re\b", ' are'), (r"'ll\b", ' will'),
    (r"'ve\b", ' have'), (r"\b(i|you|we|they|he|she|it)'d\b", r'\1 would'), (r"\bi'm\b", 'i am'),
    (r"\b(what|where|who|which|that|there|it|he|she|here|how|when)'s\b", r'\1 is'), (r'\b(whats)\b', 'what is'), (r'\bwheres\b', 'where is'),
    (r"(?<=[a-z])'s (?=(?:(?:very|too|still|really|quite|so) )?(?:hot|sharp|wet|cold|dangerous|fragile|heavy|wrong|open|closed|full|empty|broken|dirty|clean|on|off|in|at|there|not|the|a|an)\b)", ' is '),
    (r'\b(show|point) (it|them|that|this|these|those)(?: out)? to (me|us)\b', r'show me \2'),
    (r'\bgimme\b', 'give me'), (r'\blemme\b', 'let me'), (r'\bgotta\b', 'have to'), (r"\by'all\b", 'you'),
    (r'\bnever mind\b', 'nevermind'), (r'\bset-down\b', 'set down'),
)  # fmt: skip

# Names of symbols that forbid or warn.
WARNS = r'NO ENTRY|PROHIBIT|FORBID|WARNING|CAUTION|^NO |OCTAGONAL SIGN|SKULL|RADIOACTIVE|BIOHAZARD|HIGH VOLTAGE|CROSS MARK|DO NOT|RAISED HAND'
BULLET = r'(?:\(?(?:\d{1,2}|[a-z])[.):\]]+\s+|\[[ x]?\]\s*)'
DECORATION = r'[^\w\s"\'(\[]\s*'  # not part of a word

# Recognisers often write "it's handle" instead of "its handle".
HEARD_ITS = r"\bit's (?=(?!(?:like|hot|sharp|wet|cold|dangerous|fragile|heavy|wrong|right|on|off|in|at|there|here|ok|okay|fine|safe|open|closed|full|empty|the|a|an|not|my|your|too|very|\w+ing|\w+ed)\b)[a-z]+(?:$|[.,!?]))"


def plain(text: str) -> str:
    """Return `text` with plain quotes, dashes and spaces, without invisible characters, bullets and decoration.

    Characters are classified by their Unicode category before NFKC, which would split an acute accent that is used as
    an apostrophe ("DON´T") into a space and a combining mark. A warning symbol becomes its word; other symbols are
    removed at the start and the end of a text, and kept where a noun is possible.
    """
    s = ''.join(c for c in text if unicodedata.category(c) != 'Cf' and not '\ufe00' <= c <= '\ufe0f')
    s = ''.join("'" if unicodedata.category(c) == 'Lm' else c for c in s)  # modifier letters would count as letters
    s = re.sub(r'(?<=[^\W\d_])\s?\W+?(?=(?:t|s|re|ll|ve|d|m)\b)', _apostrophe, s, flags=re.IGNORECASE)
    s = ''.join(_symbol(c) for c in s)
    s = unicodedata.normalize('NFKC', s).casefold()
    s = re.sub(r'(?<=[^\W\d_])_+(?=[^\W\d_])', ' ', s)
    s = re.sub(rf'^(?:{DECORATION}+|{BULLET})*', '', s)
    s = re.sub(rf'(?<=[.!?\w])(?:\s*{DECORATION})+\s*$', _tail, s)
    return re.sub(r'\b(not|never|away|off|no)[-\u2013\u2014](?=(?:limits|go|touch|the)\b)', r'\1 ', s)


def _apostrophe(match: re.Match[str]) -> str:
    """Return an apostrophe for its variants between letters: quotes, accents, primes, modifier letters."""
    mark = match.group()
    return "'" if all(_quotes(c) or c == ' ' for c in mark) and any(map(_quotes, mark)) else mark


def _quotes(character: str) -> bool:
    if character in '\'"`':
        return True
    if unicodedata.category(character) in ('Pi', 'Pf', 'Sk', 'Lm'):
        return True
    return re.search(r'APOSTROPHE|PRIME|QUOTATION MARK', unicodedata.name(character, '')) is not None


def _symbol(character: str) -> str:
    """Return the plain form of a non-ASCII character: quotes, dashes, spaces and warnings."""
    if character.isascii() or character.isalnum():
        return character
    category, name = unicodedata.category(character), unicodedata.name(character, '')
    if category == 'Pd':
        return '-' if 'HYPHEN' in name else ' - '
    if category[0] == 'Z':
        return ' '
    if category in ('So', 'Sm') and re.search(WARNS, name):
        return ' warning: '
    return "'" if _quotes(character) and category not in ('Pi', 'Pf') else character


def _separates(character: str) -> bool:
    """Return whether a single character between words is a pause, such as a slash, a bar or an asterisk."""
    return character in '/|*\\~+=<>^' or character == '\u2022'


def _tail(match: re.Match[str]) -> str:
    """Remove decoration at the end of a text, unless the word before it needs a noun: 'do not touch the [knife]'."""
    words = re.findall(r'[\w-]+', match.string[: match.start()])
    waits = bool(words) and re.fullmatch(DANGLING, words[-1]) is not None
    return match.group() if waits and match.string[match.start() - 1].isalnum() else ''


def normal(text: str) -> str:
    """Return `text` in lower case, without contractions, fillers, stutters and unusual punctuation."""
    s = plain(text).replace('\u2019', "'").replace('\u2018', "'")
    s = re.sub(r'["\u201c\u201d\u201e\u00ab\u00bb()\[\]]', ' ', s)
    s = re.sub(HEARD_ITS, 'its ', s)
    for pattern, replacement in CONTRACTIONS:
        s = re.sub(pattern, replacement, s)
    s = re.sub(FILLERS, ' ', s)
    s = re.sub(r'\.{2,}(?=\w)', '... ', s)
    s = re.sub(
        r'(?:^|(?<=\s))[^\w\s.,;:!?\'@#-]+(?=\s)', lambda m: '-' if all(map(_separates, m.group())) else m.group(), s
    )
    s = re.sub(r'\s+', ' ', s).strip()
    s = re.sub(r'(?:\s*,\s*)+', ', ', s)
    s = re.sub(r'(?<=\w)[\s,.!;-]+thank you(?=\W+\w)', ' ', s)  # "thank you, you" is not a stutter
    s = re.sub(r"\b([\w']+)(?: \1\b)+", r'\1', s)  # the the
    s = re.sub(r'\s+([.,;!?])', r'\1', s)
    return s.strip(' ,')


def polish(text: str) -> str:
    """Return a resolved text in the form for the network: no closing punctuation, 'I' in upper case."""
    s = without_closing_marks(text)
    return re.sub(r'\bi\b', 'I', s)
