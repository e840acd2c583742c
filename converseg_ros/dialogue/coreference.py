"""Resolve the references of a phrase, so that the network can be asked without the conversation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
import re

from converseg_ros.core import Status
from converseg_ros.core.texts import say
from converseg_ros.dialogue.memory import Thing, unique
from converseg_ros.dialogue.noun_phrases import conjunction, head
from converseg_ros.dialogue.vocabulary import (
    DEMONSTRATED,
    DET,
    NUMBERS,
    ONE,
    ORDINALS,
    OTHER,
    OWN_IF,
    OWN_IT,
    PERSONS,
    PREPOSITION,
    QUALITY,
    SOUGHT,
)
from converseg_ros.knowledge import plural, singular

ASKING = r'(?:is|are|can|could|would|should|has|have|do|does|might|may|will)\b'


class NoReferentError(Exception):
    """A reference without an antecedent; `args[0]` is the message for the operator."""


@dataclass(slots=True)
class Context:
    """Possible antecedents: the last group (its last member is the focus), all regions, the selected region."""

    group: Sequence[Thing] = ()
    things: Sequence[Thing] = ()
    pointed: Thing | None = None
    notes: list[str] = field(default_factory=list)

    def focus(self, word: str) -> Thing:
        """Return the antecedent of a singular pronoun."""
        if self.pointed is not None:
            return self.pointed
        if not self.group:
            raise NoReferentError(say('no_referent', word=word))
        thing = self.group[-1]
        if len(self.group) > 1:
            self.notes.append(say('taken_as', word=word, phrase=thing.phrase))
        if thing.status == Status.NO_TARGET:
            self.notes.append(say('not_seen', phrase=thing.phrase))
        return thing

    def many(self, word: str) -> str:
        """Return the antecedent of a plural pronoun."""
        if len(self.group) > 1 and self.pointed is None:
            return conjunction([t.phrase for t in self.group])
        return re.sub(r'^the thing\b', 'the things', self.focus(word).phrase)


def resolve(phrase: str, context: Context) -> str:
    """Return `phrase` with all references replaced by their antecedents; raise NoReferentError if there is none."""
    whole = _whole(phrase, context)
    if whole is not None:
        return whole
    own = _own(phrase)
    if own is not None:
        return resolve(phrase[: own[0]], context) + phrase[own[0] :]
    phrase = re.sub(rf'^what is (?:that|this)(?= {PREPOSITION}\b)', 'what is', phrase)
    phrase = re.sub(
        rf'^(?P<q>which|what|any|some|one|all) of (?P<w>these|those|them)(?=$| {ASKING})',
        lambda m: _of_these(m, context),
        phrase,
    )
    text = re.sub(
        r'\b(?:its|their)\s+((?:(?!and\b)[a-z-]+)(?:\s(?!and\b|on\b|in\b|at\b|from\b|to\b|with\b)[a-z-]+)*)',
        lambda m: _part(m, context),
        phrase,
    )
    text = re.sub(rf'^the (?P<n>two|three|four|five)(?= {PREPOSITION}\b)', lambda m: _number(m, context), text)
    text = re.sub(
        r'^which (?:one )?of (?P<w>the (?:two|three|four|five)|both)(?= (?:is|are|can|could|would|has|have)\b)',
        lambda m: f'which of {context.many(m["w"])}',
        text,
    )
    text = re.sub(r'\b(?:this|that) one\b', lambda m: context.focus(m.group()).phrase, text)
    text = re.sub(ONE, lambda m: _one(m, context), text)
    text = re.sub(
        r'\b(?P<w>it)\b(?! (?:safe|is safe|possible|ok|okay|dangerous|best|would be)\b)',
        lambda m: context.focus('it').phrase,
        text,
    )
    text = re.sub(r'\b(?:them|they|both of them)\b', lambda m: context.many(m.group()), text)
    text = re.sub(r'\b(?:he|she|him|her(?= (?:is|from|with|and|at|on|in)\b|$))\b', lambda m: _person(m, context), text)
    text = re.sub(DEMONSTRATED, lambda m: _demonstrative(m, context), text)
    text = re.sub(r'\b(?:this|that|these|those) (?P<n>[a-z]+)\b', lambda m: _that_noun(m, text, context), text)
    if re.match(r'where can i put', text):
        text = re.sub(r' (?:over )?(?P<w>there|here)$', lambda m: ' on ' + context.focus(m['w']).phrase, text)
    return text


def _of_these(match: re.Match[str], context: Context) -> str:
    """Return 'which of the mugs' for 'which of these'; without an antecedent, 'these' are the things in view."""
    if match['w'] != 'them' and not context.group and context.pointed is None:
        return f'{match["q"]} things' if match['q'] in ('which', 'what') else f'{match["q"]} of the things'
    return f'{match["q"]} of {context.many("those")}'


def _own(phrase: str) -> tuple[int, int] | None:
    """Return the span of a reference to the phrase itself ('the plate with crumbs on it'), or None."""
    for pattern in OWN_IT:
        match = re.search(pattern, phrase)
        before = phrase[: match.start()].split() if match else []
        named = re.match(SOUGHT, phrase) is not None if pattern == OWN_IF else False
        named |= re.search(rf'\b{DET} (?!ones?$)[\w-]+', ' '.join(before)) is not None
        named &= len(before) > 1
        if match and named and not re.fullmatch(r'it|this|that|them|these|those', before[-1]):
            return match.span()
    return None


def _whole(phrase: str, context: Context) -> str | None:
    """Return the antecedent of a phrase that consists of a reference only, or None."""
    for pattern, meaning in REFERENCES:
        match = re.fullmatch(pattern, phrase)
        if match:
            found = meaning(match, context)
            if found is not None:
                return found
    return None


def _former(match: re.Match[str], context: Context) -> str | None:
    last = context.focus(match.group())
    return context.group[0].phrase if match['which'] == 'former' and context.group else last.phrase


def _except(match: re.Match[str], context: Context) -> str | None:
    phrase = match.group()
    if phrase.startswith('not that') or not context.group or re.fullmatch(OTHER, phrase):
        return None
    return f'{context.many("those")} except {resolve(match["np"], context)}'


def _not_that_one(match: re.Match[str], context: Context) -> str | None:
    return f'{match["np"]} other than the {match["q"]} {singular(head(match["np"]))}'


def _other(match: re.Match[str], context: Context) -> str | None:
    thing = context.focus(match.group())
    if len(context.group) == 2 and not match.group().startswith('not'):
        return next(t.phrase for t in context.group if t is not thing and t.phrase != thing.phrase)
    return f'the {singular(thing.noun) or "thing"} other than {thing.phrase}'


def _others(match: re.Match[str], context: Context) -> str | None:
    thing = context.focus(match.group())
    return f'the {plural(thing.noun or "thing")} other than {thing.phrase}'


def _both(match: re.Match[str], context: Context) -> str | None:
    if len(context.group) > 1:
        return conjunction([t.phrase for t in context.group])
    noun = plural(context.focus(match.group()).noun or 'thing')
    return f'{"all" if "all" in match.group() else "both"} {noun}'


def _ordinal(match: re.Match[str], context: Context) -> str | None:
    """Return one of the group that was spoken of last: 'the second one'."""
    if match['o'] not in (*ORDINALS, 'last') or len(context.group) < 2:
        return None
    index = -1 if match['o'] == 'last' else ORDINALS.index(match['o'])
    if index >= len(context.group):
        raise NoReferentError(say('no_number', number=index + 1, count=len(context.group)))
    return context.group[index].phrase


def _label(match: re.Match[str], context: Context) -> str | None:
    """Return the region with a number: 'number two'."""
    if not (match['n'].isdigit() or match['n'] in NUMBERS):
        return None
    number = int(match['n']) if match['n'].isdigit() else NUMBERS.index(match['n']) + 1
    if not 1 <= number <= len(context.things):
        raise NoReferentError(say('no_number', number=number, count=len(context.things)))
    return context.things[number - 1].phrase


def _beside(match: re.Match[str], context: Context) -> str | None:
    thing = context.focus(match.group())
    return f'the {singular(thing.noun) or "thing"} to the {match["s"]} of {thing.phrase}'


def _quality(match: re.Match[str], context: Context) -> str | None:
    return f'the {match["q"]} {singular(context.focus(match.group()).noun) or "thing"}'


def _other_noun(match: re.Match[str], context: Context) -> str | None:
    if not context.group or singular(match['n']) != singular(context.focus(match.group()).noun):
        return None
    return f'the {match["n"]} other than {context.focus(match.group()).phrase}'


REFERENCES: tuple[tuple[str, Callable[[re.Match[str], Context], str | None]], ...] = (
    (r'the (?P<which>former|latter)(?: one)?', _former),
    (
        r'(?:but |all )?(?:except|but not|not|apart from|other than|minus|without)(?: for)? '
        r'(?P<np>(?:the|my|your|any|those|these) .+)',
        _except,
    ),
    (r'(?P<np>(?:the|a|an|my|your) [\w -]+?), not (?:the|that) (?P<q>[\w-]+(?: [\w-]+)?) ones?', _not_that_one),
    (OTHER, _other),
    (r'the others?(?: ones)?|the rest|the remaining ones', _others),
    (r'(?:them )?(?:both|all|all of them|both of them|the two|the two of them|both ones|all of these)', _both),
    (r'(?:the )?(?P<o>\w+)(?: one)?', _ordinal),
    (r'(?:the )?(?:number|region|object|item) (?P<n>\w+)', _label),
    (r'(?:more |further |a bit |a little )(?:to the )?(?P<s>left|right)', _beside),
    (rf'(?:the )?(?P<q>{QUALITY})', _quality),
    (r'the other (?P<n>[a-z]+)', _other_noun),
)
"""Phrases that consist of a reference only, each with the function for its antecedent, tried in this order."""


def _part(match: re.Match[str], context: Context) -> str:
    whole = context.many('their') if match.group().startswith('their') else context.focus('its').phrase
    return f'the {match[1]} of {whole}'


def _one(match: re.Match[str], context: Context) -> str:
    before = match['pre']
    described = len(before.split()) > 1
    if context.pointed is None and not context.group and not described and match.string.strip() == match.group():
        raise NoReferentError(say('no_referent', word=match.group()))
    own = re.search(
        r'^(?P<np>.*?) (?:but not|except(?: for)?|other than|apart from|without)$',
        match.string[: match.start()].strip(),
    )
    if own and head(own['np']):
        noun = head(own['np'])
        return f'{before} {plural(noun) if match["one"] == "ones" else singular(noun)}'
    of = re.search(
        r'\b(?:which|what) (?:of (?:the|these|those) )?(?P<np>[\w -]+?) (?:is|are)$',
        match.string[: match.start()].strip(),
    )
    if of and context.pointed is None:
        return f'{before} {singular(head(of["np"]))}'
    known = context.pointed or (context.group[-1] if context.group else None)
    noun = (known.noun if known is not None else '') or 'object'
    return f'{before} {plural(noun) if match["one"] == "ones" else singular(noun)}'


def _number(match: re.Match[str], context: Context) -> str:
    """Return 'the two mugs' for 'the two'."""
    return f'{match.group()} {plural(context.focus(match.group()).noun or "thing")}'


def _person(match: re.Match[str], context: Context) -> str:
    """Return the last person, or the pronoun itself, since the camera may see only one person."""
    fits = [t for t in context.group if re.fullmatch(PERSONS, t.noun)]
    return fits[-1].phrase if fits else match.group()


def _demonstrative(match: re.Match[str], context: Context) -> str:
    word = match['w']
    return context.many(word) if word in ('these', 'those') else context.focus(word).phrase


def _that_noun(match: re.Match[str], text: str, context: Context) -> str:
    """Return the antecedent of 'that mug'; a relative 'that' ('the mug that fell') is unchanged."""
    before = text[: match.start()].split()
    if (
        match.group().startswith('that')
        and before
        and not re.fullmatch(rf'{PREPOSITION}|put|down|up|touch|and|not', before[-1])
    ):
        return match.group()
    if re.fullmatch(r'go|goes|belong|belongs|fit|fits|fall|break|weigh|come|work|move|do|mean', match['n']):
        return match.group().replace(match.group().split()[0], context.focus(match.group().split()[0]).phrase, 1)
    if re.fullmatch(r'is|are|was|can|could|has|have|would|will|i|you', match['n']):
        return match.group()
    known: list[Thing] = unique([*context.things, *context.group, *([context.pointed] if context.pointed else [])])
    fits = [t for t in known if singular(t.noun) == singular(match['n'])]
    return fits[-1].phrase if fits else f'the {match["n"]}'
