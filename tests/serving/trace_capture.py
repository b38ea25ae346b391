"""A server on this machine that takes LangSmith's runs and keeps them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from served import JsonHandler, served

Runs = dict[str, dict[str, Any]]

# Plain batches of JSON: neither multipart nor compressed.
INFO = {
    "batch_ingest_config": {
        "use_multipart_endpoint": False,
        "size_limit": 100,
        "size_limit_bytes": 20_000_000,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 4,
        "scale_down_nempty_trigger": 4,
    }
}


class Captured:
    """The runs by id, as they were posted and patched."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.runs: Runs = {}

    @property
    def environment(self) -> dict[str, str]:
        """What sends another process's traces here."""
        settings = {"TRACING": "true", "ENDPOINT": self.url, "API_KEY": "of-the-tests", "PROJECT": "far"}
        return {f"LANGSMITH_{key}": value for key, value in settings.items()}

    def wait_for(self, found: Callable[[Runs], Any], within_s: float = 20) -> Any:
        """Give what `found` finds in the runs, once it finds something."""
        until = time.monotonic() + within_s
        while not (what := found(dict(self.runs))):
            assert time.monotonic() < until, sorted(run.get("name", "?") for run in self.runs.values())
            time.sleep(0.05)
        return what


@contextmanager
def trace_capture() -> Iterator[Captured]:
    """Serve until the block ends."""

    class Handler(JsonHandler):
        def got(self) -> None:
            self.answer(INFO)

        def posted(self, body: Any) -> None:
            for run in [*body.get("post", ()), *body.get("patch", ())]:
                captured.runs.setdefault(run["id"], {}).update(run)
            self.answer({})

    with served(Handler) as url:
        captured = Captured(url)
        yield captured
