"""LangGraph's own dev server on a free port of this machine, which ends when its parent does, however that ends."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

APP = Path(__file__).parent / "app"
START_S = 120


@contextmanager
def dev_server(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Serve a copy of the app in `folder` and give its address; whatever it writes stays there."""
    shutil.copytree(APP, folder / "app", ignore=shutil.ignore_patterns("__pycache__", ".langgraph_api"))
    port = free_port()
    offline = {"LANGGRAPH_NO_VERSION_CHECK": "true", "LANGGRAPH_CLI_NO_ANALYTICS": "1"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, str(port)],
            cwd=folder / "app",
            env={**without_coverage(os.environ), **offline, **environment},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_up(process, url, folder / "server.log")
            yield url
        finally:
            process.kill()
            process.communicate()


def without_coverage(environment: Mapping[str, str]) -> dict[str, str]:
    """Do not measure the server: it is killed, and would be slower until then."""
    return {key: value for key, value in environment.items() if not key.startswith("COVERAGE")}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_until_up(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/ok", timeout=5).close()
        except OSError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-4000:]) from error
            time.sleep(0.1)
        else:
            return


def end_with_parent() -> None:
    sys.stdin.buffer.read()  # the parent never writes: this returns when its end of the pipe is closed
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    from langgraph_cli.cli import cli

    cli(
        ["dev", "--no-browser", "--no-reload", "--n-jobs-per-worker", "8", "--host", "127.0.0.1", "--port", sys.argv[1]]
    )
