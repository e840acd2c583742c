"""Parse one clause: a command, something to keep away from, something to act on, or something to look for."""

from dataclasses import dataclass
import re

from converseg_ros.core import Family, Role
from converseg_ros.dialogue import prohibitions
from converseg_ros.dialogue import vocabulary as v
from converseg_ros.dialogue.memory import CommandKind
from converseg_ros.knowledge import singular, thing

# tags of things that are dangerous while they are on
DANGEROUS_ON = frozenset({'hot', 'gets_hot', 'flame', 'shock', 'sharp'})


@dataclass(frozen=True, slots=True)
class Parsed:
    """The result for one clause.

    kind: ask, keep_out, allow, forget, command, chat or empty. phrase: its object, with unresolved references. bare: a
    phrase without a verb, which may inherit the role of the clause before it.
    """

    kind: str
    phrase: str = ''
    role: Role = Role.PLAIN
    command: CommandKind | None = None
    bare: bool = False


def strip(text: str) -> str:
    """Return a clause without forms of address, politeness and verbs that mean 'look for'."""
    before = None
    while before != text:
        before = text
        for wrapper in v.WRAPPERS:
            text = re.sub(rf'^{wrapper}(?:[ ,]+|$)', '', text)
        for trailer in v.TRAILERS:
            text = re.sub(rf'(?:^|[ ,]+){trailer}$', '', text)
        text = text.strip(' ,.!?')
    return text


def full(pattern: str, text: str) -> re.Match[str] | None:
    """Match a complete text."""
    return re.fullmatch(pattern, text)


def command_of(text: str) -> CommandKind | None:
    """Return the command if the complete clause is one."""
    short = re.sub(
        r'^(?:please|robot|ok|okay|now|just|no|and|can you|could you)[ ,]+|[ ,]+(?:please|robot|now)$', '', text
    )
    for kind, pattern in v.COMMANDS.items():
        if full(pattern, text) or full(pattern, short):
            return CommandKind(kind)
    return None


def parse(text: str) -> Parsed:
    """Return the parsed clause (see split.py)."""
    text = text.strip(' ,.!?')
    command = command_of(text)
    if command is not None:
        return Parsed('command', phrase=text, command=command)
    core = strip(text)
    if not re.search(r'[a-z0-9]', core) or full(v.WARNING, core) or full(v.WARNING, text):
        return Parsed('empty')
    command = command_of(core)
    if command is not None:
        return Parsed('command', phrase=core, command=command)
    for pattern in v.ALLOW:
        match = full(pattern, core)
        if match and not re.match(r'(?:what|which|where|who|is|are)\b', core):
            return Parsed('allow', (match.groupdict().get('np') or '').strip())
    match = full(
        r'(?:(?:forget|delete|cancel)(?: about| the instruction about)?|'
        r'(?:stop|no longer) (?:look(?:ing)? (?:for|at)|show(?:ing)?|track(?:ing)?|follow(?:ing)?)) (?P<np>.+)',
        core,
    )
    if match:
        return Parsed('forget', match['np'])
    safety = keep_out(core)
    if safety:
        return Parsed('keep_out', safety, Role.SAFETY)
    if full(v.WRONG, core):
        return Parsed('ask', 'not that', bare=True)
    if full(v.STATEMENT, core):
        return Parsed('statement', core)
    if full(rf'(?:{v.YES}|{v.NO}|later|maybe|not now)', core):
        return Parsed('answer', core)
    if any(full(pattern, text) or full(pattern, core) for pattern in v.CHAT):
        return Parsed('chat', core)
    core = as_request(core)
    act = wish(core) if re.search(v.WISH, text) else ''
    act = act or action(core)
    if act:
        return Parsed('ask', act, Role.AFFORDANCE)
    role = role_of(core)
    looked_for = len(text) - len(core) > 3 and core != text and not re.search(r'^(?:and|now|or|no|just|only)\b', text)
    return Parsed('ask', core, role, bare=role == Role.PLAIN and not looked_for and not is_question(core))


def as_request(text: str) -> str:
    """Return an indirect or yes/no question as a noun phrase: 'is the mug empty' -> 'the mug that is empty'."""
    match = full(r'(?:where|what|who) (?P<np>.+) (?:is|are)', text)
    if match and re.match(rf'{v.DET}\b', match['np']):
        return match['np']
    match = full(
        r'what (?:have|do) (?:we|you|i) (?:got|have|see)(?: here)? '
        r'(?P<at>(?:on|in|under|behind|next to|inside|above|below|near) .+)',
        text,
    )
    if match:
        return f'what is {match["at"]}'
    match = full(rf'(?:is|are) (?P<np>{v.DET} .+?) \w+ or (?:not|\w+)', text)
    if match:
        return match['np']
    match = full(rf'(?P<be>is|are) (?P<np>(?:{v.DET} (?:[\w-]+ )*?[\w-]+|it|they|he|she)) (?P<how>{v.PREDICATE})', text)
    return f'{match["np"]} that {match["be"]} {match["how"]}' if match else text


def wish(text: str) -> str:
    """Return what fulfils a wish: 'cut the bread' -> 'something to cut the bread with'; '' if unknown."""
    match = full(r'(?P<verb>drink|eat|read|wear)(?: something)?', text)
    if match:
        return f'something to {match["verb"]}'
    match = full(r'(?P<verb>sit|lie|stand|sleep|rest)(?: down)?', text)
    if match:
        return f'something to {match["verb"]} on'
    match = full(
        rf'(?P<verb>{v.TOOL_USE})(?P<np> .+)?',
        text,
    )
    return f'something to {match["verb"]}{match["np"] or ""} with' if match else ''


def is_question(text: str) -> bool:
    """Return whether a text is a question with a question word."""
    return re.match(r'(?:what|which|where|who|whose|how|is|are|does|do|can|could)\b', text) is not None


def keep_out(text: str) -> str:
    """Return what a clause wants to be kept away from, or ''.

    Reasons and conditions are removed, since a standing safety instruction is permanent.
    """
    for pattern in prohibitions.KEEP_OUT:
        match = full(rf'(?:{pattern}) (?P<np>.+)', text)
        if match and not match['np'].startswith('to '):
            return _guarded(match['np'])
    match = full(prohibitions.LEAVE_ALONE, text) or full(prohibitions.OFF_LIMITS, text)
    if match is None:
        return stated_danger(text)
    groups = match.groupdict() if match else {}
    return str(groups.get('np') or groups.get('up') or '').strip()


def stated_danger(text: str) -> str:
    """Return what a statement or sign without a word of warning warns of ("the stove is on", "wet floor"), or ''."""
    if full(prohibitions.SIGNS, text):
        return text
    running = full(prohibitions.WHILE_ON, text)
    return str(running['np']) if running and dangerous_on(running['np']) else ''


def dangerous_on(phrase: str) -> bool:
    """Return whether a noun phrase names a thing that burns, cuts or gives a shock while it is on; no screen does."""
    noun = singular(re.sub(rf'^{v.DET} ', '', phrase))
    if full(prohibitions.POWERED, noun):
        return True
    known = thing(noun)
    return known is not None and bool(DANGEROUS_ON & known.tags) and 'electronics' not in known.kinds


def _guarded(phrase: str) -> str:
    """Return the object of a keep-out clause, without 'at all', 'because it is hot' and similar additions."""
    phrase = re.sub(prohibitions.CONDITION, '', phrase)
    for after in (prohibitions.AFTERTHOUGHTS, prohibitions.PARTICLES):
        phrase = re.sub(after, '', phrase).strip(' ,')
    match = full(prohibitions.OFF_LIMITS, phrase)
    return match['np'] if match else phrase


def action(text: str) -> str:
    """Return the object of an imperative (or the place that it asks for), or ''."""
    match = full(rf'{v.PLACE}(?: down)? (?P<obj>{v.OBJECT}\b.*?)(?: down| away)? {v.SAFELY}', text)
    if match:
        return f'where can i safely set down {match["obj"]}'
    match = full(
        rf'{v.PLACE}(?P<down> down)? (?P<obj>{v.OBJECT}\b.*?)(?P<away> down| away)?(?P<at> (?:{v.AT} .+|there|here))?',
        text,
    )
    if match:
        at = match['at'] or ''
        verb = 'put away' if match['away'] == ' away' else 'put' if at else 'set down'
        return f'where can i {verb} {match["obj"]}{at}'
    match = full(
        rf'(?:{v.PLACE}|move|bring) (?P<obj>{v.OBJECT}\b.*?) (?P<at>(?:to|onto|into|on top of|over to) {v.DET} .+)',
        text,
    )
    if match:
        return f'where can i put {match["obj"]} {re.sub(r"^(?:over )?to", "on", match["at"])}'
    match = full(rf'pour {v.OBJECT}\b.*? (?:into|in|onto|on|over) (?P<np>.+)', text)
    if match:
        return match['np']
    for pattern in (*v.GRASP, v.ANY_VERB):
        match = full(rf'{pattern} (?P<np>.+)', text)
        if match:
            np = match['np']
            if re.match(r'(?:something|anything)\b', np):
                return np
            np = re.sub(v.PARTICLES, '', np)
            return re.sub(
                r'^(.+?) (?:to|for|and) (?:cut|stir|open|clean|wipe|me|reach|eat|drink|write|\w+ing)\b.*$', r'\1', np
            )
    return ''


def role_of(text: str) -> Role:
    """Return the role of a phrase or question from its meaning."""
    if re.search(v.NOT_TOUCH, text) or (re.search(v.ANYTHING, text) and re.search(v.DANGER, text)):
        return Role.SAFETY
    if full(v.DANGEROUS_THINGS, text):
        return Role.SAFETY
    if re.match(r'where (?:can|could|should|may|might|do|would|shall|to|is it safe|is it ok)\b', text):
        return Role.AFFORDANCE
    if any(re.search(pattern, text) for pattern in v.ABILITY):
        return Role.AFFORDANCE
    return Role.PLAIN


def family_of(text: str, role: Role = Role.PLAIN) -> Family:
    """Return the concept family of a resolved text."""
    family = next(family for family, pattern in v.FAMILIES if re.search(pattern, text.casefold()))
    if family == Family.ENTITIES and is_question(text.casefold()):
        return {Role.AFFORDANCE: Family.AFFORDANCES, Role.SAFETY: Family.PHYSICS}.get(role, family)
    return family


def doubtful(text: str) -> bool:
    """Return whether a resolved text is not a thing, place or question, so that the network must not be asked."""
    return any(re.search(pattern, text.casefold()) for pattern in v.DOUBTFUL)
