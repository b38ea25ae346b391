"""Fixtures of the two ways to watch runs."""

from collections.abc import Iterator

import pytest
from langsmith import Client
from langsmith_server import LangSmithServer
from watching import Seen, Traced, tracing


@pytest.fixture
def seen() -> Seen:
    """Give a callback handler that notes what it hears."""
    return Seen()


@pytest.fixture
def traced() -> Iterator[Traced]:
    """Trace everything to a server of our own, by a real client."""
    with LangSmithServer() as server:
        yield from tracing(server, Client(api_url=server.url, api_key="none"))
