"""What is taken away, from the buttons of a real page to what is in the files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.browser.conftest import AppPage, OpenApp

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LARGEST_PAGE = 3 * 1024 * 1024


def take(app: AppPage, kind: str, folder: Path) -> Path:
    """Press the button of one kind of file; where the file came to lie.

    Just then the page may draw its buttons anew: a press that came to nothing is pressed again, as people do.
    """
    for attempt in range(3):
        app.wait_until_idle()
        try:
            with app.page.expect_download(timeout=20_000) as download:
                app.page.locator(f".st-key-take-{kind} button").click()
            break
        except PlaywrightTimeoutError:
            if attempt == 2:
                raise
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_four_files_hold_what_is_on_screen(open_app: OpenApp, chromium: Any, tmp_path: Path) -> None:
    app = open_app()
    app.pin(0.1, 0.2)
    app.page.keyboard.press("ArrowRight")
    app.page.keyboard.press("p")
    app.page.keyboard.press("]")
    app.wait_until(lambda: "primitive=" in app.page.url and "_x" in app.page.url)
    app.wait_until_idle()
    canvas = app.page.locator("[data-a2-root]")
    seen = canvas.evaluate("root => root.__canvas.snapshot()")

    figure = take(app, "PNG", tmp_path)
    assert figure.name == "cat-blocks.4.png"
    with Image.open(figure) as image:
        assert image.width == 1800

    arrays = np.load(take(app, "NPZ", tmp_path))
    rho = arrays["blocks.4/distribute"][:, 0, seen["rest"]["row"], seen["rest"]["col"]]
    np.testing.assert_allclose(rho, seen["rho"], atol=1e-5)

    rows = list(csv.DictReader(take(app, "CSV", tmp_path).read_text().splitlines()))
    assert len(rows[0]) == 3, "the primitive and two pins"
    by_pixel = [np.array([row[name] for row in rows], np.float32) for name in list(rows[0])[1:]]
    assert any(np.array_equal(column, rho) for column in by_pixel)

    page = take(app, "HTML", tmp_path)
    assert page.stat().st_size < LARGEST_PAGE
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, offline=True)
    asked: list[str] = []
    offline = context.new_page()
    complaints: list[str] = []
    offline.on("request", lambda request: asked.append(request.url))
    offline.on(
        "console", lambda message: complaints.append(message.text) if message.type == "error" else None
    )
    offline.on("pageerror", lambda error: complaints.append(str(error)))
    offline.goto(page.as_uri())
    root = offline.locator("[data-a2-root]")
    root.wait_for()
    ready = "() => document.querySelector('[data-a2-root]')?.__canvas?.snapshot().ready"
    offline.wait_for_function(ready)  # a function: the page's policy allows no evaluated text
    again = root.evaluate("root => root.__canvas.snapshot()")
    for name in ("key", "block", "rest", "primitive", "pins", "direction", "large", "rho"):
        assert again[name] == seen[name], name
    stage = offline.locator("[data-ref=stage]").bounding_box()
    readouts = set()
    for x, y in np.random.default_rng(2).uniform(0.02, 0.98, (60, 2)):
        offline.mouse.move(stage["x"] + x * stage["width"], stage["y"] + y * stage["height"])
        offline.evaluate("() => new Promise(requestAnimationFrame)")
        told = root.evaluate("root => root.__canvas.snapshot()")
        readouts.add(tuple(told["cell"].values()))
        gather = arrays["blocks.4/gather"]
        gather = gather.reshape(len(gather), -1)
        weights = arrays["blocks.4/distribute"][:, 0, told["cell"]["row"], told["cell"]["col"]]
        np.testing.assert_allclose(told["attention"], weights @ gather, atol=2e-5)
    assert len(readouts) > 30
    context.close()
    assert complaints == []
    assert {address.split(":")[0] for address in asked} <= {"file", "data", "blob"}


def test_the_sum_of_the_marked_pixel_opens_as_a_table_and_follows_the_pin(open_app: OpenApp) -> None:
    app = open_app()
    app.page.get_by_text("The sum, number by number").click()
    app.page.get_by_test_id("stDataFrame").wait_for()
    said = app.page.locator(".a2-sum")
    before = said.inner_text()
    assert "bits" in before
    app.pin(0.9, 0.9)
    app.wait_until(lambda: said.inner_text() != before)
    assert app.page.get_by_test_id("stDataFrame").is_visible()
