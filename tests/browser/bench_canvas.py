"""Times what the canvas alone does in a browser, beside a yardstick taken in the same page and round.

A hover from the event to the painted answer, and a frame of a clip that plays, from the call to its last
stroke. The yardstick is one pass of multiplying and adding over the maps of the block, in plain JavaScript,
between two rounds: what else the machine does slows both down, and the ratio says what the canvas costs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from a2core.canvas import standalone_html
from tests.browser import canvas_harness as harness
from tests.browser.tabs import single_tab

ROUNDS, HOVERS, PLAYED = 5, 200, 48
HOVERED = [(64, (448, 448)), (64, (672, 672)), (256, (672, 672))]
YARDSTICK = """([n, cells]) => {
    const maps = Float32Array.from({ length: n * cells }, (_, k) => (k % 97) / 97);
    const spent = [];
    for (let round = 0; round < 21; round++) {
        const sum = new Float32Array(cells);
        const start = performance.now();
        for (let pass = 0; pass < 8; pass++) {
            for (let i = 0; i < n; i++) for (let j = 0; j < cells; j++) sum[j] += 0.01 * maps[i * cells + j];
        }
        spent.push((performance.now() - start) / 8);
    }
    return spent.sort((a, b) => a - b)[10];
}"""
PLAY = f"""frames => {{
    const {{ probe, timeline }} = {harness.ROOT}.__canvas;
    timeline.playing = true;
    const spent = [];
    for (let k = 0; k < frames; k++) {{
        const start = performance.now();
        timeline.show((probe.state.frame + 1) % 16);
        cancelAnimationFrame(probe.raf);
        probe.hooks.draw();
        spent.push(performance.now() - start);
    }}
    timeline.playing = false;
    timeline.settle();
    return spent;
}}"""


def opened(browser: Any, folder: Path, payload: dict[str, Any]) -> harness.CanvasPage:
    """The canvas with `payload`, in a tab that was never used."""
    path = folder / "canvas.html"
    path.write_text(standalone_html(payload), encoding="utf-8")
    return harness.CanvasPage(single_tab(browser, width=1400, height=1000, **harness.OFFLINE), path)


def hovered(canvas: harness.CanvasPage, rng: np.random.Generator) -> float:
    """Milliseconds from the event to the painted answer, 95th percentile of 200."""
    canvas.page.evaluate("() => { window.paints.length = 0; }")
    box = canvas.stage()
    for across, down in rng.uniform(0.01, 0.99, (HOVERS, 2)):
        canvas.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    canvas.settle()
    canvas.page.wait_for_function("() => window.paints.length > 50")
    return float(np.percentile([paint["ms"] for paint in canvas.page.evaluate("() => window.paints")], 95))


def rounds(canvas: harness.CanvasPage, n: int, cells: int, once: Callable[[], float], what: str) -> None:
    """One line: the median over the rounds in milliseconds, and beside the yardstick of the same round."""
    once()
    yards, times = [], []
    for _ in range(ROUNDS):
        yards.append(canvas.page.evaluate(YARDSTICK, [n, cells]))
        times.append(once())
    canvas.page.context.close()
    ratio = np.median(np.divide(times, yards))
    print(f"{what:<42} {np.median(times):5.2f} ms  = {ratio:5.1f} × {np.median(yards):.2f} ms", flush=True)


def measure(browser: Any) -> None:
    """Print all of it."""
    print("the canvas alone: milliseconds, and beside one pass over the block's maps")
    with tempfile.TemporaryDirectory() as folder:
        for n, size in HOVERED:
            payload, _ = harness.make_payload(n=n, size=size, strides=(16,))
            canvas, rng = opened(browser, Path(folder), payload), np.random.default_rng(1)
            what = f"hover, n = {n}, {size[0]} px, 95th percentile"
            rounds(canvas, n, size[0] * size[1] // 256, lambda c=canvas, r=rng: hovered(c, r), what)  # type: ignore[misc]
        payload, _ = harness.make_clip()
        canvas = opened(browser, Path(folder), payload)
        canvas.hover_cell(10, 10, (22, 22))
        rounds(
            canvas,
            payload["blocks"][0]["n"],
            16 * 22 * 22,
            lambda: float(np.median(canvas.page.evaluate(PLAY, PLAYED))),
            f"a frame of play, 16 × 22 × 22, of {1000 / 24:.0f} ms",
        )


if __name__ == "__main__":
    with sync_playwright() as playwright:
        measure(
            playwright.chromium.launch(executable_path=harness.chromium_path(), args=harness.CHROMIUM_ARGS)
        )
