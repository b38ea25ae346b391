"""Runs caught as any tracer gets them, kept as trees."""

from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Literal, NamedTuple, cast

from langchain_core.tracers import BaseTracer
from langchain_core.tracers.schemas import Run
from langgraph.errors import GraphBubbleUp, GraphInterrupt

Status = Literal["running", "done", "failed", "interrupted", "parent_command", "cancelled"]

STATUS_KEY, PROBLEM_KEY, TOKENS_KEY = "crux_status", "crux_problem", "crux_model_tokens"
"""In the extras of a run: how it ended, where it raised; what went wrong, and a model's tokens, as a report noted them."""


OUR_TAG = "crux"
_MODELS = ("chat_model", "llm")


class CapturedRun(NamedTuple):
    """One run with those below it. `error` is the recorded text, None without one."""

    run: Run

    @property
    def name(self) -> str:
        """What it is called: `handoff:prepare`, a node's name, a model's class."""
        return self.run.name

    @property
    def kind(self) -> str:
        """`chain`, `tool`, `chat_model` or `llm`."""
        return self.run.run_type

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What it recorded of its input."""
        return cast("Mapping[str, Any]", cast("Any", self.run).inputs or {})

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What it recorded of its output; empty for one that failed or has not ended."""
        return cast("Mapping[str, Any]", cast("Any", self.run).outputs or {})

    @property
    def error(self) -> str | None:
        """The text of the error it ended by."""
        return self.run.error

    @property
    def problem(self) -> str | None:
        """What went wrong, in a few words where a report noted it; None when nothing did."""
        return cast("str | None", extras(self.run).get(PROBLEM_KEY, self.error))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, with what was known at its end only."""
        return self.run.metadata

    @property
    def status(self) -> Status:
        """How it ended, if it did. An interrupt and a command to a parent graph are no failures."""
        if self.is_open:
            return "running"
        if self.error:
            return cast("Status", extras(self.run).get(STATUS_KEY, "failed"))
        return cast("Status", self.metadata.get("crux_status", "done"))

    @property
    def is_ours(self) -> bool:
        """Whether this package made the run: a handoff's or a delegate's."""
        return OUR_TAG in (self.run.tags or ())

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return self.run.end_time is None

    @property
    def duration_s(self) -> float:
        """Seconds from its start to its end; 0 while it is open."""
        return 0.0 if self.run.end_time is None else (self.run.end_time - self.run.start_time).total_seconds()

    @property
    def model_tokens(self) -> int:
        """The tokens that the models in it and below it used, as they reported them."""
        return self.own_tokens + sum(one.model_tokens for one in self.children)

    @property
    def own_tokens(self) -> int:
        """The tokens that it used itself, being a model."""
        counted = extras(self.run).get(TOKENS_KEY)
        if counted is not None:
            return int(counted)
        if self.kind not in _MODELS:
            return 0
        batches = cast("list[list[Any]]", self.outputs.get("generations") or [])
        return sum(map(_tokens, chain(*batches)))

    @property
    def children(self) -> "list[CapturedRun]":
        """The runs below it, in the order in which they began."""
        return [CapturedRun(child) for child in self.run.child_runs]

    def walk(self, depth: int = 0) -> "Iterator[tuple[int, CapturedRun]]":
        """Give it and all runs below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def extras(run: Run) -> dict[str, Any]:
    """Give what a run carries beside its fields."""
    return cast("dict[str, Any]", cast("Any", run).extra)


def _status(error: BaseException) -> Status:
    if isinstance(error, GraphBubbleUp):
        return "interrupted" if isinstance(error, GraphInterrupt) else "parent_command"
    return "cancelled" if isinstance(error, CancelledError) else "failed"


def _tokens(generation: Any) -> int:
    usage: Any = generation.get("message", {}).get("kwargs", {}).get("usage_metadata") or {}
    return int(usage.get("total_tokens") or 0)


class CapturedRuns(BaseTracer):
    """The traces that a handler heard, as trees. `capture_runs` gives one, and a `TraceReport` is one."""

    run_inline = True

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__(_schema_format="original+chat")
        self._roots: list[Run] = []

    @property
    def roots(self) -> list[CapturedRun]:
        """The outermost run of each trace."""
        return [CapturedRun(root) for root in self._roots]

    @property
    def runs(self) -> list[CapturedRun]:
        """Every run, each before those below it."""
        return [run for root in self.roots for _, run in root.walk()]

    def find(self, name: str) -> list[CapturedRun]:
        """Give the runs of this name."""
        return [run for run in self.runs if run.name == name]

    def outline(self) -> str:
        """Give the names as indented lines, each run below the one that it ran in; what did not end well is marked."""
        walked = (step for root in self.roots for step in root.walk())
        return "\n".join(f"{'  ' * depth}{run.name}{f'  {run.status}' if run.error else ''}" for depth, run in walked)

    def on_chain_error(self, error: BaseException, **told: Any) -> Run:
        """Note that a chain did not end well."""
        return self._ended_by(error, super().on_chain_error(error, **told))

    def on_llm_error(self, error: BaseException, **told: Any) -> Run:
        """Note that a model did not end well."""
        return self._ended_by(error, super().on_llm_error(error, **told))

    def on_tool_error(self, error: BaseException, **told: Any) -> Run:
        """Note that a tool did not end well."""
        return self._ended_by(error, super().on_tool_error(error, **told))

    def on_retriever_error(self, error: BaseException, **told: Any) -> Run:
        """Note that a retriever did not end well."""
        return self._ended_by(error, super().on_retriever_error(error, **told))

    def _ended_by(self, error: BaseException, run: Run) -> Run:
        extras(run)[STATUS_KEY] = _status(error)
        return run

    def _on_run_create(self, run: Run) -> None:
        if run.parent_run_id is None:
            self._roots.append(run)

    def _persist_run(self, run: Run) -> None:
        pass  # it is among the roots since it began
