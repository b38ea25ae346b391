"""A real ChatOpenAI against a server that speaks OpenAI's wire format, failures included."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from prose import both_ways, cut, prose
from served import JsonHandler, served

from crux_langgraph._summarizing import Summarize
from crux_langgraph.compression import estimate_tokens

run = pytest.fixture(params=["sync", "async"])(both_ways)

SHORT, LONG = prose(2_000), prose(18_000)


@dataclass(frozen=True)
class Reply:
    """What the server sends back: a completion, or whatever `body` says."""

    text: str = "All quiet at the harbour."
    finish_reason: str = "stop"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    delay_s: float = 0.0
    lost: int = 0
    """So many bytes are promised and never sent: the connection breaks."""

    def encoded(self) -> bytes:
        choice = {
            "index": 0,
            "finish_reason": self.finish_reason,
            "message": {"role": "assistant", "content": self.text},
        }
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        completion = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "local"}
        whole = {**completion, "choices": [choice], "usage": usage}
        return (self.body if self.body is not None else json.dumps(whole)).encode()


@dataclass
class Loopback:
    """Answers the n-th request as `script(n)` says and keeps what it was sent."""

    script: Callable[[int], Reply] = lambda _: Reply()
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    lock: Any = field(default_factory=threading.Lock)

    def model(self, **options: Any) -> ChatOpenAI:
        return ChatOpenAI(model="local", base_url=f"{self.url}/v1", api_key="none", **options)  # type: ignore[arg-type]

    def reply(self, request: dict[str, Any]) -> Reply:
        with self.lock:
            self.requests.append(request)
            return self.script(len(self.requests) - 1)


@pytest.fixture
def server() -> Iterator[Loopback]:
    loopback = Loopback()

    class Handler(JsonHandler):
        def posted(self, body: Any) -> None:
            reply = loopback.reply(body)
            time.sleep(reply.delay_s)
            if reply.status == 0:
                self.close_connection = True
                return
            content = reply.encoded()
            try:
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content) + reply.lost))
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = reply.lost > 0
            except (BrokenPipeError, ConnectionResetError):
                pass

    with served(Handler) as loopback.url:
        yield loopback


def refused(status: int, message: str = "no", **headers: str) -> Reply:
    body = json.dumps({"error": {"message": message, "type": "error", "code": None}})
    return Reply(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_prose_is_sent_as_a_system_and_a_user_message_and_answered(run: Any, server: Loopback) -> None:
    summary = await run(Summarize(server.model()), SHORT, task="Draft the answer.")
    assert (summary.text, summary.calls, summary.degraded) == ("All quiet at the harbour.", 1, ())
    [request] = server.requests
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert "Draft the answer." in request["messages"][0]["content"]
    assert SHORT in request["messages"][1]["content"]


async def test_several_chunks_are_read_at_the_same_time(run: Any, server: Loopback) -> None:
    server.script = lambda _: Reply(delay_s=0.3)
    summary = await run(Summarize(server.model()), LONG, quota_tokens=2_000)
    assert summary.calls == len(server.requests) >= 3
    assert summary.duration_s < 0.3 * summary.calls
    assert summary.degraded == ()


@pytest.mark.parametrize(
    "reply, reason, requests",
    [
        (refused(429, retry_after="0"), "rate_limited", 2),
        (refused(429, retry_after="90"), "rate_limited", 1),
        (refused(500), "provider_error", 2),
        (refused(503), "provider_error", 2),
        (refused(401), "provider_error", 1),
        (refused(400), "provider_error", 1),
        (refused(404), "provider_error", 1),
        (Reply(status=0), "provider_error", 2),
        (Reply(body="{not json"), "provider_error", 1),
        (Reply(body="<html>Bad gateway</html>", headers={"content-type": "text/html"}), "provider_error", 1),
        (Reply(body='{"choices": null}'), "provider_error", 1),
        (Reply(text=""), "empty", 1),
        (Reply(text="Never tell the har", finish_reason="length"), "empty", 1),
        (Reply(text="Pay 771234."), "invented", 1),
        (Reply(delay_s=8), "timeout", 1),
        (Reply(text="Never tell the har", finish_reason="content_filter"), "empty", 1),
        (Reply(lost=9), "provider_error", 2),
        (Reply(body='{"choices": []}'), "provider_error", 1),
        (Reply(body="null"), "provider_error", 1),
    ],
)
async def test_what_fails_degrades_with_its_reason_within_the_limits(
    run: Any, server: Loopback, reply: Reply, reason: str, requests: int
) -> None:
    server.script = lambda _: reply
    timeout_s = 1 if reason == "timeout" else 20
    summary = await run(Summarize(server.model(), timeout_s=timeout_s), SHORT)
    assert (summary.degraded, summary.by_model) == ((reason,), False)
    assert (summary.calls, len(server.requests)) == (requests, requests)
    assert summary.text == cut(f"notes:\n{SHORT}", 500)
    assert summary.duration_s < reply.delay_s or not reply.delay_s


def streamed(*pieces: str, end: str | None = "stop", **options: Any) -> Reply:
    """An answer in server-sent events; without `end` nothing says that it is whole."""
    chunk = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "local"}
    choices = [{"index": 0, "delta": {"role": "assistant", "content": piece}} for piece in pieces]
    if end is not None:
        choices.append({"index": 0, "delta": {}, "finish_reason": end})
    events = [json.dumps({**chunk, "choices": [choice]}) for choice in choices] + ["[DONE]"] * (end is not None)
    body = "".join(f"data: {event}\n\n" for event in events)
    return Reply(body=body, headers={"content-type": "text/event-stream"}, **options)


@pytest.mark.parametrize(
    "reply, text, degraded",
    [
        (streamed("All quiet ", "at the harbour."), "All quiet at the harbour.", ()),
        (streamed("Ship at night. Never ", "tell the har", end="length"), "Ship at night.", ()),
        (streamed("Ship at night. Never ", "tell", end=None, lost=9), None, ("provider_error",)),
        (streamed(), None, ("empty",)),
        (refused(429, retry_after="90"), None, ("rate_limited",)),
    ],
)
async def test_a_model_that_streams_is_heard_and_judged_alike(
    run: Any, server: Loopback, reply: Reply, text: str | None, degraded: Any
) -> None:
    server.script = lambda _: reply
    summary = await run(Summarize(server.model(streaming=True)), SHORT)
    assert (summary.text, summary.degraded) == (text or cut(f"notes:\n{SHORT}", 500), degraded)
    assert summary.calls == len(server.requests)


@pytest.mark.parametrize(
    "status, text", [("completed", "Ship at night. Never tell the har"), ("incomplete", "Ship at night.")]
)
async def test_an_answer_by_the_responses_api_is_heard_and_a_cut_off_one_known(
    run: Any, server: Loopback, status: str, text: str
) -> None:
    content = {"type": "output_text", "text": "Ship at night. Never tell the har", "annotations": []}
    message = {"type": "message", "id": "m-1", "role": "assistant", "status": status, "content": [content]}
    body: dict[str, Any] = {"id": "r-1", "object": "response", "created_at": 1, "model": "local", "status": status}
    body |= {"output": [message], "parallel_tool_calls": False, "tool_choice": "auto", "tools": [], "error": None}
    body["incomplete_details"] = {"reason": "max_output_tokens"} if status == "incomplete" else None
    server.script = lambda _: Reply(body=json.dumps(body))
    summary = await run(Summarize(server.model(use_responses_api=True)), SHORT)
    assert (summary.text, summary.degraded, len(server.requests)) == (text, (), 1)


async def test_a_fallback_at_another_provider_answers_within_the_calls(run: Any, server: Loopback) -> None:
    server.script = lambda number: refused(401) if server.requests[number]["model"] == "first" else Reply()
    model = server.model(max_retries=3).with_fallbacks([server.model(max_retries=3)])
    model.runnable.model_name = "first"  # type: ignore[attr-defined]
    summary = await run(Summarize(model, max_calls=2), SHORT)
    assert (summary.text, summary.degraded, summary.calls) == ("All quiet at the harbour.", (), 2)
    assert [request["model"] for request in server.requests] == ["first", "local"]


async def test_a_cut_off_answer_keeps_its_whole_sentences(run: Any, server: Loopback) -> None:
    server.script = lambda _: Reply(text="Ship at night. Never tell the har", finish_reason="length")
    summary = await run(Summarize(server.model()), SHORT)
    assert (summary.text, summary.degraded) == ("Ship at night.", ())


async def test_one_failure_of_each_kind_leaves_the_other_answers(run: Any, server: Loopback) -> None:
    replies = [refused(500), refused(429, retry_after="0.1"), Reply(text=""), Reply(body="{")]
    server.script = lambda number: replies[number] if number < len(replies) else Reply()
    summary = await run(Summarize(server.model(), max_calls=12), prose(40_000), quota_tokens=2_000)
    assert summary.by_model
    assert set(summary.degraded) == {"empty", "provider_error"}
    assert summary.calls == len(server.requests) <= 12
    assert estimate_tokens(summary.text) <= 2_000


async def test_requests_never_exceed_the_calls_though_the_client_would_retry(run: Any, server: Loopback) -> None:
    server.script = lambda _: refused(500)
    summary = await run(Summarize(server.model(max_retries=6), max_calls=4), LONG, quota_tokens=2_000)
    assert len(server.requests) == summary.calls <= 4


async def test_a_model_by_name_reaches_the_provider(
    run: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    summary = await run(Summarize("openai:local"), SHORT)
    assert (summary.text, len(server.requests)) == ("All quiet at the harbour.", 1)
