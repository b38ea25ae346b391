"""An Agent Server as a remote delegate sees it: few requests, by LangGraph's SDK, and one error for what fails there."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, urlsplit

from crux_langgraph._waiting import AWAITING, Way
from crux_langgraph.errors import TransportError

Forwarded = Literal["custom", "updates", "messages"]
"""What of a remote run's stream goes on to the caller's."""

Headers = Callable[[], Any] | Mapping[str, str] | None
"""What is sent with each request: fixed, or what a function, sync or async, gives at the time."""

Reason = Literal["away", "refused", "unknown_assistant", "busy", "failed"]

_BY_STATUS: dict[int, Reason] = {401: "refused", 403: "refused", 404: "unknown_assistant", 409: "busy"}
_CANCEL_S = 5
_MODES = {"messages": "messages-tuple"}
_MOST_RUNS = 100


class Address(NamedTuple):
    """Where a delegate's subagent lives, and what is sent along."""

    delegate: str
    url: str
    assistant: str
    headers: Headers
    distributed_tracing: bool
    forwards: tuple[Forwarded, ...]

    @property
    def shown(self) -> str:
        """The address without credentials and path, for errors."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


@asynccontextmanager
async def connected(way: Way, address: Address) -> AsyncGenerator["Server"]:
    """Open a client for one call and close it: an async one cannot outlive its loop."""
    client: Any = await way.call(_made, way is AWAITING, address.url)  # in a thread: it imports, and reads certificates
    try:
        yield Server(way, client, address)
    finally:
        await way.call(client.aclose if way is AWAITING else client.close)


def _made(is_async: bool, url: str) -> Any:
    import langgraph_sdk

    make: Callable[..., Any] = langgraph_sdk.get_client if is_async else langgraph_sdk.get_sync_client
    return make(url=url, api_key=None)  # by default the SDK sends LANGSMITH_API_KEY to whatever address it is given


class Server(NamedTuple):
    """One open connection. Everything it does may raise `TransportError`."""

    way: Way
    client: Any
    address: Address

    async def schemas(self) -> Mapping[str, Any]:
        """Give the schemas that the server publishes of the assistant."""
        found = await self._ask(self.client.assistants.search, graph_id=self.address.assistant, limit=1)
        assistant = found[0]["assistant_id"] if found else self.address.assistant
        schemas: Mapping[str, Any] = await self._ask(self.client.assistants.get_schemas, assistant)
        return schemas

    async def runs(self, thread: str) -> list[Mapping[str, Any]]:
        """Give the runs of a thread, newest first; none for a thread that does not exist."""
        try:
            runs: list[Mapping[str, Any]] = await self._ask(self.client.runs.list, thread, limit=_MOST_RUNS)
        except TransportError as error:
            if error.status != _NOT_FOUND:
                raise
            return []
        return runs

    async def state(self, thread: str) -> Mapping[str, Any]:
        """Give the state in which a thread is now."""
        state: Mapping[str, Any] = await self._ask(self.client.threads.get_state, thread)
        return state

    async def state_after(self, thread: str, run_id: str) -> Mapping[str, Any]:
        """Give the state in which a run left a thread that other runs have continued since."""
        states = await self._ask(self.client.threads.get_history, thread, limit=1, metadata={"run_id": run_id})
        state: Mapping[str, Any] = states[0]
        return state

    async def error(self, thread: str) -> Mapping[str, Any]:
        """Give the class and the words, masked by the server where it does not know them, of what ended a thread."""
        found = await self._ask(self.client.threads.get, thread)
        error: Mapping[str, Any] = found.get("error") or {}
        return error

    async def start(self, thread: str, forward: Callable[[Any], None], **what: Any) -> None:
        """Run the assistant on a thread, created if need be, and wait for its end.

        A caller that dies leaves the run going; one that is cancelled, also by its timeout, cancels it.
        """
        stream = self.client.runs.stream(
            thread,
            self.address.assistant,
            stream_mode=self._modes(),
            stream_subgraphs=True,
            stream_resumable=True,
            multitask_strategy="reject",
            if_not_exists="create",
            on_disconnect="continue",
            headers=await self._headers() | self._trace(),
            **what,
        )
        await self._watched(thread, stream, forward)

    async def join(self, thread: str, run_id: str, forward: Callable[[Any], None]) -> None:
        """Wait for the end of a run that is there already, and forward what it has streamed from its beginning."""
        stream = self.client.runs.join_stream(
            thread, run_id, stream_mode=self._modes(), last_event_id="-1", headers=await self._headers()
        )
        await self._watched(thread, stream, forward)
        await self._ask(self.client.runs.join, thread, run_id)  # the stream may end before the run is settled

    def _modes(self) -> list[str]:
        return [_MODES.get(mode, mode) for mode in self.address.forwards]

    async def _watched(self, thread: str, stream: Any, forward: Callable[[Any], None]) -> None:
        try:
            with self._told():
                if self.way is AWAITING:
                    async for part in stream:
                        self._forward(part, forward)
                else:
                    for part in stream:
                        self._forward(part, forward)
        except asyncio.CancelledError:
            with suppress(TransportError, TimeoutError):
                async with asyncio.timeout(_CANCEL_S):
                    await self._cancel(thread)
            raise

    def _forward(self, part: Any, forward: Callable[[Any], None]) -> None:
        mode = part.event.partition("|")[0]
        if mode in self.address.forwards:
            forward(part.data if mode == "custom" else self._labelled(mode, part.data))

    def _labelled(self, mode: str, data: Any) -> dict[str, Any]:
        return {"delegate": self.address.delegate, "mode": mode, "data": data}

    async def _cancel(self, thread: str) -> None:
        for run in await self.runs(thread):
            if is_live(run):
                await self._ask(self.client.runs.cancel, thread, run["run_id"])

    async def _ask(self, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        headers = await self._headers()
        with self._told():
            return await self.way.call(method, *args, headers=headers, **options)

    async def _headers(self) -> dict[str, str]:
        given = self.address.headers
        return dict(await self.way.call(given) if callable(given) else given or {})

    def _trace(self) -> dict[str, str]:
        if not self.address.distributed_tracing:
            return {}
        from langsmith import get_current_run_tree

        run = get_current_run_tree()
        # Not `run.to_headers()`: its baggage has the run's metadata, and so what the caller's config says.
        project = "" if run is None else quote(run.session_name or "", safe="")
        return {} if run is None else {"langsmith-trace": run.dotted_order, "baggage": f"langsmith-project={project}"}

    @contextmanager
    def _told(self) -> Generator[None]:
        import httpx

        try:
            yield
        except httpx.HTTPStatusError as error:
            raise self._answered(error.response.status_code, error) from error
        except httpx.HTTPError as error:
            raise TransportError(
                delegate=self.address.delegate,
                found=f"no answer from {self.address.shown}: {type(error).__name__}",
                fix="Start the server there, or mend the url. A run that was started is found again by the same call.",
                original=error,
                reason="away",
            ) from error

    def _answered(self, status: int, error: Exception) -> TransportError:
        reason = _BY_STATUS.get(status, "failed")
        found, fix = _SAID[reason]
        return TransportError(
            delegate=self.address.delegate,
            found=found.format(url=self.address.shown, assistant=self.address.assistant, status=status),
            fix=f"{fix} Nothing was handed over.",
            original=error,
            reason=reason,
            status=status,
        )


_NOT_FOUND = 404
_SAID = {
    "refused": ("{url} refused the request with status {status}", "Give headers= what authenticates the caller there."),
    "unknown_assistant": (
        "{url} has no assistant {assistant!r}",
        "Give the name of one of its graphs, or the id of an assistant.",
    ),
    "busy": ("its thread on {url} is busy with another run", "Wait until that run has ended."),
    "failed": ("{url} answered with status {status}", "Look into the log of that server; its own words are above."),
}


def is_live(run: Mapping[str, Any]) -> bool:
    """Say whether a run waits for its turn or is under way."""
    return run["status"] in ("pending", "running")
