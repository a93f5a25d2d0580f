"""Times what a visitor waits for, in a real browser: `make bench-app` (nothing else should be running).

Prints the median of five for each: the first page of a fresh server, a 12-megapixel JPEG from its drop
to the answer to a hover, another sample, a sample seen before, a pin until its charts stand, and an
experiment until the page says what the network answers then.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import canvas_harness as harness
from tests.browser.conftest import AppPage, running_app
from tests.browser.test_app import TIME_THE_NEXT_PIN, photo
from viz_app.view_model import SAMPLES

REPEATS = 5
# From the next click until the answer is about what the board then shows, in milliseconds.
TIME_THE_NEXT_EXPERIMENT = """() => {
    const off = (nodes) => [...nodes].map((node) => Number(node.dataset.i)).sort((a, b) => a - b).join();
    const board = (host) => off(host.querySelectorAll('.tile[aria-checked=false]'));
    const roots = [document, ...[...document.querySelectorAll('*')].flatMap((node) => node.shadowRoot ?? [])];
    const holder = roots.find((root) => root.querySelector('[data-a2-board]'));
    window.tookMs = null;
    addEventListener('click', () => {
        const start = performance.now();
        const look = () => {
            if (document.querySelector('.a2-outcome').dataset.off === board(holder)) {
                window.tookMs = performance.now() - start;
            } else setTimeout(look, 5);
        };
        setTimeout(look);
    }, { once: true, capture: true });
}"""
NEW_TRACE = "([root, before]) => root.__canvas && root.__canvas.model.key !== before"


def until_interactive(app: AppPage, act: Callable[[], None]) -> float:
    """Seconds from `act` until the canvas holds another trace and has answered a hover from it."""
    before = app.trace_key()
    start = time.perf_counter()
    act()
    root = app.page.locator("[data-a2-root]").element_handle()
    app.page.wait_for_function(NEW_TRACE, arg=[root, before], polling=10)
    readout = app.page.locator("[data-ref=readout]")
    said = readout.inner_text()
    for x in (0.31, 0.72):
        app.move_to(x, 0.4)
    app.page.wait_for_function(
        "([node, said]) => node.innerText !== said", arg=[readout.element_handle(), said]
    )
    return time.perf_counter() - start


def report(what: str, seconds: list[float]) -> None:
    """One line: the median and every single time."""
    each = ", ".join(f"{value:.2f}" for value in seconds)
    print(f"{what:<44} {statistics.median(seconds):6.2f} s   ({each})")


def main() -> None:
    """Run all measurements against one server."""
    photos = [photo(4000, 3000, seed=seed) for seed in range(REPEATS)]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=harness.chromium_path(), args=harness.CHROMIUM_ARGS
        )
        with running_app(Path(folder) / "server.log") as server:
            start = time.perf_counter()
            app = AppPage(browser, server.url, width=1400, height=1400, scheme="light")
            app.wait_until_traced()
            report("first page, model not yet loaded", [time.perf_counter() - start])

            uploads = []
            for seed, data in enumerate(photos):
                app.wait_until_idle()
                uploads.append(until_interactive(app, lambda s=seed, d=data: app.drop(f"{s}.jpg", d)))  # type: ignore[misc]
            report("12-megapixel JPEG, dropped to interactive", uploads)

            app.wait_until_idle()
            until_interactive(app, lambda: app.choose("352"))  # a size that nobody has asked for
            for what in ("another sample, traced for the first time", "a sample seen before"):
                times = []
                for sample in SAMPLES[1:]:
                    app.wait_until_idle()
                    times.append(until_interactive(app, lambda t=sample.title: app.choose(t)))  # type: ignore[misc]
                report(what, times)

            pins = []
            for x, y in [(0.1, 0.1), (0.9, 0.2), (0.5, 0.5), (0.2, 0.85), (0.8, 0.9)]:
                app.wait_until_idle()
                app.page.evaluate(TIME_THE_NEXT_PIN)
                app.pin(x, y)
                app.page.wait_for_function("window.tookMs !== null")
                pins.append(app.page.evaluate("window.tookMs") / 1000)
            report("pin, click to changed charts", pins)

            app.page.get_by_role("link", name="Experiment").click()
            app.page.locator("[data-a2-board] .tile").first.wait_for()
            experiments = []
            for number in range(2, 2 + REPEATS):
                app.wait_until_idle()
                app.page.evaluate(TIME_THE_NEXT_EXPERIMENT)
                app.page.locator("[data-a2-board] .tile").nth(number).click(no_wait_after=True)
                app.page.wait_for_function("window.tookMs !== null")
                experiments.append(app.page.evaluate("window.tookMs") / 1000)
            report("an experiment, click to the new answer", experiments)
            app.close()
        browser.close()


if __name__ == "__main__":
    main()
