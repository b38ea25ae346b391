"""What every test may use: each behaviour is tested once and run both ways, sync and async."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from chromium import CHROMIUM
from support import Call

from crux_langgraph.stores import close_all


@pytest.fixture(params=["invoke", "ainvoke"])
def call(request: pytest.FixtureRequest) -> Call:
    """Run the test once with `invoke` and once with `ainvoke`."""
    return Call(request.param)


@pytest.fixture(autouse=True)
def no_blocking(request: pytest.FixtureRequest) -> Iterator[BlockBuster | None]:
    """Fail a test in which our own code blocks the event loop."""
    with blockbuster_ctx("crux_langgraph") as guard:
        # Coverage notes a file when it first runs, under a lock that our threads may hold: not what is tested here.
        guard.functions["threading.Lock.acquire"].can_block_in("coverage/collector.py", "lock_data")
        yield guard


@pytest.fixture
def sync_may_block(request: pytest.FixtureRequest, no_blocking: BlockBuster) -> None:
    """Allow the synchronous way to wait, for a server or a model: tests run it inside a loop. The other one may not."""
    if "call" in request.fixturenames and not request.getfixturevalue("call").is_async:
        no_blocking.deactivate()


@pytest.fixture
def state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let what the pages store and write go where nothing else is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield
    close_all()


@pytest.fixture(autouse=True)
def no_tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own LangSmith settings out of the tests."""
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)


LACKING = {
    marker: how
    for marker, how, is_there in (
        ("browser", "no Chromium was found: apt-get install chromium", CHROMIUM is not None),
        ("site", "mkdocs is not installed: uv sync --group docs", find_spec("mkdocs") is not None),
    )
    if not is_there
}
"""What the tests with these markers need and is not here, and how to get it."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need what is not here."""
    left_out = [item for item in items if any(map(item.get_closest_marker, LACKING))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines which tests were left out, and why."""
    for marker, how in LACKING.items():
        files = sorted(str(path.name) for path in Path(__file__).parent.rglob("test_*.py") if _needs(marker, path))
        terminalreporter.write_line(f"LEFT OUT: {', '.join(files)}; {how}", yellow=True)


def _needs(marker: str, path: Path) -> bool:
    return f"pytest.mark.{marker}" in path.read_text(encoding="utf-8")
