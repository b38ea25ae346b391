"""Whether LangSmith traces what runs here: the answer of its `tracing_is_enabled()`, in a fifth of that one's time."""

from collections.abc import Callable
from typing import Any, cast

from langsmith import run_helpers, utils
from langsmith.run_helpers import get_current_run_tree, get_tracing_context
from langsmith.utils import get_env_var

_ask: Callable[[], object] = cast("Any", utils).tracing_is_enabled
_HERE, _EVERYWHERE = "_TRACING_ENABLED", "_GLOBAL_TRACING_ENABLED"


def kept_in(state: Any) -> Any:
    """Give `state` where it has all that is looked at here, else None."""
    return state if hasattr(state, _HERE) and hasattr(state, _EVERYWHERE) else None


# Where LangSmith keeps what blocks and `configure()` say. It gives no public way to that but functions that import modules
# and make dicts at each call; without it they are asked: slower, and as right.
_STATE: Any = kept_in(getattr(run_helpers, "_context", None))


def is_traced() -> bool:
    """Say whether LangSmith is told: by a block around, inside a run of its own, by `configure()` or the environment."""
    if _STATE is None:
        return bool(_ask())
    said = _STATE._TRACING_ENABLED.get()  # noqa: SLF001 - see above
    if said is None:
        if get_current_run_tree() is not None:
            return True
        said = _STATE._GLOBAL_TRACING_ENABLED  # noqa: SLF001 - see above
    if said is None:
        return get_env_var("TRACING_V2", default=get_env_var("TRACING", default="")) == "true"
    return bool(said)


def is_turned_off() -> bool:
    """Say whether a block around wants no traces, whatever is configured for the whole program."""
    return _said_here() is False


def is_traced_here() -> bool:
    """Say whether the context itself asks for traces, whatever is configured for the whole program."""
    said = _said_here()
    return get_current_run_tree() is not None if said is None else bool(said)


def _said_here() -> Any:
    return get_tracing_context()["enabled"] if _STATE is None else _STATE._TRACING_ENABLED.get()  # noqa: SLF001 - see above
