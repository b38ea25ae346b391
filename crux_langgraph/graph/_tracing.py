"""What the run of a handoff's node records itself: no state. The run `handoff:prepare` below it shows what crossed."""

from typing import Any

from langgraph.types import TracePolicy


class Unrecorded(dict[str, Any]):
    """The update of a state by a node that nobody listens to, so that LangGraph need not part listeners from tracers."""


# LangGraph asks these on every call, traced or not, and records the raw value when one raises: so they look at nothing.
def _where(_: Any) -> Any:
    return {"crux": "not recorded here: handoff:prepare shows what crossed"}


def _where_heard(update: Any) -> Any:
    return update if type(update) is Unrecorded else _where(update)


UNSEEN = TracePolicy(process_inputs=_where, process_outputs=_where_heard)
