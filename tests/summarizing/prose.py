"""Prose, a deterministic fit that merely cuts, and chat models that behave as a script says."""

import asyncio
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from blockbuster import BlockBuster
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import ConfigDict, PrivateAttr

from crux_langgraph._summarizing import Summarize
from crux_langgraph._summarizing._summary import Summary, summarize
from crux_langgraph._waiting import AWAITING, BLOCKING, finish
from crux_langgraph.compression import estimate_tokens

Script = Callable[[str, int, int], Any]
"""From the text to be shortened, the quota, and the number of the call: a reply, or an exception to raise."""


def cut(text: str, quota: int) -> str:
    """The simplest fit: the longest beginning that has at most `quota` tokens."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if estimate_tokens(text[:middle]) <= quota else (low, middle - 1)
    return text[:low] if quota > 0 else ""


def prose(tokens: int, seed: int = 1) -> str:
    """About so many tokens of sentences, each with a number of its own."""
    words = [
        "the",
        "harbour",
        "office",
        "reported",
        "a",
        "delay",
        "of",
        "crates",
        "because",
        "storms",
        "closed",
        "the",
        "northern",
        "road",
        "again",
    ]
    chance = random.Random(seed)
    lines: list[str] = []
    size = 0
    while size < tokens:
        sentence = " ".join(chance.choices(words, k=12)) + f" ref {chance.randrange(10_000, 99_999)}."
        lines.append(sentence.capitalize())
        size += estimate_tokens(sentence) - 5
    return " ".join(lines)


def sent_text(messages: Sequence[BaseMessage]) -> str:
    """What was to be shortened: what stood inside the fence of a request, above the line of its values."""
    return _fenced(messages).rpartition("\n\nvalues: ")[0] if sent_values(messages) else _fenced(messages)


def sent_values(messages: Sequence[BaseMessage]) -> list[str]:
    """The values that a request ends with."""
    last = _fenced(messages).rpartition("\n\n")[2]
    return last.removeprefix("values: ").split(", ") if last.startswith("values: ") else []


def _fenced(messages: Sequence[BaseMessage]) -> str:
    found = re.search(r"<data [^>]+>\n(.*)\n</data [^>]+>$", messages[-1].text, re.DOTALL)
    assert found
    return found[1]


def quota_of(messages: Sequence[BaseMessage]) -> int:
    found = re.search(r"at most (\d+) tokens", messages[0].text)
    assert found
    return int(found[1])


def obedient(text: str, quota: int, _: int) -> str:
    """Answer with a beginning of the text, well within the quota."""
    return cut(text, quota // 2).rpartition(".")[0] + "."


class Status(Exception):  # noqa: N818 - stands for the exceptions of providers, whatever they are called
    """An error as HTTP clients raise it."""

    def __init__(self, status_code: int, **headers: str) -> None:
        super().__init__(f"HTTP {status_code}")
        self.status_code = status_code
        self.response = type("Response", (), {"headers": {key.replace("_", "-"): val for key, val in headers.items()}})


class Writer(BaseChatModel):
    """Answers as its script says, after `latency_s`; keeps what it was sent and how many calls ran at once."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    script: Script = obedient
    latency_s: float = 0.0
    _sent: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)
    _running: int = PrivateAttr(default=0)
    _most_running: int = PrivateAttr(default=0)
    _cancelled: int = PrivateAttr(default=0)
    _called: threading.Event = PrivateAttr(default_factory=threading.Event)

    @property
    def sent(self) -> list[list[BaseMessage]]:
        return self._sent

    @property
    def most_running(self) -> int:
        return self._most_running

    @property
    def was_called(self) -> threading.Event:
        return self._called

    @property
    def cancelled(self) -> int:
        return self._cancelled

    @property
    def read(self) -> int:
        return sum(estimate_tokens(message.text) for messages in self.sent for message in messages)

    @property
    def _llm_type(self) -> str:
        return "writer"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        number = self._enter(messages)
        try:
            time.sleep(self.latency_s)
            return self._reply(messages, number)
        finally:
            self._leave()

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        number = self._enter(messages)
        try:
            await asyncio.sleep(self.latency_s)
            return self._reply(messages, number)
        except asyncio.CancelledError:
            self._cancelled += 1
            raise
        finally:
            self._leave()

    def _enter(self, messages: list[BaseMessage]) -> int:
        with self._lock:
            self._sent.append(list(messages))
            self._called.set()
            self._running += 1
            self._most_running = max(self._most_running, self._running)
            return len(self._sent) - 1

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1

    def _reply(self, messages: list[BaseMessage], number: int) -> ChatResult:
        reply = self.script(sent_text(messages), quota_of(messages), number)
        if isinstance(reply, BaseException):
            raise reply
        message = reply if isinstance(reply, AIMessage) else AIMessage(reply)
        return ChatResult(generations=[ChatGeneration(message=message)])


def both_ways(request: pytest.FixtureRequest, no_blocking: BlockBuster) -> Callable[..., Any]:
    """Summarise: `await run(Summarize(model), parts, quota_tokens=500)`; the sync form inside the running loop."""

    async def _run(settings: Summarize, parts: Sequence[tuple[str, str]] | str, **options: Any) -> Summary:
        given = [("notes", parts)] if isinstance(parts, str) else parts
        options = {"quota_tokens": 500, "counter": estimate_tokens, "shrink": cut, **options}
        if request.param == "async":
            return await summarize(AWAITING, settings, given, **options)
        no_blocking.deactivate()  # the sync form waits in the caller's thread: that is what it is asked to do
        return finish(summarize(BLOCKING, settings, given, **options))

    _run.is_async = request.param == "async"  # type: ignore[attr-defined]
    return _run
