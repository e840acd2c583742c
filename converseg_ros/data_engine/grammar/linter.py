# ruff: noqa: E501 - tables of phrases read best one entry a line
"""A linter for prompts: grammar errors and ambiguous words."""

import re

MIN_WORDS, MAX_WORDS = 3, 20
_RULES = (
    (re.compile(r'\b(\w+) \1\b', re.IGNORECASE), 'a word twice'),
    (re.compile(r'[{}<>_|]'), 'a template mark'),
    (re.compile(r'\b[Aa] (?=[aeiou])(?!un[aeiou]|uni|use|eu|one)', re.IGNORECASE), '`a` before a vowel'),
    (re.compile(r'\ban (?=[bcdfgjklmnpqrstvwxyz])', re.IGNORECASE), '`an` before a consonant'),
    (re.compile(r'\b(is|was) (the )?(\w+ )?(mugs|plates|bowls|knives|forks|spoons|books|chairs|people|cups)\b(?! \w+ (of|on|in))'), 'singular verb with a plural'),
    (re.compile(r'\b(this|that|a|an|each|every) (\w+ )?(people|knives|mice|shelves)\b'), 'singular word with a plural'),
    (re.compile(r'\bthe the\b|\bthe (a|an|my|this)\b'), 'two determiners'),
    (re.compile(r'\s{2,}|^\s|\s$'), 'stray spaces'),
    (re.compile(r'None|nan\b'), 'a missing word'),
    (re.compile(r'\b(that are) (has|is)\b|\bthat (is|has) (are|have)\b'), 'verbs that clash'),
    (re.compile(r'\wss(s|es)es\b'), 'a plural of a plural'),
    (re.compile(r'\b(headphones|scissors|glasses|shoes|keys|slippers|trousers|pliers|stairs) (is|was|does|has)\b'), 'singular verb with a plural'),
)  # fmt: skip
_QUESTION = re.compile(r'^(what|where|which|who|is|are|can|could|do|does|how)\b', re.IGNORECASE)
_VAGUE = re.compile(
    r'\b(that one|this one|the other one|them|those)\W*$|^\w+ (is|are) (it|that|this|they)\W*$', re.IGNORECASE
)


def lint(text: str, *, bare: bool = False, context: str = '') -> list[str]:
    """Return the errors of a prompt; `bare` allows a class name alone, `context` allows references."""
    problems = [why for rule, why in _RULES if rule.search(text)]
    words = len(text.split())
    if words > MAX_WORDS or (words < MIN_WORDS and not bare):
        problems.append(f'{words} words, not {MIN_WORDS} to {MAX_WORDS}')
    if (
        text.endswith('?')
        and not _QUESTION.match(text)
        and not any(q in text for q in (', ', '? ', 'hey', 'is ', 'and the'))
    ):
        problems.append('a question mark after a command')
    if _VAGUE.search(text) and not context:
        problems.append('points back at nothing')
    return problems
