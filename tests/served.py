"""HTTP servers on this machine: each in a thread of its own, for as long as a block."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def served(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve until the block ends; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class JsonHandler(BaseHTTPRequestHandler):
    """Speaks JSON, and keeps quiet about each request. What a server is asked, it answers in `got` and `posted`."""

    def do_GET(self) -> None:
        self.got()

    def do_POST(self) -> None:
        self.posted(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def got(self) -> None:
        self.send_error(405)

    def posted(self, body: Any) -> None:
        self.send_error(405)

    def answer(self, body: Any, status: int = 200) -> None:
        """Answer with `body` as JSON."""
        self.answer_text(json.dumps(body), status)

    def answer_text(self, body: str, status: int = 200, content_type: str = "application/json") -> None:
        """Answer with `body` as it is."""
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""
