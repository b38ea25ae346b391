"""Why a model's part was not, or not fully, used: a closed set of reasons, read off any provider's exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from crux_langgraph._model_use import Reason

_TOO_MANY = 429
_TOO_MANY_NAMES = ("RateLimit", "Throttl", "TooManyRequests", "ResourceExhausted")
_TIMED_OUT = frozenset({408, 504})
_SERVER = range(500, 600)
_CONFLICT = 409
_CLIENT = range(400, 500)
_CLIENT_NAMES = (
    "Authentication",
    "PermissionDenied",
    "Unauthorized",
    "Forbidden",
    "BadRequest",
    "InvalidRequest",
    "NotFound",
    "ContextOverflow",
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that gave nothing. `transient`: worth one retry; `stops`: every further call would fail in the same way.

    `cause` names the class of the error, and its HTTP status: a provider's own words may repeat what it was sent.
    """

    reason: Reason
    transient: bool = False
    stops: bool = False
    retry_after_s: float = 0.0
    cause: str = field(default="", compare=False)


def failure_of(error: Exception) -> Failure:
    """Read what a provider's exception means: by its HTTP status where it has one, else by its kind and name."""
    status = _status(error)
    cause = type(error).__name__ if status is None else f"{type(error).__name__}, HTTP status {status}"
    return replace(_meaning(error, status), cause=cause)


def _meaning(error: Exception, status: int | None) -> Failure:
    if status == _TOO_MANY or _named(error, *_TOO_MANY_NAMES):
        return Failure("rate_limited", transient=True, retry_after_s=_retry_after(error))
    if status in _TIMED_OUT or isinstance(error, TimeoutError) or _named(error, "Timeout"):
        return Failure("timeout", transient=True)
    if _passing(error, status):
        return Failure("provider_error", transient=True, retry_after_s=_retry_after(error))
    return Failure("provider_error", stops=status in _CLIENT or _named(error, *_CLIENT_NAMES))


def _status(error: Exception) -> int | None:
    holders = (error, _read(error, "response"))
    found = (_read(holder, name) for holder in holders for name in ("status_code", "code"))
    return next((status for status in found if isinstance(status, int)), None)


def _passing(error: Exception, status: int | None) -> bool:
    if status is not None:
        return status in _SERVER or status == _CONFLICT
    # LangChain's own errors say of themselves whether they are worth a retry.
    retryable = _read(error, "is_retryable") is True
    return retryable or isinstance(error, ConnectionError) or _named(error, "Connect")


def _read(holder: object, name: str) -> Any:
    try:
        return getattr(holder, name, None)
    except Exception:  # noqa: BLE001 - a property of somebody's exception may raise what it likes
        return None


def _named(error: Exception, *words: str) -> bool:
    # Providers that are not spoken to by HTTP have no status; what they agree on is how to name these.
    return any(word in type(error).__name__ for word in words)


def _retry_after(error: Exception) -> float:
    """Seconds that the provider asks to wait; its other form, a date, is not worth a clock comparison."""
    headers = _read(_read(error, "response"), "headers")
    said = cast("Mapping[str, Any]", headers).get("retry-after") if isinstance(headers, Mapping) else None
    try:
        return max(0.0, float(said)) if said is not None else 0.0
    except (TypeError, ValueError):
        return 0.0
