"""What the explorer without a server costs and how far it is from Python: `make bench-site`.

Loading, bytes, a photo, the camera on one thread and on two, hovers while the camera runs, and maps beside
Python's of ten photos, whole and cut so that nothing is scaled: PHOTOS names a folder of them.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import io
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from skimage import data as samples

import a2core
from a2core.site import build_site
from tests.browser import canvas_harness as harness
from tests.browser.test_site import PAGE, Quiet, Site, maps_in

LIVE_S, HOVERS = 10, 100
NETWORK_DONE = "() => document.documentElement.dataset.offline === 'yes'"


class Counting(Quiet):
    """A plain host that counts what it sends."""

    sent = 0

    def copyfile(self, source: Any, outputfile: Any) -> None:
        data = source.read()
        type(self).sent += len(data)
        outputfile.write(data)


class Isolating(Counting):
    """A host that sends what browsers want before they lend threads."""

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


def host_of(folder: Path, kind: type[Counting]) -> str:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def visit(browser: Any, address: str) -> Site:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, permissions=["camera"])
    return Site(context.new_page(), address)


def loading(browser: Any, address: str, host: type[Counting]) -> Site:
    """A first visit, timed."""
    start = time.perf_counter()
    site = visit(browser, address)
    site.settle()
    sample_s = time.perf_counter() - start
    site.page.wait_for_function(f"() => {PAGE}.work.ready().then(() => true)")
    network_s = time.perf_counter() - start
    sent = host.sent
    site.page.wait_for_function(NETWORK_DONE)
    threads = site.page.evaluate(f"() => {PAGE}.work.threads")
    print(
        f"first visit, {threads} thread(s): sample drawn after {sample_s:.1f} s, network ready after "
        f"{network_s:.1f} s and {sent / 1e6:.1f} MB; kept for offline after {host.sent / 1e6:.1f} MB; "
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    return site


def live(site: Site) -> None:
    """The camera's rate, and hovers meanwhile."""
    page = site.page
    page.locator("#camera").click()
    page.wait_for_function(f"() => {PAGE}.live.rate > 0")
    first = int(site.key.removeprefix("live-"))
    start = time.perf_counter()
    page.evaluate("""() => {
        window.paints = [];
        addEventListener("a2-painted", ({ detail }) => window.paints.push(detail.ms), true);
    }""")
    box = page.locator("[data-ref=stage]").bounding_box()
    for k in range(HOVERS):
        page.mouse.move(box["x"] + (0.1 + 0.8 * k / HOVERS) * box["width"], box["y"] + 0.5 * box["height"])
        page.evaluate("() => new Promise(requestAnimationFrame)")
    page.evaluate(
        "() => { window.best = 0;"
        " setInterval(() => { window.best = Math.max(window.best, a2Page.live.rate); }, 100); }"
    )
    page.wait_for_timeout(max(0, 1000 * (LIVE_S - (time.perf_counter() - start))))
    rate = (int(site.key.removeprefix("live-")) - first) / (time.perf_counter() - start)
    paints = np.array(page.evaluate("() => window.paints"))
    best = page.evaluate("() => window.best")
    print(
        f"  camera: {rate:.1f} frames a second, at best {best:.1f}; {len(paints)} hovers meanwhile "
        f"painted in {np.median(paints):.0f} ms, p95 {np.percentile(paints, 95):.0f} ms"
    )
    page.locator("#leave").click()
    page.wait_for_function(f"() => {PAGE}.shown.payload.key === 'sample'")


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def cut(pixels: np.ndarray) -> np.ndarray | None:
    """The middle of a photo, so that its long side is 448 and nothing is scaled; None where it is smaller."""
    height, width = pixels.shape[:2]
    if max(height, width) < 448:
        return None
    high, wide = (448, width // 32 * 32) if height > width else (height // 32 * 32, 448)
    high, wide = min(high, 448), min(wide, 448)
    y, x = (height - high) // 2, (width - wide) // 2
    return pixels[y : y + high, x : x + wide]


def agreement(site: Site, model: a2core.Model, photos: list[Path]) -> None:
    """The furthest that maps are from Python's, of each array's largest value."""
    for words, made in (("scaled", lambda pixels: pixels), ("cut, not scaled", cut)):
        furthest, took, top = {}, [], 0
        for path in photos:
            pixels = made(a2core.read_media(path, max_frames=1).frames[0])
            if pixels is None:
                continue
            data = png(pixels)
            payload = site.bring(path.name, data, "image/png")
            took.append(site.page.evaluate(f"() => {PAGE}.shown.ms"))
            trace = model.trace(a2core.read_media(data), size=448)
            top += site.page.evaluate(f"() => {PAGE}.shown.top[0].label") == trace.top[0][0]
            for (name, kind), found in maps_in(payload).items():
                expected = getattr(trace.blocks[name], kind).reshape(found.shape)
                off = float(np.abs(found - expected).max() / expected.max())
                furthest[name, kind] = max(off, furthest.get((name, kind), 0))
        listed = ", ".join(f"{kind} of {name} {off:.1e}" for (name, kind), off in furthest.items())
        print(
            f"  {len(took)} photos, {words}: traced in {np.median(took):.0f} ms (median; quickest "
            f"{min(took):.0f}), the best class the same on {top}; furthest from Python, "
            f"of the largest value: {listed}"
        )


def photos_in(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        yield from (Path(samples.data_dir) / name for name in ("chelsea.png", "coffee.png", "rocket.jpg"))
    else:
        yield from sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))[:10]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, nargs="?")
    parser.add_argument("--runtime", type=Path)
    args = parser.parse_args()
    model = a2core.load_model("a2-lite0", device="cpu", engine="torch")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        built = build_site(model, Path(folder) / "site", runtime=args.runtime)
        print(f"site: {built.first_visit_bytes / 1e6:.1f} MB in {len(built.files)} files")
        path = harness.chromium_path()
        browser = playwright.chromium.launch(executable_path=path, args=harness.CHROMIUM_ARGS)
        for kind in (Counting, Isolating):
            kind.sent = 0
            site = loading(browser, host_of(built.folder, kind), kind)
            live(site)
            agreement(site, model, list(photos_in(args.photos)))
            site.page.context.close()
        browser.close()


if __name__ == "__main__":
    main()
