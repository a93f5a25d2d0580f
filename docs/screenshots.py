"""Takes the screenshots in docs/: `python docs/screenshots.py [NAME …]`, from the repository root.

Starts the explorer on a free port, opens each page in Chromium at a fixed size and writes docs/NAME.webp.
With `--check` nothing is written: each page is held against its picture, coarsely, since another machine has
other fonts, and the exit status says whether one looks otherwise now. Chromium is found on the path, or named
in A2_CHROMIUM.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
PATIENCE_MS = 180_000  # the first page loads torch and the network
ALIKE_IN_A_ROW, PAUSE_MS = 4, 400
QUALITY = 82  # of a WebP: 60 to 130 kB a page
COARSE_PX, ALIKE = (
    24,
    12.0,
)  # of --check: the side of a patch, and by how many of 255 one may differ on average


def nothing(page: Any) -> None:
    """The page as it opens."""


def switch_off(page: Any) -> None:
    """The primitive at which the board begins is off."""
    page.locator("[data-a2-board] .flip").click()
    page.locator("[data-a2-board] .tile[aria-checked=false]").wait_for()
    page.locator(".a2-outcome:not([data-off=''])").wait_for()


def present(page: Any) -> None:
    """Large type, in front of a class."""
    page.locator("[data-a2-presenter] button", has_text="Present").click()
    page.locator("html[data-a2-presenting]").wait_for(state="attached")


@dataclass(frozen=True)
class Shot:
    """One screenshot: the page's address, what says that it is there, its size, and what is done first."""

    path: str
    ready: str
    width_px: int = 1400
    height_px: int = 900
    act: Callable[[Any], None] = nothing


# Not Primitives: its tiles show other people's photos, and a picture would leave out names and licences.
SHOTS = {
    "explore": Shot("/", "[data-ref=pairTitle]:not(:empty)", height_px=1000),
    "learn": Shot("/learn?step=4", ".js-plotly-plot, canvas, svg"),
    "compare": Shot("/compare", "[data-a2-root]"),
    "experiment": Shot("/experiment", ".a2-outcome", act=switch_off),
    "presenting": Shot("/", "[data-ref=pairTitle]:not(:empty)", 1280, 720, present),
    "chinese": Shot("/?lang=zh", "[data-ref=pairTitle]:not(:empty)", height_px=1000),
}


def main(argv: list[str] | None = None) -> int:
    """Take what is asked for; 1 where `--check` finds a picture that is not of today."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(SHOTS)}; all if none is named"
    )
    parser.add_argument("--check", action="store_true", help="write nothing, say what looks otherwise now")
    args = parser.parse_args(argv)
    if unknown := set(args.names) - set(SHOTS):
        parser.error(f"there is no screenshot {', '.join(sorted(unknown))}; there are {', '.join(SHOTS)}")
    other = 0
    with explorer() as url, browser() as chromium:
        taken(chromium, url, SHOTS["explore"])  # what follows is as it is once the pictures are traced
        for name in args.names or SHOTS:
            picture, file = taken(chromium, url, SHOTS[name]), ROOT / "docs" / f"{name}.webp"
            if args.check:
                difference = distance(picture, Image.open(file))
                other += difference > ALIKE
                print(f"{file.name}: the patch that differs most does so by {difference:.1f} of 255")
            else:
                picture.save(file, "WEBP", quality=QUALITY, method=6)
                print(f"{file.name}: {picture.width} × {picture.height}, {file.stat().st_size / 1e3:.0f} kB")
    return int(other > 0)


def taken(chromium: Any, url: str, shot: Shot) -> Image.Image:
    """What Chromium shows of a page, once it is at rest."""
    page = chromium.new_page(
        viewport={"width": shot.width_px, "height": shot.height_px},
        color_scheme="light",
        locale="en-US",
        reduced_motion="reduce",
    )
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url + shot.path)
    page.locator(shot.ready).first.wait_for()
    page.locator(IDLE).wait_for()
    shot.act(page)
    page.locator(IDLE).wait_for()
    page.evaluate("document.fonts.ready")
    seen = [b""]
    while len(seen) < ALIKE_IN_A_ROW or len(set(seen[-ALIKE_IN_A_ROW:])) > 1:  # pictures come when they come
        page.wait_for_timeout(PAUSE_MS)
        seen.append(page.screenshot())
    now = seen[-1]
    page.close()
    return Image.open(io.BytesIO(now)).convert("RGB")


def distance(one: Image.Image, other: Image.Image) -> float:
    """By how much the patches of two pictures differ where they differ most; 255 of another size."""
    if one.size != other.size:
        return 255.0
    size = tuple(side // COARSE_PX for side in one.size)
    small = [
        np.asarray(each.convert("RGB").resize(size, Image.Resampling.BOX), float) for each in (one, other)
    ]
    return float(np.abs(small[0] - small[1]).mean(axis=2).max())


@contextlib.contextmanager
def explorer() -> Iterator[str]:
    """The explorer of this tree, on a port of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "A2_DEVICE": "cpu", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "viz_app", "--address", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _until_well(f"http://127.0.0.1:{port}/_stcore/health", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _until_well(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.2)
    sys.exit("The explorer did not start: try `python -m viz_app`.")


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Chromium."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("A2_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sys.exit("No Chromium found. Install it, or name it in A2_CHROMIUM.")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=ARGUMENTS)


if __name__ == "__main__":
    sys.exit(main())
