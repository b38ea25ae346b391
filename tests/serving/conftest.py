"""What tests with a real server may use: one dev server for the session, its traces, and delegates whose subagent it has."""

from collections.abc import Iterator
from typing import Any

import pytest
from dev_server import dev_server
from langgraph_sdk import get_client
from trace_capture import Captured, trace_capture


@pytest.fixture(scope="session")
def traces() -> Iterator[Captured]:
    with trace_capture() as captured:
        yield captured


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory, traces: Captured) -> Iterator[str]:
    """The address of the server."""
    with dev_server(tmp_path_factory.mktemp("served"), traces.environment) as address:
        yield address


@pytest.fixture
async def client(url: str) -> Any:
    """LangGraph's SDK, as any user of the server has it."""
    async with get_client(url=url, api_key=None) as opened:
        yield opened


@pytest.fixture(autouse=True)
def waiting_for_the_server(sync_may_block: None) -> None:
    """Let every test here wait for it."""
