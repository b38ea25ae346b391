"""What a summary is when the model fails: within its limits, with the reason, never an exception."""

import asyncio
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from langgraph.errors import GraphInterrupt
from prose import Status, Writer, both_ways, cut, obedient, prose

from crux_langgraph._summarizing import Summarize
from crux_langgraph._summarizing._summary import summarize
from crux_langgraph._waiting import AWAITING
from crux_langgraph.compression import estimate_tokens

run = pytest.fixture(params=["sync", "async"])(both_ways)

TEXT = prose(20_000)
SHORT = prose(2_000)
EXTRACT = cut(f"notes:\n{TEXT}", 2_000)


def always(reply: Any) -> Writer:
    return Writer(script=lambda *_: reply)


async def test_without_any_answer_the_summary_is_the_deterministic_fit(run: Any) -> None:
    summary = await run(Summarize(always(Status(500))), TEXT, quota_tokens=2_000)
    assert (summary.text, summary.by_model, summary.extracted) == (EXTRACT, False, ("notes",))
    assert summary.degraded == ("provider_error",)
    assert estimate_tokens(summary.text) <= 2_000


async def test_what_fits_stays_verbatim_when_the_model_fails(run: Any) -> None:
    summary = await run(Summarize(always("")), SHORT, quota_tokens=4_000)
    assert summary.text == f"notes:\n{SHORT}"


@pytest.mark.parametrize(
    "error, reason",
    [
        (Status(429), "rate_limited"),
        (type("RateLimitError", (Exception,), {})(), "rate_limited"),
        (type("ThrottlingException", (Exception,), {})(), "rate_limited"),
        (TimeoutError(), "timeout"),
        (type("APITimeoutError", (Exception,), {})(), "timeout"),
        (Status(504), "timeout"),
        (Status(408), "timeout"),
        (Status(409), "provider_error"),
        (Status(503), "provider_error"),
        (ConnectionResetError(), "provider_error"),
        (type("APIConnectionError", (Exception,), {})(), "provider_error"),
        (type("ModelAPIError", (Exception,), {"is_retryable": True})(), "provider_error"),
    ],
)
async def test_what_may_pass_is_tried_once_more(run: Any, error: Exception, reason: str) -> None:
    failing = always(error)
    summary = await run(Summarize(failing), SHORT)
    assert (summary.degraded, len(failing.sent), summary.calls) == ((reason,), 2, 2)

    recovering = Writer(script=lambda text, quota, number: obedient(text, quota, 0) if number else error)
    summary = await run(Summarize(recovering), SHORT)
    assert (summary.degraded, summary.by_model, summary.calls) == ((), True, 2)


@pytest.mark.parametrize("error", [ValueError("not JSON"), KeyError("choices"), Status(302)])
async def test_what_will_not_pass_is_not_tried_again_and_stops_no_other_call(run: Any, error: Exception) -> None:
    model = Writer(script=lambda text, quota, number: obedient(text, quota, 0) if number else error)
    summary = await run(Summarize(model, concurrency=1), TEXT, quota_tokens=2_000)
    assert (summary.degraded, summary.by_model) == (("provider_error",), True)
    assert summary.calls == len(model.sent) > 1
    assert summary.extracted == (f"notes (1 of {summary.calls})",)


@pytest.mark.parametrize(
    "error",
    [
        Status(401),
        Status(400),
        Status(404),
        type("AuthenticationError", (Exception,), {})(),
        type("ContextOverflowError", (Exception,), {})(),
    ],
)
async def test_after_a_refusal_no_further_call_is_made(run: Any, error: Exception) -> None:
    model = always(error)
    summary = await run(Summarize(model, concurrency=1), TEXT, quota_tokens=2_000)
    assert (summary.calls, len(model.sent), summary.degraded) == (1, 1, ("provider_error",))


async def test_a_retry_is_not_made_when_another_call_was_refused(run: Any) -> None:
    def script(text: str, quota: int, number: int) -> Any:
        return Status(503) if number == 0 else Status(401)

    model = Writer(script=script, latency_s=0.05)
    summary = await run(Summarize(model, concurrency=2), TEXT, quota_tokens=2_000)
    assert summary.degraded == ("provider_error",)
    assert len(model.sent) == 2


async def test_a_retry_is_a_call_within_the_limit(run: Any) -> None:
    model = always(Status(503))
    summary = await run(Summarize(model, max_calls=4), TEXT, quota_tokens=2_000)
    assert summary.calls == len(model.sent) <= 4
    once = always(Status(503))
    assert (await run(Summarize(once, max_calls=1), SHORT)).calls == len(once.sent) == 1


async def test_a_retry_reads_tokens_within_the_limit(run: Any) -> None:
    model = always(Status(503))
    summary = await run(Summarize(model, max_input_tokens=3_000), SHORT)
    assert (summary.calls, len(model.sent)) == (1, 1)


async def test_retries_of_the_models_own_are_calls_that_are_not_made(run: Any) -> None:
    model = always(Status(503))
    summary = await run(Summarize(model.with_retry(stop_after_attempt=5), max_calls=2), SHORT)
    assert (summary.calls, len(model.sent)) == (2, 2)


async def test_retry_after_is_waited_for_within_the_deadline(run: Any) -> None:
    def script(text: str, quota: int, number: int) -> Any:
        return obedient(text, quota, 0) if number else Status(429, retry_after="0.3")

    started = time.perf_counter()
    summary = await run(Summarize(Writer(script=script)), SHORT)
    assert (summary.by_model, summary.degraded) == (True, ())
    assert time.perf_counter() - started >= 0.3


async def test_retry_after_beyond_the_deadline_is_not_waited_for(run: Any) -> None:
    model = always(Status(429, retry_after="60"))
    summary = await run(Summarize(model, timeout_s=30), SHORT)
    assert (summary.degraded, summary.calls) == (("rate_limited",), 1)
    assert summary.duration_s < 30


async def test_a_retry_after_that_is_a_date_does_not_count(run: Any) -> None:
    model = always(Status(429, retry_after="Wed, 21 Oct 2065 07:28:00 GMT"))
    assert (await run(Summarize(model), SHORT)).calls == 2


async def test_a_slow_model_is_not_waited_for(run: Any) -> None:
    model = Writer(latency_s=5)
    started = time.perf_counter()
    summary = await run(Summarize(model, timeout_s=0.3), SHORT)
    assert time.perf_counter() - started < 4
    assert (summary.degraded, summary.by_model, summary.calls) == (("timeout",), False, 1)
    assert summary.duration_s < 4


async def test_calls_whose_turn_comes_too_late_are_never_made(run: Any) -> None:
    model = Writer(latency_s=1.2)
    summary = await run(Summarize(model, timeout_s=2.2, concurrency=1), TEXT, quota_tokens=2_000)
    assert summary.degraded == ("timeout",)
    assert summary.by_model
    assert summary.calls == 2
    await asyncio.sleep(1.4)
    assert len(model.sent) == 2


async def test_no_time_at_all_is_no_call_at_all(run: Any) -> None:
    model = Writer()
    summary = await run(Summarize(model, timeout_s=1e-9), SHORT)
    assert (summary.degraded, summary.calls, summary.levels) == (("timeout",), 0, 0)
    assert not model.sent


async def test_a_retry_whose_turn_comes_too_late_is_never_made(run: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("crux_langgraph._summarizing._asking._BACKOFF_S", 60)
    summary = await run(Summarize(always(Status(503)), timeout_s=30), SHORT)
    assert (summary.calls, summary.degraded) == (1, ("provider_error",))


async def test_time_is_kept_for_the_last_call(run: Any) -> None:
    def slow_once(text: str, quota: int, number: int) -> str:
        if number == 0:
            time.sleep(1.8)
        return cut(text, quota).rpartition(".")[0] + "."

    model = Writer(script=slow_once)
    if run.is_async:
        model = Writer(script=lambda text, quota, _: cut(text, quota).rpartition(".")[0] + ".", latency_s=0.01)
    settings = Summarize(model, timeout_s=30 if run.is_async else 2, max_calls=16, concurrency=8)
    summary = await run(settings, prose(40_000), quota_tokens=400)
    assert summary.levels == 2
    assert summary.degraded == (() if run.is_async else ("timeout",))


@pytest.mark.parametrize(
    "failure, reason", [("", "empty"), (Status(500), "provider_error"), (Status(401), "provider_error")]
)
async def test_when_the_last_call_fails_the_answers_are_cut(run: Any, failure: Any, reason: str) -> None:
    def script(text: str, quota: int, _: int) -> Any:
        return cut(text, quota).rpartition(".")[0] + "." if text.startswith("notes:\n") else failure

    summary = await run(Summarize(Writer(script=strip_label(script)), max_calls=16), prose(40_000), quota_tokens=400)
    assert summary.degraded == (reason,)
    assert summary.extracted == ("(joined answers)",)
    assert (summary.by_model, summary.levels) == (True, 2)
    assert estimate_tokens(summary.text) <= 400


def strip_label(script: Any) -> Any:
    def stripped(text: str, quota: int, number: int) -> Any:
        reply = script(text, quota, number)
        return reply.removeprefix("notes:\n") if isinstance(reply, str) else reply

    return stripped


async def test_without_time_for_the_last_call_it_is_not_made(run: Any) -> None:
    class Asleep(Writer):
        pass

    model = Asleep(script=strip_label(lambda text, quota, _: cut(text, quota).rpartition(".")[0] + "."), latency_s=0.4)
    settings = Summarize(model, max_calls=16, concurrency=2, timeout_s=1.3)
    summary = await run(settings, prose(40_000), quota_tokens=400)
    assert "timeout" in summary.degraded
    assert summary.duration_s < 0.4 * 16 / 2
    assert estimate_tokens(summary.text) <= 400


@pytest.mark.parametrize("reply", ["", " \n\t ", AIMessage(""), AIMessage([{"type": "reasoning", "reasoning": "hm"}])])
async def test_an_empty_answer_is_extracted_instead_and_not_asked_for_again(run: Any, reply: Any) -> None:
    summary = await run(Summarize(always(reply)), SHORT)
    assert (summary.degraded, summary.calls, summary.by_model) == (("empty",), 1, False)


async def test_an_answer_that_is_no_text_is_an_empty_one(run: Any) -> None:
    model = RunnableLambda(lambda _: {"answer": 42})
    assert (await run(Summarize(model), SHORT)).degraded == ("empty",)


async def test_a_model_may_answer_with_plain_text(run: Any) -> None:
    assert (await run(Summarize(RunnableLambda(lambda _: "All well.")), SHORT)).text == "All well."


async def test_an_answer_that_is_too_long_is_cut_to_its_quota_and_not_asked_for_again(run: Any) -> None:
    model = Writer(script=lambda text, quota, _: cut(text, quota * 3).rpartition(".")[0] + ".")
    summary = await run(Summarize(model), TEXT, quota_tokens=2_000)
    assert summary.degraded == ("too_long",)
    assert (summary.by_model, summary.extracted) == (True, ())
    assert estimate_tokens(summary.text) <= 2_000


async def test_sentences_with_numbers_that_the_source_does_not_have_are_removed_and_reported(run: Any) -> None:
    model = Writer(script=lambda text, quota, _: obedient(text, quota, 0) + " It costs 771234 euros. Pay soon.")
    summary = await run(Summarize(model), SHORT)
    assert summary.invented == ("It costs 771234 euros.",)
    assert summary.degraded == ("invented",)
    assert "771234" not in summary.text
    assert summary.text.endswith("Pay soon.")
    assert summary.extracted == ()


async def test_an_answer_of_inventions_alone_is_extracted_instead(run: Any) -> None:
    summary = await run(Summarize(always("It costs 771234 euros.")), SHORT)
    assert (summary.degraded, summary.by_model) == (("invented",), False)
    assert summary.invented == ("It costs 771234 euros.",)


async def test_a_reported_sentence_is_kept_short(run: Any) -> None:
    summary = await run(Summarize(always("Fine. " + "so " * 500 + "771234.")), SHORT)
    assert [len(sentence) for sentence in summary.invented] == [200]


async def test_only_so_many_sentences_are_reported_and_each_once(run: Any) -> None:
    answer = "Fine. " + " ".join(f"It costs {770_000 + number // 2}." for number in range(300))
    summary = await run(Summarize(always(answer)), SHORT)
    assert summary.text == "Fine."
    assert len(set(summary.invented)) == len(summary.invented) == 51
    assert summary.invented[-2:] == ("It costs 770049.", "(and 100 more)")


class Odd(AIMessage):
    """Cannot be read."""

    @property
    def text(self) -> Any:
        raise TypeError


class Guarded(Exception):  # noqa: N818 - stands for the exceptions of providers, whatever they are called
    """An error whose status may only be asked for when there is one."""

    @property
    def status_code(self) -> int:
        raise RuntimeError


async def test_a_message_or_an_error_that_cannot_be_read_is_a_failure_like_any_other(run: Any) -> None:
    summary = await run(Summarize(RunnableLambda(lambda _: Odd("hm"))), SHORT)
    assert (summary.degraded, summary.by_model) == (("empty",), False)
    summary = await run(Summarize(always(Guarded())), SHORT)
    assert (summary.degraded, summary.calls) == (("provider_error",), 1)


async def test_nul_which_no_database_takes_is_left_out_of_the_summary(run: Any) -> None:
    assert (await run(Summarize(always("All\0 well.\0")), SHORT)).text == "All well."
    assert (await run(Summarize(always("\0")), SHORT)).degraded == ("empty",)


@pytest.mark.parametrize(
    "metadata",
    [
        {"finish_reason": "length"},
        {"finish_reason": "MAX_TOKENS"},
        {"finish_reason": "content_filter"},
        {"stop_reason": "max_tokens"},
        {"stopReason": "guardrail_intervened"},
        {"done_reason": "length"},
        {"status": "incomplete"},
    ],
)
async def test_an_answer_that_was_cut_off_ends_with_its_last_whole_sentence(run: Any, metadata: Any) -> None:
    reply = AIMessage("Ship at night. Never tell the har", response_metadata=metadata)
    assert (await run(Summarize(always(reply)), SHORT)).text == "Ship at night."


async def test_half_a_sentence_says_nothing(run: Any) -> None:
    reply = AIMessage("Never tell the har", response_metadata={"finish_reason": "length"})
    assert (await run(Summarize(always(reply)), SHORT)).degraded == ("empty",)


async def test_half_of_the_answers_missing_leaves_the_other_half(run: Any) -> None:
    model = Writer(script=lambda text, quota, number: obedient(text, quota, 0) if number % 2 else "")
    summary = await run(Summarize(model, concurrency=1), TEXT, quota_tokens=2_000)
    assert (summary.degraded, summary.by_model) == (("empty",), True)
    assert len(summary.extracted) == (summary.calls + 1) // 2
    assert estimate_tokens(summary.text) <= 2_000


async def test_a_window_without_room_for_text_makes_no_call(run: Any) -> None:
    model = Writer()
    summary = await run(Summarize(model), TEXT, window=300, quota_tokens=2_000)
    assert (summary.calls, summary.degraded, summary.text) == (0, ("limits",), EXTRACT)
    assert not model.sent


@pytest.mark.parametrize("limit", [10, 300])
async def test_too_few_tokens_for_a_request_make_no_call(run: Any, limit: int) -> None:
    model = Writer()
    summary = await run(Summarize(model, max_input_tokens=limit), TEXT)
    assert (summary.calls, summary.degraded, summary.tokens_read) == (0, ("limits",), 0)


async def test_requests_that_grew_beyond_their_reservation_are_not_sent(run: Any) -> None:
    def greedy(text: str, quota: int) -> str:
        return text[: quota * 12]

    model = Writer(script=lambda text, quota, number: "" if number else obedient(text, quota, number))
    summary = await run(Summarize(model, max_calls=16, concurrency=1), prose(90_000), quota_tokens=400, shrink=greedy)
    assert summary.tokens_read <= 64_000
    assert set(summary.degraded) == {"empty", "limits"}
    assert summary.levels == 1


async def test_nothing_but_paths_makes_no_call(run: Any) -> None:
    model = Writer()
    parts = [(f"a.very.long.path.of.a.field.number.{index}", "word " * 30) for index in range(2_000)]
    summary = await run(Summarize(model, max_input_tokens=5_000), parts)
    assert (summary.calls, summary.degraded) == (0, ("limits",))


async def test_a_failing_model_is_told_of_once_by_its_kind_and_status_without_its_words(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    summary = await run(Summarize(always(Status(401)), max_calls=6), TEXT, quota_tokens=2_000)
    assert summary.degraded == ("provider_error",)
    assert caplog.messages == ["Summarize: the model failed (Status, HTTP status 401); the deterministic fit steps in"]


async def test_a_model_that_answers_at_its_retry_is_not_told_of(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    replies: list[Any] = [Status(500), "It rained."]
    summary = await run(Summarize(Writer(script=lambda *_: replies.pop(0))), SHORT)
    assert (summary.text, caplog.messages) == ("It rained.", [])


async def test_an_error_without_a_status_is_told_by_its_kind(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    await run(Summarize(always(KeyError("It rained"))), SHORT)
    assert caplog.messages == ["Summarize: the model failed (KeyError); the deterministic fit steps in"]


async def test_a_model_that_cannot_be_made_for_want_of_a_key_degrades(
    run: Any, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    summary = await run(Summarize("openai:gpt-5-mini"), SHORT)
    assert (summary.degraded, summary.calls, summary.levels) == (("provider_error",), 0, 0)
    [told] = caplog.messages
    assert told.startswith("Summarize: the model cannot be made (OpenAIError: ")
    assert "OPENAI_API_KEY" in told
    assert told.endswith("); the deterministic fit steps in")
    assert len(told) < 500


async def test_control_flow_of_langgraph_passes_through(run: Any) -> None:
    with pytest.raises(GraphInterrupt):
        await run(Summarize(always(GraphInterrupt())), TEXT, quota_tokens=2_000)


async def test_an_exit_of_the_interpreter_passes_through(run: Any) -> None:
    class Leave(BaseException):
        pass

    def leave(_: Any) -> str:
        raise Leave

    with pytest.raises(Leave):
        await run(Summarize(RunnableLambda(leave), concurrency=1), TEXT, quota_tokens=2_000)


async def test_cancelling_passes_through_and_cancels_the_calls() -> None:
    model = Writer(latency_s=5)
    task = asyncio.create_task(
        summarize(
            AWAITING,
            Summarize(model, concurrency=2),
            [("notes", TEXT)],
            quota_tokens=2_000,
            counter=estimate_tokens,
            shrink=cut,
        )
    )
    await asyncio.to_thread(model.was_called.wait, 10)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (len(model.sent), model.cancelled) == (2, 2)


async def test_a_call_that_cannot_be_cancelled_is_not_waited_for(monkeypatch: Any) -> None:
    monkeypatch.setattr("crux_langgraph._waiting._GRACE_S", 9)

    async def stubborn(_: Any) -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(2)
        await asyncio.sleep(2)
        raise GraphInterrupt

    started = time.perf_counter()
    summary = await summarize(
        AWAITING,
        Summarize(RunnableLambda(stubborn), timeout_s=0.1),
        [("notes", SHORT)],
        quota_tokens=500,
        counter=estimate_tokens,
        shrink=cut,
    )
    assert summary.degraded == ("timeout",)
    assert time.perf_counter() - started < 1.8
    await asyncio.sleep(2.2)


async def test_the_event_loop_stays_free_while_much_is_prepared() -> None:
    gaps: list[float] = []
    pauses_s = iter([2])

    def slow_cut(text: str, quota: int) -> str:
        time.sleep(next(pauses_s, 0))
        return cut(text, quota)

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            gaps.append(time.perf_counter() - before)

    watcher = asyncio.create_task(watch())
    await summarize(
        AWAITING,
        Summarize(Writer()),
        [("notes", prose(300_000))],
        quota_tokens=500,
        counter=estimate_tokens,
        shrink=slow_cut,
    )
    watcher.cancel()
    assert next(pauses_s, None) is None
    assert max(gaps) < 1.9  # a single call of slow_cut takes longer


async def test_nothing_is_counted_or_cut_in_the_thread_of_the_event_loop() -> None:
    threads: set[str] = set()

    def counter(text: str) -> int:
        threads.add(threading.current_thread().name)
        return estimate_tokens(text)

    def shrink(text: str, quota: int) -> str:
        threads.add(threading.current_thread().name)
        return cut(text, quota)

    model = Writer(script=lambda text, *_: text.removeprefix("notes:\n") + text)
    settings = Summarize(model, max_calls=16)
    parts = [("notes", prose(40_000))]
    summary = await summarize(AWAITING, settings, parts, quota_tokens=400, counter=counter, shrink=shrink)
    assert (summary.levels, "too_long" in summary.degraded) == (2, True)
    assert [name for name in threads if not name.startswith("crux_langgraph")] == []


class Sleeper(BaseChatModel):
    """Knows no async: LangChain lets it sleep in one of the event loop's few threads, whoever waits for it."""

    @property
    def _llm_type(self) -> str:
        return "sleeper"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        time.sleep(5)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Too late."))])


async def test_models_that_still_sleep_in_every_thread_of_the_loop_do_not_hold_up_the_deterministic_fit() -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    settings = Summarize(Sleeper(), timeout_s=0.1)
    parts = [("notes", SHORT)]
    started = time.perf_counter()
    summary = await summarize(AWAITING, settings, parts, quota_tokens=500, counter=estimate_tokens, shrink=cut)
    assert summary.degraded == ("timeout",)
    assert time.perf_counter() - started < 4
