"""A very small W3C WebDriver client: drive headless Chromium from tests with nothing but the standard library.

`browser()` starts chromedriver on a free port with a fresh profile and gives a `Browser`, whose methods are the
protocol's commands one to one. `missing()` is the reason why there is none, for `pytest.mark.skipif`.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "home": "\ue011", "end": "\ue010"}
TIMEOUT = 60.0


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def missing() -> str:
    """Why no browser can be driven; empty where one can."""
    if not shutil.which("chromedriver"):
        return "chromedriver is not installed"
    return "" if chromium() else "chromium is not installed"


class Browser:
    """One session; every method is one command of the protocol."""

    def __init__(self, base: str, session: str) -> None:
        self.base = f"{base}/session/{session}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return request(method, self.base + path, body)

    def open(self, path: Path) -> None:
        self.call("POST", "/url", {"url": path.as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str) -> Any:
        """Run the body of an async function and wait for what it returns."""
        wrapped = f"const done = arguments[0]; (async () => {{ {script} }})().then(done, e => done(String(e)));"
        return self.call("POST", "/execute/async", {"script": wrapped, "args": []})

    def find(self, css: str) -> str:
        return self.call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css: str) -> None:
        self.call("POST", f"/element/{self.find(css)}/click", {})

    def keys(self, css: str, *keys: str) -> None:
        text = "".join(KEYS.get(key, key) for key in keys)
        self.call("POST", f"/element/{self.find(css)}/value", {"text": text})

    def text(self, css: str) -> str:
        return self.call("GET", f"/element/{self.find(css)}/text")

    def drag(self, css: str, dx: int, dy: int) -> None:
        """Press on the middle of an element, move in four strides, release."""
        origin = {ELEMENT: self.find(css)}
        strides = [move(origin, dx * i // 4, dy * i // 4, 40) for i in range(5)]
        actions = [strides[0], {"type": "pointerDown", "button": 0}, *strides[1:], {"type": "pointerUp", "button": 0}]
        # A stride is measured from the element, which follows the pointer: measure from the viewport instead.
        box = self.run(
            "const r = arguments[0].getBoundingClientRect(); return [r.x + r.width/2, r.y + r.height/2]", origin
        )
        for action in actions:
            if action["type"] == "pointerMove":
                action |= {"origin": "viewport", "x": round(box[0] + action["x"]), "y": round(box[1] + action["y"])}
        pointer = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self.call("POST", "/actions", {"actions": [pointer]})

    def resize(self, width: int, height: int) -> None:
        # The window has a least width of 500; the emulated screen has none.
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)

    def emulate(self, **media: str) -> None:
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.devtools("Emulation.setEmulatedMedia", {"features": features})

    def devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self, path: Path, css: str = "") -> None:
        where = f"/element/{self.find(css)}/screenshot" if css else "/screenshot"
        path.write_bytes(base64.b64decode(self.call("GET", where)))

    def console(self) -> list[dict[str, Any]]:
        return self.call("POST", "/se/log", {"type": "browser"})


def move(origin: Any, x: int, y: int, duration: int) -> dict[str, Any]:
    return {"type": "pointerMove", "duration": duration, "origin": origin, "x": x, "y": y}


def request(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    message = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(message, timeout=TIMEOUT) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        with error:
            raise RuntimeError(json.load(error)["value"]["message"].splitlines()[0]) from None


@contextmanager
def browser() -> Iterator[Browser]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, driver() as base:
        options = {"binary": chromium(), "args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = request("POST", f"{base}/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        opened = Browser(base, session)
        try:
            yield opened
        finally:
            opened.call("DELETE", "")


@contextmanager
def driver() -> Iterator[str]:
    """chromedriver on a port that it chose itself."""
    command = ["chromedriver", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            lines = iter(process.stdout.readline, "") if process.stdout else iter(())
            found = next(filter(None, (re.search(r"successfully on port (\d+)", line) for line in lines)))
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            process.terminate()
