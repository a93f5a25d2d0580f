"""A picture of what is on screen: shared by the system's sheet where fingers are, saved elsewhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser import canvas_harness as harness
from tests.browser.test_canvas import Show, offline, show, touched  # noqa: F401  (fixtures)

pytestmark = pytest.mark.browser

SHARE = "[data-ref=share]"
# A system's sheet, which a headless browser has not: it keeps what it is handed, or fails as it is told.
SHEET = """fault => {
    window.handed = [];
    navigator.canShare = ({ files }) => files.length === 1;
    navigator.share = async ({ files }) => {
        if (fault) throw new DOMException("", fault);
        window.handed.push([files[0].name, files[0].type, [...new Uint8Array(await files[0].arrayBuffer())]]);
    };
}"""


def saved(canvas: harness.CanvasPage, press: Callable[[], None]) -> tuple[str, np.ndarray]:
    """The name of the file that a press saves, and its picture (height, width, 3)."""
    with canvas.page.expect_download() as download:
        press()
    picture = Image.open(Path(download.value.path())).convert("RGB")
    return download.value.suggested_filename, np.asarray(picture, np.float64)


def on_screen(canvas: harness.CanvasPage) -> np.ndarray:
    """The stage as it is painted, (height, width, 3)."""
    left, top, width, height = (round(edge) for edge in canvas.stage().values())
    shot = canvas.page.screenshot(clip={"x": left, "y": top, "width": width, "height": height})
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), np.float64)


@pytest.mark.parametrize(
    "view",
    [
        {"probe": [0, 6, 20], "pinned": True},
        {"probe": [0, 2, 27], "direction": "to", "scale": "absolute"},
        {"probe": [0, 6, 20], "primitive": 3, "layer": "gather", "opacity": 0.4},
        {"pins": [[0, 4, 4], [0, 20, 20]], "probe": [0, 4, 4]},
        {"region": [0, 4, 4, 12, 16]},
        {"layer": "change"},
    ],
    ids=["pinned", "to", "primitive", "pins", "box", "change"],
)
def test_what_is_saved_is_what_is_on_screen_with_words_under_it(
    show: Show,  # noqa: F811
    view: dict[str, Any],
) -> None:
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload, view=view)
    canvas.page.evaluate(f"() => {harness.ROOT}.__canvas.probe.touch()")  # the hint is no part of the picture
    canvas.page.locator("[data-ref=hint]").wait_for(state="hidden")
    canvas.settle()
    name, picture = saved(canvas, lambda: canvas.page.locator(SHARE).click())
    seen = on_screen(canvas)
    height = len(seen)
    assert picture.shape[1] == seen.shape[1]
    assert np.abs(picture[:height] - seen).mean() < 2, "levels of 255, on average over the picture"
    far = (np.abs(picture[:height] - seen).max(axis=-1) > 60).mean()
    assert far < 0.005, "marks too, but for the edges of thin lines"
    words = picture[height:]
    assert (words[0] == 255).all(), "on white"
    assert 0.01 < (words < 128).mean() < 0.3
    assert name == ("blocks.4-gather-g3.png" if "primitive" in view else f"blocks.4-{_kind(view)}.png")
    assert canvas.page.locator("[data-ref=shared]").inner_text() == ""


def _kind(view: dict[str, Any]) -> str:
    return "received" if view.get("direction") == "to" else view.get("layer", "attention")


def test_what_a_class_guesses_is_not_in_the_picture(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload)
    canvas.page.locator("[data-ref=guess]").click()
    canvas.settle()
    canvas.page.locator("[data-ref=hint]").evaluate("hint => hint.remove()")
    _, picture = saved(canvas, lambda: canvas.page.locator(SHARE).click())
    seen = on_screen(canvas)
    assert np.abs(picture[: len(seen)] - seen).mean() < 2


@pytest.fixture
def phone(touched: Show) -> harness.CanvasPage:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16,))
    return touched(payload, height=900)


def test_where_fingers_are_the_systems_sheet_gets_the_picture(phone: harness.CanvasPage) -> None:
    phone.page.evaluate(SHEET, None)
    button = phone.page.locator(SHARE)
    box = button.bounding_box() or {}
    assert min(box["width"], box["height"]) >= 40
    button.tap()
    phone.page.wait_for_function("() => window.handed.length === 1")
    name, kind, content = phone.page.evaluate("() => window.handed[0]")
    assert (name, kind) == ("blocks.4-attention.png", "image/png")
    assert Image.open(io.BytesIO(bytes(content))).format == "PNG"


def test_a_sheet_that_somebody_closes_is_no_error(phone: harness.CanvasPage) -> None:
    phone.page.evaluate(SHEET, "AbortError")
    count = "() => { window.saves = 0; HTMLAnchorElement.prototype.click = () => window.saves++; }"
    phone.page.evaluate(count)
    phone.page.evaluate(f"() => {harness.ROOT}.__canvas.share.share()")
    assert phone.page.evaluate("() => window.saves") == 0
    assert phone.page.locator("[data-ref=shared]").inner_text() == ""


def test_where_sharing_fails_the_picture_is_saved_and_that_is_said(phone: harness.CanvasPage) -> None:
    phone.page.evaluate(SHEET, "NotAllowedError")
    name, _ = saved(phone, lambda: phone.page.locator(SHARE).tap())
    assert name == "blocks.4-attention.png"
    phone.page.get_by_role("status").filter(has_text="saved as a file").wait_for()


def test_a_picture_that_cannot_be_made_is_said_and_what_to_do(phone: harness.CanvasPage) -> None:
    phone.page.evaluate("() => { HTMLCanvasElement.prototype.toBlob = (take) => take(null); }")
    phone.page.locator(SHARE).tap()
    phone.page.get_by_role("status").filter(has_text="Make the window smaller").wait_for()
