"""What the tests of the command share: running it in this process, and a model server on the loopback."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from served import JsonHandler, served

from crux_langgraph.cli import main


@dataclass(frozen=True)
class Ran:
    """What one run of the command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What was printed, without the boxes and line breaks of the terminal."""
        return " ".join(self.out.translate(dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")).split())

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)


Command = Callable[..., Ran]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `crux-langgraph` as its console script does, in this process."""

    def run(*arguments: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["crux-langgraph", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Ran(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture(autouse=True)
def wide_plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's terminal out of what is compared."""
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@dataclass
class ModelServer:
    """A server that speaks OpenAI's wire format. It answers `answer`, or fails with `status`."""

    url: str = ""
    answer: str = "Booked."
    status: int = 200
    requests: list[dict[str, Any]] = field(default_factory=list)

    def respond(self) -> dict[str, Any]:
        if self.status != 200:
            return {"error": {"message": "the scripted failure\nof two lines", "type": "scripted"}}
        message = {"role": "assistant", "content": self.answer}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """Serve a scripted model and point the OpenAI client at it."""
    scripted = ModelServer()

    class Handler(JsonHandler):
        def posted(self, body: Any) -> None:
            scripted.requests.append(body)
            self.answer(scripted.respond(), scripted.status)

    with served(Handler) as address:
        scripted.url = f"{address}/v1"
        monkeypatch.setenv("OPENAI_BASE_URL", scripted.url)
        monkeypatch.setenv("OPENAI_API_KEY", "no key is checked here")
        yield scripted
