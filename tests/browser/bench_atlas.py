"""What the Primitives page costs over 50,000 photos: `make bench-atlas ATLAS=…` (nothing else running).

The pictures of ATLAS, a whole one, are repeated, and its exemplars spread over all of them. Printed:
medians of a few rounds of opening the page, of going to one primitive, and from "where else?" under Explore
to exemplars; how long frames take while 256 tiles are scrolled, and an empty page in turn; and the server's
memory.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from playwright.sync_api import sync_playwright

from tests.a2core.atlas.test_read import MANY, repeated
from tests.browser import canvas_harness as harness
from tests.browser.conftest import AppPage, running_app
from tests.browser.tabs import single_tab

ROUNDS = 5
TILE, EXEMPLAR = "ol.tiles:not(.small) img", "ol.tiles.small img"
EMPTY = "<main style='height: 100vh; overflow: auto'><div style='height: 20000px'></div></main>"
# Scrolls for two seconds, and gives the milliseconds between frames.
SCROLL = """main => new Promise((done) => {
    const times = [];
    const step = (now) => {
        times.push(now);
        main.scrollBy(0, 40);
        if (now - times[0] < 2000) requestAnimationFrame(step);
        else done(times.slice(1).map((time, at) => time - times[at]));
    };
    requestAnimationFrame(step);
})"""


def spread(folder: Path) -> None:
    """Have the exemplars lie all over the atlas, as those of 50,000 pictures would."""
    file = pq.ParquetFile(folder / "exemplars.parquet")
    rng = np.random.default_rng(0)
    made = folder / "spread.parquet"
    with pq.ParquetWriter(made, file.schema_arrow, compression="zstd") as writer:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            at = rows.column_names.index("photo")
            photos = rng.integers(0, MANY, len(rows)).astype(np.uint32)
            writer.write_table(rows.set_column(at, rows.field("photo"), [photos]))
    file.close()
    made.replace(folder / "exemplars.parquet")


def seconds(act: Any, there: Any) -> float:
    """From `act` until `there` is seen."""
    start = time.perf_counter()
    act()
    there.first.wait_for()
    return time.perf_counter() - start


def round_of(browser: Any, url: str) -> tuple[dict[str, float], list[float], list[float]]:
    """One visitor: every way once; the frames of the tiles and of an empty page."""
    bare = single_tab(browser, width=1400, height=1000)
    bare.set_content(EMPTY)
    empty = bare.locator("main").evaluate(SCROLL)
    bare.context.close()
    tab = single_tab(browser, width=1400, height=1000, reduced_motion="reduce")
    app = AppPage(tab, url)
    app.wait_until_traced()
    found = {}
    link = tab.get_by_role("link", name="Primitives")
    found["open the page"] = seconds(link.click, tab.locator(TILE))
    app.wait_until_idle()
    tab.get_by_role("radio", name="blocks.5").click()
    tab.locator("ol.tiles:not(.small) li").nth(200).wait_for(state="attached")
    app.wait_until_idle()
    frames = tab.locator("[data-testid=stMain]").evaluate(SCROLL)
    tab.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 0)")
    tile = tab.locator("ol.tiles button").nth(3)
    found["a tile to its exemplars"] = seconds(tile.click, tab.locator(EXEMPLAR))
    app.wait_until_idle()
    found["an exemplar to its maps"] = seconds(
        tab.locator("ol.tiles.small button").nth(2).click, tab.locator(".a2-again img")
    )
    tab.get_by_role("link", name="Explore").click()
    button = tab.get_by_role("link", name="Where else?")
    button.wait_for()
    app.wait_until_idle()
    found["where else? to exemplars"] = seconds(button.click, tab.locator(EXEMPLAR))
    app.close()
    return found, frames, empty


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("atlas", type=Path, help="a whole atlas of a shipped checkpoint")
    parser.add_argument("--as-it-is", action="store_true", help="do not repeat its pictures")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        atlas = args.atlas.absolute()
        if not args.as_it_is:
            atlas = repeated(atlas, Path(folder) / "large")
            spread(atlas)
        log = Path(folder) / "server.log"
        with running_app(log, environment={"A2_ATLAS": f"'{atlas}'"}) as server:
            browser = playwright.chromium.launch(
                executable_path=harness.chromium_path(), args=harness.CHROMIUM_ARGS
            )
            rounds = [round_of(browser, server.url) for _ in range(ROUNDS)]
            for name in rounds[0][0]:
                times = [found[name] for found, *_ in rounds[1:]]
                first = rounds[0][0][name]
                print(f"{name:<28} {statistics.median(times):5.2f} s, the first time {first:.2f} s")
            for at, what in ((1, "frames of tiles"), (2, "frames of an empty page")):
                low, high = np.percentile(np.concatenate([one[at] for one in rounds[1:]]), [50, 95])
                print(f"{what:<28} {low:.1f} ms in the middle, {high:.1f} ms of 95 in 100")
            print(f"{'server':<28} {server.memory_mb('VmHWM'):.0f} MB at most")
            browser.close()


if __name__ == "__main__":
    main()
