"""Drives a headless Chromium through its debugging pipe, with nothing but the standard library."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1000,800",
    "--remote-debugging-pipe",
)
SOFTWARE_WEBGL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
NO_WEBGL = ("--disable-gpu", "--disable-software-rasterizer")
PATIENCE = 60.0  # seconds


def browser_path() -> str | None:
    """The installed browser, or None."""
    return next(filter(None, map(shutil.which, BROWSER_NAMES)), None)


class HeadlessChromium:
    """One browser with one tab; use it as a context."""

    def __init__(self, webgl: bool = True) -> None:
        self._webgl = webgl
        self._number = 0
        self.log: list[str] = []  # what pages wrote to the console, and their errors

    def __enter__(self) -> "HeadlessChromium":
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        flags = [*FLAGS, *(SOFTWARE_WEBGL if self._webgl else NO_WEBGL), f"--user-data-dir={self._profile.name}"]
        # The browser reads commands from descriptor 3 and answers on 4.
        redirect = f'exec "$0" "$@" 3<&{read_commands} 4>&{write_answers}'
        self._process = subprocess.Popen(
            ["bash", "-c", redirect, str(browser_path()), *flags, "about:blank"],
            pass_fds=(read_commands, write_answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._session: str | None = None
        self._buffer = b""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "DOM"):
            self.command(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        os.close(self._commands)
        os.close(self._answers)
        self._profile.cleanup()

    def command(self, method: str, **parameters: object) -> dict:
        """Send one command of the DevTools protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next_message()
            if answer.get("method") == "Runtime.consoleAPICalled" and answer["params"]["type"] == "error":
                self.log.append(str(answer["params"]["args"]))
            if answer.get("method") == "Runtime.exceptionThrown":
                self.log.append(str(answer["params"]["exceptionDetails"]))
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _next_message(self) -> dict:
        while b"\0" not in self._buffer:
            read = os.read(self._answers, 1 << 20)
            assert read, "the browser has gone"
            self._buffer += read
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, address: str | Path) -> None:
        """Load a page; a path is opened as a file."""
        self.command("Page.navigate", url=address.as_uri() if isinstance(address, Path) else address)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression: str) -> object:
        """The value of a JavaScript expression, after its promise if it is one."""
        answer = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a JavaScript condition holds."""
        _wait(lambda: bool(self.evaluate(condition)), condition)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the left button at `start`, move to `end` (both in CSS pixels), let go."""
        mouse = "Input.dispatchMouseEvent"
        self.command(mouse, type="mousePressed", x=start[0], y=start[1], button="left", buttons=1, clickCount=1)
        self.command(mouse, type="mouseMoved", x=end[0], y=end[1], button="left", buttons=1)
        self.command(mouse, type="mouseReleased", x=end[0], y=end[1], button="left", clickCount=1)

    def press(self, key: str, times: int = 1) -> None:
        """Press a key on whatever has the focus."""
        for _ in range(times):
            text = {"text": key} if len(key) == 1 else {}
            self.command("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self.command("Input.dispatchKeyEvent", type="keyUp", key=key)

    def choose_file(self, selector: str, *paths: Path) -> None:
        """Choose files in an input element, as a person does in the file dialogue."""
        document = self.command("DOM.getDocument")["root"]["nodeId"]
        node = self.command("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.command("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def screenshot(self) -> bytes:
        """The visible part of the page as PNG."""
        return base64.b64decode(self.command("Page.captureScreenshot")["data"])


def _wait(condition: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {name}"
        time.sleep(0.05)
