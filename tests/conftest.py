"""What every test may use: each behaviour is tested once and run both ways, sync and async."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@dataclass(frozen=True)
class Call:
    """Calls the sync or the async form of one thing; the sync form inside the running loop, as in a notebook."""

    way: str

    @property
    def is_async(self) -> bool:
        return self.way == "ainvoke"

    async def __call__(self, runnable: Any, *args: Any, **kwargs: Any) -> Any:
        if self.is_async:
            return await runnable.ainvoke(*args, **kwargs)
        return runnable.invoke(*args, **kwargs)

    async def prepare(self, handoff: Any, value: Any) -> Any:
        if self.is_async:
            return await handoff.aprepare(value)
        return handoff.prepare(value)

    async def stream(self, runnable: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if self.is_async:
            return [chunk async for chunk in runnable.astream(*args, **kwargs)]
        return list(runnable.stream(*args, **kwargs))


@pytest.fixture(params=["invoke", "ainvoke"])
def call(request: pytest.FixtureRequest) -> Call:
    """Run the test once with `invoke` and once with `ainvoke`."""
    return Call(request.param)


@pytest.fixture(autouse=True)
def no_blocking(request: pytest.FixtureRequest) -> Iterator[BlockBuster | None]:
    """Fail a test in which our own code blocks the event loop."""
    with blockbuster_ctx("crux_langgraph") as guard:
        yield guard


@pytest.fixture(autouse=True)
def no_tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own LangSmith settings out of the tests."""
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
