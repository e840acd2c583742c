"""Decide whether a text is English; called before a text is passed to a network that understands English only.

Such a network answers any text, including texts that it cannot read: a Cyrillic or an emoji text is an unknown token,
and the answer would be an arbitrary mask or a confident NO_TARGET. The decision is made by vocabulary:
`data/english_words.txt` (the whole words of BERT's uncased vocabulary, Apache-2.0, and those of the speech recogniser)
and the nouns of `knowledge`, compared with frequent words of other languages.
"""

from collections.abc import Sequence
from functools import cache
import re
import unicodedata

from converseg_ros.core.errors import InputError
from converseg_ros.core.texts import say
from converseg_ros.knowledge.inflector import singular
from converseg_ros.knowledge.loader import DATA
from converseg_ros.knowledge.lookup import thing, things

# ruff: noqa: E501  # tables of words read better unwrapped
WORDS = 'english_words.txt'

# Frequent function words and verbs of short commands of each language; sufficient to name the language.
LANGUAGES = {
    'German': 'der die das dem den des ein eine einen einem einer ist sind wo und oder nicht kein keine keinen nie niemals zeig zeige mir mich bitte auf mit kannst du ich wir ihr sie wie bist was welche welcher welches finde such nimm gib lass weg von vom zum zur im am für über unter neben vor hinter heiss heiß vorsicht achtung finger anfassen berühren',
    'French': 'le la les un une des du est sont où ou et pas ne jamais rien montre moi montrez dans sur sous avec peux tu je vous nous quel quelle trouve cherche que qui pour prends donne touche touchez au aux cette ces mon ma mes attention',
    'Spanish': 'el la los las un una unos es son donde dónde está y o no nunca muéstrame busca encuentra por favor en sobre con puedes tu qué cual cuál quiero del al de para toque toques dame mira esta este esa ese cuidado',
    'Italian': 'il lo la gli le un uno una è sono dove e o non mai mostra mostrami trova cerca per favore nel nella sul sulla con puoi che quale voglio del della di da dai al alla prendi dammi questo questa attenzione toccare',
    'Dutch': 'de het een waar is en niet geen nooit toon laat mij me zien alstublieft op met kun je ik zoek vind welke wat staat van naar deze die dit dat raak aan pas',
    'Portuguese': 'o a os as um uma onde está são e não nunca mostre me por favor em com você eu qual procure ache na no nas nos da do das dos de para toque esta este esse cuidado',
    'Polish': 'gdzie jest są pokaż mi proszę na nie nigdy co to znajdź który która te ten ta i w z do od nad pod dotykaj uwaga',
    'Swedish': 'den det en ett är var och inte aldrig visa mig snälla på med kan du jag hitta vilken vad rör akta från till',
    'Danish or Norwegian': 'den det en et er hvor og ikke aldri aldrig vis meg mig på med kan du jeg finn find hvilken hva hvad rør fra til pas',
    'Turkish': 've bir bu şu nerede nedir değil lütfen bana göster bul ile için dokunma hayır sakın',
    'Czech': 'kde je jsou a ten ta to na ne nikdy ukaž mi prosím najdi který která od do nad pod pozor nedotýkej se',
    'Finnish': 'missä on ja ei älä koskaan näytä minulle etsi mikä joka koske varo',
}  # fmt: skip
# Words of prohibition and warning in those languages.
FORBIDDING = frozenset(
    [
        'nicht',
        'kein',
        'keine',
        'keinen',
        'nie',
        'niemals',
        'vorsicht',
        'achtung',
        'weg',
        'pas',
        'ne',
        'jamais',
        'attention',
        'no',
        'nunca',
        'cuidado',
        'non',
        'mai',
        'attenzione',
        'niet',
        'geen',
        'nooit',
        'não',
        'nie',
        'nigdy',
        'uwaga',
        'inte',
        'aldrig',
        'akta',
        'ikke',
        'aldri',
        'değil',
        'dokunma',
        'sakın',
        'hayır',
        'ne',
        'nikdy',
        'pozor',
        'ei',
        'älä',
        'varo',
    ]
)
CJK = '\u4e0d|\u5225|\u522b|\u52ff|\u7981|\u6ca1|\u5371|\u5c0f\u5fc3|\u505c|\u306a\u3044|\u308b\u306a|\u30c0\u30e1|\u3060\u3081'  # not, do not, never, forbidden, danger, careful, stop
# Articles of those languages that are no English words: what begins with one is a noun phrase of that language.
ARTICLES = {
    'el': 'Spanish', 'los': 'Spanish', 'las': 'Spanish', 'la': 'Spanish', 'le': 'French', 'les': 'French', 'il': 'Italian', 'gli': 'Italian',
    'der': 'German', 'das': 'German', 'dem': 'German', 'het': 'Dutch', 'uma': 'Portuguese',
    'una': 'Spanish', 'une': 'French', 'des': 'French', 'ein': 'German', 'eine': 'German',
}  # fmt: skip
FORBIDDING_PARTS = {
    'CYRILLIC': r'\b(?:не|ни|нет|нельзя|никогда|стой|осторожно|опасно|запрещено)\b',
    'GREEK': r'\b(?:μην?|δεν|όχι|ποτέ|προσοχή|μακριά)\b',
    'ARABIC': r'\b(?:لا|ليس|ممنوع|خطر|احذر)\b',
    'HEBREW': r'\b(?:אל|לא|אסור|זהירות)\b',
    'CJK': CJK, 'HIRAGANA': CJK, 'KATAKANA': CJK,
    'HANGUL': '마|말|금지|위험|않|조심|안 ', 'DEVANAGARI': 'मत|नहीं|सावधान|ख़?तर', 'THAI': 'อย่า|ห้าม|ไม่|ระวัง|อันตราย',
}  # fmt: skip
FUNCTION = frozenset(
    [
        'the',
        'a',
        'an',
        'is',
        'are',
        'was',
        'were',
        'be',
        'been',
        'am',
        'do',
        'does',
        'did',
        'have',
        'has',
        'had',
        'can',
        'could',
        'will',
        'would',
        'should',
        'shall',
        'may',
        'might',
        'must',
        'of',
        'to',
        'from',
        'at',
        'in',
        'on',
        'by',
        'for',
        'with',
        'without',
        'into',
        'onto',
        'over',
        'under',
        'behind',
        'between',
        'next',
        'near',
        'off',
        'out',
        'up',
        'down',
        'and',
        'or',
        'but',
        'not',
        'no',
        'if',
        'than',
        'then',
        'that',
        'this',
        'these',
        'those',
        'it',
        'its',
        'he',
        'she',
        'they',
        'them',
        'his',
        'her',
        'their',
        'my',
        'your',
        'our',
        'i',
        'you',
        'we',
        'me',
        'us',
        'what',
        'which',
        'who',
        'whose',
        'where',
        'when',
        'how',
        'why',
        'there',
        'here',
        'all',
        'any',
        'some',
        'each',
        'every',
        'one',
        'two',
        'three',
        'please',
    ]
)
SCRIPTS = {
    'CYRILLIC': 'Russian or a related language', 'GREEK': 'Greek', 'ARABIC': 'Arabic', 'HEBREW': 'Hebrew', 'CJK': 'Chinese or Japanese',
    'HIRAGANA': 'Japanese', 'KATAKANA': 'Japanese', 'HANGUL': 'Korean', 'DEVANAGARI': 'Hindi', 'THAI': 'Thai',
}  # fmt: skip


def unreadable(text: str) -> str:
    """Return why a text cannot be read as English, or ''."""
    for character in text:
        if (
            character.isalpha()
            and 'LATIN' not in unicodedata.name(character, '')
            and unicodedata.category(character) != 'Lm'
        ):
            script = unicodedata.name(character, '').split(' ')[0]
            return _foreign(SCRIPTS.get(script, f'a language in {script.lower() or "unknown"} letters'))
        if unicodedata.category(character) == 'So' and character not in '°©®':
            return say('symbol', symbol=character)
    words = [w.strip("'") for w in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.casefold())]
    if not words:
        return say('no_words')
    known = [w for w in words if w not in FUNCTION and _known(w)]
    english = [w for w in words if w in FUNCTION and not any(w in language for language in _languages().values())]
    unknown = [w for w in words if w not in FUNCTION and not _known(w)]
    name, foreign = max(
        ((n, [w for w in words if w in language]) for n, language in _languages().items()),
        key=lambda pair: len(pair[1]),
    )
    # A word of both languages ("die", "pour") counts only without an English function word next to it.
    sure = [w for w in foreign if w not in FUNCTION and (w not in known or not english)]
    strange = [w for w in unknown if w not in sure]
    only = [w for w in sure if not _known(w)]
    mixed = strange or len(sure) > 1 or not known
    if sure and len(sure) >= len(english) and (only or (mixed and len(strange) + 2 * len(sure) > len(known))):
        return _foreign(name)
    if words[0] in ARTICLES and not _holds_thing(words[1:]):
        return _foreign(ARTICLES[words[0]])
    if unknown and not known and not english:
        return say('unknown_words', words=', '.join(dict.fromkeys(unknown)))
    return ''


def _holds_thing(words: Sequence[str]) -> bool:
    """Return whether words after a foreign article are an English name ("la lakers cap") and not one foreign noun."""
    return len(words) != 1 and any(w in FUNCTION or thing(singular(w)) is not None for w in words)


def forbids_in_another_language(text: str) -> bool:
    """Return whether a text that is not English may be a prohibition or a warning.

    True for a text in a script whose words of prohibition are not listed here.
    """
    words = re.findall(r'[^\W\d_]+', text.casefold())
    if any(w in FORBIDDING for w in words):
        return True
    scripts = {unicodedata.name(c, '?').split(' ')[0] for c in text if c.isalpha()} - {'LATIN', 'MODIFIER'}
    return any(s not in SCRIPTS or re.search(FORBIDDING_PARTS[s], text.casefold()) is not None for s in scripts)


def check_readable(text: str) -> None:
    """Raise InputError with the reason if a text cannot be read as English."""
    why = unreadable(text)
    if why:
        raise InputError(why, where=f'the text {text[:60]!r}', do='say it in English words')


def _foreign(language: str) -> str:
    return say('not_supported', language=language)


@cache
def _languages() -> dict[str, frozenset[str]]:
    return {name: frozenset(words.split()) for name, words in LANGUAGES.items()}


@cache
def english_words() -> frozenset[str]:
    """Return the known English words, without accents."""
    nouns = ' '.join(name for thing in things().values() for name in thing.names)
    return frozenset((DATA / WORDS).read_text().split()) | frozenset(re.findall(r'[a-z]+', nouns.casefold()))


def _known(word: str) -> bool:
    """Return whether a word or its base form is known."""
    plain = ''.join(c for c in unicodedata.normalize('NFKD', word) if not unicodedata.combining(c))
    plain = re.sub(r"(?:'s|'|n't|'re|'ll|'ve|'d|'m)$", '', plain)
    if plain in english_words() or len(plain) == 1:
        return True
    for ending, stems in (
        ('ies', ('y',)), ('es', ('', 'e')), ('s', ('',)), ('ed', ('', 'e')), ('ing', ('', 'e')), ('est', ('', 'e')), ('ly', ('',)),
        ('y', ('', 'e')), ('less', ('',)), ('ness', ('',)), ('able', ('', 'e')), ('ish', ('',)), ('ful', ('',)),
    ):  # fmt: skip
        stem = plain.removesuffix(ending)
        if stem != plain and len(stem) > 2:
            doubled = stem[:-1] if stem[-1] == stem[-2] else ''
            if any(stem + s in english_words() for s in stems) or (doubled and doubled in english_words()):
                return True
    cuts = range(3, len(plain) - 2)  # compounds: dishwasher, toothbrush
    return any(plain[:n] in english_words() and plain[n:] in english_words() for n in cuts) if len(plain) > 6 else False
