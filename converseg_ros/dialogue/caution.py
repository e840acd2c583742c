"""Decide whether a text may be a prohibition or a warning, and whether the rules understand it completely.

A missed prohibition causes harm; an additional question does not. Every cue of a prohibition must therefore be part of
a clause that asks for a safety instruction (or, for standing ones, asks to remove it). If one is not, the whole text is
ignored and the operator is asked. The words around a negation decide whether it is harmless ("the mug that is not red",
"what must I not touch?"); there is no list of sentences.
"""

# ruff: noqa: E501  # tables of words read better unwrapped
from collections.abc import Sequence
from dataclasses import dataclass, replace
import re

from converseg_ros.dialogue import prohibitions as p
from converseg_ros.dialogue import vocabulary as v
from converseg_ros.dialogue.clause import Parsed, parse, stated_danger, strip
from converseg_ros.dialogue.split import Clause, split

FINITE = r'(?:is|are|was|were|am|can|could|should|must|may|might|do|does|did|has|have|had|will|would|shall|need)'
PERSON = r'(?:i|you|we|one|they|it|he|she|someone|somebody|people|(?:the|a|my|your) [\w-]+)'
WANTING = r'(?:want|like|wish|allow|permit|let|recommend|advise|think|believe|care for)'
IDLE = (  # negated verbs of looking and talking instead of acting
    r'(?:worry|bother|mind|know|care|show|look|find|search|highlight|mark|display|say|ask|answer|segment|remember|matter|see|seem|understand|hear|like)'
)
# Before a negation: a subject or a question word that makes it a description or a question, not a command.
ASKED = rf'\b(?:what|which|who|whose|where|how|why|when)(?: (?!{FINITE}\b)[\w-]+){{0,5}} {FINITE}(?: {PERSON})?$'
ASKED_OBJECT = rf'\b(?:what|which|who|whose|where)(?: (?!{FINITE}\b)[\w-]+){{0,4}} (?:i|you|we|they|one|it|he|she|people) {FINITE}$'
YES_NO = rf'^(?:please )?(?:is|are|was|were|has|have|does|did|do (?:i|we|they))(?: (?!{FINITE}\b)[\w-]+){{0,5}}$'
ASKED_THAT = rf'\b(?:what|which|who) (?:is|was) (?:it|the (?:one|thing)) (?:that )?(?:{PERSON} )?{FINITE}$'
RELATIVE = (
    rf'(?:\b(?:something|anything|everything|someone|anybody|things?|ones?|all|those|objects?|items?|place|spot|somewhere|person|people)|'
    rf'\b{p.DET}(?: (?!{FINITE}\b)[\w-]+){{1,5}}?)(?: (?:on|in|at|of|behind|under|near) (?:the )?[\w-]+)? '
    rf'(?:(?:that|which|who|where)(?: (?:i|you|we|they|he|she|one|people|the [\w-]+))?|(?:i|we|you|they)) {FINITE}$|'
    rf'\b(?:somewhere|anywhere|place|spot)(?: where| that)? (?:the|a|an|my|nobody) [\w-]+ {FINITE}$'
)
OWN = rf'(?:^|\b(?:because|but|and|so|that|where|if|since|what|as) |[\w]+ )(?:i|we|they|he|she) (?:\w+ly )?(?P<aux>{FINITE})$'
DESCRIBES = r'\b(?:is|are|was|were|am|has|have|had|does|did|been|being)$'
NOUN = rf'\b(?:{p.DET}|what|which|who|where)\b'
INVERTED = r'^(?:why )?(?:do|does|did|can|could|is|are|was|were|has|have|would|will)$'


@dataclass(frozen=True, slots=True)
class Understood:
    """The clauses of a text whose cues are all accounted for; `ends`: it asks to remove a safety instruction."""

    clauses: list[Clause]
    ends: bool = False


def bare(words: str) -> str:
    """Return a normal text without punctuation, pauses, fillers and politeness."""
    s = re.sub(
        r'(?<=[.,;:!?…|–—-])\s*(?:like|well|so|okay|ok|robot|man|buddy|mate|sir|listen|hey|really|you know|'
        r'basically|seriously|honestly|i say|i repeat|now)\s*(?=[.,;:!?…|–—]|-\s)',
        ' ',
        words,
    )
    s = re.sub(r"[^\w\s'-]+|(?<!\w)-+|-+(?!\w)|(?<!\w)'|'(?!\w)", ' ', s)
    s = re.sub(r'\bif you please\b', ' ', s)
    s = re.sub(r'\b(?:please|kindly|thank you|thanks|okay|ok|hey|um+|uh+|er+m*|hm+|ah|oh|eh)\b', ' ', s)
    s = ' '.join(s.split())
    return re.sub(r'\b(the|an?|my|to|not|and|from)(?: \1\b)+', r'\1', s)


def _skeleton(words: str) -> str:
    """Return the words of a text without punctuation, fillers and interjections."""
    return ' '.join(re.sub(p.INTERJECTIONS, ' ', bare(words)).split())


def count(words: str) -> int:
    """Return the number of cues in a normal text; "the stove is on" and "wet floor" warn without a word of warning."""
    return _spoken(words) or int(bool(stated_danger(_skeleton(words))))


def _spoken(words: str) -> int:
    """Return the number of cues of a prohibition or warning in a normal text (see normal.py).

    A pause can hide a cue ("do. not touch") and can separate one from the words before it ("I want that. Do not
    touch"). The text is therefore examined with pauses, without them, and without interjections and conjunctions, and
    the maximum counts.
    """
    words = re.sub(r'\bcannot\b', 'can not', re.sub(p.SIGN, 'sign', words))
    flat, skeleton = bare(words), _skeleton(words)
    joined = ' '.join(re.sub(r'\b(?:and|but|then)\b', ' ', skeleton).split())
    paused = sum(_negations(s) for s in re.split(r'[.,;:!?…|–—]+|\s-+\s', words))
    forms = (flat, skeleton, joined)
    return max(paused, *map(_negations, forms)) + max(map(_cues, forms))


def _cues(flat: str) -> int:
    """Return the number of cues without a negation in the words of a text."""
    found = 0
    for cue, harmless in p.CUES:
        for match in re.finditer(cue, flat):
            before = flat[: match.start()].strip()
            found += not (harmless and re.search(harmless, before))
    return found


def understood(words: str) -> Understood | None:
    """Return the clauses of a text with cues, or None if the rules do not understand one of them.

    A pause in the wrong place splits a clause: if the clauses are not understood, the text is tried as a single clause.
    """
    flat = bare(words)
    return _whole(split(words), count(words)) or _whole([Clause(flat)], count(flat))


def clear_target(phrase: str) -> bool:
    """Return whether a phrase names something that can be guarded: only words, complete, no exception, no command."""
    words = phrase.split()
    if not words or not all(re.fullmatch(r"[a-z0-9][a-z0-9.'-]*,?", w) for w in words):
        return False
    if re.fullmatch(p.DANGLING, words[-1].strip(',')) and words[-1] not in ('this', 'that', 'these', 'those'):
        return False
    if re.fullmatch(p.ALL_OF_IT, phrase) or re.fullmatch(p.NO_NOUN, phrase) or not _skeleton(phrase):
        return False
    if re.search(p.EXCEPTION, phrase) or re.search(p.ORDER, phrase) or _spoken(phrase):
        return False
    return any(re.search('[a-z]', w) and not re.fullmatch(p.DANGLING, w) for w in words) or phrase in (
        'this',
        'that',
        'these',
        'those',
    )


def _whole(clauses: Sequence[Clause], total: int) -> Understood | None:
    """Return the clauses if those that ask for a safety instruction have all `total` cues and the others are complete."""
    accounted = guards = ends = 0
    out: list[Clause] = []
    for clause in clauses:
        cues, parsed = count(clause.text), parse(clause.text)
        if not cues:
            rest = _skeleton(clause.text)  # politeness does not make a fragment a request
            if not rest:
                continue
            parsed = parse(rest)
        if parsed.kind == 'keep_out':
            if not clear_target(parsed.phrase):
                return None
            guards += 1
            accounted += max(cues, 0)
        elif cues and parsed.kind in ('allow', 'forget'):
            ends += 1
            accounted += cues
        elif cues and parsed.kind != 'empty':
            return None
        else:
            accounted += cues
            if _torn(clause, parsed):
                return None
            if guards and parsed.bare:  # 'keep away from the stove. the knife' guards both
                clause = replace(clause, text=bare(clause.text), continues=True)
        out.append(clause)
    if accounted < total or not (guards or ends) or (ends and len(clauses) > 1):
        return None
    return Understood(out, bool(ends))


def _torn(clause: Clause, parsed: Parsed) -> bool:
    """Return whether a clause without a cue is a fragment of a sentence that was split by a pause."""
    if parsed.kind in ('command', 'empty', 'chat', 'statement', 'answer'):
        return False
    words = strip(clause.text).split()
    if not words:
        return False
    if not all(re.search('[a-z0-9]', w) or w == '-' for w in words):
        return True  # a symbol replaces a word
    first, last = words[0], words[-1].strip(',')
    if len(words) == 1 and re.fullmatch(v.VERB, first):
        return True
    pieces = r'(?:keep|stay|try|leave|let|make|back|watch|look|mind|hands|hand|stop|be|under|case|account|one|you|i|of|from|to|with|and|or|nor|near|away|off|alone|not|is|are|be|on|in|at|by|for|into|onto|over|under|behind|up|down)'
    noun_phrase = (
        re.match(rf'(?:{p.DET}|it|its|they|them|something|anything|everything|number|both)\b', first) is not None
    )
    states = re.match(rf'{p.DET}(?: (?!that\b|which\b|who\b|{FINITE}\b)[\w-]+)+ (?:is|are|was|were)\b', ' '.join(words))
    if parsed.bare and states:
        return True  # 'the cake is for later' before 'do not take it' is not a request
    cut = re.fullmatch(p.DANGLING, last) and last not in ('this', 'that', 'these', 'those')
    return bool(
        cut
        or re.fullmatch(pieces, first)
        or (first.endswith('ing') and re.match(p.TOUCH, first))
        or (parsed.bare and not noun_phrase)
    )


def _negations(stretch: str) -> int:
    """Return the number of negations in a text span that are commands."""
    found = 0
    # "and", "but" and "so" start a new command, which a question before them does not make harmless
    for part in re.split(r'\b(?:and|but|so|then)\b', stretch):
        for match in re.finditer(r'\b(?:not|never|nobody|no one|nothing|no)\b', part):
            before, after = part[: match.start()].strip(), part[match.end() :].strip()
            found += not _harmless(match.group(), before, after)
    return found


def _harmless(word: str, before: str, after: str) -> bool:
    """Return whether a negation between these words is part of a description, question or statement."""
    if word in ('nobody', 'no one', 'nothing'):
        if re.search(r'\b(?:touch|grab|take|move|pick up|approach|lift|open|push|pull|use)$', before):
            return False
        orders = rf'(?:else )?(?:{FINITE}|ever|gets?|goes|comes?|touches|near|close|on|in|within|at|over|under|next|{p.TOUCH})\b'
        return re.match(orders, after) is None or re.search(NOUN, before) is not None
    if word == 'no':
        if re.search(r'\b(?:under|in|on|at|by|for)$', before) and re.match(
            r'(?:circumstance|condition|case|account|time|mean|event|way|reason)s?\b', after
        ):
            return False
        things = rf'(?:(?=\w+ing\b){p.TOUCH}|entry|access|go|trespassing|way|touch|contact|hands|fingers|robots?|admittance)\b'
        described = re.match(r'\w+ (?:sign|zone|area)\b', after) is not None
        return re.match(things, after) is None or described or re.search(NOUN, before) is not None
    if word == 'never':
        if re.match(r'mind\b', after):
            return True
        return (
            re.search(rf'\b(?:i|we|they|he|she|that|which|who|was|were|been|has|have|had|{p.DET})$', before) is not None
        )
    return _harmless_not(before, after)


def _harmless_not(before: str, after: str) -> bool:
    """Return whether 'not' between these words is not a command."""
    acts = re.match(rf'(?:{p.TOUCH}|put|place|set|leave|let|forget|ever|dare)\b', after) is not None
    if re.search(r'\b(?:do|does|did|can|could|will|would)$', before) and re.match(rf'{IDLE}\b', after):
        return True
    if re.search(INVERTED, before):
        return (
            re.match(
                r'(?:you (?:see|seen|have|got|know|find|found|think|like|want|need|remember|show)|anybody|anyone|these|those|my|your|(?:i|we|they|he|she) (?!mean|say|repeat)|it|there|this|that|the|a|an|any)\b',
                after,
            )
            is not None
        )
    if re.search(r'\b(?:if you do|why|rather|maybe|probably|or|whether or)$', before) and not acts:
        return True
    own = re.search(OWN, before)
    if own:
        asks = re.match(
            rf'{WANTING} (?:you|it|him|her|them|that|anyone|anybody|anything|anything on|the robot|the arm|your|to see you|for you)\b',
            after,
        )
        strict = own['aux'] in ('must', 'should', 'shall', 'may', 'would') and acts
        return not asks and (
            not strict
            or re.search(RELATIVE, before) is not None
            or re.search(ASKED_OBJECT, before) is not None
            or re.search(ASKED_THAT, before) is not None
        )
    if any(re.search(pattern, before) for pattern in (ASKED, ASKED_OBJECT, ASKED_THAT, YES_NO, RELATIVE)):
        return True
    if re.search(DESCRIBES, before):
        return (
            re.match(r'(?:safe|allowed|permitted|to|for|ok|okay|good|yours?|supposed|going|be|touch)\b', after) is None
        )
    if re.search(rf'\b(?:{FINITE}|ought|better|cannot)$', before):
        return before in ('better', 'rather')
    # without a verb before it: 'something not too heavy', 'not the red one', 'take care not to touch'
    return (
        not acts and re.match(r'(?:to|be|near|by|close|allowed|permitted|safe|even)\b', after) is None
        if before in ('', 'and', 'but')
        else (not acts and re.match(r'(?:to|be|allowed|permitted|ever)\b', after) is None)
    )
