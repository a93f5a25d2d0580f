"""Firefox, driven by what it speaks itself (WebDriver BiDi): nothing is installed but the browser.

Playwright wants a Firefox of its own, and of Debian's a command that it does not know. Not in here: more than
the few commands that tests need. Where there is no Firefox, such tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 60
# Nothing but this machine is found; a made camera, lent without asking; nothing is asked, told or updated.
PREFERENCES: dict[str, bool | int | str] = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "127.0.0.1, localhost",
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "remote.log.level": "Error",
}


def firefox_path() -> str:
    """Where Firefox is; whoever asks is skipped where it is not."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        pytest.skip("No Firefox found. Install Debian's firefox-esr, or any other.")
    return path


def within(selector: str) -> str:
    """An expression for the first element of a page and of all shadow trees in it."""
    look = """(root, selector) => {
        const found = root.querySelector(selector);
        if (found) return found;
        for (const { shadowRoot } of root.querySelectorAll("*")) {
            const inside = shadowRoot && within(shadowRoot, selector);
            if (inside) return inside;
        }
        return null;
    }"""
    return f"(() => {{ const within = {look}; return within(document, {json.dumps(selector)}); }})()"


class Tab:
    """One tab, looked at and used as a person does."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._count = 0
        self.complaints: list[str] = []
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded"])
        self.context = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """A command and its answer; what the page complains of meanwhile is kept."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            try:
                told = json.loads(self._socket.recv(timeout=PATIENCE_S))
            except TimeoutError:
                pytest.fail(f"No answer within {PATIENCE_S} s: {method} {params}; {self.complaints}")
            if told.get("method") == "log.entryAdded" and told["params"]["level"] in ("error", "warn"):
                self.complaints.append(str(told["params"]["text"]))
            if told.get("id") == self._count:
                assert told["type"] == "success", f"{method}: {told.get('message')}"
                return dict(told["result"])

    def goto(self, address: str) -> None:
        self.send("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def resize(self, width: int, height: int) -> None:
        self.send(
            "browsingContext.setViewport", context=self.context, viewport={"width": width, "height": height}
        )

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression comes to, also if it is promised."""
        found = self.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? 'null')()",
            target={"context": self.context},
            awaitPromise=True,
        )
        assert found["type"] == "success", found["exceptionDetails"]["text"]
        return json.loads(found["result"]["value"])

    def wait_for(self, expression: str) -> Any:
        """The value of a JavaScript expression as soon as it is one that counts as true.

        Asked anew each second: what is asked of a page that is about to go to a process of its own, as one
        that becomes isolated does, may be heard by nobody.
        """
        look = (
            f"new Promise((done) => {{ const last = Date.now() + 1000; const look = () => {{ let found = 0;"
            f" try {{ found = {expression}; }} catch {{ /* not there yet */ }}"
            " if (found || Date.now() > last) done([!!found, found]); else setTimeout(look, 40); };"
            " look(); })"
        )
        for _ in range(PATIENCE_S):
            holds, found = self.evaluate(look)
            if holds:
                return found
        seen = self.evaluate(
            "[location.href, document.readyState, { ...document.documentElement.dataset },"
            " document.body?.innerText]"
        )
        pytest.fail(f"Not true within {PATIENCE_S} s: {expression}; {seen}; {self.complaints}")

    def place(self, element: str, x: float = 0.5, y: float = 0.5) -> tuple[int, int]:
        """A point of an element (an expression) on screen, by shares of its sides."""
        box = self.evaluate(
            f"(({{ x, y, width, height }}) => [x, y, width, height])({element}.getBoundingClientRect())"
        )
        return round(box[0] + x * box[2]), round(box[1] + y * box[3])

    def pointer(self, *places: tuple[int, int], press: bool = False) -> None:
        """The mouse goes from place to place, and presses at the last."""
        actions: list[dict[str, Any]] = [{"type": "pointerMove", "x": x, "y": y} for x, y in places]
        if press:
            actions += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self.send(
            "input.performActions",
            context=self.context,
            actions=[{"type": "pointer", "id": "mouse", "actions": actions}],
        )

    def choose(self, selector: str, path: Path) -> None:
        """A file for an input."""
        node = self.send(
            "browsingContext.locateNodes", context=self.context, locator={"type": "css", "value": selector}
        )["nodes"][0]
        element = {"sharedId": node["sharedId"]}
        self.send("input.setFiles", context=self.context, element=element, files=[str(path)])


@contextmanager
def firefox(profile: Path) -> Iterator[Tab]:
    """A tab of a Firefox of its own, which is gone afterwards."""
    path = firefox_path()
    profile.mkdir(parents=True, exist_ok=True)
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    home = {**os.environ, "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=home
    ) as process:
        try:
            assert process.stderr is not None
            address = next(
                found[1]
                for line in process.stderr
                if (found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line))
            )
            with connect(f"{address}/session", max_size=None, open_timeout=PATIENCE_S) as socket:
                tab = Tab(socket)
                yield tab
                tab.send("browser.close")
        finally:
            process.terminate()
