"""`crux-langgraph inbox`: what waits in a store, what became of it, and letting dead letters be delivered again."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, cast

import typer
from rich.console import Console
from rich.table import Table

from crux_langgraph.cli._plain import one_line, plain
from crux_langgraph.errors import HandoffError, NoStoreError
from crux_langgraph.stores import Record, State, open_store
from crux_langgraph.stores.sqlite import SqliteStore

inbox = typer.Typer(no_args_is_help=True, help="Look into the inbox of stored handoffs.")

_COMMAND = "crux-langgraph inbox"
_NAMES = {State.READY: "ready", State.DONE: "done", State.DEAD: "dead", State.KEPT: "kept"}
_MESSAGES = (State.READY, State.DONE, State.DEAD)

StoreUrl = Annotated[
    str,
    typer.Option("--store", envvar="CRUX_HANDOFF_URL", metavar="URL", help="The store, as store= has it."),
]
HandoffId = Annotated[str, typer.Argument(metavar="HANDOFF", help="The id of the handoff.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="At most so many, the newest.")]
Scope = Annotated[
    list[str] | None,
    typer.Option(metavar="PART", help="Of this conversation alone; once for each part of the scope. Default: all."),
]
_EMBEDDED = "sqlite:"


@inbox.command("list")
def list_(store: StoreUrl = _EMBEDDED, *, as_json: AsJson = False) -> None:
    """Show each handoff in the store: how many records are ready, done and dead."""
    counts: dict[str, dict[str, Any]] = {}
    for handoff, state, count, oldest_s in _asked(store, lambda opened: opened.handoffs()):
        row = counts.setdefault(handoff, {"handoff": handoff, "ready": 0, "done": 0, "dead": 0, "kept": 0})
        row[_NAMES[state]] = count
        if state is State.READY:
            row["oldest_ready"] = _time(oldest_s)
    _show(list(counts.values()), ("handoff", "ready", "done", "dead", "oldest_ready"), as_json=as_json)


@inbox.command()
def history(
    handoff: HandoffId,
    store: StoreUrl = _EMBEDDED,
    scope: Scope = None,
    limit: Limit = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what was sent, newest first."""
    _list(store, handoff, scope, _MESSAGES, limit, as_json=as_json)


@inbox.command()
def dead(
    handoff: HandoffId,
    store: StoreUrl = _EMBEDDED,
    scope: Scope = None,
    limit: Limit = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the dead letters, and why each is one."""
    _list(store, handoff, scope, (State.DEAD,), limit, as_json=as_json)


@inbox.command()
def show(
    handoff: HandoffId,
    record: Annotated[int, typer.Argument(metavar="ID", help="The id of the record.")],
    store: StoreUrl = _EMBEDDED,
    *,
    data: Annotated[bool, typer.Option("--data", help="Print the stored data too, private fields included.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one record: what became of it, and what kind of payload it has; the data itself only with --data."""
    found = _asked(store, lambda opened: opened.get(handoff, record))
    if found is None:
        _stop(f"handoff {handoff!r} has no record {record}; see: {_COMMAND} history {handoff}")
    facts = {**_facts(found), "bytes": len(found.body), "payload": _outside(found)}
    if data:
        facts["data"] = _envelope(found).get("data")
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
    else:
        for name, value in facts.items():
            typer.echo(f"{name:10} {plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}")


@inbox.command()
def requeue(
    handoff: HandoffId,
    record: Annotated[int | None, typer.Argument(metavar="[ID]", help="The id of a dead letter. Default: all.")] = None,
    store: StoreUrl = _EMBEDDED,
    *,
    as_json: AsJson = False,
) -> None:
    """Let dead letters be delivered again, as if for the first time. Exit code 1 when there was none."""
    count: int = _asked(store, lambda opened: opened.requeue(handoff, record))
    typer.echo(json.dumps({"requeued": count}) if as_json else f"requeued {count}")
    if not count:
        _tell_unknown(store, handoff)
        raise typer.Exit(1)


def _list(
    store: str, handoff: str, scope: Sequence[str] | None, states: Sequence[State], limit: int, *, as_json: bool
) -> None:
    where = json.dumps(list(scope), separators=(",", ":")) if scope else None
    page: Callable[[Any], Iterable[Record]] = lambda opened: opened.page(  # noqa: E731 - typed for what follows
        handoff, where, states=states, before=None, limit=limit
    )
    rows = [_facts(record) for record in _asked(store, page)]
    if not rows:
        _tell_unknown(store, handoff)
    _show(rows, ("id", "scope", "status", "attempts", "sent", "reason"), as_json=as_json)


def _asked(url: str, ask: Callable[[Any], Any]) -> Any:
    try:
        opened = open_store(_COMMAND, url, "inbox")
        if isinstance(opened, SqliteStore) and not opened.exists():
            _stop(f"there is no inbox at {opened.path}; give --store URL")
        return ask(opened)
    except HandoffError as error:
        _stop(f"{error.found}; {_fix(error)}")


def _fix(error: HandoffError) -> str:
    """Give what an operator can do, where the error tells a program's author what to write."""
    if isinstance(error.original, ImportError) or (error.original is None and not isinstance(error, NoStoreError)):
        return error.fix[:1].lower() + error.fix[1:]
    if isinstance(error, NoStoreError):
        return "give --store sqlite:///path or postgresql://..."
    # The database's own words may hold values.
    return "see whether the database runs and --store names it"


def _tell_unknown(store: str, handoff: str) -> None:
    known = sorted({name for name, *_ in _asked(store, lambda opened: opened.handoffs())})
    if handoff not in known:
        has = f"it has {', '.join(map(repr, known))}" if known else "it is empty"
        typer.echo(f"crux-langgraph: {one_line(f'the store has nothing of handoff {handoff!r}; {has}')}", err=True)


def _facts(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "scope": json.loads(record.scope),
        "status": "expired" if record.expired and record.state == State.READY else _NAMES[State(record.state)],
        "attempts": record.attempts,
        "sent": _time(record.created_s),
        "expires": None if record.expires_s is None else _time(record.expires_s),
        "version": record.version,
        "reason": record.reason,
    }


def _envelope(record: Record) -> Mapping[str, Any]:
    with suppress(ValueError):
        read: object = json.loads(record.body)
        if isinstance(read, dict):
            return cast("Mapping[str, Any]", read)
    return {}


def _outside(record: Record) -> dict[str, Any]:
    envelope = _envelope(record)
    return {name: envelope.get(name) for name in ("id", "from_agent", "to_agent", "created_at")}


def _show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("nothing")
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(highlight=False, markup=False).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return one_line(" / ".join(cast("list[str]", value))) or "(global)"
    return "" if value is None else one_line(str(value))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _stop(message: str) -> NoReturn:
    typer.echo(f"crux-langgraph: {one_line(message)}", err=True)
    raise typer.Exit(2)
