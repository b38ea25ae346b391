"""A model that is several models: all of its calls are counted before they are made, whoever makes them."""

import time
from typing import Any

import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField
from prose import Status, Writer, both_ways, cut, prose, sent_text

from crux_langgraph._summarizing import Summarize
from crux_langgraph._summarizing._models import singles, window_of
from crux_langgraph.compression import estimate_tokens

run = pytest.fixture(params=["sync", "async"])(both_ways)

TEXT = prose(20_000)
SHORT = prose(2_000)


def failing(status: int = 401) -> Writer:
    return Writer(script=lambda *_: Status(status))


async def test_a_fallback_answers_and_its_call_is_counted(run: Any) -> None:
    first, second = failing(), Writer()
    summary = await run(Summarize(first.with_fallbacks([second])), SHORT)
    assert (summary.by_model, summary.degraded) == (True, ())
    assert (len(first.sent), len(second.sent), summary.calls) == (1, 1, 2)
    assert first.read + second.read <= summary.tokens_read


@pytest.mark.parametrize("max_calls", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("status", [401, 503])
async def test_fallbacks_and_retries_together_never_make_more_calls_than_are_allowed(
    run: Any, max_calls: int, status: int
) -> None:
    models = [failing(status), failing(status), failing(status)]
    chain = models[0].with_retry().with_fallbacks([models[1].with_retry(), models[2]]).with_retry()
    summary = await run(Summarize(chain | StrOutputParser(), max_calls=max_calls), TEXT, quota_tokens=2_000)
    assert sum(len(model.sent) for model in models) == summary.calls <= max_calls
    assert (summary.by_model, estimate_tokens(summary.text) <= 2_000) == (False, True)


async def test_a_fallback_that_no_call_is_left_for_is_not_asked(run: Any) -> None:
    first, second = failing(429), Writer()
    summary = await run(Summarize(first.with_fallbacks([second]), max_calls=1), SHORT)
    assert (len(second.sent), summary.calls, summary.degraded) == (0, 1, ("rate_limited",))
    assert summary.text == cut(f"notes:\n{SHORT}", 500)


async def test_a_fallback_that_would_read_too_much_is_not_asked(run: Any) -> None:
    first, second = failing(), Writer()
    summary = await run(Summarize(first.with_fallbacks([second]), max_input_tokens=4_000), SHORT)
    assert (len(second.sent), summary.degraded) == (0, ("provider_error",))
    assert first.read <= summary.tokens_read <= 4_000


async def test_a_fallback_is_not_asked_when_the_time_is_over(run: Any) -> None:
    first, second = Writer(script=lambda *_: Status(503), latency_s=0.1), Writer()
    summary = await run(Summarize(first.with_fallbacks([second]), timeout_s=0.05), SHORT)
    time.sleep(0.2)  # noqa: ASYNC251 - the thread of the first one goes on
    assert (len(second.sent), summary.degraded) == (0, ("timeout",))


async def test_a_model_that_refuses_once_is_not_asked_again_and_its_fallback_is(run: Any) -> None:
    first, second = failing(401), Writer()
    settings = Summarize(first.with_fallbacks([second]), concurrency=1)
    summary = await run(settings, prose(18_000), quota_tokens=2_000)
    assert (summary.degraded, len(first.sent)) == ((), 1)
    assert len(second.sent) == summary.calls - 1 >= 3


async def test_where_the_first_model_fails_its_fallback_writes_every_part(run: Any) -> None:
    first, second = failing(503), Writer()
    settings = Summarize(first.with_fallbacks([second]), max_calls=16)
    summary = await run(settings, prose(18_000), quota_tokens=2_000)
    assert (summary.degraded, summary.extracted) == ((), ())
    assert len(first.sent) == len(second.sent) == summary.calls // 2 >= 3


async def test_what_may_pass_is_tried_once_more_though_the_fallback_refuses_for_good(run: Any) -> None:
    first = Writer(script=lambda text, quota, number: "All well." if number else Status(503))
    second = failing(401)
    summary = await run(Summarize(first.with_fallbacks([second])), SHORT)
    assert (summary.text, summary.degraded) == ("All well.", ())
    assert (len(first.sent), len(second.sent), summary.calls) == (2, 1, 3)


async def test_fallbacks_within_a_chain_are_found(run: Any) -> None:
    first, second = failing(), Writer()
    chain = ChatPromptTemplate([("placeholder", "{messages}")]) | first.with_fallbacks([second]) | StrOutputParser()
    summary = await run(Summarize((lambda messages: {"messages": messages}) | chain), SHORT)
    assert (summary.calls, summary.by_model, len(second.sent)) == (2, True, 1)
    assert sent_text(second.sent[0]) == sent_text(first.sent[0])


def test_the_window_is_the_smallest_of_a_model_and_its_fallbacks() -> None:
    models = [Writer(profile={"max_input_tokens": size}) for size in (90_000, 30_000, 60_000)]
    chain = models[0].with_retry().with_fallbacks([models[1].bind(stop=["x"]) | StrOutputParser(), models[2]])
    assert window_of(singles(chain), 8_000) == 30_000
    assert window_of(singles(Writer().with_fallbacks([models[2]])), 8_000) == 60_000
    assert window_of(singles(Writer().with_fallbacks([Writer()])), 700) == 700


def test_fallbacks_and_configurable_models_make_no_retries_of_their_own() -> None:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-4o-mini", api_key="none", max_retries=5)  # type: ignore[arg-type]
    field = ConfigurableField(id="temperature")
    chain = model.with_fallbacks([model.configurable_fields(temperature=field), model.with_retry()])
    copies: list[Any] = singles(chain)
    for copy in (copies[0], copies[1].default, copies[2]):
        assert (copy.max_retries, copy.root_client.max_retries) == (0, 0)
    assert model.max_retries == 5
