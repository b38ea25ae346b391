"""What a person sees of a demo: one conversation in full, then all of them as a table."""

from collections.abc import Iterable, Iterator, Sequence

from langchain_core.messages import AIMessage, BaseMessage
from rich.box import SIMPLE
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.pretty import Pretty
from rich.progress import track
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from crux_langgraph import Payload
from crux_langgraph.cli._briefing import EXECUTOR, RESEARCHER, Brief
from crux_langgraph.cli._conversations import Conversation
from crux_langgraph.cli._delegating import ORCHESTRATOR, Called
from crux_langgraph.cli._demo import Outcome
from crux_langgraph.cli._parts import parts_table
from crux_langgraph.cli._plain import one_line, plain
from crux_langgraph.cli._recall import held
from crux_langgraph.cli._triage import TRIAGE, Triaged
from crux_langgraph.errors import BudgetError

_MOST_MESSAGES = 10
_MOST_LINES = 10
_MOST_FAILURES = 4
_NARROW = 72
_NOTHING = "-"


def following(outcomes: Iterable[Outcome], *, total: int) -> Iterable[Outcome]:
    """Give the outcomes while a bar on stderr follows them. There is no bar when stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return outcomes
    return track(outcomes, description="Handing over", total=total, console=console, transient=True)


def show_graph(console: Console, origin: str, mermaid: str) -> None:
    """Show where the conversations come from and the graph that they go through."""
    console.print(Rule(Text("crux-langgraph demo", style="bold")))
    console.print(Text(plain(origin)))
    console.print(_panel("The graph (Mermaid)", Text(mermaid.strip().expandtabs(4))))


def show_outcomes(console: Console, outcomes: Sequence[Outcome], executor: str) -> None:
    """Show the first conversation in full, all of them as a table, and what failed."""
    for part in _in_full(outcomes[0], executor, narrow=console.width < _NARROW):
        console.print(part)
    console.print(_summary(outcomes, narrow=console.width < _NARROW))
    failures = [_failure(outcome, outcome.error) for outcome in outcomes[1:] if outcome.error]
    for failure in failures[:_MOST_FAILURES]:
        console.print(failure)
    if len(failures) > _MOST_FAILURES:
        console.print(Text(f"and {len(failures) - _MOST_FAILURES} more failures; --json has all of them"))


def show_called(console: Console, called: Sequence[Called]) -> None:
    """Show what an orchestrator asked the researcher for, and what it was told."""
    if not called:
        return
    table = Table.grid(padding=(0, 2))
    for one in called:
        table.add_row(_cell(f"{one.call['name']} {one.call['args']}"))
        table.add_row(_cut(f"  {one.message.status}: {one.message.text}"))
    console.print(_panel(f"An {ORCHESTRATOR} calls the {RESEARCHER} as a tool", table))


def show_triaged(console: Console, triaged: Triaged | None) -> None:
    """Show the calls of one turn with their answers, and what each desk was handed."""
    if triaged is None:
        return
    table = Table.grid(padding=(0, 2))
    for call, answer in zip(triaged.calls, triaged.answers, strict=True):
        table.add_row(_cut(f"{call['name']}: {answer.text}"))
    received = ", ".join(f"{desk}: {payload.data.task}" for desk, payload in triaged.received.items())
    table.add_row(_cut(f"received by {received}"))
    console.print(_panel(f"One turn of a {TRIAGE} model: two handoffs and a tool call", table))


def _in_full(outcome: Outcome, executor: str, *, narrow: bool) -> Iterator[RenderableType]:
    yield Rule(Text(one_line(outcome.conversation.id)))
    yield _panel(f"1. What the {RESEARCHER} left behind", _left_behind(outcome.conversation))
    if outcome.payload:
        shown = Pretty(outcome.payload.data, max_length=2, max_string=44, indent_guides=False)
        yield _panel(f"2. The payload that crossed, {outcome.payload.id}", shown)
        yield _panel(f"3. What the {EXECUTOR}'s prompt contains", _prompt(outcome.prompt))
    if outcome.answer is not None:
        yield _panel(f"4. What the {EXECUTOR} answered ({executor})", Text(plain(outcome.answer)))
    if outcome.error:
        yield _failure(outcome, outcome.error)
    if outcome.payload and outcome.payload.receipt.parts:
        yield parts_table("What was kept, cut and why", outcome.payload.receipt.parts, narrow=narrow)
    if outcome.payload:
        yield Columns([_sizes(outcome.payload), _durations(outcome, outcome.payload)])


def _left_behind(conversation: Conversation) -> Table:
    rows = [(_cell(_speaker(message)), _cut(_said(message))) for message in conversation.messages]
    omitted = len(rows) - _MOST_MESSAGES
    if omitted > 0:
        half = _MOST_MESSAGES // 2
        rows[half:-half] = [(Text("..."), Text(f"{omitted} more messages"))]
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


def _speaker(message: BaseMessage) -> str:
    return {"human": "user", "ai": RESEARCHER}.get(message.type, message.type)


def _said(message: BaseMessage) -> str:
    if isinstance(message, AIMessage) and message.tool_calls:
        return "calls " + ", ".join(f"{call['name']} {call['args']}" for call in message.tool_calls)
    return message.text


def _prompt(prompt: Sequence[BaseMessage]) -> Group:
    lines = plain("\n".join(f"{message.type}: {message.text}" for message in prompt)).split("\n")
    omitted = len(lines) - _MOST_LINES
    shown = lines if omitted <= 0 else [*lines[: _MOST_LINES - 1], f"... {omitted} more lines ...", lines[-1]]
    text = Text("\n".join(shown), no_wrap=True, overflow="ellipsis")
    return Group(text, Text("(Lines are cut to the width of the terminal; --json has all of it.)", style="dim"))


def _sizes(payload: Payload[Brief]) -> Table:
    receipt = payload.receipt
    table = _table("Sizes", "tokens")
    table.add_row(f"left by the {RESEARCHER}", _number(receipt.input_tokens))
    table.add_row(f"read by the {EXECUTOR}", _number(receipt.context_tokens))
    return table


def _durations(outcome: Outcome, payload: Payload[Brief]) -> Table:
    table = _table("Durations", "ms")
    for node, seconds in outcome.durations_s.items():
        table.add_row(node, _milliseconds(seconds))
        for step, part in payload.receipt.durations_s.items() if node == payload.handoff else ():
            table.add_row(f"  of that: {step}", _milliseconds(part))
    return table


def _summary(outcomes: Sequence[Outcome], *, narrow: bool) -> Table:
    shown = ("before", "after") if narrow else ("messages", "before", "after", "saved", "kept", "ms")
    table = _table("All conversations", *shown)
    table.add_column("result", no_wrap=True)
    for outcome in outcomes:
        row = _row(outcome)
        table.add_row(_cell(outcome.conversation.id), *(row[column] for column in shown), row["result"])
    table.caption = "before, after: tokens"
    if not narrow and any(outcome.conversation.needed for outcome in outcomes):
        table.caption += "; kept: values that the recorded agent needed afterwards and the executor can read"
    return table


def _row(outcome: Outcome) -> dict[str, Text]:
    before, after, saved = _tokens(outcome)
    cells = {
        "messages": str(len(outcome.conversation.messages)),
        "before": before,
        "after": after,
        "saved": saved,
        "kept": _kept(outcome),
        "ms": _milliseconds(sum(outcome.durations_s.values())),
    }
    result = Text("failed", style="red") if outcome.error else Text("ok", style="green")
    return {**{column: Text(cell) for column, cell in cells.items()}, "result": result}


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=SIMPLE, title_justify="left", caption_justify="left")
    table.add_column("", overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _tokens(outcome: Outcome) -> tuple[str, str, str]:
    if isinstance(outcome.error, BudgetError):
        return _NOTHING, f"{outcome.error.needed_tokens:,} > {outcome.error.max_tokens:,}", _NOTHING
    if outcome.payload is None:
        return _NOTHING, _NOTHING, _NOTHING
    before, after = outcome.payload.receipt.input_tokens or 0, outcome.payload.receipt.context_tokens
    return _number(before), _number(after), f"{1 - after / before:.0%}"


def _kept(outcome: Outcome) -> str:
    needed = outcome.conversation.needed
    if not needed or outcome.payload is None:
        return _NOTHING
    return f"{len(held(needed, outcome.payload.context))} of {len(needed)}"


def _failure(outcome: Outcome, error: Exception) -> Panel:
    return _panel(f"Failed: {one_line(outcome.conversation.id)}", Text(plain(str(error))), border_style="red")


def _panel(title: str, content: RenderableType, border_style: str = "none") -> Panel:
    return Panel(content, title=Text(title), title_align="left", border_style=border_style)


def _cell(text: str) -> Text:
    return Text(one_line(text))


def _cut(text: str) -> Text:
    return Text(one_line(text), no_wrap=True, overflow="ellipsis")


def _number(count: int | None) -> str:
    return f"{count or 0:,}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.1f}"
