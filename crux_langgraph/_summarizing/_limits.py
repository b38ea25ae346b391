"""The ledger of one payload: calls and tokens are reserved before they are spent."""

from threading import Lock
from time import perf_counter


class Ledger:
    """Hands out what may still be spent and notes what was. Several threads may ask at the same time."""

    def __init__(self, *, max_calls: int, max_input_tokens: int) -> None:
        self._calls_left = max_calls
        self._tokens_left = max_input_tokens
        self._lock = Lock()
        self.calls = 0
        self.tokens_read = 0
        self.levels = 0
        self.waited_s = 0.0

    def reserve(self, tokens: int) -> bool:
        """Set one call that reads `tokens` aside; False when calls or tokens do not reach."""
        with self._lock:
            if self._calls_left < 1 or tokens > self._tokens_left:
                return False
            self._calls_left -= 1
            self._tokens_left -= tokens
            return True

    def spend(self, tokens: int) -> None:
        """Note a call that is being made on a reservation."""
        with self._lock:
            self.calls += 1
            self.tokens_read += tokens


class Deadline:
    """A point in time `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._started = perf_counter()
        self.seconds = seconds

    @property
    def passed_s(self) -> float:
        """Seconds since it was set."""
        return perf_counter() - self._started

    @property
    def left_s(self) -> float:
        """Seconds that are left; not above 0 once it is over."""
        return self.seconds - self.passed_s
