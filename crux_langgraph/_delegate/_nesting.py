"""Delegates that run inside delegates: how deep, and the tokens that the models below each of them used."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.outputs import LLMResult
from langchain_core.tracers.context import register_configure_hook

from crux_langgraph.errors import DepthLimitError


class Nested(UsageMetadataCallbackHandler):
    """One running delegate. As a callback handler it hears of every model below it, in whatever graph or thread.

    It tells the delegate around it too: that one may have heard already, so each run counts once.
    """

    run_inline = True

    def __init__(self, outer: "Nested | None") -> None:
        """Stand inside `outer`, or outermost."""
        super().__init__()
        self.depth: int = 1 if outer is None else outer.depth + 1
        self._outer = outer
        self._counted: set[UUID] = set()

    @property
    def ignore_chain(self) -> bool:
        """Hear of models alone: then it is no reason to open a run."""
        return True

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Add what one model call used."""
        run_id = kwargs["run_id"]
        with self._lock:
            is_new = run_id not in self._counted
            self._counted.add(run_id)
        if is_new:
            super().on_llm_end(response, **kwargs)
        if self._outer is not None:
            self._outer.on_llm_end(response, **kwargs)


_RUNNING: ContextVar[Nested | None] = ContextVar("crux_langgraph_delegate", default=None)
register_configure_hook(_RUNNING, inheritable=True)


@contextmanager
def nested(delegate: str, max_depth: int | None) -> Generator[Nested]:
    """Stand one delegate deeper while the block runs. Raises `DepthLimitError` when that is deeper than `max_depth`."""
    inner = Nested(_RUNNING.get())
    if max_depth is not None and inner.depth > max_depth:
        raise DepthLimitError(
            delegate=delegate,
            found=f"it would be the delegate number {inner.depth} of a nest, and may be number {max_depth} at most",
            fix="Answer without calling it here, or raise max_depth.",
            depth=inner.depth,
            max_depth=max_depth,
        )
    token = _RUNNING.set(inner)
    try:
        yield inner
    finally:
        _RUNNING.reset(token)
