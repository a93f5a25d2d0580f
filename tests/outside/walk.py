"""The tutorials, walked as they are written, with the time of each step.

    python -m tests.outside.walk lesson       # docs/tutorials/lesson.md
    python -m tests.outside.walk explore own_network train atlas
    python -m tests.outside.walk deploy       # docs/tutorials/deploy.md, but for what needs a proxy

In a fresh folder, with photos of the walker's own, in Chromium where something is seen. A step ends when a
command is done, or what the tutorial promises is on screen; a step that never gets there ends the walk. What
was printed stands in docs/walkthrough.md.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.browser.canvas_harness import chromium_path
from tests.browser.streamlit_dom import DROP, IDLE

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE_MS = 180_000
CODE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
PHOTOS, PHOTO_PX = 114, 256  # of a folder of photos, which are windows of a few


class Walk:
    """Steps in turn, each with the seconds that it took."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def step(self, said: str) -> None:
        """What was just reached."""
        now = time.monotonic()
        print(f"{now - self._since:6.1f} s  {said}", flush=True)
        self._since = time.monotonic()


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def explorer(folder: Path, *options: str, **variables: str) -> Iterator[str]:
    """`a2-explorer` in `folder`, well; its address."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "A2_DEVICE": "cpu", **variables}
    command = [sys.executable, "-m", "viz_app", "--port", str(port), *options]
    log = (folder / "log.txt").open("wb")
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        answers(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
        log.close()


def answers(address: str, server: subprocess.Popen[bytes] | None = None) -> bytes:
    """What an address says, as soon as it says anything."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < end and (server is None or server.poll() is None):
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as found:
            return bytes(found.read())
        time.sleep(0.1)
    sys.exit(f"{address} does not answer")


def photo_in(folder: Path) -> Path:
    """A photo of the walker's own: the cat of scikit-image, turned round."""
    from skimage import data

    path = folder / "photo.png"
    Image.fromarray(data.chelsea()[:, ::-1]).save(path)
    return path


def photos_in(folder: Path) -> None:
    """A folder of photos: windows of those in scikit-image, some turned round."""
    from skimage import data

    whole = (data.chelsea(), data.coffee(), data.astronaut(), data.rocket())
    places = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for number in range(PHOTOS):
        photo = whole[number % len(whole)]
        top, left = (int(places.integers(side - PHOTO_PX + 1)) for side in photo.shape[:2])
        window = photo[top : top + PHOTO_PX, left : left + PHOTO_PX]
        Image.fromarray(window[:, ::-1] if number % 2 else window).save(folder / f"photos/{number}.jpg")


def at_rest(page: Any) -> None:
    """No run is going on."""
    page.locator(IDLE).wait_for()


def bring(page: Any, photo: Path) -> None:
    """The photo goes into the drop zone, and is on the canvas."""
    page.locator(DROP).first.set_input_files(str(photo))
    page.wait_for_url(re.compile("upload-"))
    at_rest(page)


def text_of(name: str) -> str:
    """A tutorial."""
    return (ROOT / "docs" / "tutorials" / f"{name}.md").read_text(encoding="utf-8")


def run(folder: Path, *arguments: str) -> None:
    """Python, in the walk's folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)


def run_code(name: str, folder: Path) -> None:
    """The programs of a tutorial."""
    for code in CODE.findall(text_of(name)):
        run(folder, "-c", code)


def run_commands(name: str, walk: Walk, folder: Path) -> None:
    """The commands of a tutorial, a step each."""
    for block in COMMANDS.findall(text_of(name)):
        for line in block.splitlines():
            words = shlex.split(line)
            assert words[0] == "python", line
            run(folder, *words[1:])
            walk.step(line)


def in_a_shell(name: str) -> Callable[[Walk, Path, Any], None]:
    """A tutorial that is all commands and programs."""

    def walked(walk: Walk, folder: Path, chromium: Any) -> None:
        del chromium
        photo_in(folder)
        photos_in(folder)
        walk.step("photos of one's own")
        run_commands(name, walk, folder)
        if CODE.search(text_of(name)):
            run_code(name, folder)
            walk.step("the program in Python")

    return walked


def lesson(walk: Walk, folder: Path, chromium: Any) -> None:
    """Seven steps on one's own picture, in front of a class, and the same numbers in Python."""
    photo = photo_in(folder)
    with explorer(folder) as url:
        walk.step("a2-explorer is there")
        page = opened(chromium, url)
        walk.step("the first page, with a picture traced")
        bring(page, photo)
        walk.step("my own picture is traced")
        page.get_by_role("link", name="Learn").click()
        page.locator("[data-a2-steps] .next").wait_for()
        at_rest(page)
        walk.step("Learn, step 1")
        for step in range(2, 8):
            page.locator("[data-a2-steps] .next").click()
            title = page.get_by_role("heading", name=re.compile(rf"^{step}\D"))
            title.wait_for()
            at_rest(page)
            walk.step(f"step {step} {title.inner_text().removeprefix(str(step)).strip()}")
        page.get_by_text("Check it yourself").click()
        page.locator("code", has_text="import numpy").first.wait_for()
        walk.step("the lines of NumPy")
        page.get_by_role("button", name=re.compile("^Present")).click()
        page.locator("html[data-a2-presenting]").wait_for(state="attached")
        walk.step("large, in front of a class")
        page.keyboard.press("Escape")
        page.locator("html:not([data-a2-presenting])").wait_for(state="attached")
        with page.expect_download() as download:
            page.get_by_role("button", name=re.compile("worksheet")).click()
        assert download.value.suggested_filename.endswith(".html")
        walk.step("the worksheet")
    run_code("lesson", folder)
    walk.step("the same numbers in Python")


def explore(walk: Walk, folder: Path, chromium: Any) -> None:
    """Files from a shell and from Python; then a place is pointed at, held, and the list read."""
    in_a_shell("explore")(walk, folder, chromium)
    with explorer(folder) as url:
        walk.step("a2-explorer is there")
        page = opened(chromium, url)
        walk.step("the first page, with a picture traced")
        stage = page.locator("[data-ref=stage]")
        stage.hover(position={"x": 60, "y": 60})
        page.get_by_text("under the pointer").first.wait_for()
        walk.step("a place answers the pointer")
        stage.click(position={"x": 60, "y": 60})
        page.wait_for_url(re.compile("pixel|pins|x\\d+y\\d+"))
        walk.step("it is held, and in the link")
        assert page.locator("[data-ref=rows] .a2c-row").first.inner_text()
        walk.step("the list's first row is read")


def deploy(walk: Walk, folder: Path, chromium: Any) -> None:
    """One machine of the room, its link with a code, numbers for Prometheus, and a folder of static files."""
    metrics = free_port()
    with explorer(folder, "--address", "0.0.0.0", A2_METRICS_PORT=str(metrics)) as url:
        walk.step("a2-explorer for the room is there")
        page = opened(chromium, url)
        page.get_by_role("button", name="Link", exact=True).click()
        page.get_by_role("dialog").locator("svg, img").first.wait_for()
        walk.step("the link and its code")
        told = answers(f"http://127.0.0.1:{metrics}/metrics").decode()
        assert "traces" in told
        walk.step("metrics")
    run(folder, "-m", "a2core", "site", "public")
    files = [path for path in (folder / "public").rglob("*") if path.is_file()]
    walk.step(f"the site: {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.0f} MB")


def opened(chromium: Any, url: str) -> Any:
    """Explore in a new tab, with its picture traced."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900}, locale="en-US", accept_downloads=True)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    page.locator("[data-ref=pairTitle]:not(:empty)").wait_for()
    at_rest(page)
    return page


WALKS = {"lesson": lesson, "explore": explore, "deploy": deploy}
WALKS |= {name: in_a_shell(name) for name in ("own_network", "train", "atlas")}


def main() -> int:
    """Walk what is named."""
    from playwright.sync_api import sync_playwright

    names = sys.argv[1:] or list(WALKS)
    if unknown := set(names) - set(WALKS):
        sys.exit(f"There is no walk {', '.join(sorted(unknown))}. There are {', '.join(WALKS)}.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        for name in names:
            print(f"docs/tutorials/{name}.md")
            with tempfile.TemporaryDirectory() as folder:
                WALKS[name](Walk(), Path(folder), chromium)
    return 0


if __name__ == "__main__":
    sys.exit(main())
