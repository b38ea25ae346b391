"""Summarising, in order: plan, ask for every chunk at the same time, judge, perhaps ask once more over the answers."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig

from crux_langgraph._model_use import Reason
from crux_langgraph._summarizing._asking import Answer, Asker, Request
from crux_langgraph._summarizing._failures import Failure, failure_of
from crux_langgraph._summarizing._judging import Judged, judge
from crux_langgraph._summarizing._limits import Ledger
from crux_langgraph._summarizing._models import window_of
from crux_langgraph._summarizing._planning import Plan, Room, overhead_of, plan_for, values_room
from crux_langgraph._summarizing._prompting import Prompts
from crux_langgraph._summarizing._settings import Summarize
from crux_langgraph._summarizing._splitting import Part, Shrink, render
from crux_langgraph._waiting import Way
from crux_langgraph.compression import Counter, new_marker
from crux_langgraph.errors import DefinitionError

JOINED = "(joined answers)"
"""Stands in `Summary.extracted` for the answers of the first level, when the second one failed."""

_log = logging.getLogger("crux_langgraph")

T = TypeVar("T")

_MAPS_SHARE = 0.7
_MOST_SHOWN = 200
_MOST_TOLD = 400
_MOST_SENTENCES = 50


@dataclass(frozen=True, slots=True)
class Summary:
    """Prose made shorter, and what that took.

    `text` has at most the asked tokens by the handoff's counter. `by_model` is False when nothing of it was written by
    the model: then it is what the deterministic fit extracts. `tokens_read` are those of all `calls` together, by the
    handoff's counter; `levels` is 0 without a call, 2 when answers were put together by one more; `duration_s` are the
    seconds spent waiting for the model. `degraded` says why the deterministic fit stepped in, `extracted` where,
    `invented` holds the sentences that were removed. `preselected`: the model was given an extract of the prose, as all
    of it was more than the limits allow.
    """

    text: str
    by_model: bool = False
    calls: int = 0
    tokens_read: int = 0
    levels: int = 0
    duration_s: float = 0.0
    degraded: tuple[Reason, ...] = ()
    invented: tuple[str, ...] = ()
    extracted: tuple[str, ...] = ()
    preselected: bool = False


async def summarize(
    way: Way,
    settings: Summarize,
    parts: Sequence[Part],
    *,
    quota_tokens: int,
    counter: Counter,
    shrink: Shrink,
    task: str = "",
    window: int | None = None,
    config: RunnableConfig | None = None,
) -> Summary:
    """Let a model shorten `parts`, (path, text) in document order, to at most `quota_tokens` by `counter`.

    `shrink` is the deterministic fit of one text to a quota: it preselects what is too large to be read, and steps in
    wherever the model fails. `window` counts where the model does not say how much fits into a request.

    Nothing that fails here is an exception: it is a reason in the summary. Only `DefinitionError` for a named model
    that cannot be made, LangGraph's control flow and cancellation pass through.
    """
    given = [(path, text) for path, text in parts if text.strip()]
    if not given:
        return Summary("")
    job = _Job(way, settings, given, quota_tokens, counter, shrink, Prompts(task, settings.instructions, new_marker()))
    try:
        models = await way.compute(lambda: settings.resolved)
    except DefinitionError:
        raise
    except Exception as error:  # noqa: BLE001 - a model that cannot be made, say for want of a key, is one that fails
        # Nothing was sent yet, so its words hold nothing of the payload; they say what is missing.
        _log.warning("Summarize: the model cannot be made (%s: %s); the deterministic fit steps in", *_told(error))
        return await job.extracted((failure_of(error).reason,))
    plan = await job.plan(window_of(models, window)) if quota_tokens > 0 else None
    if plan is None:
        return await job.extracted(("limits",))
    limits = Ledger(max_calls=settings.max_calls, max_input_tokens=settings.max_input_tokens)
    return await job.run(plan, Asker(way, models, limits, settings.concurrency, config))


@dataclass(frozen=True, slots=True)
class _Job:
    """One payload's prose on its way to a summary."""

    way: Way
    settings: Summarize
    parts: Sequence[Part]
    quota: int
    counter: Counter
    shrink: Shrink
    prompts: Prompts

    async def plan(self, window: int) -> Plan | None:
        return await self._compute(self._plan, window)

    async def run(self, plan: Plan, asker: Asker) -> Summary:
        reserved = plan.reduce_tokens is not None and asker.ledger.reserve(plan.reduce_tokens)
        requests = await self._compute(self._requests, plan, asker.ledger)
        share = _MAPS_SHARE if reserved else 1
        replies = await asker.ask(requests, self.settings.timeout_s * share)
        judged = await self._compute(self._judge_all, plan, replies)
        if not any(one.text for one in judged):
            return await self.extracted(_reasons(judged), asker.ledger, _invented(judged), plan.preselected)
        answers = await self._compute(self._filled, plan, judged)
        last = await self._reduce(plan, answers, asker) if reserved else None
        return await self._compute(self._summary, plan, judged, answers, last, asker.ledger)

    async def extracted(
        self,
        reasons: tuple[Reason, ...],
        ledger: Ledger | None = None,
        invented: tuple[str, ...] = (),
        preselected: bool = False,
    ) -> Summary:
        """Do without the model."""
        return Summary(
            await self._compute(self._fitted, render(self.parts)),
            calls=ledger.calls if ledger else 0,
            tokens_read=ledger.tokens_read if ledger else 0,
            levels=ledger.levels if ledger else 0,
            duration_s=ledger.waited_s if ledger else 0.0,
            degraded=reasons,
            invented=invented,
            extracted=tuple(path for path, _ in self.parts),
            preselected=preselected,
        )

    async def _compute(self, function: Callable[..., T], *args: Any) -> T:
        # Always off the event loop: what is small now may be judged against an answer of megabytes.
        return await self.way.compute(partial(function, *args))

    async def _reduce(self, plan: Plan, answers: Sequence[str], asker: Asker) -> Judged | None:
        """Put the answers of the first level together; None where they fit as they are."""
        joined = "\n\n".join(answers)
        request = await self._compute(self._request_over, joined, plan)
        if request is None:
            return None
        reserved = request.tokens <= (plan.reduce_tokens or 0)
        [reply] = await asker.ask([request if reserved else None], self.settings.timeout_s - asker.ledger.waited_s)
        return await self._compute(self._judge, reply, joined, plan.final_quota)

    def _plan(self, window: int) -> Plan | None:
        values = values_room(self.quota, window, self.settings.max_input_tokens)
        room = Room(
            max_calls=self.settings.max_calls,
            max_input_tokens=self.settings.max_input_tokens,
            window=window,
            quota=self.quota,
            overhead=overhead_of(self.prompts, self.parts, self.quota, self.counter, values),
            values=values,
        )
        return plan_for(self.parts, room, self.counter, self.shrink)

    def _requests(self, plan: Plan, ledger: Ledger) -> list[Request | None]:
        requests = (self._request(chunk.text, plan.quota, plan) for chunk in plan.chunks)
        return [request if ledger.reserve(request.tokens) else None for request in requests]

    def _request_over(self, joined: str, plan: Plan) -> Request | None:
        fits = self.counter(joined) <= self.quota
        return None if fits else self._request(joined, plan.final_quota, plan)

    def _request(self, text: str, quota: int, plan: Plan) -> Request:
        values = self.prompts.values(text, plan.values_within(quota), self.counter)
        messages = self.prompts.messages(text, quota, values)
        return Request(messages, self.prompts.tokens(text, quota, self.counter, values))

    def _judge_all(self, plan: Plan, replies: Sequence[Answer | Failure]) -> list[Judged]:
        pairs = zip(replies, plan.chunks, strict=True)
        return [self._judge(reply, chunk.text, plan.quota) for reply, chunk in pairs]

    def _judge(self, reply: Answer | Failure, source: str, quota: int) -> Judged:
        if isinstance(reply, Failure):
            return Judged("", (reply.reason,))
        return judge(reply.value, source, quota, self.counter, self.shrink)

    def _filled(self, plan: Plan, judged: Sequence[Judged]) -> list[str]:
        pairs = zip(judged, plan.chunks, strict=True)
        return [one.text or self.shrink(chunk.text, plan.quota).strip() for one, chunk in pairs]

    def _fitted(self, text: str) -> str:
        return text if self.counter(text) <= self.quota else self.shrink(text, self.quota)

    def _summary(
        self, plan: Plan, judged: Sequence[Judged], answers: Sequence[str], last: Judged | None, ledger: Ledger
    ) -> Summary:
        everything = [*judged, last] if last else judged
        failed = [name for one, chunk in zip(judged, plan.chunks, strict=True) if not one.text for name in chunk.names]
        text = last.text if last and last.text else "\n\n".join(answers)
        return Summary(
            self._fitted(text),
            by_model=True,
            calls=ledger.calls,
            tokens_read=ledger.tokens_read,
            levels=ledger.levels,
            duration_s=ledger.waited_s,
            degraded=_reasons(everything),
            invented=_invented(everything),
            extracted=(*failed, JOINED) if last and not last.text else tuple(failed),
            preselected=plan.preselected,
        )


def _told(error: Exception) -> tuple[str, str]:
    return type(error).__name__, " ".join(f"{error}".split())[:_MOST_TOLD]


def _reasons(judged: Iterable[Judged]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for one in judged for reason in one.reasons))


def _invented(judged: Iterable[Judged]) -> tuple[str, ...]:
    # The receipt travels with the payload: a model that repeats itself for megabytes must not fill it.
    found = list(dict.fromkeys(sentence[:_MOST_SHOWN] for one in judged for sentence in one.invented))
    more = [f"(and {len(found) - _MOST_SENTENCES} more)"] if len(found) > _MOST_SENTENCES else []
    return (*found[:_MOST_SENTENCES], *more)
