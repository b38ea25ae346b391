"""The page that a `TraceReport` writes. Pure: from runs to text, everything in it escaped, no script and no link outside."""

from crux_langgraph.instrumentation._page._document import page

__all__ = ["page"]
