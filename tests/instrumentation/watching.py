"""Ways to watch runs: a plain callback handler, in a run or alone, and a real LangSmith client with a server of ours."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import langsmith
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables.config import var_child_runnable_config
from langsmith import Client
from langsmith.env import get_langchain_env_var_metadata, get_runtime_environment
from langsmith_server import LangSmithServer


class Seen(BaseCallbackHandler):
    """Notes every chain run: its events, and that each start has one end."""

    def __init__(self) -> None:
        self.started: dict[Any, dict[str, Any]] = {}
        self.ended: dict[Any, Any] = {}
        self.twice: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, **told: Any) -> None:
        self.started[run_id] = {"inputs": inputs, **told}

    def on_chain_end(self, outputs: Any, *, run_id: Any, **_: Any) -> None:
        self.finish(run_id, outputs)

    def on_chain_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
        self.finish(run_id, error)

    def finish(self, run_id: Any, value: Any) -> None:
        self.twice += [run_id] if run_id in self.ended else []
        self.ended[run_id] = value

    def ours(self, prefix: str = "") -> list[tuple[str, Any]]:
        """Our runs by name, each with what ended it."""
        tagged = [(key, told) for key, told in self.started.items() if "crux" in (told.get("tags") or ())]
        return [(told["name"], self.ended.get(key)) for key, told in tagged if told["name"].startswith(prefix)]

    def told(self, name: str) -> dict[str, Any]:
        return next(told for told in self.started.values() if told["name"] == name)


class Suspends:
    """Waits for whoever steps the coroutine."""

    def __await__(self) -> Generator[None]:
        yield


class Traced:
    """A LangSmith client, what it sent, and whether that is sound."""

    def __init__(self, server: LangSmithServer, client: Client) -> None:
        self.server = server
        self.client = client

    def sent(self) -> LangSmithServer:
        self.client.flush()
        self.server.wait_idle()
        assert self.server.problems() == []
        return self.server


def tracing(server: LangSmithServer, client: Client) -> Iterator[Traced]:
    # LangSmith asks git for the revision once; not from inside an event loop that is watched for blocking calls.
    get_runtime_environment()
    get_langchain_env_var_metadata()
    langsmith.configure(client=client, enabled=True, project_name="tests")
    try:
        yield Traced(server, client)
    finally:
        langsmith.configure(client=None, enabled=None, project_name=None)
        client.close()


@contextmanager
def listened(*handlers: Any) -> Iterator[None]:
    """Be inside a run that these handlers listen to."""
    token = var_child_runnable_config.set({"callbacks": [*handlers]})
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)
