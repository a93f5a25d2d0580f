"""What a first visit to Explore costs a browser: `make bench-load` (nothing else should be running).

A new browser profile each round, against one server that has its network loaded and its first sample
traced. Printed: bytes received over the wire, requests, and the page's processor time (all tasks of its main
thread; of them scripts), until the picture answers a hover and until all has come that comes without a click.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser import canvas_harness as harness
from tests.browser.conftest import ROOT, AppPage, running_app
from tests.browser.tabs import single_tab

ROUNDS = 3
# Resolves when the canvas has painted its answer to a hover over its picture.
ANSWER_A_HOVER = """root => new Promise((done) => {
    const stage = root.querySelector("[data-ref=stage]");
    const hover = () => {
        if (!root.__canvas?.probe.pictures[0]) return requestAnimationFrame(hover);
        root.addEventListener("a2-painted", () => done(true), { once: true });
        const box = stage.getBoundingClientRect();
        const at = { clientX: box.left + 0.31 * box.width, clientY: box.top + 0.4 * box.height };
        stage.dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true, pointerType: "mouse" }));
    };
    hover();
})"""


class Wire:
    """What a page receives, as Chromium counts it."""

    def __init__(self, page: Any) -> None:
        self.session = page.context.new_cdp_session(page)
        self.bytes_by_url: Counter[str] = Counter()
        urls: dict[str, str] = {}
        self.session.on(
            "Network.requestWillBeSent", lambda e: urls.setdefault(e["requestId"], e["request"]["url"])
        )
        self.session.on("Network.webSocketCreated", lambda e: urls.setdefault(e["requestId"], e["url"]))
        self.session.on(
            "Network.loadingFinished",
            lambda e: self.bytes_by_url.update({urls.get(e["requestId"], "?"): int(e["encodedDataLength"])}),
        )
        self.session.on(
            "Network.webSocketFrameReceived",
            lambda e: self.bytes_by_url.update(
                {urls.get(e["requestId"], "?"): len(e["response"]["payloadData"]) * 3 // 4}
            ),
        )
        self.session.send("Network.enable")
        self.session.send("Performance.enable")

    def so_far(self) -> tuple[float, int, float, float]:
        """Megabytes, requests, seconds of tasks and of scripts."""
        metrics = {m["name"]: m["value"] for m in self.session.send("Performance.getMetrics")["metrics"]}
        total = sum(self.bytes_by_url.values()) / 1e6
        return total, len(self.bytes_by_url), metrics["TaskDuration"], metrics["ScriptDuration"]


def visit(browser: Any, url: str, most: int) -> list[tuple[float, int, float, float]]:
    """One first visit: until a hover is answered, and until the page is idle."""
    tab = single_tab(browser, width=1400, height=1000, reduced_motion="reduce")
    wire = Wire(tab)
    app = AppPage(tab, url)
    app.stage.wait_for()
    tab.locator("[data-a2-root]").evaluate(ANSWER_A_HOVER)
    answered = wire.so_far()
    app.wait_until_idle()
    tab.wait_for_load_state("networkidle")
    settled = wire.so_far()
    for address, size in wire.bytes_by_url.most_common(most):
        print(f"    {size / 1e3:9.1f} kB  {address.removeprefix(url)[:100]}")
    app.close()
    return [answered, settled]


def main() -> None:
    """Print the medians of a few visits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--app", type=Path, default=ROOT, metavar="FOLDER", help="tree whose app is started")
    parser.add_argument("--most", type=int, default=0, help="also list so many of the largest things")
    args = parser.parse_args()
    program = ("-m", "streamlit", "run", "viz_app/app.py")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        log = Path(folder) / "server.log"
        with running_app(log, program=program, root=args.app.resolve()) as server:
            rounds = []
            for index in range(ROUNDS + 1):  # the first finds a server without a network
                browser = playwright.chromium.launch(
                    executable_path=harness.chromium_path(), args=harness.CHROMIUM_ARGS
                )
                rounds.append(visit(browser, server.url, args.most if index == ROUNDS else 0))
                browser.close()
            for when, index in (("until a hover is answered", 0), ("until all has come", 1)):
                each = [statistics.median(v) for v in zip(*(r[index] for r in rounds[1:]), strict=True)]
                print(
                    f"{when:<28} {each[0]:5.2f} MB in {each[1]:.0f} requests, {each[2]:.2f} s of the page's "
                    f"processor, of it {each[3]:.2f} s scripts"
                )


if __name__ == "__main__":
    main()
