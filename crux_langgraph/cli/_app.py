"""The commands and their options."""

import io
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from rich.console import Console

from crux_langgraph.cli import _fitting, _graphs, _tracing
from crux_langgraph.cli._briefing import make_handoff
from crux_langgraph.cli._conversations import Conversation
from crux_langgraph.cli._delegating import delegate_to
from crux_langgraph.cli._demo import Demo, build
from crux_langgraph.cli._executing import STAND_IN, chat_model, stand_in
from crux_langgraph.cli._inbox import inbox
from crux_langgraph.cli._plain import one_line
from crux_langgraph.cli._reading import STDIN, bundled, read_file
from crux_langgraph.cli._reporting import report
from crux_langgraph.cli._showing import following, show_called, show_graph, show_outcomes, show_triaged
from crux_langgraph.cli._stopping import StopError
from crux_langgraph.cli._triage import triage
from crux_langgraph.errors import DefinitionError, WiringError
from crux_langgraph.instrumentation import TraceReport

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(inbox, name="inbox")

_Graph = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:GRAPH", help="A graph, compiled or not, or a function that makes one; or FILE.py:GRAPH."
    ),
]

_ORIGIN = (
    "Recorded runs of a gpt-4o airline agent, from tau-bench (MIT, Copyright (c) 2024 Sierra), replayed: a researcher "
    "looked things up, an executor takes over."
)


def run() -> None:
    """Run the command with `sys.argv`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows less, and nothing fails
    app()


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"crux-langgraph {version('crux-langgraph')}")
        raise typer.Exit


@app.callback()
def crux_langgraph(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Typed handoffs between the agents of a LangGraph graph."""


@app.command()
def demo(
    source: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Your own conversations, JSON or JSONL, `-` for stdin: messages (OpenAI or LangChain style) of one "
            'conversation, or one {"messages": [...]} or list of messages for each. '
            "Default: recorded conversations that ship with the package.",
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="TOKENS", help="The most tokens of what the executor is handed. Default: no limit."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Replay the first N only.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="PROVIDER:NAME",
            help="The chat model that is the executor, e.g. openai:gpt-4o-mini. "
            "Default: a deterministic stand-in, no model.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
    trace: Annotated[
        bool,
        typer.Option(
            "--trace",
            help="Show the runs as a tree, with tokens and durations; before FILE.html, draw them there instead.",
        ),
    ] = False,
    page: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.html", help="With --trace: the page that the runs are drawn on.", show_default=False
        ),
    ] = None,
) -> None:
    """Replay conversations through a graph researcher -> handoff -> executor, and show what crosses.

    The first conversation is shown in full, then all of them as a table. Then an orchestrator calls the researcher as
    a tool, once rightly and once with bad arguments; and one turn of a triage model makes two handoffs and a tool call.

    Exit code 0: all crossed; 1: some failed, each with its error; 2: the command could not start.
    """
    try:
        page = _tracing.checked(page, traced=trace)
        prepared = build(make_handoff(budget), chat_model(model) if model is not None else stand_in)
        conversations = (read_file(source) if source else bundled())[:limit]
    except StopError as stopped:
        _stop(str(stopped))
    except DefinitionError as error:
        _stop(f"--budget {budget}: {error.found}; give more.")
    origin = f"Conversations from {'stdin' if str(source) == STDIN else source}." if source else _ORIGIN
    _replay(prepared, conversations, origin, _Shown(model or STAND_IN, as_json, trace, page))


@app.command()
def fit(
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON, JSONL (of messages for example) or any text; `-` for stdin."),
    ],
    budget: Annotated[int, typer.Option(min=1, metavar="TOKENS", help="The most tokens of the text, estimated.")],
    task: Annotated[
        str, typer.Option(metavar="TEXT", help="What the reader is to do with it: what stands near that is kept.")
    ] = "",
    model: Annotated[
        str | None,
        typer.Option(
            metavar="PROVIDER:NAME",
            help="A chat model that writes the prose shorter, when not everything fits. Default: no model.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> None:
    """Fit a file into a budget of tokens: the text, and a table of what was kept, cut and why.

    Exit code 0: it fits; 2: the file cannot be read, or the model cannot be made.
    """
    try:
        done = _fitting.fit_file(source, budget, task, model)
    except StopError as stopped:
        _stop(str(stopped))
    if as_json:
        typer.echo(_fitting.report(done))
    else:
        _fitting.show(Console(highlight=False), done)


@app.command()
def check(
    graph: _Graph,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> None:
    """Tell what is wrong with the handoffs of a graph. The module is imported, and the graph is not run.

    Exit code 0: nothing; 1: there are findings, errors or warnings; 2: there is no such graph.
    """
    try:
        findings = _graphs.findings_of(graph)
    except StopError as stopped:
        _stop(str(stopped))
    typer.echo(_graphs.report(graph, findings) if as_json else _graphs.told(findings))
    if findings:
        raise typer.Exit(1)


@app.command()
def draw(graph: _Graph) -> None:
    """Draw a graph as Mermaid, in which each handoff carries the models that it takes and gives.

    Exit code 0: it is drawn; 1: it cannot be built, with what is wrong; 2: there is no such graph.
    """
    try:
        typer.echo(_graphs.drawing_of(graph))
    except StopError as stopped:
        _stop(str(stopped))
    except WiringError as error:
        typer.echo(_graphs.told(error.findings), err=True)
        raise typer.Exit(1) from None


class _Shown(NamedTuple):
    executor: str
    as_json: bool
    trace: bool
    page: Path | None


def _replay(prepared: Demo, conversations: list[Conversation], origin: str, shown: _Shown) -> None:
    mermaid = prepared.graph.get_graph().draw_mermaid(with_styles=False)
    console = Console(highlight=False)
    if not shown.as_json:
        show_graph(console, origin, mermaid)
    traced = TraceReport() if shown.trace else None
    heard_by: Any = [traced] if traced else None
    replayed = (prepared.run(conversation, heard_by) for conversation in conversations)
    outcomes = list(following(replayed, total=len(conversations)))
    called = delegate_to(prepared.crossing, conversations[0], heard_by) if outcomes[0].payload else []
    triaged = triage(conversations[0], heard_by) if outcomes[0].payload else None
    if shown.as_json:
        limits = prepared.crossing.max_tokens
        document = report(
            outcomes, graph=mermaid, executor=shown.executor, max_tokens=limits, called=called, triaged=triaged
        )
        document |= {"trace": _tracing.as_data(traced.roots)} if traced else {}
        typer.echo(json.dumps(document, indent=2))
    else:
        show_outcomes(console, outcomes, shown.executor)
        show_called(console, called)
        show_triaged(console, triaged)
    if traced:
        _show_runs(console, traced, len(conversations), shown)
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(1)


def _show_runs(console: Console, traced: TraceReport, conversations: int, shown: _Shown) -> None:
    if shown.page is None:
        if not shown.as_json:
            _tracing.show_trace(console, traced.roots, first=conversations)
        return
    try:
        _tracing.write(traced, shown.page)
    except StopError as stopped:
        _stop(str(stopped))
    typer.echo(f"The runs are drawn in {one_line(str(shown.page))}", err=shown.as_json)


def _stop(message: str) -> NoReturn:
    typer.echo(f"crux-langgraph: {one_line(message)}", err=True)
    raise typer.Exit(2)
