"""Calls to chat models: cached by content, retried with back-off, limited in rate and cost."""

from dataclasses import asdict, dataclass, field
import hashlib
import json
import math
from pathlib import Path
import random
import threading
import time

from converseg_ros.core.errors import ConversegError, writing
from converseg_ros.core.files import write_json
from converseg_ros.llm.chat import ChatModel, Question, RefusedError, Reply, UnavailableError
from converseg_ros.llm.reply import Answer, UnusableError, parse


class NoAnswerError(Exception):
    """The model gave no usable answer to a question: every reply was invalid, or it refused."""


@dataclass(slots=True)
class Limits:
    """Limits in the currency of the prices; 0: no limit. Prices are per million tokens."""

    per_minute: float = 0.0
    budget: float = 0.0
    price_in: float = 0.0
    price_out: float = 0.0
    attempts: int = 3  # invalid replies before a question fails
    tries: int = 6  # requests before a reply is given up
    back_off: float = 1.0  # seconds before the second request; doubles each time
    max_wait: float = math.inf  # seconds that a request waits for its turn under the rate limit, else it fails

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Return the cost of a call."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6


@dataclass(slots=True)
class Usage:
    """Usage of this run; replies from the cache are not counted."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    money: float = field(default=0.0)


class Calls:
    """Asks a chat model and returns validated answers; thread-safe."""

    def __init__(self, chat: ChatModel, cache: Path, limits: Limits | None = None) -> None:
        self.chat, self.cache, self.limits = chat, cache, limits or Limits()
        self.spent = Usage()
        self._lock = threading.Lock()
        self._next = 0.0
        self._before = self._earlier_cost() if self.limits.budget else 0.0

    def _earlier_cost(self) -> float:
        """Return the cost of earlier runs with this cache."""
        total = 0.0
        for path in self.cache.rglob('*.json'):
            row = json.loads(path.read_text())
            total += self.limits.cost(row['tokens_in'], row['tokens_out'])
        return total

    def ask(self, question: Question, answer: type[Answer]) -> Answer:
        """Return the answer as an object of class `answer`.

        Raise NoAnswerError if there is no usable answer, or ConversegError if the run cannot continue.
        """
        problem = ''
        for attempt in range(self.limits.attempts):
            asked = question
            if problem:
                note = f'\n\nYour last answer could not be used: {problem}. Answer again, with valid JSON only.'
                asked = Question(question.task, question.system, question.text + note, question.images, question.schema)
            reply = self._remembered(asked, attempt)
            try:
                return parse(reply.text, answer)
            except UnusableError as error:
                problem = str(error)
        raise NoAnswerError(f'no usable answer to "{question.task}" ({problem})')

    def _remembered(self, question: Question, attempt: int) -> Reply:
        """Return the reply from the cache, or ask and store the reply before it is used."""
        key = self.key(question, attempt)
        path = self.cache / key[:2] / f'{key}.json'
        if path.is_file():
            row = json.loads(path.read_text())
            if row.get('refused'):
                raise NoAnswerError(f'the judge refuses "{question.task}"')
            return Reply(row['text'], row['tokens_in'], row['tokens_out'])
        refused = False
        try:
            reply = self._paid(question)
        except RefusedError:
            refused, reply = True, Reply('')
        row = {'model': self.chat.name, 'task': question.task, 'refused': refused, **asdict(reply)}
        with writing(path, 'cannot write the cache'):
            write_json(path, row)
        if refused:
            raise NoAnswerError(f'the judge refuses "{question.task}"')
        return reply

    def key(self, question: Question, attempt: int = 0) -> str:
        """Return the cache key of a call: hash of model, text, images, schema and attempt."""
        digest = hashlib.sha256()
        head = [self.chat.name, question.task, question.system, question.text, question.schema, attempt]
        digest.update(json.dumps(head, sort_keys=True).encode())
        for image in question.images:
            digest.update(hashlib.sha256(image).digest())
        return digest.hexdigest()

    def _paid(self, question: Question) -> Reply:
        """Ask until there is a reply, with exponential back-off."""
        why = ''
        for number in range(self.limits.tries):
            self._check_budget()
            self._wait_for_turn()
            start = time.monotonic()
            try:
                reply = self.chat.ask(question)
            except UnavailableError as error:
                why = str(error)
                pause = max(error.retry_after, self.limits.back_off * 2**number * random.uniform(0.7, 1.3))
                if number + 1 < self.limits.tries:
                    time.sleep(min(pause, 60.0))
                continue
            finally:
                with self._lock:
                    self.spent.seconds += time.monotonic() - start
                    self.spent.calls += 1
            with self._lock:
                self.spent.tokens_in += reply.tokens_in
                self.spent.tokens_out += reply.tokens_out
                self.spent.money += self.limits.cost(reply.tokens_in, reply.tokens_out)
            return reply
        raise ConversegError(
            f'the judge does not answer ({why}, {self.limits.tries} tries)',
            where=self.chat.name,
            do='run the same command again later; cached answers are not asked for again',
        )

    def _check_budget(self) -> None:
        with self._lock:
            spent = self._before + self.spent.money
        if self.limits.budget and spent >= self.limits.budget:
            raise ConversegError(
                f'the budget of {self.limits.budget:g} is used up ({spent:.4f} spent)',
                where=self.chat.name,
                do='raise --budget and run the same command again',
            )

    def _wait_for_turn(self) -> None:
        if not self.limits.per_minute:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            if turn - now > self.limits.max_wait:
                raise ConversegError(
                    f'the limit of {self.limits.per_minute:g} requests a minute is reached',
                    where=self.chat.name,
                    do=f'ask again in {turn - now:.0f} s, or raise the limit',
                )
            self._next = turn + 60.0 / self.limits.per_minute
        time.sleep(turn - now)
