"""Runs caught where they are made, as any tracer gets them: for tests and for a terminal, without a service."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import Any, NamedTuple, cast

from langchain_core.tracers import BaseTracer
from langchain_core.tracers.context import register_configure_hook
from langchain_core.tracers.schemas import Run


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
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, with what was known at its end only."""
        return self.run.metadata

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
        batches = cast("list[list[Any]]", self.outputs.get("generations") or [])
        return sum(map(_tokens, chain(*batches))) + sum(one.model_tokens for one in self.children)

    @property
    def children(self) -> "list[CapturedRun]":
        """The runs below it, in the order in which they began."""
        return [CapturedRun(child) for child in self.run.child_runs]

    def walk(self, depth: int = 0) -> "Iterator[tuple[int, CapturedRun]]":
        """Give it and all runs below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def _tokens(generation: Any) -> int:
    usage: Any = generation.get("message", {}).get("kwargs", {}).get("usage_metadata") or {}
    return int(usage.get("total_tokens", 0))


class CapturedRuns(BaseTracer):
    """What `capture_runs` gives: the traces that began in its block."""

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
        """Give the names as indented lines, each run below the one that it ran in; what failed is marked."""
        walked = (step for root in self.roots for step in root.walk())
        return "\n".join(f"{'  ' * depth}{run.name}{'  failed' if run.error else ''}" for depth, run in walked)

    def _on_run_create(self, run: Run) -> None:
        if run.parent_run_id is None:
            self._roots.append(run)

    def _persist_run(self, run: Run) -> None:
        pass  # it is among the roots since it began


_CAPTURING: ContextVar[CapturedRuns | None] = ContextVar("crux_langgraph_captured", default=None)
register_configure_hook(_CAPTURING, inheritable=True)


@contextmanager
def capture_runs() -> Generator[CapturedRuns]:
    """Catch every run that begins inside the block, ours and LangChain's, also in threads with a copied context.

    It needs no key and no network, and changes nothing else: LangSmith and other handlers hear what they did.

    >>> from pydantic import BaseModel
    >>> from crux_langgraph import Handoff
    >>> from crux_langgraph.testing import capture_runs
    >>> class Note(BaseModel):
    ...     text: str
    >>> with capture_runs() as captured:
    ...     payload = Handoff.of(Note, id="to-support").prepare({"text": "Card declined"})
    >>> [run] = captured.find("handoff:prepare")
    >>> run.metadata["crux_handoff_id"], run.inputs
    ('to-support', {'input': {'text': 'Card declined'}})
    """
    captured = CapturedRuns()
    token = _CAPTURING.set(captured)
    try:
        yield captured
    finally:
        _CAPTURING.reset(token)
