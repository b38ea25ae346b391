"""A headless Chromium, driven by its own protocol: pages at a phone's and a laptop's width, light and dark, by keyboard."""

import base64
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.request import ProxyHandler, build_opener

from chromium import CHROMIUM
from websockets.sync.client import ClientConnection, connect

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
_TIMEOUT_S = 20


class Screen(NamedTuple):
    """A width in CSS pixels, and whether the reader prefers dark pages."""

    width: int
    dark: bool = False

    def __str__(self) -> str:
        return f"{self.width}-{'dark' if self.dark else 'light'}"


LAPTOP, PHONE = Screen(1280), Screen(390)
SCREENS = [LAPTOP, PHONE, Screen(1280, dark=True), Screen(390, dark=True)]


class Browser:
    """One tab. It notes what the console says, and each address that is asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        self._width = 0
        self.complaints: list[str] = []
        self.asked: list[str] = []

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        sent = next(self._ids)
        self._socket.send(json.dumps({"id": sent, "method": method, "params": params}))
        while True:
            told = self._receive()
            if told.get("id") == sent:
                assert "error" not in told, told["error"]
                return told["result"]

    def prepare(self) -> Self:
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        return self

    def open(self, address: str, screen: Screen) -> None:
        """Open a page as a device of that width shows it, and wait until it is loaded."""
        self.complaints.clear()
        self.asked.clear()
        self.resize(screen)
        self._events.clear()
        self.send("Page.navigate", url=address)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._receive()

    def resize(self, screen: Screen) -> None:
        """Let the tab be a device of that width."""
        self._width = screen.width
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=screen.width,
            height=800,
            deviceScaleFactor=1,
            mobile=screen.width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if screen.dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def ask(self, script: str) -> Any:
        """Give the value of an expression on the page."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key, as a person without a mouse does."""
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def picture(self, path: Path, height: int) -> None:
        """Save what is seen."""
        clip = {"x": 0, "y": 0, "width": self.ask("innerWidth"), "height": height, "scale": 1}
        told = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(told["data"]))

    def overflow(self) -> int:
        """Give by how many pixels the page is wider than its window."""
        # A phone's window grows with its page, so it is held against the device.
        page, window = self.ask("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        return page - min(window, self._width)

    def _receive(self) -> dict[str, Any]:
        told = json.loads(self._socket.recv(_TIMEOUT_S))
        if "method" in told:
            self._events.append(told)
            self._note(told["method"], told["params"])
        return told

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start Chromium with an empty profile and give its one tab."""
    command = [str(CHROMIUM), *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        with connect(_tab(profile / "DevToolsActivePort"), max_size=None, proxy=None) as socket:
            yield Browser(socket).prepare()
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def _tab(told: Path) -> str:
    """Give the address of the tab, which Chromium writes into a file as soon as it listens."""
    until = time.monotonic() + _TIMEOUT_S
    while not (told.exists() and told.read_text().count("\n")):
        assert time.monotonic() < until, "Chromium did not start"
        time.sleep(0.05)
    port = told.read_text().splitlines()[0]
    directly = build_opener(ProxyHandler({}))
    with directly.open(f"http://127.0.0.1:{port}/json/list", timeout=_TIMEOUT_S) as answer:
        return next(tab["webSocketDebuggerUrl"] for tab in json.load(answer) if tab["type"] == "page")
