"""A run that takes no time, sent to LangSmith whole: its tracer takes twice as long for a start and an end."""

import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from langchain_core.env import get_runtime_environment
from langchain_core.tracers import LangChainTracer
from langsmith import RunTree

from crux_langgraph.instrumentation._events import warn
from crux_langgraph.instrumentation._late import attach_to, tree_of
from crux_langgraph.instrumentation._tracing import is_turned_off

_DESTINATION = [field for field in ("session_name", "address", "replicas") if field in RunTree.model_fields]
"""What says where a run is sent; versions of LangSmith's client before 0.14 have fewer of them."""


class Post:
    """One run, as a tracer of LangSmith's is to send it when it has ended: what it would send itself, but for one flag."""

    def __init__(
        self,
        tracer: LangChainTracer,
        above: RunTree,
        identity: Mapping[str, Any],
        metadata: Mapping[str, Any],
        name: str,
        inputs: dict[str, Any],
    ) -> None:
        """Take what is known at the start. `above` is the run around this one, as the tracer keeps it."""
        self.tracer = tracer
        self._above = above
        self._identity = identity
        self._metadata = metadata
        self._name = name
        self._inputs = inputs
        self._started = datetime.now(UTC)

    def send(self, outcome: Any, facts: Mapping[str, Any], files: Mapping[str, bytes] | None) -> None:
        """Send the run: `outcome` is what it gave or its error, `facts` are more metadata. Raises nothing."""
        try:
            run = self._run(outcome, facts)
            if files:
                attach_to(run, files)
            self._above.child_runs.append(run)
            run.post()
        except Exception as error:  # noqa: BLE001 - a listener's failure, whatever it is
            warn("on_chain_end", error)

    def _run(self, outcome: Any, facts: Mapping[str, Any]) -> RunTree:
        above, run_id, ended = self._above, self._identity["run_id"], datetime.now(UTC)
        failed = isinstance(outcome, BaseException)
        fields: dict[str, Any] = {field: getattr(above, field) for field in _DESTINATION}
        return RunTree(
            id=run_id,
            name=self._name,
            run_type="chain",
            inputs=self._inputs,
            outputs=None if failed else outcome,
            error=_text_of(outcome) if failed else None,
            start_time=self._started,
            end_time=ended,
            events=[
                {"name": "start", "time": self._started},
                {"name": "error" if failed else "end", "time": ended},
            ],
            tags=list({*self._identity["tags"], *(self.tracer.tags or ())}),
            extra={
                "metadata": {**(self.tracer.tracing_metadata or {}), **self._metadata, **facts},
                "runtime": get_runtime_environment(),
            },
            parent_run_id=above.id,
            trace_id=above.trace_id,
            dotted_order=f"{above.dotted_order}.{self._started:%Y%m%dT%H%M%S%fZ}{run_id}",
            **fields,
            ls_client=self.tracer.client,
        )


def posts(
    tracers: Sequence[Any],
    identity: Mapping[str, Any],
    metadata: Mapping[str, Any],
    name: str,
    inputs: dict[str, Any],
) -> list[Post]:
    """Give a post for each of the tracers that need not hear of a start and an end."""
    if is_turned_off():
        return []
    return [
        Post(tracer, above, identity, metadata, name, inputs)
        for tracer in tracers
        if (above := _above(tracer, identity["parent_run_id"], metadata)) is not None
    ]


def _above(tracer: Any, parent_run_id: UUID | None, metadata: Mapping[str, Any]) -> RunTree | None:
    """Give the run around, where the tracer is LangSmith's own and all of what it does is known here."""
    if type(tracer) is not LangChainTracer:  # one that somebody extended may do more
        return None
    above: RunTree | None = tree_of(tracer, parent_run_id)
    # A run's metadata go before the tracer's, but for some keys of LangChain's choice.
    known = (tracer.tracing_metadata or {}).items()
    return above if all(metadata.get(key, value) == value for key, value in known) else None


def _text_of(error: Any) -> str:
    return (repr(error) + "\n\n".join(traceback.format_exception(error))).strip()
