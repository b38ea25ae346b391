"""A run in words and numbers, for a page and for a terminal."""

from crux_langgraph._html import Bar
from crux_langgraph.instrumentation._captured import CapturedRun
from crux_langgraph.instrumentation._prepared import PREPARE


def is_crossing(run: CapturedRun) -> bool:
    """Say whether a run is that of a handoff's preparation."""
    return run.name == PREPARE and "crux_handoff_id" in run.metadata


def who(run: CapturedRun) -> str:
    """Name a handoff by its agents."""
    facts = run.metadata
    agents = [str(facts[side]) for side in ("crux_from_agent", "crux_to_agent") if side in facts]
    return " → ".join(agents) if len(agents) > 1 else str(facts["crux_handoff_id"])


def sizes(run: CapturedRun) -> tuple[Bar, ...]:
    """Give the sizes before and after: in tokens where they were counted, else in bytes; nothing for one that failed."""
    facts = run.metadata
    unit = "tokens" if {"crux_input_tokens", "crux_output_tokens"} <= facts.keys() else "bytes"
    sides = {"before": facts.get(f"crux_input_{unit}"), "after": facts.get(f"crux_output_{unit}")}
    return tuple(Bar(f"{unit} {side}", int(size)) for side, size in sides.items() if size is not None)


def tokens(run: CapturedRun) -> str:
    """Say the tokens of a handoff, before and after, or those that a model used; nothing of other runs."""
    if is_crossing(run):
        sized = sizes(run)
        counts = " → ".join(f"{bar.tokens:,}" for bar in sized)
        return f"{counts} {sized[0].name.split()[0]}" if sized else ""
    return f"{run.own_tokens:,} tokens" if run.own_tokens else ""


def duration(run: CapturedRun) -> str:
    """Say how long a run took."""
    if run.is_open:
        return "running"
    return f"{run.duration_s:,.2f} s" if run.duration_s >= 1 else f"{1000 * run.duration_s:,.1f} ms"
