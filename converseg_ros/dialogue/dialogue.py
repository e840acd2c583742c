"""The dialogue: texts of operators become self-contained instructions, or a refusal or question.

    dialogue = Dialogue()
    heard = dialogue.hear('show me the red mug, and keep away from the stove', SceneMemory(standing=book.standing))
    dialogue.observe(regions)                       # antecedents of 'the other one' and 'number two'
    dialogue.hear('now its handle').instructions[0].resolved   # 'the handle of the red mug'

A text may begin with `@NAME `, the operator, who has a separate conversation. It may continue with `#REGION_ID ` (the
console sends this when the operator selected a region), the antecedent of 'this', 'it' and 'the one behind it'.

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
from converseg_ros.dialogue.clause import full, parse, strip
from converseg_ros.dialogue.conversation import (
    Conversation,
    Draft,
    class_name,
    phrases_of,
)
from converseg_ros.dialogue.memory import (
    Command,
    CommandKind,
    Interpretation,
    Request,
    SceneMemory,
    Thing,
    Turn,
    unique,
)
from converseg_ros.dialogue.normal import normal
from converseg_ros.dialogue.noun_phrases import as_thing
from converseg_ros.dialogue.options import Options
from converseg_ros.dialogue.pending_text import PendingText
from converseg_ros.dialogue.refused import RefusedProhibitions
from converseg_ros.dialogue.rules import interpret
from converseg_ros.dialogue.split import split
from converseg_ros.knowledge.english import forbids_in_another_language, unreadable

OPERATORS = 32  # maximum number; the one without a text for the longest time is dropped first
ADDRESSED = re.compile(rf'@(?P<name>{OPERATOR_NAME})\s+(?P<text>.+)')  # the operator
POINTED = re.compile(r'#(?P<id>\S+)\s+(?P<text>.+)')  # the selected region


class Dialogue:
    """Interprets texts of several operators; not thread-safe, all calls must come from one thread."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.conversations: dict[str, Conversation] = {}
        self.things: tuple[Thing, ...] = ()
        self.refused = RefusedProhibitions()

    def configure(self, options: Options) -> None:
        """Set other options; a shorter history drops the oldest turns."""
        if options.history != self.options.history:
            for c in self.conversations.values():
                c.turns, c.asked = deque(c.turns, options.history), deque(c.asked, options.history)
        self.options = options

    def hear(self, text: str, scene: SceneMemory | None = None, operator: str = '') -> Interpretation:
        """Return the interpretation of `text`; texts never raise an exception, an unusable one is not accepted."""
        heard = self.begin(text, scene, operator)
        return self.finish(heard, heard.ask()) if isinstance(heard, PendingText) else heard

    def begin(self, text: str, scene: SceneMemory | None = None, operator: str = '') -> Interpretation | PendingText:
        """Return the interpretation of `text`, or a question for a language model; commands never wait for a model."""
        try:
            text = clean_text(text)
        except InputError as error:
            words = normal(text[: 4 * MAX_TEXT])
            if caution.count(words):
                return self.refused.refuse(text[:MAX_TEXT], words, operator, str(error))
            return Interpretation(accepted=False, reason=str(error))
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
            return PendingText(text, words, scene, operator, tuple(conversation.turns), self.options, reasons)
        draft = interpret(split(words), scene, conversation)
        draft.reasons += reasons
        return self._finish(text, words, draft, conversation, scene, 'rules')

    def _unreadable(self, text: str, words: str, operator: str) -> Interpretation | None:
        """Return the refusal of a text that is not English, or None; one that may be a prohibition stays open."""
        why = unreadable(words)
        if not why or not re.search(r'\w', words):
            return None
        if caution.count(words) or forbids_in_another_language(text):
            return self.refused.refuse(text, words, operator, why)
        known = parse(words).kind in ('command', 'answer', 'chat')
        return None if known else Interpretation(accepted=False, reason=why)

    def refuse_literally(self, text: str) -> Interpretation | None:
        """Return the refusal of a text that may be a prohibition, if texts are passed on literally; or None."""
        words = normal(text)
        settled = self.refused.settle(words, '')
        if settled is None and (caution.count(words) or (unreadable(words) and forbids_in_another_language(text))):
            return self.refused.refuse(text, words, '', unreadable(words))
        return settled

    def _cautiously(
        self, text: str, words: str, scene: SceneMemory, operator: str, reasons: tuple[str, ...]
    ) -> Interpretation:
        """Return the interpretation of a text with a cue of a prohibition.

        It is a guard, the removal of one, or a refusal with a question. Only the rules decide, for any backend: a
        language model takes seconds and could interpret the text as a request.
        """
        conversation = self._conversation(operator)
        whole = caution.understood(words)
        if whole is None:
            return self.refused.refuse(text, words, operator)
        draft = interpret(whole.clauses, scene, conversation)
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
        """Return whether a text must not wait for others: a command ('stop', 'undo'), a prohibition or a warning."""
        match = ADDRESSED.fullmatch(' '.join(text.split()))
        words = normal(match['text'] if match else text)
        return parse(words).kind == 'command' or caution.count(words) > 0

    def finish(self, thinking: PendingText, answer: Draft | str) -> Interpretation:
        """Return the interpretation of a text after the answer of the model; on failure that of the rules."""
        conversation, backend = self._conversation(thinking.operator), thinking.options.backend
        if isinstance(answer, str):
            draft, backend = interpret(split(thinking.words), thinking.scene, conversation), 'rules'
            draft.reasons.append(say('llm_failed', why=answer))
        else:
            draft = answer
            if any(c.kind == CommandKind.RESET for c in draft.commands):
                conversation.start_over(draft)
        draft.reasons += thinking.reasons
        return self._finish(thinking.text, thinking.words, draft, conversation, thinking.scene, backend)

    def observe(self, regions: Sequence[Region]) -> None:
        """Store the newest regions, in the order of their labels."""
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
        """Clear one operator's conversation, or all of them and the regions; standing instructions are not changed."""
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

    def _answer(self, words: str, conversation: Conversation, scene: SceneMemory) -> Interpretation | None:
        """Return the meaning of a yes or no to the open question; any other text closes the question as a no."""
        names, conversation.removing = conversation.removing, ()
        plain = strip(words) or words
        if full(v.YES, words.strip(' ,.!')) or full(v.YES, plain):
            reason = say('removed', names=phrases_of(names, scene))
            return Interpretation(commands=[Command(CommandKind.REMOVE_SAFETY, names)], reason=reason)
        if full(v.NO, words.strip(' ,.!').replace(',', '')) or full(v.NO, plain.replace(',', '')):
            return Interpretation(reason=say('kept', names=phrases_of(names, scene)))
        return None

    def _finish(
        self, text: str, words: str, draft: Draft, conversation: Conversation, scene: SceneMemory, backend: str
    ) -> Interpretation:
        """Return the answer of the draft and store the turn."""
        if draft.commands or draft.requests or draft.removing:
            draft.idle.clear()
        draft.failures += draft.idle
        requests = list({(r.resolved.casefold(), r.role): r for r in draft.requests}.values())
        # a text that is only partly understood changes nothing, except that its warnings take effect
        if draft.failures:
            requests = [r for r in requests if r.standing and r.role == Role.SAFETY]
        names = tuple(dict.fromkeys(draft.removing))
        if requests:  # they replace the previous requests
            draft.commands = [c for c in draft.commands if c.kind != CommandKind.FORGET]
        reason = '; '.join(dict.fromkeys([*draft.failures, *draft.reasons]))
        if not requests and (draft.failures or not (draft.commands or names)):
            return Interpretation(accepted=False, reason=reason or say('nothing'), backend=backend)
        single = len(requests) == 1
        made: list[Instruction] = []
        for request in requests:
            try:
                made.append(self._instruction(text if single else request.text, request, scene))
            except InputError as error:
                return Interpretation(accepted=False, reason=str(error), backend=backend)
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
        return Interpretation(made, draft.commands, question, reason, True, backend)

    def _instruction(self, text: str, request: Request, scene: SceneMemory) -> Instruction:
        name = ''
        if request.standing:
            known = {i.resolved.casefold(): i.name for i in scene.standing}
            name = known.get(request.resolved.casefold()) or class_name(
                request.resolved, {i.name for i in scene.standing}
            )
        return Instruction(text, request.role, request.family, '', name, request.resolved, request.standing)
