"""What every test may use: each behaviour is tested once and run both ways, sync and async."""

from collections.abc import Iterator
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests with a browser where there is none."""
    left_out = [item for item in items if CHROMIUM is None and item.get_closest_marker("browser")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests had no browser."""
    if CHROMIUM is None:
        files = sorted(path.name for path in (Path(__file__).parent / "browser").glob("test_*.py"))
        terminalreporter.write_line(
            f"LEFT OUT, no Chromium was found: tests/browser ({', '.join(files)}). apt-get install chromium",
            yellow=True,
        )
