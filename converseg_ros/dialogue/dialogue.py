"""The dialogue: what a person says becomes self-contained instructions, or a visible refusal or question.

    dialogue = Dialogue()
    heard = dialogue.hear('show me the red mug, and keep away from the stove', SceneMemory(standing=book.standing))
    dialogue.observe(regions)                       # so that 'the other one' and 'number two' mean something
    dialogue.hear('now its handle').instructions[0].resolved   # 'the handle of the red mug'

A text may begin with `@NAME `: then it is NAME's, whose conversation is kept apart from the others'. It may go on with
`#REGION_ID ` (the console does this when the operator clicked a region): then 'this', 'it' and 'the one behind it' mean
that region.

The dialogue does not store standing instructions. Their owner (`InstructionBook` in the node) passes those in force
with each text and enters what the dialogue returns.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
import re

from converseg_ros.core import InputError, Instruction, Role
from converseg_ros.core.instruction import MAX_TEXT, OPERATOR_NAME, clean_text
from converseg_ros.core.region import Region
from converseg_ros.core.texts import say
from converseg_ros.dialogue import caution, saved
from converseg_ros.dialogue import vocabulary as v
from converseg_ros.dialogue.clause import doubtful, family_of, full, parse, strip
from converseg_ros.dialogue.conversation import (
    Conversation,
    Draft,
    about_of,
    class_name,
    group_of,
    phrases_of,
)
from converseg_ros.dialogue.coreference import Context, NoReferentError, as_thing, conjunction, resolve
from converseg_ros.dialogue.memory import Command, CommandKind, Heard, Request, SceneMemory, Thing, Turn, unique
from converseg_ros.dialogue.normal import normal, polish
from converseg_ros.dialogue.options import Options
from converseg_ros.dialogue.refused import Refused
from converseg_ros.dialogue.split import Clause, split
from converseg_ros.dialogue.thinking import Thinking
from converseg_ros.knowledge.english import forbids_in_another_language, unreadable

OPERATORS = 32  # the one not heard for longest is forgotten first
ADDRESSED = re.compile(rf'@(?P<name>{OPERATOR_NAME})\s+(?P<text>.+)')  # who speaks
POINTED = re.compile(r'#(?P<id>\S+)\s+(?P<text>.+)')  # what is pointed at


class Dialogue:
    """Understands texts of several operators; not thread-safe, one owner calls it."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.conversations: dict[str, Conversation] = {}
        self.things: tuple[Thing, ...] = ()
        self.refused = Refused()

    def configure(self, options: Options) -> None:
        """Take other options; a shorter history forgets the oldest turns."""
        if options.history != self.options.history:
            for c in self.conversations.values():
                c.turns, c.asked = deque(c.turns, options.history), deque(c.asked, options.history)
        self.options = options

    def hear(self, text: str, scene: SceneMemory | None = None, operator: str = '') -> Heard:
        """Return what `text` means now. Never raises for what a person says: what cannot be used is not accepted."""
        heard = self.begin(text, scene, operator)
        return self.finish(heard, heard.ask()) if isinstance(heard, Thinking) else heard

    def begin(self, text: str, scene: SceneMemory | None = None, operator: str = '') -> Heard | Thinking:
        """Return what `text` means, or what a language model has to be asked first. Commands never wait for a model."""
        try:
            text = clean_text(text)
        except InputError as error:
            words = normal(text[: 4 * MAX_TEXT])
            if caution.count(words):
                return self.refused.refuse(text[:MAX_TEXT], words, operator, str(error))
            return Heard(accepted=False, reason=str(error))
        scene = self._scene(scene)
        match = ADDRESSED.fullmatch(text)
        if match:
            operator, text = match['name'], match['text']
        match = POINTED.fullmatch(text)
        if match:
            scene, text = replace(scene, pointed=match['id']), match['text']
        conversation = self._conversation(operator)
        words = normal(text)
        heard = self._unreadable(text, words, operator)
        if heard is not None:
            return heard
        open_question = conversation.removing
        reasons: tuple[str, ...] = ()
        if open_question:
            answer = self._answer(words, conversation, scene)
            if answer is not None:
                return answer
            reasons = (say('kept', names=phrases_of(open_question, scene)),)
        settled = self.refused.settle(words, operator)
        if settled is not None:
            return settled
        if caution.count(words):
            return self._cautiously(text, words, scene, operator, reasons)
        if operator in self.refused.texts:
            reasons = (*reasons, say('still_unclear', text=self.refused.texts[operator]))
        if self.options.backend != 'rules' and parse(words).kind not in ('command', 'answer', 'forget', 'allow'):
            return Thinking(text, words, scene, operator, tuple(conversation.turns), self.options, reasons)
        draft = self._by_rules(split(words), scene, conversation)
        draft.reasons += reasons
        return self._finish(text, words, draft, conversation, scene, 'rules')

    def _unreadable(self, text: str, words: str, operator: str) -> Heard | None:
        """Return the refusal of a text that is no English, or None; one that may forbid something stays open."""
        why = unreadable(words)
        if not why or not re.search(r'\w', words):
            return None
        if caution.count(words) or forbids_in_another_language(text):
            return self.refused.refuse(text, words, operator, why)
        known = parse(words).kind in ('command', 'answer', 'chat')
        return None if known else Heard(accepted=False, reason=why)

    def refuse_literally(self, text: str) -> Heard | None:
        """Return the refusal of a text that may be a prohibition, where texts are no conversation; or None."""
        words = normal(text)
        settled = self.refused.settle(words, '')
        if settled is None and (caution.count(words) or (unreadable(words) and forbids_in_another_language(text))):
            return self.refused.refuse(text, words, '', unreadable(words))
        return settled

    def _cautiously(self, text: str, words: str, scene: SceneMemory, operator: str, reasons: tuple[str, ...]) -> Heard:
        """Return what a text with a cue of a prohibition means: a guard, the end of one, or a refusal with a question.

        The rules alone decide, whatever the backend: a language model takes seconds and may take it for a request.
        """
        conversation = self._conversation(operator)
        whole = caution.understood(words)
        if whole is None:
            return self.refused.refuse(text, words, operator)
        draft = self._by_rules(whole.clauses, scene, conversation)
        draft.reasons += reasons
        failed = bool(draft.failures) and not whole.ends
        heard = self._finish(text, words, draft, conversation, scene, 'rules')
        guards = any(i.standing and i.role == Role.SAFETY for i in heard.instructions)
        if failed or not (guards or whole.ends):
            refused = self.refused.refuse(text, words, operator)
            return replace(
                refused, instructions=heard.instructions, accepted=guards, reason=heard.reason or refused.reason
            )
        if guards:
            self.refused.withdraw(operator)
        return heard

    @staticmethod
    def is_urgent(text: str) -> bool:
        """Return whether a text waits for no other: a command ('stop', 'undo'), a prohibition or a warning."""
        match = ADDRESSED.fullmatch(' '.join(text.split()))
        words = normal(match['text'] if match else text)
        return parse(words).kind == 'command' or caution.count(words) > 0

    def finish(self, thinking: Thinking, answer: Draft | str) -> Heard:
        """Return what a text means now that the model answered; where it could not, the rules do, and say so."""
        conversation, backend = self._conversation(thinking.operator), thinking.options.backend
        if isinstance(answer, str):
            draft, backend = self._by_rules(split(thinking.words), thinking.scene, conversation), 'rules'
            draft.reasons.append(say('llm_failed', why=answer))
        else:
            draft = answer
        draft.reasons += thinking.reasons
        return self._finish(thinking.text, thinking.words, draft, conversation, thinking.scene, backend)

    def observe(self, regions: Sequence[Region]) -> None:
        """Remember the newest regions, in the order of their labels."""
        self.things = tuple(
            Thing(*as_thing(r.instruction.resolved), r.instruction.role, r.id, r.status) for r in regions
        )
        status = {t.phrase: t for t in self.things}
        for conversation in self.conversations.values():
            if conversation.turns:
                turn = conversation.turns[-1]
                turn.things = [
                    replace(t, region=status[t.phrase].region, status=status[t.phrase].status)
                    if t.phrase in status
                    else t
                    for t in turn.things
                ]

    def reset(self, operator: str | None = None) -> None:
        """Forget one operator's conversation, or all of them and the regions; what stands is not touched."""
        if operator is None:
            self.conversations.clear()
            self.refused.texts.clear()
            self.things = ()
        else:
            self.conversations.pop(operator, None)
            self.refused.withdraw(operator)

    def save(self, path: Path, standing: Sequence[Instruction] = ()) -> None:
        """Write the conversations of all operators and the standing instructions they gave, atomically."""
        saved.write(path, self.conversations, standing, self.refused.texts)

    def load(self, path: Path) -> tuple[Instruction, ...]:
        """Read what `save` wrote and return its standing instructions, for their owner.

        Raises:
            InputError: The file is not a saved dialogue. Nothing is changed.

        """
        conversations, standing, unclear = saved.read(path, self.options.history)
        self.conversations.update(conversations)
        self.refused.texts.update(unclear)
        return standing

    def _scene(self, scene: SceneMemory | None) -> SceneMemory:
        scene = scene or SceneMemory()
        return replace(scene, things=scene.things or self.things)

    def _conversation(self, operator: str) -> Conversation:
        conversation = self.conversations.pop(operator, None)
        if conversation is None:
            n = self.options.history
            conversation = Conversation(deque(maxlen=n), deque(maxlen=n))
        self.conversations[operator] = conversation
        while len(self.conversations) > OPERATORS:
            del self.conversations[next(iter(self.conversations))]
        return conversation

    def _answer(self, words: str, conversation: Conversation, scene: SceneMemory) -> Heard | None:
        """Return what a yes or no to the open question means; anything else closes the question as a no."""
        names, conversation.removing = conversation.removing, ()
        plain = strip(words) or words
        if full(v.YES, words.strip(' ,.!')) or full(v.YES, plain):
            reason = say('removed', names=phrases_of(names, scene))
            return Heard(commands=[Command(CommandKind.REMOVE_SAFETY, names)], reason=reason)
        if full(v.NO, words.strip(' ,.!').replace(',', '')) or full(v.NO, plain.replace(',', '')):
            return Heard(reason=say('kept', names=phrases_of(names, scene)))
        return None

    def _by_rules(self, clauses: list[Clause], scene: SceneMemory, conversation: Conversation) -> Draft:
        draft = Draft()
        for n, clause in enumerate(clauses):
            more = n + 1 < len(clauses)
            if more and re.match(rf'not {v.DET}\b', clause.text):
                continue  # 'not the cup, the glass'
            if more and full(rf'(?:{v.NO}|{v.YES})', clause.text.strip(' ,')):
                clauses[n + 1] = replace(clauses[n + 1], corrects=full(v.NO, clause.text.strip(' ,')) is not None)
                continue  # 'no, bigger'
            try:
                self._take(clause, draft, scene, conversation, introduces=more and _introduces(clause, clauses[n + 1]))
            except NoReferentError as error:
                draft.failures.append(error.args[0])
        return draft

    def _take(
        self, clause: Clause, draft: Draft, scene: SceneMemory, conversation: Conversation, *, introduces: bool
    ) -> None:
        """Work one clause into the draft; `introduces`: others follow, 'there is a child' only says who 'she' is."""
        parsed = parse(clause.text)
        if parsed.kind == 'empty':
            return
        if parsed.kind in ('chat', 'answer', 'statement'):
            draft.idle.append(say('nothing_to_confirm' if parsed.kind == 'answer' else 'chat'))
            return
        turns = conversation.turns
        context = Context(unique(draft.things) or group_of(turns), scene.things, scene.pointed_thing, draft.reasons)
        if introduces:
            phrase = re.sub(r'^(?:something|anything) wrong with ', '', polish(resolve(parsed.phrase, context)))
            draft.things.append(Thing(*as_thing(phrase), Role.PLAIN))
            return
        if parsed.kind == 'command' and parsed.command is not None:
            self._command(parsed.command, parsed.phrase, draft, scene, conversation)
            return
        if parsed.kind in ('allow', 'forget'):
            phrase = polish(resolve(parsed.phrase, context)) if parsed.phrase else ''
            about = about_of(phrase, scene)
            draft.removing += [i.name for i in about]
            if not about and parsed.kind == 'allow':
                draft.failures.append(say('no_standing', phrase=phrase or 'anything'))
            elif not about:
                self._forget_one(phrase, draft, conversation)
            return
        role, standing = parsed.role, parsed.kind == 'keep_out'
        only = (
            re.match(r'(?:no |but )?(?:just|only|except|all except|apart from|but not|not)\b', clause.text) is not None
        )
        if parsed.bare and only and not draft.last and turns and turns[-1].things:
            role = turns[-1].things[-1].role  # the same, but less of it
            standing = role == Role.SAFETY
        if parsed.bare and (clause.continues or clause.corrects):
            before = draft.last
            if before is not None:
                role, standing = before.role, before.standing
            elif clause.corrects and turns and turns[-1].things:
                role = turns[-1].things[-1].role
                standing = role == Role.SAFETY
        before = draft.last
        if clause.apposed and parsed.bare and before is not None and not re.search(v.QUALITY, before.resolved):
            resolved_before = before.resolved
            detail = re.sub(r'^(?:the|that|an?) (?P<q>(?:[\w-]+ )*?)ones?\b', r'\g<q>|', parsed.phrase)
            adjectives, _, rest = detail.partition('|')
            article, _, noun = resolved_before.partition(' ')
            phrase = f'{article} {adjectives}{noun}{rest}' if article in ('the', 'a', 'an', 'my') else ''
            if phrase:
                parsed = replace(parsed, phrase=phrase)
                role, standing = before.role, before.standing
                clause = replace(clause, corrects=True)
        if clause.corrects and draft.last_count:
            del draft.requests[-draft.last_count :]
        parts = re.split(r'\s+(?:or|nor)\s+', parsed.phrase) if standing else [parsed.phrase]
        resolved = [resolve(part, context) for part in parts]
        if standing and 'between' not in parsed.phrase:  # each of them stands, and goes, by itself
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

    def _forget_one(self, phrase: str, draft: Draft, conversation: Conversation) -> None:
        """Forget one of the things asked for last and go on with the others."""
        last = conversation.asked[-1] if conversation.asked else []
        noun = as_thing(phrase)[1]
        left = [i for i in last if i.resolved.casefold() != phrase.casefold() and as_thing(i.resolved)[1] != noun]
        if len(left) == len(last):
            draft.failures.append(say('nothing_to_forget'))
        elif left:
            draft.requests += [Request(i.text, i.resolved, i.role, i.family, i.standing) for i in left]
        else:
            draft.commands.append(Command(CommandKind.FORGET))

    def _command(
        self, kind: CommandKind, phrase: str, draft: Draft, scene: SceneMemory, conversation: Conversation
    ) -> None:
        """Work a command into the draft; a standing safety instruction goes only after a yes."""
        if kind == CommandKind.FORGET:
            everything = re.search(v.EVERYTHING, phrase) is not None
            safety = {i.resolved.casefold(): i.name for i in scene.safety}
            if everything:
                draft.removing += list(safety.values())
                draft.commands.append(Command(kind))
                return
            last = conversation.turns[-1].things if conversation.turns else []
            names = [safety[t.phrase] for t in last if t.role == Role.SAFETY and t.phrase in safety]
            draft.removing += names
            if not names:
                draft.commands.append(Command(kind))
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
            conversation.turns.clear()
            conversation.asked.clear()
        draft.commands.append(Command(kind))
        if kind in (CommandKind.STOP, CommandKind.RESET) and scene.safety:
            names_shown = conjunction([i.resolved for i in scene.safety])
            draft.reasons.append(say('still_safe', names=names_shown))

    def _finish(
        self, text: str, words: str, draft: Draft, conversation: Conversation, scene: SceneMemory, backend: str
    ) -> Heard:
        """Turn the draft into the answer and remember the turn."""
        if draft.commands or draft.requests or draft.removing:
            draft.idle.clear()
        draft.failures += draft.idle
        requests = list({(r.resolved.casefold(), r.role): r for r in draft.requests}.values())
        if draft.failures:  # nothing is changed by half-understood words, but a warning in them is never lost
            requests = [r for r in requests if r.standing and r.role == Role.SAFETY]
        names = tuple(dict.fromkeys(draft.removing))
        if requests:  # they take the place of what was asked before
            draft.commands = [c for c in draft.commands if c.kind != CommandKind.FORGET]
        reason = '; '.join(dict.fromkeys([*draft.failures, *draft.reasons]))
        if not requests and (draft.failures or not (draft.commands or names)):
            return Heard(accepted=False, reason=reason or say('nothing'), backend=backend)
        single = len(requests) == 1
        made: list[Instruction] = []
        for request in requests:
            try:
                made.append(self._instruction(text if single else request.text, request, scene))
            except InputError as error:
                return Heard(accepted=False, reason=str(error), backend=backend)
        kinds = {c.kind for c in draft.commands}
        if made and CommandKind.REPEAT not in kinds and CommandKind.UNDO not in kinds:
            things = unique(Thing(*as_thing(i.resolved), i.role) for i in made)
            continued = re.match(r'(?:and|also|plus|then)\b', words) is not None
            conversation.turns.append(Turn(text, things, continued))
            conversation.asked.append(made)
        question = ''
        if names:
            conversation.removing = names
            question = say('ask_remove', names=phrases_of(names, scene))
        return Heard(made, draft.commands, question, reason, True, backend)

    def _instruction(self, text: str, request: Request, scene: SceneMemory) -> Instruction:
        name = ''
        if request.standing:
            known = {i.resolved.casefold(): i.name for i in scene.standing}
            name = known.get(request.resolved.casefold()) or class_name(
                request.resolved, {i.name for i in scene.standing}
            )
        return Instruction(text, request.role, request.family, '', name, request.resolved, request.standing)


def _introduces(clause: Clause, following: Clause) -> bool:
    """Return whether a clause only names what the next one speaks of: 'the lady in green, what is she carrying'."""
    if re.match(r'(?:and )?there (?:is|are) ', clause.text):
        return True
    asks = re.match(r'(?:what|where|which|who|how|is|are|can|could)\b', following.text) is not None
    return (
        asks
        and parse(clause.text).bare
        and re.search(r'\b(?:it|its|he|she|they|them|her|him)\b', following.text) is not None
    )
