"""A LangSmith client that sends no private field, and no more of anything than a run shows."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, cast

from langsmith import Client

from crux_langgraph.instrumentation._covering import Cover, covered
from crux_langgraph.instrumentation._protected import Protected, private_names
from crux_langgraph.instrumentation._settings import DEFAULT_VIEW_BYTES
from crux_langgraph.instrumentation._tracebacks import without_words

__all__ = ["client_for"]

_REPLACED = frozenset({"anonymizer", "hide_inputs", "hide_outputs", "hide_metadata"})


def client_for(
    *protected: Protected,
    keys: Iterable[str] = (),
    view_bytes: int = DEFAULT_VIEW_BYTES,
    **options: Any,
) -> Client:
    """Make a `langsmith.Client` for traces in which the private fields of these handoffs, delegates and models are masked.

    In every run that it sends, the graph's own and its nodes' too, whatever stands under the name of a private field is
    masked, in inputs, outputs and metadata; so is what stands under one of `keys`. Inputs and outputs are capped at
    `view_bytes` bytes each. Of errors it sends types, places and this package's own sentences: not the words of other
    exceptions, which may quote what they were given. A value that cannot be looked into is not sent.

    `options` are those of `langsmith.Client`. Raises `ValueError` for those that this one sets: `anonymizer`,
    `hide_inputs`, `hide_outputs`, `hide_metadata`.

        langsmith.configure(client=client_for(research_to_writer), enabled=True)
    """
    if taken := sorted(_REPLACED & options.keys()):
        msg = f"client_for sets {', '.join(taken)} itself; give keys= for what else is to be masked."
        raise ValueError(msg)
    cover = Cover(private_names(protected, keys))
    hide = partial(covered, cover, view_bytes)
    return _Client(hide_inputs=hide, hide_outputs=hide, hide_metadata=hide, **options)


class _Client(Client):
    """Cleans what LangSmith's own hooks leave as it is: the text of errors, and the events of a run."""

    def create_run(self, *args: Any, **run: Any) -> None:
        super().create_run(*args, **_cleaned(run))

    def update_run(self, run_id: Any, **run: Any) -> None:
        cast("Any", super()).update_run(run_id, **_cleaned(run))


def _cleaned(run: dict[str, Any]) -> dict[str, Any]:
    error, events = run.get("error"), run.get("events")
    cleaned = run if error is None else {**run, "error": without_words(error)}
    return cleaned if not events else {**cleaned, "events": list(map(_bare_event, cast("Sequence[Any]", events)))}


def _bare_event(event: dict[str, Any]) -> dict[str, Any]:
    return {key: event[key] for key in ("name", "time") if key in event}
