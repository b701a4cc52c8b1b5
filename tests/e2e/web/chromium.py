"""Drive a headless Chromium over its DevTools protocol, with only the standard library and websockets."""

import base64
import itertools
import json
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from websockets.sync.client import connect

from devservers.processes import reaped, spawn
from tests.support.time_scale import stretched

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable():
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab. *problems* are the errors of its console, failed requests and violated policies among them."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self.problems = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=stretched(30)))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message):
        params = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.problems.append(params["exceptionDetails"].get("exception", params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.problems.append(params["entry"])
            case "Runtime.consoleAPICalled" if params["type"] == "error":
                self.problems.append(params["args"])

    def open(self, url):
        self.send("Page.navigate", url=url)

    def ask(self, expression):
        """Return the value of a JavaScript expression; promises are awaited."""
        result = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression, seconds=20):
        """Wait until *expression* is true."""
        deadline = time.monotonic() + stretched(seconds)
        while time.monotonic() < deadline:
            with suppress(AssertionError):  # the page may be between two documents
                if self.ask(f"Boolean({expression})"):
                    return
            self.send("Runtime.evaluate", expression="new Promise(r => setTimeout(r, 50))", awaitPromise=True)
        text = self.ask("document.body.innerText.slice(0, 2000)")
        raise AssertionError(f"{expression} never became true; problems: {self.problems}; page: {text}")

    def size(self, width, height, *, phone=False):
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )

    def scheme(self, name):
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def screenshot(self, path, *, full=False):
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        Path(path).write_bytes(base64.b64decode(data))


@contextmanager
def browser(profile):
    """Start Chromium with a new *profile* folder; yield a page; end it."""
    command = [executable(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = spawn(command, output=Path(profile).with_name("chromium.log"), attached=True)
    identity = reaped(process)
    try:
        with connect(_page_address(process, Path(profile)), max_size=None) as socket:
            yield Page(socket)
    finally:
        identity.end(stretched(10))


def _page_address(process, profile):
    file = profile / "DevToolsActivePort"
    deadline = time.monotonic() + stretched(30)
    while time.monotonic() < deadline and process.poll() is None:
        lines = file.read_text().split() if file.exists() else []
        if len(lines) == 2:
            port, path = lines
            return _attach(port, path)
        time.sleep(0.05)
    raise AssertionError(f"Chromium did not start (status {process.poll()})")


def _attach(port, path):
    """Return the address of the first tab."""
    with connect(f"ws://127.0.0.1:{port}{path}") as socket:
        socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        targets = json.loads(socket.recv(timeout=stretched(10)))["result"]["targetInfos"]
    page = next(target["targetId"] for target in targets if target["type"] == "page")
    return f"ws://127.0.0.1:{port}/devtools/page/{page}"
