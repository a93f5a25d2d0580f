"""Thirty visitors of one server, without browsers: `make bench-visitors` (nothing else should be running).

They speak Streamlit's own protocol (`visitor`), from this process, to a server that it starts on 127.0.0.1.
First one visitor alone, several times; then thirty at once who

1. drop one and the same new clip: it must be traced once;
2. drop a photo of their own each: all are served, in at most 1.5 × thirty times what one waits;
3. drop another new clip, while the first of them leaves in the midst of it and the last sends a bomb.

Printed: how long each waited, how many were told their place in the queue, how many traces the server made,
its memory, what went wrong. With `--soak MINUTES` a visitor arrives every ten seconds, drops a photo of their
own (every third one a clip), looks at it for a while and leaves; memory is printed every minute.
`--app FOLDER` starts the app of another tree of this repository.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.browser.conftest import ROOT, Server, running_app
from tests.load import files
from tests.load.bench_targets import met, percentile
from tests.load.visitor import Visitor
from viz_app.server.samples import SAMPLES

VISITORS, ALONE = 30, 5
MOST_RATIO = 1.5
BOUND_MB = 2500  # of the server's memory, at its most, over what it holds with one visitor
SOAK_EVERY_S, SOAK_STAY_S, SOAK_CLIP_EVERY = 10.0, 20.0, 3
SOAK_SETTLED_MIN, SOAK_SPREAD_MB = 10, 100
# "You are 3rd in line.", "4 before you.", "place 7", "2 visitors ahead": a number and what it counts.
PLACE = re.compile(
    r"\b(\d+)(?:st|nd|rd|th)?\b[^.]*\b(?:in line|before you|ahead|in the queue)|\bplace (\d+)\b"
)
UNDER_WAY = re.compile(rf"\b[Tt]racing\b|{PLACE.pattern}")
LOGGED_FAULT = re.compile(r"Traceback|^\S*Error\b|\bERROR\b", re.MULTILINE)


@dataclass(frozen=True)
class Served:
    """What one visitor got for a file."""

    took_s: float
    told: frozenset[int]  # places in the queue
    fault: str = ""


class Counted:
    """A running server and the traces that it made."""

    def __init__(self, server: Server, traces: Path) -> None:
        self.server, self._traces = server, traces

    def traces(self) -> list[str]:
        """One line for each trace so far: frames, width, height, digest."""
        return self._traces.read_text().splitlines() if self._traces.exists() else []

    async def samples_traced(self) -> None:
        """Until the server has traced the sample photos, which it does behind the first visitor's back."""
        async with asyncio.timeout(300):
            while len(self.traces()) < len(SAMPLES):
                await asyncio.sleep(0.2)


async def serve(visitor: Visitor, name: str, data: bytes) -> Served:
    """Drop a file and wait until the canvas answers for it, or the page says why it cannot."""
    keys, alerts, texts = len(visitor.keys), len(visitor.alerts), len(visitor.texts)
    start = time.perf_counter()
    fault = ""
    try:
        await visitor.upload(name, data)
        await visitor.until(lambda: len(visitor.keys) > keys or len(visitor.alerts) > alerts)
    except (TimeoutError, ConnectionError) as error:
        fault = f"{type(error).__name__}: {error}"
    took_s = time.perf_counter() - start
    if len(visitor.keys) == keys:
        fault = fault or " ".join(visitor.alerts[alerts:])
    matches = [match for text in visitor.texts[texts:] if (match := PLACE.search(text))]
    return Served(took_s, frozenset(int(match[1] or match[2]) for match in matches), fault)


async def crowd(stack: AsyncExitStack, url: str, count: int) -> list[Visitor]:
    """`count` visitors whose pages stand."""
    visitors = await asyncio.gather(*(stack.enter_async_context(Visitor(url)) for _ in range(count)))
    await asyncio.gather(*(visitor.stand() for visitor in visitors))
    return visitors


async def leave_in_the_midst(visitor: Visitor, name: str, data: bytes) -> None:
    """Drop a file, and close the tab as soon as the page says that it is traced, or waits for that."""
    keys, texts = len(visitor.keys), len(visitor.texts)
    await visitor.upload(name, data)
    await visitor.until(
        lambda: len(visitor.keys) > keys or any(UNDER_WAY.search(text) for text in visitor.texts[texts:])
    )
    await visitor.leave()


def report(what: str, served: Sequence[Served]) -> None:
    """Two lines: how long they waited, and how many were told their place."""
    took = [one.took_s for one in served]
    told = [one.told for one in served if one.told]
    print(
        f"  {what:<44}{statistics.median(took):>7.2f} s{percentile(took, 0.95):>9.2f} s{max(took):>9.2f} s"
        f"   ({len(took)})",
        flush=True,
    )
    if len(served) > ALONE:
        places = sorted(set().union(*told)) if told else []
        print(f"    told their place in the queue: {len(told)} of {len(took)} {places or ''}", flush=True)


async def alone(url: str, photos: Sequence[bytes]) -> list[Served]:
    """One visitor at a time, each with a photo."""
    found = []
    for k, data in enumerate(photos):
        async with Visitor(url) as visitor:
            await visitor.stand()
            found.append(await serve(visitor, f"alone-{k}.jpg", data))
    return found


async def same_clip(counted: Counted, visitors: Sequence[Visitor]) -> tuple[list[Served], int]:
    """All drop the same new clip: what they got, and how many traces were made of it."""
    before, clip = len(counted.traces()), files.clip(1)
    served = await asyncio.gather(*(serve(visitor, "same.mp4", clip) for visitor in visitors))
    return served, len(counted.traces()) - before


async def own_photos(visitors: Sequence[Visitor], photos: Sequence[bytes]) -> list[Served]:
    """Each drops a photo of their own."""
    pairs = enumerate(zip(visitors, photos, strict=True))
    return await asyncio.gather(*(serve(visitor, f"own-{k}.jpg", data) for k, (visitor, data) in pairs))


async def unruly(counted: Counted, visitors: Sequence[Visitor]) -> tuple[list[Served], Served, int]:
    """All drop another clip; the first leaves in the midst of it, the last drops a bomb in its place."""
    before, clip = len(counted.traces()), files.clip(2)
    leaving = asyncio.create_task(leave_in_the_midst(visitors[0], "second.mp4", clip))
    *served, bombed = await asyncio.gather(
        *(serve(visitor, "second.mp4", clip) for visitor in visitors[1:-1]),
        serve(visitors[-1], "bomb.png", files.bomb()),
    )
    await leaving
    return served, bombed, len(counted.traces()) - before


async def bench(counted: Counted, count: int, bound_mb: float) -> bool:
    """All scenarios, printed; whether all targets were met."""
    server = counted.server
    async with Visitor(server.url) as first:
        await first.stand()
        await counted.samples_traced()
    photos = files.photos(ALONE + 1 + count)
    print(f"photos of {statistics.median(map(len, photos)) / 1e6:.1f} MB, {count} visitors")
    print(f"  {'':<44}{'median':>9}{'95th %':>11}{'slowest':>11}")
    one = (await alone(server.url, photos[: ALONE + 1]))[1:]  # the first pays for what is loaded late
    report("one alone, a photo of their own", one)
    before = server.memory_mb()
    async with AsyncExitStack() as stack:
        visitors = await crowd(stack, server.url, count)
        opened = server.memory_mb()
        clip, clip_traces = await same_clip(counted, visitors)
        report("all at once, the same new clip", clip)
        print(f"    traces made: {clip_traces}")
        own = await own_photos(visitors, photos[ALONE + 1 :])
        report("all at once, a photo of their own each", own)
        rest, bombed, rest_traces = await unruly(counted, visitors)
        report("the same, one leaves, one sends a bomb", rest)
        print(f"    traces made: {rest_traces}; the bomb was told: {bombed.fault or 'nothing'}")
        after, most = server.memory_mb(), server.memory_mb("VmHWM")
        print(
            f"  server's memory: {before:.0f} MB after single visitors, {opened:.0f} MB with {count} pages, "
            f"{after:.0f} MB at the end, {most:.0f} MB at its peak"
        )
    faults = [each.fault for each in (*one, *clip, *own, *rest) if each.fault]
    faults += [fault for visitor in visitors for fault in visitor.faults]
    for fault in dict.fromkeys(faults):
        print(f"  fault ({faults.count(fault)} times): {fault}")
    ratio = percentile([each.took_s for each in own], 0.95) / (
        count * statistics.median(each.took_s for each in one)
    )
    return met(
        {
            f"one trace of the clip that all drop: {clip_traces}": clip_traces == 1,
            f"at most two where the first leaves: {rest_traces}": 1 <= rest_traces <= 2,
            f"95th percentile of photos {ratio:.2f} × {count} × one, wanted {MOST_RATIO}": ratio
            <= MOST_RATIO,
            "all but the next are told their place": sum(bool(each.told) for each in own) >= count - 2,
            "the bomb is refused in words": "pixels" in bombed.fault,
            f"memory at most {bound_mb:.0f} MB over one visitor's: {most - before:.0f}": most - before
            <= bound_mb,
            "no error": not faults,
        }
    )


async def stay(url: str, number: int) -> str:
    """One visitor of the soak, from arriving to leaving; what went wrong, or ""."""
    brings_clip = number % SOAK_CLIP_EVERY == SOAK_CLIP_EVERY - 1
    if brings_clip:
        name, data = f"soak-{number}.mp4", await asyncio.to_thread(files.clip, 1000 + number)
    else:
        name, data = f"soak-{number}.jpg", await asyncio.to_thread(files.photo, 1000 + number, 2000, 1500)
    try:
        async with Visitor(url) as visitor:
            await visitor.stand()
            served = await serve(visitor, name, data)
            await asyncio.sleep(SOAK_STAY_S)
            return served.fault or " ".join(visitor.faults)
    except (TimeoutError, ConnectionError, OSError) as error:
        return f"{type(error).__name__}: {error}"


async def soak(server: Server, minutes: int) -> bool:
    """A visitor every ten seconds for so many minutes; whether memory stayed flat and nobody met a fault."""
    start, memory, tasks = time.monotonic(), [], []

    async def sleep_until(second: float) -> None:
        await asyncio.sleep(max(0.0, start + second - time.monotonic()))

    async def watch() -> None:
        # A single reading hangs on whether a clip is just being decoded; what stays is a minute's median.
        for minute in range(1, minutes + 1):
            readings = []
            for second in range(60 * (minute - 1), 60 * minute):
                await sleep_until(second + 1.0)
                readings.append(server.memory_mb())
            memory.append(statistics.median(readings))
            print(
                f"  minute {minute:>3}: {memory[-1]:.0f} MB ({min(readings):.0f} to {max(readings):.0f}), "
                f"{len(tasks)} visitors so far",
                flush=True,
            )

    watching = asyncio.create_task(watch())
    for number in range(int(60 * minutes / SOAK_EVERY_S)):
        await sleep_until(number * SOAK_EVERY_S)
        tasks.append(asyncio.create_task(stay(server.url, number)))
    await watching
    faults = [fault for fault in await asyncio.gather(*tasks) if fault]
    for fault in dict.fromkeys(faults):
        print(f"  fault ({faults.count(fault)} times): {fault}")
    print(f"  server's memory at its peak: {server.memory_mb('VmHWM'):.0f} MB")
    targets = {"no error": not faults}
    if settled := memory[SOAK_SETTLED_MIN:]:
        spread = max(settled) - min(settled)
        words = f"medians of minutes after {SOAK_SETTLED_MIN} within {SOAK_SPREAD_MB} MB: {spread:.0f}"
        targets[words] = spread <= SOAK_SPREAD_MB
    return met(targets)


def main() -> int:
    """Run against a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--bound-mb", type=float, default=BOUND_MB, help="of memory, over one visitor's")
    parser.add_argument("--soak", type=int, default=0, metavar="MINUTES", help="instead of the crowds")
    parser.add_argument("--app", type=Path, default=ROOT, metavar="FOLDER", help="tree whose app is started")
    args = parser.parse_args()
    if not 3 <= args.visitors <= 100:
        parser.error("between 3 and 100 visitors")
    with tempfile.TemporaryDirectory() as folder:
        log, traces = Path(folder) / "server.log", Path(folder) / "traces"
        program = (str(Path(__file__).with_name("counted_server.py")), str(traces), "run", "viz_app/app.py")
        with running_app(log, program=program, root=args.app.resolve()) as server:
            counted = Counted(server, traces)
            work: Awaitable[bool] = (
                soak(server, args.soak) if args.soak else bench(counted, args.visitors, args.bound_mb)
            )
            holds = asyncio.run(work)  # type: ignore[arg-type]
        if LOGGED_FAULT.search(log.read_text()):
            print(log.read_text(), file=sys.stderr)
            print("  MISSED  nothing in the server's log")
            holds = False
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
