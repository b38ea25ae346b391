"""A loopback stand-in for LangSmith's ingest API: a real `langsmith.Client` sends to it, and it keeps whole run trees.

It decodes the client's multipart bodies (plain or zstd) and OTLP over HTTP, and merges each run's POST with its PATCH.
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import zstandard

STAMP = re.compile(r"^\d{8}T\d{12}Z")


class LangSmithServer:
    """What arrived, by run id; used as a context manager."""

    def __init__(self) -> None:
        self.posts: dict[str, dict[str, Any]] = {}
        self.patches: dict[str, dict[str, Any]] = {}
        self.attachments: dict[tuple[str, str], bytes] = {}
        self.spans: list[dict[str, Any]] = []
        self.raw = b""
        self.headers: list[dict[str, str]] = []
        self._arrived = time.monotonic()
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        with self._lock:
            self._arrived = time.monotonic()
            self.raw += body
            self.headers.append(headers)
            if path.endswith("/v1/traces"):
                self.spans.extend(spans_in(body))
                return
            for name, content in parts_in(body, headers["content-type"]):
                self._take_part(name, content)

    def _take_part(self, name: str, content: bytes) -> None:
        operation, run_id, *field = name.split(".", 2)
        if operation == "attachment":
            self.attachments[run_id, field[0]] = content
            return
        run = (self.posts if operation == "post" else self.patches).setdefault(run_id, {"id": run_id})
        value = json.loads(content)
        run.update({field[0]: value} if field else {key: it for key, it in value.items() if it is not None})

    def wait_idle(self, quiet_s: float = 0.3, timeout_s: float = 20) -> None:
        begun = time.monotonic()
        while time.monotonic() - max(self._arrived, begun) < quiet_s:
            assert time.monotonic() - begun < timeout_s, "runs kept arriving"
            time.sleep(0.02)

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Every run, start and end merged, in the order of the trace."""
        ids = self.posts.keys() | self.patches.keys()
        merged = [{**self.posts.get(one, {}), **self.patches.get(one, {})} for one in ids]
        return sorted(merged, key=lambda run: run.get("dotted_order", ""))

    def find(self, name: str) -> list[dict[str, Any]]:
        return [run for run in self.runs if run.get("name") == name]

    def parent(self, run: dict[str, Any]) -> str | None:
        return next((one["name"] for one in self.runs if one["id"] == run.get("parent_run_id")), None)

    def outline(self) -> list[str]:
        """Every run as one indented line."""
        return [f"{'  ' * run['dotted_order'].count('.')}{run['name']}" for run in self.runs]

    def problems(self) -> list[str]:
        """Ways in which the runs are not sound trees: orphans, unfinished and misordered runs."""
        runs = {run["id"]: run for run in self.runs}
        return [
            f"{run.get('name')}: {problem}" for run in runs.values() for problem in problems_of(run, runs, self.posts)
        ]


def problems_of(run: dict[str, Any], runs: dict[str, Any], posts: dict[str, Any]) -> Iterator[str]:
    segments = run.get("dotted_order", "").split(".")
    parent = run.get("parent_run_id")
    stamps = [STAMP.match(segment)[0] for segment in segments]
    checks = {
        "never started": run["id"] in posts,
        "never ended": run.get("end_time") is not None,
        "its parent never came": parent is None or parent in runs,
        "ends in another id": segments[-1].endswith(run["id"]),
        "begins in another trace": segments[0].endswith(run["trace_id"]),
        "is nested otherwise than its parent says": (len(segments) > 1) == bool(parent)
        and (not parent or segments[-2].endswith(parent)),
        "started before its parent": stamps == sorted(stamps),
    }
    yield from (problem for problem, is_fine in checks.items() if not is_fine)


def parts_in(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    mark = b"--" + re.search(r'boundary="?([^";]+)', content_type)[1].encode()
    at = body.find(mark)
    while body[at + len(mark) : at + len(mark) + 2] == b"\r\n":
        end_of_head = body.index(b"\r\n\r\n", at)
        head = body[at:end_of_head].decode()
        name = re.search(r'name="([^"]*)"', head)[1]
        length = int(re.search(r"(?i)content-length: *(\d+)", head)[1])
        yield name, body[end_of_head + 4 : end_of_head + 4 + length]
        at = body.find(mark, end_of_head + 4 + length)


def spans_in(body: bytes) -> Iterator[dict[str, Any]]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    message = ExportTraceServiceRequest()
    message.ParseFromString(body)
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = {one.key: one.value.string_value for one in span.attributes}
                yield {"name": span.name, "id": span.span_id, "parent": span.parent_span_id, "attributes": attributes}


def handler_for(server: LangSmithServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ingest = {
                "use_multipart_endpoint": True,
                "size_limit": 100,
                "size_limit_bytes": 20_971_520,
                "scale_up_qsize_trigger": 1_000,
                "scale_up_nthreads_limit": 16,
                "scale_down_nempty_trigger": 4,
            }
            self.answer({"instance_flags": {"zstd_compression_enabled": True}, "batch_ingest_config": ingest})

        def do_POST(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"])) if "content-length" in headers else self.chunks()
            if headers.get("content-encoding") == "zstd":
                body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
            server.take(self.path, headers, body)
            self.answer({})

        def chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def answer(self, value: Any) -> None:
            content = json.dumps(value).encode()
            self.send_response(202 if self.command == "POST" and not self.path.endswith("traces") else 200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
