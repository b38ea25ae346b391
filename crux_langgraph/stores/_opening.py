"""Opening a store: by URL, around a psycopg pool, or as it is given. One URL is one store in a process."""

import atexit
import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from crux_langgraph._process import Lock
from crux_langgraph.errors import NoStoreError
from crux_langgraph.stores._place import default_path, fault_of, network_fault_of
from crux_langgraph.stores._protocol import Store

ENVIRONMENT = "CRUX_HANDOFF_URL"
"""The variable that names the store of handoffs that say nothing of their own."""

_SCHEMES = ("sqlite", "postgresql", "postgres")
_USE = "'sqlite:', 'sqlite:///path', 'sqlite::memory:', 'postgresql://...', a psycopg_pool.ConnectionPool or a Store"

_lock = Lock()
_open: dict[object, Store] = {}  # a store holds its pool, so that the id of a pool is not given to another


def fault_of_store(given: object) -> str | None:
    """Say why `given` cannot be the store of a handoff; None if it can."""
    if given is None or isinstance(given, Store) or _is_pool(given):
        return None
    if isinstance(given, str):
        return None if urlsplit(given).scheme in _SCHEMES else "a URL of another kind"
    return f"a {type(given).__name__}"


def wanted_store(handoff: str, given: object, *, method: str) -> Any:
    """Say which store a handoff has: what it was given, else what the environment names. Nothing is opened.

    Raises `NoStoreError` naming the handoff, the method and `store=`.
    """
    wanted = given if given is not None else os.environ.get(ENVIRONMENT)
    if not wanted:
        raise NoStoreError(
            handoff=handoff,
            found=f"{method}() needs a store, and this handoff has none",
            fix=f"Give @handoff(store=...) {_USE}, or set {ENVIRONMENT} to a URL. Nothing was stored.",
        )
    return wanted


def opened_before(wanted: Any) -> Store | None:
    """Give the store if this process has it already: then nothing has to be waited for."""
    return wanted if isinstance(wanted, Store) else _open.get(_key(wanted))


def open_store(handoff: str, wanted: Any, method: str) -> Store:
    """Give the store, opening it when it is not open yet: this reads the disk. Raises `NoStoreError`."""
    with _lock:
        store = opened_before(wanted)
        if store is None:
            store = _open[_key(wanted)] = _opened(handoff, wanted, method)
        return store


def _key(wanted: Any) -> object:
    return wanted if isinstance(wanted, str) else id(wanted)


def close_all() -> None:
    """Close every store that was opened here. They open again when they are used."""
    with _lock:
        stores = list(_open.values())
        _open.clear()
    for store in stores:
        store.close()


atexit.register(close_all)


def _opened(handoff: str, wanted: Any, method: str) -> Store:
    if not isinstance(wanted, str):
        return _postgres(handoff, wanted, method)
    if wanted.partition(":")[0] == "sqlite":
        return _sqlite(handoff, wanted, method)
    if urlsplit(wanted).scheme in _SCHEMES:
        return _postgres(handoff, wanted, method)
    raise _unusable(handoff, method, f"the URL of its store, {ENVIRONMENT} or --store, is of another kind")


def _sqlite(handoff: str, url: str, method: str) -> Store:
    from crux_langgraph.stores.sqlite import MEMORY, SqliteStore

    address, _, query = url.removeprefix("sqlite:").partition("?")
    synchronous: Any = parse_qs(query).get("synchronous", ["full"])[-1]
    if synchronous not in ("full", "normal", "off"):
        raise _unusable(handoff, method, "synchronous= in its URL is none of 'full', 'normal' and 'off'")
    if address in (MEMORY, f"///{MEMORY}"):
        return SqliteStore(MEMORY, synchronous=synchronous)
    path = os.fspath(default_path(os.environ)) if not address else _path_of(handoff, address, method)
    fault = network_fault_of(path) if address else fault_of(path, os.environ)
    if fault is not None:
        raise _unusable(handoff, method, fault)
    return SqliteStore(path, synchronous=synchronous)


def _path_of(handoff: str, address: str, method: str) -> str:
    # As in SQLAlchemy, from which people know such URLs: after three slashes a path, with a fourth an absolute one.
    if address.startswith("//") and not address.startswith("///"):
        raise _unusable(handoff, method, "its URL names a host, and SQLite is a file here")
    return unquote(address.removeprefix("///"))


def _postgres(handoff: str, database: Any, method: str) -> Store:
    try:
        from crux_langgraph.stores.postgres import PostgresStore
    except ModuleNotFoundError as error:
        raise NoStoreError(
            handoff=handoff,
            found=f"{method}() needs {error.name} for its Postgres store",
            fix='Run: pip install "crux-langgraph[postgres]"',
            original=error,
        ) from error
    return PostgresStore(database)


def _unusable(handoff: str, method: str, found: str) -> NoStoreError:
    return NoStoreError(
        handoff=handoff,
        found=f"{method}() has no durable place: {found}",
        fix=f"Give @handoff(store=...) {_USE}. Nothing was stored.",
    )


def _is_pool(given: object) -> bool:
    # By what it offers: to ask for its class would import the driver.
    return all(hasattr(given, name) for name in ("conninfo", "connection", "getconn"))
