"""What the run of a handoff's node records itself: no state. The run `handoff:prepare` below it shows what crossed."""

from typing import Any

from langgraph.types import TracePolicy


def _where(_: Any) -> dict[str, str]:
    return {"crux": "not recorded here: handoff:prepare shows what crossed"}


# LangGraph asks these on every call, traced or not, and records the raw value when one raises: so they look at nothing.
UNSEEN = TracePolicy(process_inputs=_where, process_outputs=_where)
