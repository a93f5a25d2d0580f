"""A class goes through the lesson at once: `make bench-class` (nothing else should be running).

Ten sessions, each with one of the sample pictures, walk the seven steps of Learn in one Chromium, all at
the same time and without a pause to think, and move something at every step. Printed: how long each
step, and each move, took until the page stood; the processor time that it took of the server and of the
browser, which draws ten pages on the same machine; what went wrong; and how the server's memory grew.
`--app FOLDER` starts the app of another tree of this repository.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.browser import canvas_harness as harness
from tests.browser.conftest import ROOT, Server, running_app
from tests.browser.streamlit_dom import IDLE, SKELETON
from tests.load.bench_targets import met, percentile
from viz_app.server.samples import SAMPLES

SESSIONS, STEPS = 10, 7
LIMIT_S, LIMIT_MB = 2.0, 400
PATIENCE_MS = 120_000

# A page stands when the step is the one asked for, the figure is another than before, the run is over and
# every picture is there.
TIMER = """({ step, what, before, idleAt }) => new Promise((done) => {
    const from = window.askedAt;
    const look = () => {
        const heading = document.querySelector(".a2-step h1 b")?.textContent;
        const figure = what && document.querySelector(`[data-what=${what}]`)?.textContent;
        const idle = document.querySelector(idleAt);
        const drawn = [...document.images].every((image) => image.complete);
        if (heading === String(step) && (!what || figure !== before) && idle && drawn) {
            done((performance.now() - from) / 1000);
        } else if (performance.now() - from > 60000) done(60);
        else setTimeout(look, 50);
    };
    look();
})"""
# The clock starts at the key itself, inside the page.
CLOCK = """addEventListener("keydown", () => (window.askedAt = performance.now()), true)"""


@dataclass
class Session:
    """One student's page, and what was measured there, in seconds."""

    page: Page
    turns: dict[int, float] = field(default_factory=dict)
    moves: dict[int, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


async def open_session(browser: Browser, url: str, picture: str) -> Session:
    """A page on Learn's first step, with its own picture."""
    context = await browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    session = Session(page)
    page.on("pageerror", lambda error: session.faults.append(str(error)))
    await page.add_init_script(CLOCK)
    await page.goto(f"{url}/?picture={picture}")
    await page.get_by_role("link", name="Learn").click()
    await page.locator(".a2-numbers").first.wait_for()
    await page.locator("[data-a2-steps] [aria-current]").wait_for()
    await page.locator(IDLE).wait_for()
    await page.wait_for_function(f"!document.querySelector('{SKELETON}')")  # all parts are loaded
    return session


async def timed(session: Session, step: int, what: str, key: str, at: str = "") -> float:
    """Seconds from `key`, pressed in the element `at`, until `step` stands and the figure `what` changed.

    Keys, since what Playwright looks at before a click takes the browser a tenth of what the page takes.
    """
    page = session.page
    if at:
        await page.locator(at).first.focus()
    figure = page.locator(f"[data-what={what}]").first
    before = await figure.text_content() if what else None
    await page.keyboard.press(key)
    return float(await page.evaluate(TIMER, {"step": step, "what": what, "before": before, "idleAt": IDLE}))


async def walk(session: Session, number: int) -> None:
    """All seven steps; the figure in the middle of each is changed once."""
    page = session.page
    picker, slider = "[data-a2-picker]", ".st-key-lesson-primitive input"
    key = "ArrowRight" if number < len(SAMPLES) else "ArrowLeft"  # two with one picture part ways
    for step in range(1, STEPS + 1):
        if step > 1:
            session.turns[step] = await timed(session, step, "", "PageDown")
        if step == 3:  # whose figures are about a map, not about a cell
            session.moves[step] = await timed(session, step, "peak", key, slider)
        elif step == 4:  # whose sum has come to a cell, which stays in the grid
            at = await page.locator("[data-what=j_column]").first.text_content()
            back = "ArrowRight" if at == "0" else "ArrowLeft"
            session.moves[step] = await timed(session, step, "j_column", back, picker)
        else:
            session.moves[step] = await timed(session, step, "column", key, picker)
    if alerts := await page.get_by_test_id("stAlert").all_inner_texts():
        session.faults.extend(alerts)


def processor_s(server: Server) -> tuple[float, float]:
    """Processor seconds that the server has used so far, and this process with its browser, on Linux."""
    used, parents = {}, {}
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split() if folder.name.isdigit() else ()
        except OSError:  # ended meanwhile
            continue
        if fields:
            parents[int(folder.name)] = int(fields[1])
            used[int(folder.name)] = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def ours(pid: int) -> bool:
        while pid > 1 and pid != os.getpid():
            pid = parents.get(pid, 0)
        return pid == os.getpid()

    own = sum(seconds for pid, seconds in used.items() if pid != server.pid and ours(pid))
    return used[server.pid], own


async def quiet(server: Server) -> None:
    """Until the server has nothing left to do: for a second less than a twentieth of a processor."""
    before, _ = processor_s(server)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while True:
            await asyncio.sleep(1)
            now, _ = processor_s(server)
            if now - before < 0.05:
                return
            before = now


def report(what: str, seconds: Sequence[float]) -> None:
    """One line: median, 95th percentile, the slowest."""
    print(
        f"  {what:<34}{statistics.median(seconds):>8.2f} s{percentile(seconds, 0.95):>8.2f} s"
        f"{max(seconds):>8.2f} s   ({len(seconds)})"
    )


async def bench(server: Server, sessions: int) -> bool:
    """Measure and print; whether all targets were met."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=harness.chromium_path(), args=harness.CHROMIUM_ARGS
        )
        first = await open_session(browser, server.url, SAMPLES[0].name)
        await walk(first, 0)  # the teacher has tried it
        await first.page.context.close()
        before = server.memory_mb()
        found = await asyncio.gather(
            *(open_session(browser, server.url, SAMPLES[k % len(SAMPLES)].name) for k in range(sessions))
        )
        await quiet(server)  # the sample photos are traced behind the first visitors' backs
        opened, used_before = server.memory_mb(), processor_s(server)
        await asyncio.gather(*(walk(session, k) for k, session in enumerate(found)))
        used = [after - before for before, after in zip(used_before, processor_s(server), strict=True)]
        after, most = server.memory_mb(), server.memory_mb("VmHWM")
        await browser.close()

    turns = [value for session in found for value in session.turns.values()]
    moves = [value for session in found for value in session.moves.values()]
    faults = [fault for session in found for fault in session.faults]
    print(f"{sessions} sessions at once, {len(SAMPLES)} pictures, no pauses")
    print(f"  {'':<34}{'median':>10}{'95th %':>10}{'slowest':>10}")
    report("a step, from the key", turns)
    report("a move within it, from the key", moves)
    for step in range(1, STEPS + 1):
        values = [s.turns[step] for s in found if step in s.turns] + [s.moves[step] for s in found]
        report(f"step {step}, both", values)
    by_server, by_browser = (1e3 * seconds / len(turns + moves) for seconds in used)
    print(f"  processor time of each: {by_server:.0f} ms of the server, {by_browser:.0f} ms of the browser")
    print(
        f"  server's memory: {before:.0f} MB after one visitor, {opened:.0f} MB with all on Learn, "
        f"{after:.0f} MB after the walk, {most:.0f} MB at its peak"
    )
    for fault in faults:
        print(f"  fault: {fault}")
    targets = {
        f"each step within {LIMIT_S:g} s (95th percentile)": percentile(turns + moves, 0.95) <= LIMIT_S,
        f"memory grows by less than {LIMIT_MB} MB": most - before < LIMIT_MB,
        "no error": not faults,
    }
    return met(targets)


def main() -> int:
    """Run against a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--app", type=Path, default=ROOT, metavar="FOLDER", help="tree whose app is started")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        program = ("-m", "streamlit", "run", "viz_app/app.py")  # which every tree knows
        with running_app(log, program=program, root=args.app.resolve()) as server:
            holds = asyncio.run(bench(server, args.sessions))
        if "Traceback" in log.read_text():
            print(log.read_text())
            holds = False
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
