"""What the tests of stores share: a real Postgres, a store of each kind, and handoffs that have one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from postgres import Postgres
from support import Brief, Research, make

from crux_langgraph import Handoff
from crux_langgraph.stores import Store, close_all
from crux_langgraph.stores.postgres import PostgresStore
from crux_langgraph.stores.sqlite import SqliteStore

KINDS = ["sqlite", "memory", "postgres"]

OpenStore = Callable[[], Store]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres server for the whole run."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, SQLite or Postgres, that several processes can open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'handoffs.sqlite'}?synchronous=off"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A fresh store of each kind."""
    if request.param == "postgres":
        opened: Store = PostgresStore(request.getfixturevalue("postgres").emptied())
    else:
        opened = SqliteStore(":memory:" if request.param == "memory" else tmp_path / "one.sqlite", synchronous="off")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def closed_stores() -> Iterator[None]:
    """Close what the test opened by URL."""
    yield
    close_all()


@pytest.fixture(autouse=True)
def blocking_where_asked(request: pytest.FixtureRequest, no_blocking: BlockBuster) -> None:
    """Let the sync form block: it is called inside the running loop here, as in a notebook, and a store blocks."""
    if "call" not in request.fixturenames or not request.getfixturevalue("call").is_async:
        no_blocking.deactivate()


@pytest.fixture
def inbox(store: Store) -> Handoff[Research, Brief]:
    """A handoff with a store."""
    return make(store=store)
