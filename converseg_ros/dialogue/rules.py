"""Interpret the clauses of a text by rules: requests, commands and removals become a draft of the answer."""

from collections.abc import Sequence
from dataclasses import replace
import re

from converseg_ros.core import Role
from converseg_ros.core.texts import say
from converseg_ros.dialogue import vocabulary as v
from converseg_ros.dialogue.clause import Parsed, doubtful, family_of, full, parse
from converseg_ros.dialogue.conversation import Conversation, Draft, about_of, group_of
from converseg_ros.dialogue.coreference import Context, NoReferentError, resolve
from converseg_ros.dialogue.memory import Command, CommandKind, Request, SceneMemory, Thing, Turn, unique
from converseg_ros.dialogue.normal import polish
from converseg_ros.dialogue.noun_phrases import as_thing, conjunction
from converseg_ros.dialogue.split import Clause

ONLY = r'(?:no |but )?(?:just|only|except|all except|apart from|but not|not)\b'


def interpret(clauses: list[Clause], scene: SceneMemory, conversation: Conversation) -> Draft:
    """Return the draft of the answer to some clauses; an unresolved reference is one of its failures."""
    draft = Draft()
    for n, clause in enumerate(clauses):
        more = n + 1 < len(clauses)
        if more and re.match(rf'not {v.DET}\b', clause.text):
            continue  # 'not the cup, the glass'
        if more and full(rf'(?:{v.NO}|{v.YES})', clause.text.strip(' ,')):
            clauses[n + 1] = replace(clauses[n + 1], corrects=full(v.NO, clause.text.strip(' ,')) is not None)
            continue  # 'no, bigger'
        try:
            _clause(clause, draft, scene, conversation, introduces=more and _introduces(clause, clauses[n + 1]))
        except NoReferentError as error:
            draft.failures.append(error.args[0])
    return draft


def _introduces(clause: Clause, following: Clause) -> bool:
    """Return whether a clause only names the topic of the next one: 'the lady in green, what is she carrying'."""
    if re.match(r'(?:and )?there (?:is|are) ', clause.text):
        return True
    asks = re.match(r'(?:what|where|which|who|how|is|are|can|could)\b', following.text) is not None
    return (
        asks
        and parse(clause.text).bare
        and re.search(r'\b(?:it|its|he|she|they|them|her|him)\b', following.text) is not None
    )


def _clause(clause: Clause, draft: Draft, scene: SceneMemory, conversation: Conversation, *, introduces: bool) -> None:
    """Add one clause to the draft; `introduces`: in 'there is a child', the clause only introduces 'she'."""
    parsed, turns = parse(clause.text), conversation.turns
    context = Context(unique(draft.things) or group_of(turns), scene.things, scene.pointed_thing, draft.reasons)
    if parsed.kind in ('chat', 'answer', 'statement'):
        draft.idle.append(say('nothing_to_confirm' if parsed.kind == 'answer' else 'chat'))
    elif parsed.kind != 'empty' and introduces:
        phrase = re.sub(r'^(?:something|anything) wrong with ', '', polish(resolve(parsed.phrase, context)))
        draft.things.append(Thing(*as_thing(phrase), Role.PLAIN))
    elif parsed.kind == 'command' and parsed.command is not None:
        _command(parsed.command, parsed.phrase, draft, scene, conversation)
    elif parsed.kind in ('allow', 'forget'):
        _remove(parsed, draft, scene, conversation, context)
    elif parsed.kind != 'empty':
        _request(clause, parsed, draft, turns, context)


def _remove(parsed: Parsed, draft: Draft, scene: SceneMemory, conversation: Conversation, context: Context) -> None:
    """Add the removal of standing instructions, or of one of the last requests."""
    phrase = polish(resolve(parsed.phrase, context)) if parsed.phrase else ''
    about = about_of(phrase, scene)
    draft.removing += [i.name for i in about]
    if not about and parsed.kind == 'allow':
        draft.failures.append(say('no_standing', phrase=phrase or 'anything'))
    elif not about:
        _forget_one(phrase, draft, conversation)


def _request(clause: Clause, parsed: Parsed, draft: Draft, turns: Sequence[Turn], context: Context) -> None:
    """Add the request of a clause, with its references resolved."""
    role, standing = _role(clause, parsed, draft, turns)
    detailed = _apposition(clause, parsed, draft)
    if detailed is not None and draft.last is not None:
        parsed, clause = replace(parsed, phrase=detailed), replace(clause, corrects=True)
        role, standing = draft.last.role, draft.last.standing
    if clause.corrects and draft.last_count:
        del draft.requests[-draft.last_count :]
    parts = re.split(r'\s+(?:or|nor)\s+', parsed.phrase) if standing else [parsed.phrase]
    resolved = [resolve(part, context) for part in parts]
    if standing and 'between' not in parsed.phrase:  # each of them is a separate standing instruction
        resolved = [r for text in resolved for r in re.split(r',? and (?=(?:the|a|an|my|your)\b)', text)]
    unsure = next((r for r in resolved if doubtful(r)), None)
    if unsure is not None:
        draft.failures.append(say('unsure', phrase=polish(unsure)))
        return
    made = [Request(clause.text, polish(r), role, family_of(r, role), standing) for r in resolved]
    draft.requests += made
    draft.last, draft.last_count = made[-1], len(made)
    draft.things += [Thing(*as_thing(m.resolved), m.role) for m in made]
    if clause.corrects:
        draft.things = draft.things[-len(made) :]


def _role(clause: Clause, parsed: Parsed, draft: Draft, turns: Sequence[Turn]) -> tuple[Role, bool]:
    """Return the role of a request and whether it is standing; a bare phrase inherits the previous ones."""
    before = draft.last
    if parsed.bare and before is not None and (clause.continues or clause.corrects):
        return before.role, before.standing
    narrows = re.match(ONLY, clause.text) is not None  # a restriction of the previous request
    if parsed.bare and before is None and (narrows or clause.corrects) and turns and turns[-1].things:
        role = turns[-1].things[-1].role
        return role, role == Role.SAFETY
    return parsed.role, parsed.kind == 'keep_out'


def _apposition(clause: Clause, parsed: Parsed, draft: Draft) -> str | None:
    """Return the previous phrase with the detail that a clause adds to it: 'the mug, the red one'; or None."""
    before = draft.last
    if not (clause.apposed and parsed.bare) or before is None or re.search(v.QUALITY, before.resolved):
        return None
    detail = re.sub(r'^(?:the|that|an?) (?P<q>(?:[\w-]+ )*?)ones?\b', r'\g<q>|', parsed.phrase)
    adjectives, _, rest = detail.partition('|')
    article, _, noun = before.resolved.partition(' ')
    return f'{article} {adjectives}{noun}{rest}' if article in ('the', 'a', 'an', 'my') else None


def _forget_one(phrase: str, draft: Draft, conversation: Conversation) -> None:
    """Remove one of the last requests and repeat the others."""
    last = conversation.asked[-1] if conversation.asked else []
    noun = as_thing(phrase)[1]
    left = [i for i in last if i.resolved.casefold() != phrase.casefold() and as_thing(i.resolved)[1] != noun]
    if len(left) == len(last):
        draft.failures.append(say('nothing_to_forget'))
    elif left:
        draft.requests += [Request(i.text, i.resolved, i.role, i.family, i.standing) for i in left]
    else:
        draft.commands.append(Command(CommandKind.FORGET))


def _command(kind: CommandKind, phrase: str, draft: Draft, scene: SceneMemory, conversation: Conversation) -> None:
    """Add a command to the draft; a standing safety instruction is only removed after a yes."""
    if kind == CommandKind.FORGET:
        _forget(phrase, draft, scene, conversation)
        return
    if kind in (CommandKind.UNDO, CommandKind.REPEAT):
        asked = conversation.asked
        if kind == CommandKind.UNDO and asked:
            asked.pop()
            if conversation.turns:
                conversation.turns.pop()
        if not asked and kind == CommandKind.REPEAT:
            draft.failures.append(say('nothing_before'))
            return
        again = asked[-1] if asked else []
        draft.requests += [Request(i.text, i.resolved, i.role, i.family, i.standing) for i in again]
    if kind == CommandKind.RESET:
        conversation.start_over(draft)
    draft.commands.append(Command(kind))
    if kind in (CommandKind.STOP, CommandKind.RESET) and scene.safety:
        draft.reasons.append(say('still_safe', names=conjunction([i.resolved for i in scene.safety])))


def _forget(phrase: str, draft: Draft, scene: SceneMemory, conversation: Conversation) -> None:
    """Add 'forget it' or 'forget everything': current requests immediately, safety instructions by a question."""
    safety = {i.resolved.casefold(): i.name for i in scene.safety}
    if re.search(v.EVERYTHING, phrase):
        draft.removing += list(safety.values())
        draft.commands.append(Command(CommandKind.FORGET))
        return
    last = conversation.turns[-1].things if conversation.turns else []
    names = [safety[t.phrase] for t in last if t.role == Role.SAFETY and t.phrase in safety]
    draft.removing += names
    if not names:
        draft.commands.append(Command(CommandKind.FORGET))
