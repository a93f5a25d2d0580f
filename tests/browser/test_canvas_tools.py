"""The canvas's tools: pins compared, the gallery, words, the tour, presentation, touch, alignment."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from tests.browser import canvas_harness as harness
from tests.browser.test_canvas import Show, offline, show  # noqa: F401  (fixtures)

pytestmark = pytest.mark.browser


def click_cell(canvas: harness.CanvasPage, row: int, col: int, *, add: bool = False) -> dict[str, Any]:
    spot = canvas.spot((col + 0.5) / 28, (row + 0.5) / 28)
    if add:
        canvas.page.keyboard.down("Shift")
    canvas.page.mouse.click(*spot)
    if add:
        canvas.page.keyboard.up("Shift")
    return canvas.settle()


def press(canvas: harness.CanvasPage, *keys: str) -> dict[str, Any]:
    canvas.page.locator("[data-ref=stage]").focus()
    for key in keys:
        canvas.page.keyboard.press(key)
    return canvas.settle()


# ------------------------------------------------------------------------------------ pins


def test_up_to_four_pins_are_held_selected_and_removed(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload)
    cells = [[0, 4, 4], [0, 10, 20], [0, 20, 6], [0, 25, 25]]
    for k, (_, row, col) in enumerate(cells):
        click_cell(canvas, row, col, add=k > 0)
    assert canvas.snapshot()["pins"] == cells
    told = click_cell(canvas, 1, 1, add=True)
    assert told["pins"] == cells, "a fifth is refused"
    assert "4 pins are the most" in canvas.page.locator("[data-ref=live]").inner_text()
    marks = canvas.page.locator(".a2c-stage .a2c-pin:visible")
    assert marks.all_inner_texts() == ["1", "2", "3", "4"]
    assert len({m.evaluate("n => getComputedStyle(n).backgroundColor") for m in marks.all()}) == 4

    told = press(canvas, "2")
    assert (told["active"], told["rest"]) == (1, {"t": 0, "row": 10, "col": 20})
    canvas.page.wait_for_function("() => window.pins.at(-1)?.row === 10")
    report = canvas.pins()[-1]
    assert (report["row"], report["col"], report["view"]["pins"]) == (10, 20, cells)
    canvas.page.get_by_role("button", name="Remove pin 1").click()
    told = canvas.settle()
    assert (told["pins"], told["active"]) == (cells[1:], 0)
    told = press(canvas, "Delete", "Delete")
    assert len(told["pins"]) == 1
    assert not canvas.page.locator("[data-ref=compare]").is_visible()
    assert not press(canvas, "Escape")["pinned"]


def test_the_keyboard_adds_pins_and_a_plain_click_moves_the_one_in_use(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload, view={"probe": [0, 5, 5]})
    told = press(canvas, "Enter", "ArrowRight", "ArrowRight", "p")
    assert told["pins"] == [[0, 5, 5], [0, 5, 7]]
    assert click_cell(canvas, 9, 9)["pins"] == [[0, 5, 5], [0, 9, 9]]
    told = click_cell(canvas, 5, 5)
    assert (told["pins"], told["active"]) == ([[0, 5, 5], [0, 9, 9]], 0), "a pinned place is selected"


def test_pins_are_compared_side_by_side_with_differences(show: Show) -> None:  # noqa: F811
    payload, maps = harness.make_payload(n=24, seed=2, strides=(16,))
    pins = [[0, 4, 4], [0, 10, 20], [0, 24, 12]]
    canvas = show(payload, view={"probe": pins[1], "pins": pins})
    assert canvas.snapshot()["active"] == 1
    rhos = [maps["blocks.4"].rho(*pin) for pin in pins]
    union = {int(i) for rho in rhos for i in np.argsort(-rho.astype(np.float32), kind="stable")[:4]}
    keys = [int(key[1:]) for key in canvas.page.locator(".a2c-key").all_inner_texts()]
    assert set(keys) == union
    rows = canvas.page.locator("[data-ref=compareRows] tr")
    for k, i in enumerate(keys):
        cells = rows.nth(k).locator("td")
        shares = [
            float(t.replace("<\u202f", "").split("\u202f")[0])
            for t in cells.locator("span").all_inner_texts()
        ]
        np.testing.assert_allclose(shares, [100 * rho[i] for rho in rhos], atol=0.51)
        difference = cells.nth(2).locator("small").inner_text().replace("−", "-").replace("±", "")
        assert float(difference) == pytest.approx(100 * (rhos[2][i] - rhos[0][i]), abs=0.51)
    canvas.page.locator(".a2c-key").first.hover()
    assert canvas.settle()["large"] == {"kind": "gather", "i": keys[0]}


def test_another_revision_sets_everything_back(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16,))
    view = {
        "probe": [0, 3, 3],
        "pinned": True,
        "pins": [[0, 3, 3]],
        "region": None,
        "direction": "from",
        "revision": 1,
    }
    canvas = show(payload, view=view)
    press(canvas, "d", "ArrowRight", "p", "Shift+ArrowDown")
    told = canvas.update(payload, view)
    assert (told["direction"], len(told["pins"])) == ("to", 2), "the same view again changes nothing"
    told = canvas.update(payload, view | {"revision": 2})
    assert (told["direction"], told["pins"], told["region"]) == ("from", [[0, 3, 3]], None)


def test_a_view_of_another_block_may_name_a_layer_of_its_primitive(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16, 32))
    first, second = (block["name"] for block in payload["blocks"])
    canvas = show(payload, view={"block": first, "revision": 1})
    view = {"block": second, "probe": [0, 2, 2], "primitive": 3, "layer": "gather", "revision": 2}
    told = canvas.update(payload, view)
    assert (told["block"], told["large"]) == (second, {"kind": "gather", "i": 3})


# ------------------------------------------------------------------------------------ gallery


@pytest.fixture
def gallery(show: Show) -> harness.CanvasPage:  # noqa: F811
    """Primitives 3, 5 and 9 gathered from the same places but for a trace; cards and effects for all."""
    rng = np.random.default_rng(11)
    n, h, w = 12, 14, 14
    gather = harness.softmax(3.0 * harness.smooth_noise(rng, n, h, w)[:, None], axis=(1, 2, 3))
    gather[5] = 0.99 * gather[3] + 0.01 * gather[0]
    gather[9] = 0.98 * gather[3] + 0.02 * gather[1]
    distribute = harness.softmax(2.5 * harness.smooth_noise(rng, n, h, w)[:, None], axis=0)
    raw, _ = harness.block_payload("blocks.4", "parts", gather, distribute)
    raw["cards"] = [f"serves {'cats' if i % 2 else 'dogs'}" for i in range(n)]
    raw["effect"] = [0.01 * (-1) ** i * i for i in range(n)]
    url = harness.picture_url(harness.gradient_picture(224, 224))
    canvas = show(harness.envelope([raw], [url], (224, 224)))
    canvas.page.locator(".a2c-grid").scroll_into_view_if_needed()
    canvas.page.wait_for_function(f"() => {harness.ROOT}.__canvas.probe.state.block.groups")
    canvas.settle()
    return canvas


def visible_tiles(canvas: harness.CanvasPage) -> list[int]:
    return [int(name[1:]) for name in canvas.page.locator(".a2c-tile:visible b").all_inner_texts()]


def test_look_alikes_are_one_stack_that_opens(gallery: harness.CanvasPage) -> None:
    shown = visible_tiles(gallery)
    assert len(shown) == 10
    assert len({3, 5, 9} & set(shown)) == 1
    pile = gallery.page.locator(".a2c-pile:visible")
    assert pile.all_inner_texts() == ["+2"]
    pile.click()
    gallery.settle()
    opened = visible_tiles(gallery)
    assert sorted(opened) == list(range(12))
    at = min(opened.index(i) for i in (3, 5, 9))
    assert {*opened[at : at + 3]} == {3, 5, 9}, "they stand together"


def test_the_gallery_is_filtered_by_number_and_by_word(gallery: harness.CanvasPage) -> None:
    box = gallery.page.locator("[data-ref=filter]")
    for text, expected in [("g5", {5}), ("g1, 7", {1, 7}), ("CATS", {1, 3, 5, 7, 9, 11}), ("whale", set())]:
        box.fill(text)
        gallery.settle()
        assert set(visible_tiles(gallery)) == expected
    assert "none found" in gallery.page.locator("[data-ref=found]").inner_text()
    box.fill("")
    gallery.settle()
    assert len(visible_tiles(gallery)) == 10


def test_the_gallery_sorts_by_effect_and_tells_each_card(gallery: harness.CanvasPage) -> None:
    gallery.page.locator("[data-ref=sort] input[value=effect]").check(force=True)
    told = gallery.settle()
    assert told["gallery"][:2] == [11, 10]
    tile = gallery.page.locator(".a2c-tile").first
    assert "serves cats" in (tile.get_attribute("aria-label") or "")
    assert tile.get_attribute("title") == "serves cats"
    assert tile.locator("em").inner_text() == "−11\u202fpts"


def test_effects_that_the_page_measures_sort_the_gallery_once_they_are_there(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, strides=(32,))
    canvas = show({**payload, "measures": ["effect"]})
    canvas.page.locator("[data-ref=sort] input[value=effect]").check(force=True)
    told, found = canvas.settle(), canvas.page.locator("[data-ref=found]")
    assert told["gallery"] == told["order"], "by ρ until then"
    assert "measuring" in found.inner_text()
    canvas.page.wait_for_function("() => window.views.at(-1)?.view.sort === 'effect'")  # the page is asked
    effect = [0.0, 0.01, -0.3, 0.02, 0.2, 0.0, 0.0, -0.1]
    told = canvas.update({**payload, "blocks": [{**payload["blocks"][0], "effect": effect}]})
    assert told["gallery"][:3] == [2, 4, 7]
    assert found.inner_text() == ""
    assert canvas.page.locator(".a2c-tile em").first.inner_text() == "−30\u202fpts"


def test_no_effect_no_sorting_by_it(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, strides=(32,))
    canvas = show(payload, view={"sort": "effect"})
    assert canvas.page.locator("[data-ref=sort] input").count() == 3
    assert canvas.snapshot()["gallery"] == canvas.snapshot()["order"]


# ------------------------------------------------------------------------------------ words, presentation


def test_every_term_is_explained_on_hover_and_on_focus(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, strides=(16, 32))
    canvas = show(payload)
    tip = canvas.page.locator(".a2c-tip")
    assert not tip.is_visible()
    terms = canvas.page.locator("[data-term]:visible")
    seen = set()
    for term in terms.all():
        term.hover()
        name = term.get_attribute("data-term") or ""
        assert tip.is_visible(), name
        assert len(tip.inner_text()) > 30
        seen.add(name)
    assert seen >= {"primitive", "theta", "rho", "attention", "half", "block", "relative", "absolute"}
    canvas.page.mouse.move(2, 2)
    assert not tip.is_visible()
    canvas.page.locator("[data-ref=peel]").focus()
    canvas.page.keyboard.press("Tab")
    assert "primitive" in tip.inner_text()
    assert tip.is_visible()
    canvas.page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_the_tour_is_taken_by_keyboard_remembered_and_found_again(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8)
    canvas = show(payload)
    button, card = canvas.page.locator("[data-ref=tour]"), canvas.page.locator(".a2c-tour")
    assert button.inner_text() == "? Tour"
    assert not card.is_visible(), "nobody is stopped by it"
    button.focus()
    titles = []
    canvas.page.keyboard.press("Enter")
    while card.is_visible():
        titles.append(card.locator("h3").inner_text()[:1])
        canvas.page.keyboard.press("Enter")
    assert titles == ["1", "2", "3"]
    assert button.inner_text() == "?"
    canvas.page.reload()
    canvas.settle()
    assert button.inner_text() == "?", "remembered"
    button.click()
    assert card.is_visible()
    canvas.page.keyboard.press("Escape")
    assert not card.is_visible()


def test_presentation_is_large_type_without_controls_and_escape_leaves(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=16, size=(320, 448))
    canvas = show(payload, size=(1920, 1080))
    before = canvas.stage()
    assert press(canvas, "f")["presentation"]
    now = canvas.stage()
    assert now["width"] * now["height"] > 1.2 * before["width"] * before["height"]
    assert now["y"] + now["height"] <= 1080
    sizes = canvas.page.evaluate(
        """() => [...document.querySelectorAll("[data-a2-root] *")]
          .filter((node) => [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim()))
          .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(".a2c-live"))
          .map((node) => [node.textContent, parseFloat(getComputedStyle(node).fontSize)])"""
    )
    assert [entry for entry in sizes if entry[1] < 24] == []
    assert not canvas.page.locator(".a2c-bar").is_visible()
    canvas.hover(0.4, 0.4)
    canvas.page.wait_for_function("() => window.views.at(-1)?.view.presentation === true")
    canvas.page.evaluate("() => document.activeElement.blur()")
    canvas.page.keyboard.press("Escape")
    assert not canvas.settle()["presentation"], "wherever the focus is"
    assert canvas.page.locator(".a2c-bar").is_visible()
    canvas.page.locator("[data-ref=present]").click()
    assert canvas.settle()["presentation"]
    assert not press(canvas, "Escape")["presentation"]


def test_the_map_and_all_that_tells_it_are_hidden_until_they_are_revealed(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8)
    canvas = show(payload)
    answers = ["overlay", "readout", "legend", "rank", "pair", "galleryTitle"]

    def seen() -> list[str]:
        return [name for name in answers if canvas.page.locator(f"[data-ref={name}]").is_visible()]

    assert seen() == answers
    assert press(canvas, "h")["veiled"]
    assert seen() == []
    canvas.hover(0.3, 0.6)
    canvas.page.keyboard.press("Enter")
    canvas.settle()
    assert canvas.page.locator("[data-ref=live]").inner_text() == "The map is hidden until it is revealed."
    assert canvas.page.locator("[data-ref=rest]").is_visible()
    canvas.page.get_by_role("button", name="reveal").click()
    assert not canvas.settle()["veiled"]
    assert seen() == answers


# ------------------------------------------------------------------------------------ touch


# ------------------------------------------------------------------------------------ alignment

# A photograph of the page: the browser's own enlarging of the overlay is in it, and the picture under it.
# Told: the middle of all brightest pixels, and how far the nearest of them is from the given place.
BRIGHTEST = """async ([png, cx, cy]) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data, width } = pen.getImageData(0, 0, canvas.width, canvas.height);
  const light = (j) => data[j] + data[j + 1] + data[j + 2];
  let best = 0;
  for (let j = 0; j < data.length; j += 4) best = Math.max(best, light(j));
  let x = 0, y = 0, count = 0, near = [Infinity, Infinity];
  for (let j = 0; j < data.length; j += 4) {
    if (light(j) < best - 8) continue;
    const px = ((j / 4) % width) + 0.5, py = Math.floor(j / 4 / width) + 0.5;
    x += px; y += py; count++;
    const away = [Math.abs(px - cx), Math.abs(py - cy)];
    if (Math.max(...away) < Math.max(...near)) near = away;
  }
  return { middle: [x / count, y / count], near };
}"""


@pytest.mark.parametrize("size", [(448, 448), (160, 480), (480, 160)])
def test_the_brightest_painted_pixel_lies_on_the_bright_cell(show: Show, size: tuple[int, int]) -> None:  # noqa: F811
    """Within half an input pixel, at the four corners, just inside them, and in the centre.

    At the rim the value holds from the cell's centre out to the edge, so there many pixels are brightest.
    """
    height, width = size
    h, w = height // 32, width // 32
    dark = harness.picture_url(np.full((height, width, 3), 40, np.uint8))
    corners = [(0, 0), (0, w - 1), (h - 1, 0), (h - 1, w - 1)]
    inside = [(1, 1), (1, w - 2), (h - 2, 1), (h - 2, w - 2), (h // 2, w // 2)]
    payloads = {
        cell: harness.envelope([harness.one_cell_block((h, w), cell)[0]], [dark], size, key=str(cell))
        for cell in corners + inside
    }
    view = {"opacity": 1}
    canvas = show(payloads[0, 0], view=view, scheme="dark")
    # The marks are white; they are about the probe, not about the map.
    canvas.page.add_style_tag(content=".a2c-stage > :not(canvas) { display: none !important; }")
    for (row, col), payload in payloads.items():
        canvas.update(payload, view)
        box = canvas.stage()
        pixel = box["width"] / width
        centre = (col + 0.5) / w * box["width"], (row + 0.5) / h * box["height"]
        centre = centre[0] + box["x"] % 1, centre[1] + box["y"] % 1  # a photograph begins at a whole pixel
        png = base64.b64encode(canvas.page.locator("[data-ref=stage]").screenshot()).decode()
        told = canvas.page.evaluate(BRIGHTEST, [png, *centre])
        assert max(told["near"]) <= 0.5 * pixel + 0.5, "half a pixel of the input, and of the screen's own"
        if (row, col) in inside:
            np.testing.assert_allclose(told["middle"], centre, atol=0.5 * pixel)
