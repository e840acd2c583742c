"""Questions with a property as predicate: which mugs are red, what could I cut with, is anything hot."""

from functools import partial
import re

from converseg_ros.programs.nodes import Act, Except, Filter, Like, Node, Rank, Relate, Select
from converseg_ros.programs.phrasing.free_text import kind_of
from converseg_ros.programs.phrasing.noun_phrase import pieces, values
from converseg_ros.programs.phrasing.predicates import lacking
from converseg_ros.programs.phrasing.properties import (
    PLACES,
    WHERE_PEOPLE_ARE,
    entry,
    is_bare,
    is_person,
    split,
)
from converseg_ros.programs.phrasing.talk import Talk
from converseg_ros.programs.phrasing.templates import Entry, lists
from converseg_ros.programs.phrasing.words import is_mass, is_plural_only

PREPOSITIONS = frozenset(
    {'with', 'from', 'on', 'in', 'into', 'at', 'under', 'of', 'through', 'to', 'onto', 'for', 'up'}
)
BEFORE_WHICH = frozenset({'with', 'from', 'on', 'in', 'at', 'under', 'through'})
"""Prepositions that may stand before 'which': "something in which I could soak my feet"."""
MODALS = frozenset({'is', 'are', 'could', 'might', 'would', 'can', 'may', 'will', 'should', 'must', "isn't", "aren't"})


def use(talk: Talk, table: Entry, node: Node, frame: str) -> str:
    """Return a request for a use; `frame` is 'ask' for all things, 'ask_one' for one."""
    verb = talk.fill(table['use'], values(talk, node, frame == 'ask'))
    *before, last = verb.split()
    filled = {'v': verb, 'v0': ' '.join(before), 'ving': _doing(verb, last), 'last': last}
    place = isinstance(node, Filter) and node.value in PLACES
    if frame == 'ask' and place and last in PREPOSITIONS and before and talk.chance(0.4):
        frame = 'ask_where'
    elif talk.chance(0.12):
        frame = 'ask_doing' if frame == 'ask' else 'ask_one_doing'
    elif frame == 'ask' and last in PREPOSITIONS and before:
        with_, which = 0.2 if last == 'with' else 0, 0.25 if last in BEFORE_WHICH else 0
        frame = talk.weighted(((3, 'ask'), (1, 'ask0'), (with_, 'ask_with'), (which, 'ask_which')))
    elif frame == 'ask_one' and last in BEFORE_WHICH and before:
        frame = talk.weighted(((3, 'ask_one'), (0.3, 'ask_one_which')))
    return talk.fill(lists('uses')[frame], filled)


def _doing(verb: str, last: str) -> str:
    """Return a verb phrase in the -ing form without a final 'with': 'cutting bread'."""
    first, _, rest = verb.partition(' ')
    if last == 'with' and rest:
        rest = rest.removesuffix('with').strip()
    return f'{_gerund(first)} {rest}'.strip()


def _gerund(verb: str) -> str:
    """Return the -ing form of a verb."""
    if verb in ('lie', 'die', 'tie'):
        return verb[:-2] + 'ying'
    if re.search(r'[^aeo]e$', verb):
        return verb[:-1] + 'ing'
    if re.fullmatch(r'[^aeiou]*[aeiou][^aeiouwxy]', verb):
        return verb + verb[-1] + 'ing'
    return verb + 'ing'


def _predicate(talk: Talk, node: Node, many: bool) -> str | None:
    """Return a property as a predicate with its verb, or None if it has none."""
    if isinstance(node, Except):
        own = getattr(node.minus, 'of', None) == node.of and isinstance(node.minus, Filter | Relate | Act)
        return lacking(talk, node.minus, many, partial(values, talk, node.minus, many)) if own else None
    if isinstance(node, Like) or (isinstance(node, Filter) and node.by == 'name'):
        return None
    table, _ = entry(node)
    be = 'are' if many else 'is'
    if isinstance(node, Rank):
        if node.first > 1 or node.count > 1:
            return None
        options = [(w, s) for s, w in (('pre', 2.0), ('sup', 2.0), ('post', 1.0), ('verb', 1.0)) if s in table]
        if node.key in ('x', 'y') and is_bare(node.of):  # "what is on the left" asks for everything there
            options = [o for o in options if o[1] != 'post']
    else:
        options = [
            (w, s) for s, w in (('be', 3.0), ('be_one', 0.0), ('verb', 1.5), ('pre', 0.3), ('rel', 1.0)) if s in table
        ]
        if 'be_one' in table and not many:
            options = [(1.0, 'be_one')]
    if not options:
        return None
    slot = talk.weighted(options)
    text = talk.fill(table[slot], values(talk, node, many))
    if slot == 'verb':
        return text
    if slot == 'rel':
        return None
    if slot == 'pre' and isinstance(node, Rank):
        return f'{be} {talk.choose(("the ", "the ", ""))}{text}'
    return f'{be} {text}'


def deed(talk: Talk, node: Like, many: bool) -> str | None:
    """Return a request for what would do something, or for what one would do something with; None for others."""
    kind, base = kind_of(node.text), split(node)[0]
    if not kind or (isinstance(base, Filter) and (is_mass(base.value) or is_plural_only(base.value))):
        return None
    nouns = {'n': pieces(talk, node.of, False).text(), 'ns': pieces(talk, node.of, True).text()}
    bare = is_bare(base)
    if kind == 'doing':
        frame = ('ask' if many else 'ask_one') if bare else ('which' if many else 'which_one')
        return talk.fill(lists('uses')[frame], {**nouns, 'v': node.text})
    would = f'{talk.choose(("would", "could", "might", "will", "would", "can"))} {node.text}'
    frame = ('what_all' if many else 'what_one') if bare else ('which_all' if many else 'which_one')
    return talk.fill(lists('frames')[frame], {**nouns, 'p': would, 'p1': would})


def which(talk: Talk, node: Node, many: bool) -> str | None:
    """Return a question with the outermost property as predicate, or None if that is not possible."""
    base, modifiers = split(node)
    outer = modifiers[-1]
    predicate = _predicate(talk, outer, many)
    if predicate is None:
        return None
    inner: Node = next(outer.children())
    single = _predicate_for_one(talk, outer, predicate, many)
    somebody = is_person(base) and (
        (isinstance(outer, Act) and outer.role == 'agent')
        or (isinstance(outer, Relate) and outer.relation in WHERE_PEOPLE_ARE)
        or (isinstance(outer, Except) and isinstance(outer.minus, Act) and outer.minus.role == 'agent')  # who isn't ...
    )
    if (is_bare(base) or somebody) and len(modifiers) == 1:
        if somebody:
            return talk.fill(lists('frames')['who_all' if many else 'who_one'], {'p': predicate, 'p1': single})
        if many and talk.chance(0.2):
            return _yes_or_no(talk, predicate, single, '')
        return talk.fill(lists('frames')['what_all' if many else 'what_one'], {'p': predicate, 'p1': single})
    if isinstance(base, Select) and base is inner:
        return None
    one, several = pieces(talk, inner, False), pieces(talk, inner, True)
    if many and talk.chance(0.2):
        return _yes_or_no(talk, predicate, single, several.text())
    filled = {'n': one.text(), 'ns': several.text(), 'p': predicate, 'p1': single}
    if not many and predicate.startswith('is ') and not isinstance(outer, Rank) and talk.chance(0.15):
        return talk.fill(lists('frames')['is_it'], {**filled, 'rest': predicate[3:]})
    return talk.fill(lists('frames')['which_all' if many else 'which_one'], filled)


def _yes_or_no(talk: Talk, predicate: str, single: str, nouns: str) -> str:
    """Return a yes/no question about a property: 'could anything here tip over?'."""
    subjects = lists('frames')['yes_no_named' if nouns else 'yes_no']
    subject = talk.fill(subjects, {'ns': nouns})
    several = subject.startswith(('any of', 'any ', 'some of', 'one or more')) and 'anything' not in subject
    verb, _, rest = (predicate if several else single).partition(' ')
    if verb in ('is', 'are') and talk.chance(0.15):
        return f'{subject} {rest}?'
    if verb in MODALS:
        return f'{verb} {subject} {rest}?'
    if verb in ('has', 'have'):
        return f'{"do" if several else "does"} {subject} have {rest}?'
    if predicate.startswith('are '):
        return f'{"are" if several else "is"} {subject} {predicate[4:]}?'
    return f'{"do" if several else "does"} {subject} {predicate}?'


def _predicate_for_one(talk: Talk, node: Node, predicate: str, many: bool) -> str:
    """Return the predicate in the singular, for 'anything that ...'."""
    if not many:
        return predicate
    for _ in range(3):
        found = _predicate(talk, node, False) if not isinstance(node, Filter) or node.by != 'region' else None
        if found is not None:
            return found
    return re.sub(r'^are\b', 'is', predicate)
