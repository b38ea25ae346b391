"""Whatever goes wrong and however it is mixed: calls, tokens and seconds stay within the limits."""

import asyncio
import random
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.rate_limiters import InMemoryRateLimiter
from prose import Status, Writer, cut, obedient, prose, quota_of

from crux_langgraph._summarizing import Summarize
from crux_langgraph._summarizing._summary import Summary, summarize
from crux_langgraph._waiting import AWAITING, BLOCKING, finish
from crux_langgraph.compression import Counter, estimate_tokens

REASONS = {"timeout", "rate_limited", "empty", "too_long", "invented", "provider_error", "limits"}
FAILURES: dict[str, Any] = {
    "ok": obedient,
    "timeout": lambda *_: TimeoutError(),
    "rate": lambda *_: Status(429, retry_after="0.01"),
    "server": lambda *_: Status(500, retry_after="0.01"),
    "auth": lambda *_: Status(401),
    "empty": lambda *_: "",
    "long": lambda text, quota, _: cut(text, quota * 6),
    "invented": lambda text, quota, _: obedient(text, quota, 0) + " Pay 771234 now.",
    "cut": lambda text, quota, _: AIMessage(cut(text, quota), response_metadata={"finish_reason": "length"}),
    "broken": lambda *_: KeyError("choices"),
}


SHAPES: dict[str, Any] = {
    "plain": lambda model, _: model,
    "retried": lambda model, _: model.with_retry(stop_after_attempt=4),
    "doubled": lambda model, other: model.with_fallbacks([other]),
    "tripled": lambda model, other: model.with_retry().with_fallbacks([other.bind(stop=["x"]), model]).with_retry(),
    "chained": lambda model, other: model.with_fallbacks([other]) | StrOutputParser(),
}


def words(text: str) -> int:
    """Count as a tokenizer that knows every word would."""
    return max(1, len(text.split()))


def utf8(text: str) -> int:
    """Count as a tokenizer that knows no word at all would."""
    return max(1, len(text.encode("utf-8", "surrogatepass")))


def fit_by(counter: Counter) -> Any:
    def fitted(text: str, quota: int) -> str:
        low, high = 0, len(text) if quota > 0 else 0
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if counter(text[:middle]) <= quota else (low, middle - 1)
        return text[:low]

    return fitted


def drive(asynchronous: bool, flow: Any) -> Summary:
    if not asynchronous:
        return finish(flow(BLOCKING))
    with asyncio.Runner() as runner:
        return runner.run(flow(AWAITING))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    kinds=st.lists(st.sampled_from(sorted(FAILURES)), min_size=1, max_size=6),
    size=st.sampled_from([0, 40, 1_500, 9_000, 25_000]),
    quota=st.integers(30, 1_500),
    max_calls=st.integers(1, 12),
    max_input_tokens=st.integers(300, 20_000),
    window=st.sampled_from([600, 2_000, 8_000]),
    counter=st.sampled_from([estimate_tokens, words, utf8]),
    asynchronous=st.booleans(),
    seed=st.integers(0, 99),
)
def test_no_mix_of_failures_goes_beyond_a_limit(
    shape: str,
    kinds: list[str],
    size: int,
    quota: int,
    max_calls: int,
    max_input_tokens: int,
    window: int,
    counter: Counter,
    asynchronous: bool,
    seed: int,
) -> None:
    chance = random.Random(seed)

    def script(text: str, quota: int, number: int) -> Any:
        return FAILURES[chance.choice(kinds)](text, quota, number)

    models = [Writer(script=script), Writer(script=script)]
    limits = Summarize(
        SHAPES[shape](*models), max_calls=max_calls, max_input_tokens=max_input_tokens, timeout_s=5, concurrency=2
    )
    parts = [("notes", prose(size // 2, seed)), ("log", prose(size // 2, seed + 1)), ("odd", "\u00e9\U0001f600" * 9)]
    original = list(parts)

    def flow(way: Any) -> Coroutine[Any, Any, Summary]:
        return summarize(
            way, limits, parts, quota_tokens=quota, counter=counter, shrink=fit_by(counter), window=window, task="Pay."
        )

    summary = drive(asynchronous, flow)
    requests = [messages for model in models for messages in model.sent]
    read = [sum(counter(message.text) for message in messages) for messages in requests]
    assert summary.calls == len(requests) <= max_calls
    assert sum(read) <= summary.tokens_read <= max_input_tokens
    assert all(size + quota_of(sent) <= window for size, sent in zip(read, requests, strict=True))
    assert summary.duration_s <= 5
    assert counter(summary.text) <= quota
    assert set(summary.degraded) <= REASONS
    assert bool(summary.extracted) <= bool(summary.degraded)
    assert summary.by_model <= bool(summary.calls)
    assert "771234" not in summary.text
    assert parts == original


async def test_two_handoffs_at_the_same_time_share_one_limiter_and_keep_their_own_limits() -> None:
    limiter = InMemoryRateLimiter(requests_per_second=20, check_every_n_seconds=0.01, max_bucket_size=1)
    model = Writer(rate_limiter=limiter)
    limits = Summarize(model, max_calls=4, timeout_s=10)

    def one(seed: int) -> Coroutine[Any, Any, Summary]:
        parts = [("notes", prose(16_000, seed))]
        return summarize(AWAITING, limits, parts, quota_tokens=2_000, counter=estimate_tokens, shrink=cut)

    first, second = await asyncio.gather(one(1), one(2))
    assert first.degraded == second.degraded == ()
    assert first.calls == second.calls == 3
    assert len(model.sent) == 6
    assert first.text != second.text


def test_two_threads_share_one_limiter_and_the_one_that_waits_too_long_degrades() -> None:
    limiter = InMemoryRateLimiter(requests_per_second=0.5, check_every_n_seconds=0.01, max_bucket_size=1)
    model = Writer(rate_limiter=limiter)
    limits = Summarize(model, max_calls=4, timeout_s=0.6)

    def one(seed: int) -> Summary:
        parts = [("notes", prose(18_000, seed))]
        return finish(summarize(BLOCKING, limits, parts, quota_tokens=2_000, counter=estimate_tokens, shrink=cut))

    with ThreadPoolExecutor(2) as pool:
        summaries = list(pool.map(one, [1, 2]))
    assert {reason for summary in summaries for reason in summary.degraded} == {"timeout"}
    assert all(summary.duration_s < 6 for summary in summaries)
    assert all(estimate_tokens(summary.text) <= 2_000 for summary in summaries)
