"""A server that answers with an error, and what it was sent before it did."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import BaseModel
from served import JsonHandler, served
from support import Call, make

from crux_langgraph import Delegate, errors


class Ask(BaseModel):
    question: str


@contextmanager
def answering(status: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve one status for everything; give the address and the headers of all requests."""
    seen: list[dict[str, str]] = []

    class Handler(JsonHandler):
        def posted(self, body: Any) -> None:
            seen.append({key.lower(): value for key, value in self.headers.items()})
            self.answer({"detail": "no, says the server"}, status)

    with served(Handler) as url:
        yield url, seen


def made(url: str, **options: Any) -> Delegate[Any, Any, Any, Any]:
    return Delegate.from_remote(url, "far", handoff=make(), args_schema=Ask, **options)


@pytest.mark.parametrize(
    "status, reason, is_retryable",
    [(401, "refused", False), (403, "refused", False), (429, "failed", True), (500, "failed", True)],
)
async def test_its_answer_is_told_apart_and_its_own_words_are_chained(
    call: Call, sync_may_block: None, status: int, reason: str, is_retryable: bool
) -> None:
    with answering(status) as (url, _), pytest.raises(errors.TransportError) as caught:
        await call.run(made(url), {"question": "Why?"})
    error = caught.value
    assert (error.layer, error.reason, error.status) == ("transport", reason, status)
    assert (errors.is_retryable(error), "no, says the server" in str(error.__cause__)) == (is_retryable, True)
    assert "no, says the server" not in str(error)


async def test_it_is_sent_what_headers_gives_and_no_key_of_the_environment(
    call: Call, sync_may_block: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGGRAPH_API_KEY", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"):
        monkeypatch.setenv(name, "s3cret")
    with answering(500) as (url, seen), pytest.raises(errors.TransportError):
        await call.run(made(url, headers={"Authorization": "Bearer mine"}), {"question": "Why?"})
    assert [one["authorization"] for one in seen] == ["Bearer mine"]
    assert "s3cret" not in str(seen)


async def test_a_headers_function_that_fails_is_a_failure_with_its_own_error_chained(
    call: Call, sync_may_block: None
) -> None:
    def headers() -> dict[str, str]:
        return {"Authorization": {}["absent"]}

    with pytest.raises(errors.SubagentError, match="KeyError") as caught:
        await call.run(made("http://127.0.0.1:9", headers=headers), {"question": "Why?"})
    assert isinstance(caught.value.__cause__, KeyError)
