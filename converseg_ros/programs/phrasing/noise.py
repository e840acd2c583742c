"""Add noise of typing and speech: lower case, missing punctuation, fillers, politeness, context, misspellings."""

import random
import re

from converseg_ros.programs.nodes import Filter, FreeSpace, Like, Node, Parts
from converseg_ros.programs.phrasing.templates import Part, lists

_NO_APOSTROPHE = re.compile(
    r"\b(what|where|who|that|it|there|don|doesn|isn|aren|can|couldn|won|wouldn|I|hasn|which one)'(s|t|m|d)\b", re.I
)
CONTRACTIONS = (
    ('what is ', "what's "), ('who is ', "who's "), ('where is ', "where's "), ('that is ', "that's "),
    (' is not ', " isn't "), (' are not ', " aren't "), ('cannot', "can't"), ('could not', "couldn't"),
    ('would not', "wouldn't"), ('does not', "doesn't"), ('do not', "don't"), ('has not', "hasn't"), ('I would', "I'd"),
    ('that would', "that'd"), ('what are', "what're"), ('who has ', "who's "), ('what would', "what'd"),
    ('it is', "it's"), ('there is', "there's"), ('which one is ', "which one's "), ('whatever is ', "whatever's "),
    ('everything is ', "everything's "), ('somebody is ', "somebody's "), ('nobody is ', "nobody's "),
)  # fmt: skip
NEIGHBOURS = {
    'a': 'sq', 'b': 'vn', 'c': 'xv', 'd': 'sf', 'e': 'wr', 'f': 'dg', 'g': 'fh', 'h': 'gj', 'i': 'uo', 'j': 'hk',
    'k': 'jl', 'l': 'k', 'm': 'n', 'n': 'bm', 'o': 'ip', 'p': 'o', 'q': 'w', 'r': 'et', 's': 'ad', 't': 'ry', 'u': 'yi',
    'v': 'cb', 'w': 'qe', 'x': 'zc', 'y': 'tu', 'z': 'x',
}  # fmt: skip


def roughen(text: str, node: Node, rng: random.Random, part: Part) -> str:
    """Return the text with noise; words that the program copies are never misspelt."""
    return ' '.join(_roughen(text, node, rng, part).split())


def _roughen(text: str, node: Node, rng: random.Random, part: Part) -> str:
    draw = rng.random
    if draw() < 0.5 and not any(isinstance(n, Like) for n in node.walk()):
        text = _contracted(text, rng)
    if draw() < 0.14:
        text = _around(text, rng, part)
    if draw() < 0.1 and not any(isinstance(n, Like) for n in node.walk()):
        text = _NO_APOSTROPHE.sub(r'\1\2', text)
    if draw() < 0.06:
        text = _fillers(text, node, rng)
    if draw() < 0.04 and not any(isinstance(n, Like) for n in node.walk()):
        text = _without_articles(text, rng)
    if draw() < 0.07:
        text = _misspelt(text, node, rng)
    at = draw()
    if at < 0.45:
        text = text.rstrip('?.! ')
        if at < 0.2:
            text = text.replace(',', '')
    elif at < 0.55 and text[-1] not in '?.!':
        text += rng.choice(('.', '.', '!', '?'))
    at = draw()
    if at < 0.45:
        return text[:1].upper() + text[1:]
    if at < 0.62:
        return text.lower()
    if at < 0.63:
        return text.upper()
    return text


def _contracted(text: str, rng: random.Random) -> str:
    """Return the text with contractions: 'what is' becomes "what's"."""
    for long, short in CONTRACTIONS:
        if long in text and rng.random() < 0.7:
            text = text.replace(long, short)
    return text


def _around(text: str, rng: random.Random, part: Part) -> str:
    table = lists('context')
    name = rng.choice(('before', 'before', 'after', 'after', 'scene'))
    if text.startswith(('what', 'which', 'who', 'where')) and rng.random() < 0.4:
        name = 'asking'
    words = table[name].pick(rng, part).fill(rng, {})
    if name == 'after':
        stop = text[-1] if text[-1] in '?.!' else ''
        body = text.rstrip('?.! ')
        return f'{body}{"" if words[0] == "," else " "}{words}{stop}'
    return f'{words} {text}'


def _fillers(text: str, node: Node, rng: random.Random) -> str:
    words, quoted = text.split(), _quoted(node)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(words) + 1) if rng.random() < 0.6 else 0
        if 0 < at < len(words) and {words[at][:3].lower(), words[at - 1][:3].lower()} <= quoted:
            continue
        words.insert(at, rng.choice(('um', 'uh', 'er', 'uhm', 'like', 'you know', 'um,', 'uh,', 'well,', 'erm', 'hmm')))
    return ' '.join(words)


def _without_articles(text: str, rng: random.Random) -> str:
    kept = [w for w in text.split() if w not in ('the', 'a', 'an') or rng.random() < 0.2]
    return ' '.join(kept) if kept else text


def _misspelt(text: str, node: Node, rng: random.Random) -> str:
    words, quoted = text.split(), _quoted(node)
    free = [i for i, w in enumerate(words) if len(w) > 3 and w.isalpha() and w[:3].lower() not in quoted]
    if not free:
        return text
    i = rng.choice(free)
    word = words[i]
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 1:
        word = word[:at] + word[at + 1 :]
    elif kind == 2:
        word = word[:at] + word[at] + word[at:]
    else:
        word = word[:at] + rng.choice(NEIGHBOURS.get(word[at].lower(), word[at])) + word[at + 1 :]
    words[i] = word
    return ' '.join(words)


def _quoted(node: Node) -> set[str]:
    """Return the beginnings of all words that a program copies."""
    return {w[:3].lower() for n in node.walk() for w in _quotes(n)}


def _quotes(node: Node) -> list[str]:
    if isinstance(node, Filter) and node.by == 'name':
        return node.value.split()
    if isinstance(node, Like):
        return node.text.split()
    if isinstance(node, Parts):
        return node.noun.split()
    if isinstance(node, FreeSpace):
        return [*node.thing.split(), *(('centimetre', 'metre', 'half') if node.size else ())]
    return []
