"""Typed handoffs between the agents of a LangGraph graph: validated, transformed, budgeted, and readable afterwards."""

from importlib import import_module
from typing import Any

from crux_langgraph import errors as errors

_HOMES = {
    "_context": ("Composed", "Context", "Cut", "compose"),
    "_delegate": ("Delegate", "DelegateResult", "RepairRequest", "delegate"),
    "_handoff": ("Handoff", "handoff"),
    "_inbox": ("ANY", "GLOBAL", "Claimed", "Sent", "Stored"),
    "_payload": ("Payload",),
    "_receipt": ("Receipt",),
    "_receiving": ("brief_in", "brief_messages", "human_message", "system_message"),
    "_summarizing": ("Summarize",),
    "compression": ("Fitted", "FittedPart", "estimate_tokens", "fit", "model_counter", "tiktoken_counter"),
    "fields": ("Fit", "Omit", "Pin", "Private"),
    "graph": (
        "ActiveAgent",
        "HandoffNode",
        "HandoffRequests",
        "Handoffs",
        "HandoffState",
        "ReceiveNode",
        "Repair",
        "SendNode",
        "add_active_router",
        "add_handoff",
        "add_handoffs",
        "check",
    ),
}
"""Where each public name stands. `__init__.pyi` tells type checkers the same."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(["errors", *_HOME_OF], key=lambda name: (not name.isupper(), name))  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll] - see the stub


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: a program waits for what it uses, and for nothing else."""
    if name not in _HOME_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    return found


def __dir__() -> list[str]:
    return __all__
