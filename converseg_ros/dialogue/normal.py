"""Bring a sentence into the form the rules are written for, and tell which language it is in."""

import re
import unicodedata

# ruff: noqa: E501  # tables of words read better unwrapped
from converseg_ros.dialogue.vocabulary import FILLERS

CONTRACTIONS = (
    (r"\bcan't\b|\bcan not\b", 'cannot'), (r"\bwon't\b", 'will not'), (r"\bshan't\b", 'shall not'), (r"n't\b", ' not'),
    (r'\bdont\b', 'do not'), (r'\bmustnt\b', 'must not'), (r'\bshouldnt\b', 'should not'), (r'\bcant\b', 'cannot'),
    (r"\blet's\b", 'let us'), (r'\b(?:gonna)\b', 'going to'), (r'\b(?:wanna)\b', 'want to'), (r"'re\b", ' are'), (r"'ll\b", ' will'),
    (r"'ve\b", ' have'), (r"\b(i|you|we|they|he|she|it)'d\b", r'\1 would'), (r"\bi'm\b", 'i am'),
    (r"\b(what|where|who|which|that|there|it|he|she|here|how|when)'s\b", r'\1 is'), (r'\b(whats)\b', 'what is'), (r'\bwheres\b', 'where is'),
    (r"(?<=[a-z])'s (?=(?:(?:very|too|still|really|quite|so) )?(?:hot|sharp|wet|cold|dangerous|fragile|heavy|wrong|open|closed|full|empty|broken|dirty|clean|on|off|in|at|there|not|the|a|an)\b)", ' is '),
    (r'\b(show|point) (it|them|that|this|these|those)(?: out)? to (me|us)\b', r'show me \2'),
    (r'\bgimme\b', 'give me'), (r'\blemme\b', 'let me'), (r'\bgotta\b', 'have to'), (r"\by'all\b", 'you'),
    (r'\bnever mind\b', 'nevermind'), (r'\bset-down\b', 'set down'),
)  # fmt: skip

# Recognisers write "it's handle" for "its handle".
HEARD_ITS = r"\bit's (?=(?!(?:hot|sharp|wet|cold|dangerous|fragile|heavy|wrong|right|on|off|in|at|there|here|ok|okay|fine|safe|open|closed|full|empty|the|a|an|not|my|your|too|very|\w+ing|\w+ed)\b)[a-z]+(?:$|[.,!?]))"

# A few frequent function words each; enough to say which language it is not.
LANGUAGES = {
    'German': 'der die das ein eine einen ist wo und nicht zeig zeige mir bitte auf dem den mit kannst du ich wie bist was welche welcher finde such',
    'French': 'le la les un une est où ou et pas montre moi montrez dans sur avec peux tu je vous quel quelle trouve cherche des du que',
    'Spanish': 'el los las una es donde dónde está y muéstrame busca encuentra por favor en sobre con puedes tu qué cuál quiero la taza',
    'Italian': 'il lo gli uno è dove e mostra mostrami trova cerca per favore nel sul con puoi che quale voglio una della',
    'Dutch': 'het een waar niet toon laat mij zien alstublieft op met kun je ik zoek vind welke wat staat',
    'Portuguese': 'o os um uma onde está não mostre me por favor em com você eu qual procure ache na xícara',
    'Polish': 'gdzie jest pokaż mi proszę na nie co to znajdź kubek który',
}  # fmt: skip
ENGLISH = frozenset(
    [
        'the',
        'a',
        'an',
        'is',
        'are',
        'where',
        'what',
        'which',
        'who',
        'find',
        'show',
        'me',
        'please',
        'on',
        'in',
        'at',
        'with',
        'of',
        'to',
        'from',
        'it',
        'that',
        'this',
        'and',
        'or',
        'not',
        'can',
        'could',
        'you',
        'i',
        'my',
        'put',
        'pick',
        'up',
        'down',
        'behind',
        'under',
        'next',
        'left',
        'right',
        'one',
        'red',
        'blue',
        'green',
        'yellow',
        'white',
        'black',
        'cup',
        'mug',
        'table',
        'keep',
        'away',
        'stop',
        'forget',
    ]
)
SCRIPTS = {
    'CYRILLIC': 'Russian or a related language', 'GREEK': 'Greek', 'ARABIC': 'Arabic', 'HEBREW': 'Hebrew', 'CJK': 'Chinese or Japanese',
    'HIRAGANA': 'Japanese', 'KATAKANA': 'Japanese', 'HANGUL': 'Korean', 'DEVANAGARI': 'Hindi', 'THAI': 'Thai',
}  # fmt: skip


def other_language(text: str) -> str:
    """Return the name of the language of `text` if it is not English, else ''."""
    letters = [c for c in text if c.isalpha()]
    foreign = [c for c in letters if not c.isascii() and 'LATIN' not in unicodedata.name(c, '')]
    if foreign and 2 * len(foreign) > len(letters):
        script = unicodedata.name(foreign[0], '').split()[0]
        return SCRIPTS.get(script, f'a language in {script.lower()} letters')
    words = re.findall(r'[^\W\d_]+', text.casefold())
    english = sum(w in ENGLISH for w in words)
    score, name = max((sum(w in set(v.split()) for w in words), n) for n, v in LANGUAGES.items())
    return name if score >= 2 and score > english else ''


def normal(text: str) -> str:
    """Return `text` in lower case, without contractions, fillers, stutters and odd punctuation."""
    s = unicodedata.normalize('NFKC', text).casefold().replace('’', "'").replace('‘', "'").replace('´', "'")
    s = re.sub(r'["“”„«»()\[\]]', ' ', s)
    s = re.sub(HEARD_ITS, 'its ', s)
    for pattern, replacement in CONTRACTIONS:
        s = re.sub(pattern, replacement, s)
    s = re.sub(FILLERS, ' ', s)
    s = re.sub(r'\s+', ' ', s).strip()
    s = re.sub(r'(?:\s*,\s*)+', ', ', s)
    s = re.sub(r"\b([\w']+)(?: \1\b)+", r'\1', s)  # the the
    s = re.sub(r'\s+([.,;!?])', r'\1', s)
    return s.strip(' ,')


def polish(text: str) -> str:
    """Return a resolved text as the network gets it: no closing punctuation, 'I' in upper case."""
    s = re.sub(r'\s+', ' ', text).strip(' .,;:!?-')
    return re.sub(r'\bi\b', 'I', s)
