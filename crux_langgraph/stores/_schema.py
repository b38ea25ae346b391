"""Migrations: brings a database from whatever version its tables have to the one that this package knows."""

from collections.abc import Callable
from typing import Any

from crux_langgraph.errors import StoreError
from crux_langgraph.stores._statements import migrations, statements


def is_up_to_date(family: str, execute: Callable[..., Any], missing: type[Exception]) -> bool:
    """Say whether the tables are those of this package; `missing` is what asking for one that is not there raises."""
    try:
        (found,) = execute(statements(family)["setup_version"]).fetchone()
    except missing:
        return False
    return bool(found == max(migrations(family)))


def bring_up_to_date(handoff: str, family: str, execute: Callable[..., Any]) -> None:
    """Run the migrations that a database lacks, inside a transaction that the caller has opened with its lock.

    Raises `StoreError` when its tables are newer than this package.
    """
    sql = statements(family)
    execute(sql["setup_table"])
    (found,) = execute(sql["setup_version"]).fetchone()
    known = migrations(family)
    if (found or 0) > max(known):
        raise StoreError(
            handoff=handoff,
            found=f"its store has tables of version {found}, and this package knows them up to {max(known)}",
            fix="Upgrade crux-langgraph here, or give store= another database. Nothing was changed.",
        )
    for version, migration in known.items():
        if version > (found or 0):
            for statement in migration:
                execute(statement)
            execute(sql["setup_done"], {"version": version})
