"""Singular and plural of English noun phrases: exact for the nouns of `knowledge`, by rule for all others."""

from functools import cache
import re

from converseg_ros.knowledge.loader import knowledge

KEEPS_S = re.compile(r'(ss|us|is|as|os)$')
"""Endings of unknown words that are not plurals: glass, bus, chassis, canvas."""
HISSES = re.compile(r'(ch|sh|x|ss|zz)es$')


@cache
def _irregular() -> tuple[dict[str, str], dict[str, str]]:
    """Return irregular plurals by singular, including those of kinds that are mass nouns, and singulars by plural."""
    known = knowledge()
    many = {**known.irregular_plurals, **{k.name: k.many for k in known.kinds.values() if k.many}}
    return many, {plural: singular for singular, plural in known.irregular_plurals.items()}


@cache
def _words() -> frozenset[str]:
    """Return the last words of all names of things and kinds, in their original spelling."""
    names = [*knowledge().kinds, *(n for t in knowledge().things.values() for n in (*t.names, *t.loose_names))]
    return frozenset(n.partition(' of ')[0].split()[-1] for n in names)


@cache
def singular(phrase: str) -> str:
    """Return the singular of a noun phrase: 'kitchen knives' -> 'kitchen knife'; a singular is unchanged.

    The head is the last word, or the word before 'of'. Nouns without a singular ('scissors') are unchanged.
    """
    one = _irregular()[1]
    if phrase in one:
        return one[phrase]
    head, of, rest = phrase.partition(' of ')
    if of:
        return f'{singular(head)} of {rest}'
    before, _, word = phrase.rpartition(' ')
    return f'{before} {_singular_word(word)}' if before else _singular_word(word)


def _singular_word(word: str) -> str:
    many, one = _irregular()
    if word in one:
        return one[word]
    if word in many or not word.endswith('s'):
        return word
    options = [word[:-1]]
    if word.endswith('es'):
        options.append(word[:-2])
    if word.endswith('ies'):
        options.append(word[:-3] + 'y')
    for option in options:
        if option in _words():
            return option
    if word in _words() and not any(word == n for t in knowledge().things.values() if t.plural_only for n in t.names):
        return word
    if KEEPS_S.search(word) or len(word) < 3:
        return word
    if word.endswith('ies') and len(word) > 4:
        return word[:-3] + 'y'
    return word[:-2] if HISSES.search(word) else word[:-1]


@cache
def plural(phrase: str) -> str:
    """Return the plural of the head of a noun phrase; plurals and nouns without a plural are unchanged."""
    many = _irregular()[0]
    if phrase in many:
        return many[phrase]
    head, of, rest = phrase.partition(' of ')
    if of:
        return f'{plural(head)} of {rest}'
    if singular(phrase) != phrase:
        return phrase
    before, _, word = phrase.rpartition(' ')
    if before:
        return f'{before} {many.get(word) or plural(word)}'
    if re.search(r'[^aeiou]y$', word):
        return word[:-1] + 'ies'
    return word + ('es' if re.search(r'(s|x|z|ch|sh)$', word) else 's')


def counted(noun: str) -> str:
    """Return the count noun for a mass noun among the wider kinds: 'furniture' -> 'piece of furniture'."""
    known = knowledge().kinds.get(noun)
    return known.one if known and known.one else noun


def article(phrase: str) -> str:
    """Return 'a' or 'an' for a phrase, by its sound."""
    word = phrase.split()[0].lower()
    if word.startswith(('uni', 'use', 'usu', 'uten', 'eu', 'one')):
        return 'an' if word.startswith(('unin', 'unim')) else 'a'
    return 'an' if word[0] in 'aeiou' or word.startswith('hour') else 'a'
