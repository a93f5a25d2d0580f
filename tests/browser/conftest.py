"""The whole app in a real browser: a server on a free port, Chromium, and pages that must not complain.

Nothing here sleeps: every wait is for a condition of the page or of the server.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser import canvas_harness as harness
from tests.browser.streamlit_dom import DROP, IDLE, MAIN
from tests.browser.tabs import Tabs

ROOT = Path(__file__).resolve().parents[2]
START_S = 90
# Goes on scrolling to the charts, which a canvas that is still growing pushes away, until they stand.
CHARTS_LOOKED_AT = """main => {
    document.querySelector(main).scrollTo(0, 1e6);
    return document.querySelectorAll('.js-plotly-plot .main-svg').length >= 3;
}"""
# Its script listens, and the picture is where it was a moment ago: a click goes where it was meant to.
AT_REST = """stage => {
    const root = stage.closest('[data-a2-root]');
    const box = JSON.stringify(stage.getBoundingClientRect());
    const rests = !!root.__canvas && root.seenAt === box;
    root.seenAt = box;
    return rests;
}"""
TRACED_MS = 60_000  # the first page loads torch and the network


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"The app's server stopped with code {server.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)  # between two questions to a port that nobody listens on yet
    pytest.fail(f"The app's server did not come up within {START_S} s:\n{log.read_text()}")


@dataclass(frozen=True)
class Server:
    """The app's server: where it is, and what it holds in memory."""

    url: str
    pid: int

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Memory of the server in MB (10⁶ bytes); "VmHWM" for the most that it ever held."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024 / 1e6  # type: ignore[index]


@contextlib.contextmanager
def running_app(
    log: Path,
    *,
    program: Sequence[str] = ("-m", "viz_app"),
    environment: Mapping[str, str] = MappingProxyType({}),
    root: Path = ROOT,
    options: Sequence[str] = (),
    path: str = "",
) -> Iterator[Server]:
    """Start the app as `make app` does, on a free port, and stop it afterwards.

    Args:
        log: where the server's output goes.
        program: what Python runs instead.
        environment: variables for it besides those of this process.
        root: of the repository whose app is started.
        options: of the server.
        path: where below its host the app is served, as "/explore", when `options` say so.
    """
    port = free_port()
    command = [sys.executable, *program, *options]
    command += ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=root, env=os.environ | environment, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://127.0.0.1:{port}{path}"
            wait_until_healthy(url, server, log)
            yield Server(url, server.pid)
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app's server; whatever happened in the tests, no traceback may be in its log."""
    log = tmp_path_factory.mktemp("app") / "server.log"
    with running_app(log) as server:
        yield server
    assert "Traceback" not in log.read_text(), f"The server logged a traceback:\n{log.read_text()}"


@pytest.fixture(scope="session")
def app_url(app_server: Server) -> str:
    """The address of the app."""
    return app_server.url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One Chromium for all tests."""
    path = harness.chromium_path()
    if path is None:
        reason = "No Chromium found. Install it, or name it in A2_CHROMIUM."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=harness.CHROMIUM_ARGS)
        yield running
        running.close()


class AppPage:
    """One visitor's page of the app, and what it said to the server and to its console."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.context = page, page.context
        self.page.set_default_timeout(60_000)
        self.complaints: list[str] = []
        self.frames_sent = 0
        self.bytes_received = 0  # over the websocket
        self.foreign: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("websocket", self._follow)
        self.page.on("request", lambda request: self._check_address(request.url))
        self.page.goto(url)

    def _listen(self, message: Any) -> None:
        # Opened at /about, Streamlit's own page first asks below /about where its server is, then above.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.complaints.append(message.text)

    def _follow(self, socket: Any) -> None:
        socket.on("framesent", self._count_sent)
        socket.on("framereceived", self._count_received)

    def _count_sent(self, _: Any) -> None:
        self.frames_sent += 1

    def _count_received(self, frame: Any) -> None:
        self.bytes_received += len(frame)

    def _check_address(self, address: str) -> None:
        if urlsplit(address).hostname not in (None, "127.0.0.1"):
            self.foreign.append(address)

    @property
    def stage(self) -> Any:
        """The picture to be probed."""
        return self.page.locator("[data-ref=stage]:not([data-a2-side] *)")

    @property
    def pinned(self) -> Any:
        """The sentence over the charts: it changes with every pin."""
        return self.page.locator(".a2-pinned")

    @property
    def message(self) -> Any:
        return self.page.get_by_test_id("stAlert")

    def wait_until(self, holds: Callable[[], bool], *, within_s: float = 60) -> None:
        """Until `holds` returns true, asked once a frame of the page."""
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, "waited too long"
            self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def wait_until_idle(self) -> None:
        """Until the server has finished the run that it was asked for."""
        self.page.locator(IDLE).wait_for()

    def wait_until_traced(self, *, charts: bool = True) -> None:
        """Until the canvas has drawn a picture and the charts stand, which come when they are looked at.

        Without `charts` nobody looks at them; the page is there in half the time.
        """
        self.stage.wait_for(timeout=TRACED_MS)
        if charts:
            self.page.wait_for_function(CHARTS_LOOKED_AT, arg=MAIN)
        self.wait_until_idle()
        self.page.locator(MAIN).evaluate("main => main.scrollTo(0, 0)")

    def trace_key(self) -> str:
        """The identity of the trace that the canvas answers hovers from."""
        return str(self.page.locator("[data-a2-root]").evaluate("root => root.__canvas.probe.model.key"))

    def picture_spread(self) -> float:
        """Standard deviation of the grey values that the canvas drew: 0 for an empty one."""
        return float(
            self.page.locator("[data-ref=base]").evaluate(
                """canvas => {
                    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                    let sum = 0, squares = 0, n = data.length / 4;
                    for (let i = 0; i < data.length; i += 4) {
                        const grey = (data[i] + data[i + 1] + data[i + 2]) / 3;
                        sum += grey; squares += grey * grey;
                    }
                    return Math.sqrt(squares / n - (sum / n) ** 2);
                }"""
            )
        )

    def move_to(self, x: float, y: float) -> None:
        """Put the mouse at fractions (x, y) of the picture, where that is in sight, once it is at rest."""
        self.wait_until(lambda: bool(self.stage.evaluate(AT_REST)))
        box = self.stage.bounding_box()
        if not 0 <= box["y"] + y * box["height"] < self.page.viewport_size["height"]:
            self.stage.scroll_into_view_if_needed()
            box = self.stage.bounding_box()
        self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    def pin(self, x: float, y: float) -> None:
        """Click at fractions (x, y) of the picture."""
        self.move_to(x, y)
        self.page.mouse.down()
        self.page.mouse.up()

    def drop(self, name: str, data: bytes, mime: str = "application/octet-stream") -> None:
        """Hand a file to the drop zone."""
        self.wait_until_idle()  # while a run is under way the drop zone of the last upload is still there
        zone = self.page.locator(DROP)
        zone.set_input_files({"name": name, "mimeType": mime, "buffer": data})

    def choose(self, label: str) -> None:
        """Press the picture or size called `label`."""
        self.page.get_by_role("radio", name=label, exact=True).click()

    def close(self) -> None:
        self.context.close()


OpenApp = Callable[..., AppPage]


@pytest.fixture(scope="session")
def visitors(chromium: Any, app_url: str) -> list[Tabs]:
    """The browsers of those who visited the app so far, to be used again."""
    return []


@pytest.fixture
def open_app(chromium: Any, app_url: str, visitors: list[Tabs]) -> Iterator[OpenApp]:
    """Opens pages of the app, each as another visitor.

    At the end none may have complained or asked another host for anything.
    """
    opened: list[AppPage] = []

    def open_page(
        path: str = "",
        *,
        width: int = 1400,
        height: int = 1400,
        scheme: str = "light",
        traced: bool = True,
        charts: bool = True,
    ) -> AppPage:
        if len(opened) == len(visitors):
            visitors.append(Tabs(chromium, f"{app_url}/_stcore/health", reduced_motion="reduce"))
        tab = visitors[len(opened)].open(width=width, height=height, scheme=scheme)
        opened.append(AppPage(tab, f"{app_url}{path}"))
        if traced:
            opened[-1].wait_until_traced(charts=charts)
        return opened[-1]

    yield open_page
    complaints = [complaint for page in opened for complaint in page.complaints]
    foreign = [address for page in opened for address in page.foreign]
    for visitor in visitors:
        visitor.clear()
    assert complaints == []
    assert foreign == []
