"""Times what a visitor waits for, in a real browser: `make bench-app` (nothing else should be running).

With CLIPS="one.mp4 two.mp4" these clips are dropped too: 16 frames of 352 pixels, three times each.
Prints the median and the quartiles of each: a 12-megapixel JPEG from its drop, another sample and a
sample seen before from the click, each until the canvas has painted the answer to a hover over the new
picture; the longest stall of the page in the second and a half after that, in which the charts follow;
a pin until its charts
stand; an experiment until the page says what the network answers then; the first page of a fresh server;
and what the canvas alone costs (`bench_canvas`).

The page itself looks at the clock, from the browser's own time of the click or the drop: what the test
driver needs for finding things and for handing messages to and fro is not in the figures.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from tests.browser import bench_canvas
from tests.browser import canvas_harness as harness
from tests.browser.conftest import AppPage, running_app
from tests.browser.tabs import single_tab
from tests.load.files import photo
from viz_app.server.samples import SAMPLES
from viz_app.server.traces import DEFAULT_SIZE_PX

UPLOADS = 7
SEEN_ROUNDS = 2
EXPERIMENTS = 5
CLIP_ROUNDS, CLIP_SIZE_PX = 3, 352
# Of the next click or drop: how long until a hover over the new picture is answered, and then the longest
# time between two frames, in milliseconds.
TIME_THE_NEXT_PICTURE = """root => {
    const before = root.__canvas.probe.model.key;
    const stage = root.querySelector("[data-ref=stage]");
    window.tookMs = window.stalledMs = null;
    let start = 0;
    for (const type of ["click", "change"]) {
        addEventListener(type, (event) => { start ||= event.timeStamp; }, { capture: true, once: true });
    }
    const stall = (until, last, longest) => requestAnimationFrame(() => {
        const now = performance.now();
        const worst = Math.max(longest, now - last);
        if (now < until) stall(until, now, worst);
        else window.stalledMs = worst;
    });
    const hover = () => {
        root.addEventListener("a2-painted", () => {
            const now = performance.now();
            window.tookMs = now - start;
            stall(now + 1500, now, 0);
        }, { once: true });
        const box = stage.getBoundingClientRect();
        const at = { clientX: box.left + 0.31 * box.width, clientY: box.top + 0.4 * box.height };
        stage.dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true, pointerType: "mouse" }));
    };
    const look = () => {
        const canvas = root.__canvas.probe;
        if (canvas.model.key !== before && !canvas.awaited && canvas.pictures[0]) hover();
        else requestAnimationFrame(look);
    };
    look();
}"""
# From the next press of the mouse until the sentence over the charts has changed, in milliseconds.
TIME_THE_NEXT_PIN = """() => {
    const before = document.querySelector('.a2-pinned').textContent;
    let start = 0;
    window.tookMs = null;
    const watch = new MutationObserver(() => {
        const now = document.querySelector('.a2-pinned');
        if (start && now && now.textContent !== before) {
            watch.disconnect();
            window.tookMs = performance.now() - start;
        }
    });
    watch.observe(document.body, { childList: true, subtree: true, characterData: true });
    addEventListener('pointerdown', () => { start = performance.now(); }, { once: true, capture: true });
}"""
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
            if (document.querySelector('.a2-outcome')?.dataset.off === board(holder)) {
                window.tookMs = performance.now() - start;
            } else setTimeout(look, 5);
        };
        setTimeout(look);
    }, { once: true, capture: true });
}"""


def timed(app: AppPage, act: Callable[[], None]) -> tuple[float, float]:
    """Seconds from what `act` does until the new picture answers a hover, and the longest stall after it."""
    app.wait_until_idle()
    app.page.locator("[data-a2-root]").evaluate(TIME_THE_NEXT_PICTURE)
    act()
    app.page.wait_for_function("window.stalledMs !== null")
    app.wait_until_idle()
    took_ms, stalled_ms = app.page.evaluate("[window.tookMs, window.stalledMs]")
    return took_ms / 1000, stalled_ms / 1000


def report(what: str, seconds: list[float]) -> None:
    """One line: the median, the quartiles and every single time."""
    low, middle, high = np.quantile(seconds, (0.25, 0.5, 0.75))
    each = ", ".join(f"{value:.2f}" for value in seconds)
    print(f"{what:<42} {middle:5.2f} s   (quartiles {low:.2f}, {high:.2f}; {each})", flush=True)


def report_pictures(what: str, times: list[tuple[float, float]]) -> None:
    """Two lines: until the picture answers, and the longest stall while its charts follow."""
    report(what, [took for took, _ in times])
    report("    the longest stall after it", [stalled for _, stalled in times])


def main() -> None:
    """Run all measurements against one server."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path)
    clips = parser.parse_args().clips
    photos = [photo(seed) for seed in range(UPLOADS)]
    print(f"photos of {np.median([len(data) for data in photos]) / 1e6:.1f} MB")
    others = [sample.title for sample in SAMPLES[1:]]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=harness.chromium_path(), args=harness.CHROMIUM_ARGS
        )
        with running_app(Path(folder) / "server.log") as server:
            start = time.perf_counter()
            tab = single_tab(browser, width=1400, height=1000, reduced_motion="reduce")
            app = AppPage(tab, server.url)
            app.wait_until_traced()
            report("first page, model not yet loaded", [time.perf_counter() - start])
            for title in others:  # until they are all traced
                timed(app, lambda t=title: app.choose(t))  # type: ignore[misc]

            seen = [
                timed(app, lambda t=title: app.choose(t))  # type: ignore[misc]
                for title in (SAMPLES[0].title, *others) * SEEN_ROUNDS
            ]
            report_pictures("a sample seen before", seen)
            uploads = [
                timed(app, lambda s=seed, d=data: app.drop(f"{s}.jpg", d))  # type: ignore[misc]
                for seed, data in enumerate(photos)
            ]
            report_pictures("12-megapixel JPEG, dropped", uploads)

            pins = []
            for x, y in [(0.1, 0.1), (0.9, 0.2), (0.5, 0.5), (0.2, 0.85), (0.8, 0.9)]:
                app.wait_until_idle()
                app.page.evaluate(TIME_THE_NEXT_PIN)
                app.pin(x, y)
                app.page.wait_for_function("window.tookMs !== null")
                pins.append(app.page.evaluate("window.tookMs") / 1000)
            report("pin, click to changed charts", pins)

            for size in (352, DEFAULT_SIZE_PX + 224):  # sizes that nobody has asked for
                timed(app, lambda s=str(size): app.choose(s))  # type: ignore[misc]
                fresh = [timed(app, lambda t=title: app.choose(t)) for title in others]  # type: ignore[misc]
                report_pictures(f"another sample, never traced, {size} px", fresh)

            if clips:
                timed(app, lambda: app.choose(str(CLIP_SIZE_PX)))
            for clip in clips:
                # A byte behind the end of the file makes it another one, which was never traced.
                dropped = [
                    timed(app, lambda k=k, c=clip: app.drop(c.name, c.read_bytes() + bytes(k)))  # type: ignore[misc]
                    for k in range(CLIP_ROUNDS)
                ]
                report_pictures(f"{clip.name}, dropped", dropped)

            app.page.get_by_role("link", name="Experiment").click()
            app.page.locator("[data-a2-board] .tile").first.wait_for()
            experiments = []
            for number in range(2, 2 + EXPERIMENTS):
                app.wait_until_idle()
                app.page.evaluate(TIME_THE_NEXT_EXPERIMENT)
                app.page.locator("[data-a2-board] .tile").nth(number).click(no_wait_after=True)
                app.page.wait_for_function("window.tookMs !== null")
                experiments.append(app.page.evaluate("window.tookMs") / 1000)
            report("an experiment, click to the new answer", experiments)
            app.close()
        bench_canvas.measure(browser)
        browser.close()


if __name__ == "__main__":
    main()
