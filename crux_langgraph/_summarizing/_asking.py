"""One request to the model: on a reservation, before a deadline, with at most one retry, its failures as values."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.errors import GraphBubbleUp

from crux_langgraph._summarizing._failures import Failure, failure_of
from crux_langgraph._summarizing._limits import Deadline, Ledger
from crux_langgraph._waiting import Way

_log = logging.getLogger("crux_langgraph")

_LIMITS = Failure("limits")
_LATE = Failure("timeout")
_STOPPED = Failure("provider_error")
_BACKOFF_S = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """What the model is sent, and the tokens of it."""

    messages: Sequence[BaseMessage]
    tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model gave, whatever that is."""

    value: object


@dataclass(frozen=True, slots=True)
class Asker:
    """Sends requests to a model and keeps the books. A request whose reservation is refused is not sent.

    `models` are the model and its fallbacks: each is asked where those before it failed, which is one more call.
    """

    way: Way
    models: Sequence[Runnable[Any, Any]]
    ledger: Ledger
    concurrency: int
    config: RunnableConfig | None
    _refusing: set[int] = field(default_factory=set[int])

    async def ask(self, requests: Sequence[Request | None], timeout_s: float) -> list[Answer | Failure]:
        """Send reserved requests at the same time and give an answer or a failure for each; None was not reserved."""
        sent = [request for request in requests if request is not None]
        before = self.ledger.calls
        deadline = Deadline(timeout_s)
        flows = [partial(self._one, request, deadline) for request in sent]
        try:
            replies = await self.way.together(flows, concurrency=self.concurrency, timeout_s=timeout_s) if flows else []
        finally:
            self.ledger.waited_s += deadline.passed_s
            self.ledger.levels += self.ledger.calls > before
        for cause in sorted({reply.cause for reply in replies if isinstance(reply, Failure) and reply.cause}):
            _log.warning("Summarize: the model failed (%s); the deterministic fit steps in", cause)
        heard = iter(replies)
        return [_LIMITS if request is None else next(heard) or _LATE for request in requests]

    async def _one(self, request: Request, deadline: Deadline) -> Answer | Failure:
        reply = await self._round(request, deadline)
        if isinstance(reply, Answer):
            return reply
        pause_s = reply.retry_after_s or _BACKOFF_S
        if not self._may_retry(reply, request, deadline.left_s - pause_s):
            return reply
        await self.way.pause(pause_s)
        return await self._round(request, deadline)

    def _may_retry(self, failure: Failure, request: Request, left_s: float) -> bool:
        if not failure.transient or left_s <= 0 or not self._willing():
            return False
        return self.ledger.reserve(request.tokens)

    def _willing(self) -> list[int]:
        return [number for number in range(len(self.models)) if number not in self._refusing]

    async def _round(self, request: Request, deadline: Deadline) -> Answer | Failure:
        """Ask the models by turns; the first one on the request's reservation, the others while calls are left."""
        failed: Failure | None = None
        for number in self._willing():
            if deadline.left_s <= 0:
                return failed or _LATE
            if failed is not None and not self.ledger.reserve(request.tokens):
                return failed
            reply = await self._attempt(number, request)
            if isinstance(reply, Answer):
                return reply
            failed = failed if failed is not None and failed.transient else reply
        return failed or _STOPPED

    async def _attempt(self, number: int, request: Request) -> Answer | Failure:
        self.ledger.spend(request.tokens)
        try:
            return Answer(await self.way.invoke(self.models[number], request.messages, self.config))
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a provider raises, the deterministic fit takes over
            failure = failure_of(error)
            if failure.stops:
                self._refusing.add(number)
            return failure
