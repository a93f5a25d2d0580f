"""The probe canvas in a real browser, opened from disk with the network off.

Every number is computed a second time here with NumPy, from the same quantised maps that the page
got. Nothing sleeps: the page says when it has drawn.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a2core.canvas import standalone_html
from tests.browser import canvas_harness as harness
from tests.browser.tabs import Tabs, single_tab

pytestmark = pytest.mark.browser

FRAME_MS = 17
SIZES = {"square": (448, 448), "landscape": (320, 448), "portrait": (448, 320), "panorama": (160, 480)}
Show = Callable[..., harness.CanvasPage]


@pytest.fixture(scope="session")
def offline(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Tabs:
    """A browser without a network, to be used again."""
    empty = tmp_path_factory.mktemp("canvas") / "empty.html"
    empty.touch()
    return Tabs(chromium, empty.as_uri(), **harness.OFFLINE)


@pytest.fixture
def show(chromium: Any, offline: Tabs, tmp_path: Path) -> Iterator[Show]:
    """Opens payloads; at the end no page may have complained or asked the network for anything."""
    opened: list[harness.CanvasPage] = []

    def open_page(
        payload: dict[str, Any],
        *,
        view: dict[str, Any] | None = None,
        size: tuple[int, int] = (1400, 1000),
        scheme: str = "light",
        own_clock: bool = False,
    ) -> harness.CanvasPage:
        path = tmp_path / f"canvas{len(opened)}.html"
        path.write_text(standalone_html(payload, view=view), encoding="utf-8")
        how = {"width": size[0], "height": size[1], "scheme": scheme}
        # A clock of the test's own is that of all tabs of a browser, for good.
        tab = single_tab(chromium, **how, **harness.OFFLINE) if own_clock else offline.open(**how)
        opened.append(harness.CanvasPage(tab, path))
        return opened[-1]

    yield open_page
    offline.clear()
    for page in opened:
        if page.context is not offline.context:
            page.context.close()
        assert page.complaints == []
        assert [url for url in page.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def touched(chromium: Any, tmp_path: Path) -> Iterator[Show]:
    """Opens a payload on a screen that is touched; the page may not complain."""
    opened: list[harness.CanvasPage] = []

    def open_page(payload: dict[str, Any], *, height: int) -> harness.CanvasPage:
        path = tmp_path / "touch.html"
        path.write_text(standalone_html(payload), encoding="utf-8")
        tab = single_tab(chromium, width=900, height=height, has_touch=True, **harness.OFFLINE)
        opened.append(harness.CanvasPage(tab, path))
        return opened[-1]

    yield open_page
    for page in opened:
        page.context.close()
        assert page.complaints == []


def test_each_hover_is_painted_in_the_next_frame_and_several_within_one_are_painted_once(show: Show) -> None:
    payload, _ = harness.make_payload(n=256, size=(672, 672), strides=(16,))
    canvas = show(payload, own_clock=True)
    page = canvas.page
    paints = "() => window.paints.length"
    page.clock.install()
    page.clock.pause_at(page.evaluate("() => Date.now()") / 1000 + 1)  # no frame but those asked for below
    rng = np.random.default_rng(1)
    for count in (1, 1, 5, 1, 20):
        before = page.evaluate(paints)
        for across, down in rng.uniform(0.01, 0.99, (count, 2)):
            page.mouse.move(*canvas.spot(across, down))
        assert page.evaluate(paints) == before
        page.clock.run_for(FRAME_MS)
        page.wait_for_function("before => window.paints.length > before", arg=before)
        assert page.evaluate(paints) == before + 1
        _, row, col = canvas.snapshot()["cell"].values()
        assert (row, col) == (int(down * 42), int(across * 42)), "the last of them"
    assert canvas.pins() == [], "a hover must not send anything"


@pytest.mark.parametrize("shape", SIZES)
def test_effective_attention_equals_the_row_of_vt_b(show: Show, shape: str) -> None:
    payload, maps = harness.make_payload(size=SIZES[shape], n=48, seed=3)
    canvas = show(payload)
    for raw in payload["blocks"]:
        canvas.page.locator(f"input[value='{raw['name']}']").check(force=True)
        seen = maps[raw["name"]]
        _, h, w = raw["grid"]
        for row, col in [(0, 0), (0, w - 1), (h - 1, 0), (h - 1, w - 1), (h // 2, w // 2), (1, w // 3)]:
            told = canvas.hover_cell(row, col, (h, w))
            assert told["cell"] == {"t": 0, "row": row, "col": col}
            expected = seen.attention(0, row, col)
            got = np.array(told["attention"]).reshape(expected.shape)
            np.testing.assert_allclose(got, expected, atol=1e-4 * expected.max(), rtol=1e-4)
            assert got.sum() == pytest.approx(1.0, abs=1e-3)


def test_the_ranked_list_is_in_the_order_of_rho(show: Show) -> None:
    payload, maps = harness.make_payload(n=64, seed=4)
    canvas = show(payload)
    for row, col in [(3, 5), (20, 20), (27, 0)]:
        told = canvas.hover_cell(row, col, (28, 28))
        rho = maps["blocks.4"].rho(0, row, col)
        expected = np.argsort(-rho.astype(np.float32), kind="stable")
        assert told["order"] == expected.tolist()
        names = canvas.page.locator(".a2c-name").all_inner_texts()
        assert names == [f"g{i}" for i in expected[: len(names)]]
        shares = canvas.page.locator(".a2c-share").all_inner_texts()
        assert len(shares) >= 5
        np.testing.assert_allclose(
            [float(share.split("\u202f")[0]) for share in shares],
            100 * rho[expected[: len(shares)]],
            atol=0.51,
        )


@pytest.mark.parametrize("shape", SIZES)
def test_the_marked_cell_is_the_one_under_the_mouse(show: Show, shape: str) -> None:
    payload, _ = harness.make_payload(size=SIZES[shape], n=8, strides=(32,))
    canvas = show(payload)
    _, h, w = payload["blocks"][0]["grid"]
    cells = [(0, 0), (0, w - 1), (h - 1, 0), (h - 1, w - 1), (h // 2, w // 2)]
    for (row, col), across_the_cell in itertools.product(cells, (0.02, 0.5, 0.98)):
        told = canvas.hover((col + across_the_cell) / w, (row + across_the_cell) / h)
        assert (told["cell"]["row"], told["cell"]["col"]) == (row, col), across_the_cell
        mark = canvas.page.evaluate(
            "() => { const { x, y, width, height } ="
            " document.querySelector('[data-ref=hover] b').getBoundingClientRect();"
            " return [x, y, x + width, y + height]; }"
        )
        left, top = canvas.spot(col / w, row / h)
        right, bottom = canvas.spot((col + 1) / w, (row + 1) / h)
        np.testing.assert_allclose(mark, [left, top, right, bottom], atol=0.1)


OVERLAY_PEAK = """() => {
  const overlay = document.querySelector("[data-ref=overlay]");
  const canvas = new OffscreenCanvas(overlay.width, overlay.height);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(overlay, 0, 0);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  let best = -1, x = 0, y = 0, count = 0;
  for (let j = 0; j < data.length / 4; j++) {
    const v = data[4 * j] + data[4 * j + 1] + data[4 * j + 2];
    if (v > best) { best = v; x = y = count = 0; }
    if (v === best) { x += j % canvas.width + 0.5; y += Math.floor(j / canvas.width) + 0.5; count++; }
  }
  return [x / count / canvas.width, y / count / canvas.height];
}"""


@pytest.mark.parametrize("shape", SIZES)
def test_the_overlay_is_strongest_in_the_middle_of_the_attended_cell(show: Show, shape: str) -> None:
    height, width = SIZES[shape]
    h, w = height // 32, width // 32
    url = harness.picture_url(harness.gradient_picture(height, width))
    cells = [(0, 0), (0, w - 1), (h - 1, 0), (h - 1, w - 1), (h // 2, w // 2)]
    payloads = [
        harness.envelope([harness.one_cell_block((h, w), cell)[0]], [url], (height, width), key=str(cell))
        for cell in cells
    ]
    canvas = show(payloads[-1])
    for (row, col), payload in zip(cells, payloads, strict=True):
        canvas.update(payload)
        across, down = canvas.page.evaluate(OVERLAY_PEAK)
        # At the rim the value holds out to the edge, so only inner cells have their peak in the middle.
        assert col <= across * w <= col + 1
        assert row <= down * h <= row + 1
        if 0 < row < h - 1 and 0 < col < w - 1:
            assert abs(across * width - (col + 0.5) * width / w) <= 0.5
            assert abs(down * height - (row + 0.5) * height / h) <= 0.5


def test_the_picture_shows_the_given_probe_before_any_hover(show: Show) -> None:
    payload, maps = harness.make_payload(n=16)
    canvas = show(payload, view={"block": "blocks.5", "probe": [0, 3, 9], "primitive": None})
    told = canvas.snapshot()
    assert told["block"] == "blocks.5"
    assert told["cell"] == {"t": 0, "row": 3, "col": 9}
    assert not told["hovering"]
    np.testing.assert_allclose(told["rho"], maps["blocks.5"].rho(0, 3, 9), atol=1e-6)
    assert canvas.page.locator(".a2c-hint").is_visible()


def test_a_click_pins_once_and_leaving_returns_to_it(show: Show) -> None:
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload)
    canvas.hover_cell(5, 6, (28, 28))
    canvas.page.mouse.down()
    canvas.page.mouse.up()
    pins = canvas.wait_for_pins(1)
    canvas.hover_cell(20, 20, (28, 28))
    canvas.page.mouse.move(2, 2)
    told = canvas.settle()
    assert told["pinned"]
    assert told["cell"] == {"t": 0, "row": 5, "col": 6}
    assert canvas.pins() == pins
    assert [pins[0][name] for name in ("key", "block", "t", "row", "col", "primitive")] == [
        "synthetic", "blocks.4", 0, 5, 6, None,
    ]  # fmt: skip
    canvas.page.keyboard.press("Escape")
    assert not canvas.settle()["pinned"]


def test_ten_fast_clicks_end_with_the_last(show: Show) -> None:
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload)
    for col in range(10):
        canvas.page.mouse.click(*canvas.spot((2 * col + 0.5) / 28, 0.5))
    canvas.page.wait_for_function("() => window.pins.at(-1)?.col === 18")
    assert len(canvas.pins()) <= 10
    assert canvas.settle()["rest"]["col"] == 18


def test_a_primitive_chosen_in_the_list_or_the_gallery_is_shown_and_sent(show: Show) -> None:
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload)
    order = canvas.snapshot()["order"]
    canvas.page.locator(".a2c-row").nth(2).click()
    told = canvas.settle()
    assert told["primitive"] == told["shown"] == order[2]
    assert told["large"] == {"kind": "gather", "i": order[2]}, "hovering it shows its gather map large"
    assert canvas.wait_for_pins(1)[-1]["primitive"] == order[2]
    assert f"Primitive g{order[2]}" in canvas.page.locator(".a2c-pair h3").inner_text()

    canvas.page.locator("[data-ref=sort] input[value=reach]").check(force=True)
    by_half = np.argsort(-np.float32(payload["blocks"][0]["half"]), kind="stable").tolist()
    assert canvas.settle()["gallery"] == by_half
    canvas.page.locator(".a2c-tile").nth(1).click()
    assert canvas.wait_for_pins(2)[-1]["primitive"] == by_half[1]
    canvas.settle()
    assert canvas.page.locator(".a2c-tile[aria-pressed=true] b").inner_text() == f"g{by_half[1]}"


def test_the_keyboard_alone_probes_pins_and_steps(show: Show) -> None:
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload, view={"probe": [0, 0, 26]})
    canvas.page.locator("[data-ref=stage]").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowDown"):
        canvas.page.keyboard.press(key)
    told = canvas.settle()
    assert told["cell"] == {"t": 0, "row": 1, "col": 27}, "the rim holds"
    assert "row 1, col 27" in canvas.page.locator("[data-ref=live]").inner_text()
    canvas.page.keyboard.press("Enter")
    pin = canvas.wait_for_pins(1)[-1]
    assert (pin["row"], pin["col"], pin["pinned"]) == (1, 27, True)
    canvas.page.keyboard.press("]")
    canvas.page.keyboard.press("]")
    told = canvas.settle()
    assert told["primitive"] == told["order"][1]
    canvas.page.keyboard.press("[")
    assert canvas.settle()["primitive"] == told["order"][0]
    canvas.page.keyboard.press("Escape")
    assert canvas.settle()["primitive"] is None
    canvas.page.keyboard.press("Escape")
    assert not canvas.settle()["pinned"]


def test_the_label_of_the_map_speaks_in_numbers(show: Show) -> None:
    payload, _ = harness.make_payload(n=16)
    canvas = show(payload)
    label = canvas.page.locator("[data-ref=overlay]").get_attribute("aria-label") or ""
    assert "synthetic picture, 448 × 448 pixels" in label
    assert "%" in label


def test_changing_the_block_keeps_the_place_and_reports_it(show: Show) -> None:
    payload, _ = harness.make_payload(n=16)
    canvas = show(payload, view={"block": "blocks.4", "probe": [0, 5, 26]})
    canvas.page.locator("input[value='blocks.5']").check(force=True)
    told = canvas.settle()
    assert told["block"] == "blocks.5"
    assert told["cell"] == {"t": 0, "row": 2, "col": 13}
    report = canvas.wait_for_pins(1)[-1]
    assert (report["block"], report["row"], report["col"]) == ("blocks.5", 2, 13)


def test_the_same_payload_again_rebuilds_nothing(show: Show) -> None:
    payload, _ = harness.make_payload(n=16)
    canvas = show(payload, view={"probe": [0, 4, 4], "scale": "relative"})
    changes = canvas.page.evaluate(
        """async () => {
          const root = document.querySelector("[data-a2-root]");
          const given = JSON.parse(document.getElementById("a2-data").textContent);
          let changes = 0;
          const watch = new MutationObserver((list) => { changes += list.length; });
          watch.observe(root, { childList: true, subtree: true, attributes: true, characterData: true });
          root.__canvas.update(structuredClone(given.payload), structuredClone(given.view));
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          watch.disconnect();
          return changes;
        }"""
    )
    assert changes <= 1, "only the theme attribute may be written again"


def test_a_new_payload_replaces_the_old_and_forgets_its_pin(show: Show) -> None:
    payload, _ = harness.make_payload(n=16, strides=(16,))
    other, maps = harness.make_payload(n=24, size=(224, 320), strides=(16,), seed=9, key="other")
    canvas = show(payload)
    canvas.page.mouse.click(*canvas.spot(0.2, 0.2))
    canvas.wait_for_pins(1)
    canvas.page.mouse.move(2, 2)
    told = canvas.update(other, {"probe": [0, 2, 3]})
    assert (told["key"], told["pinned"]) == ("other", False)
    np.testing.assert_allclose(told["rho"], maps["blocks.4"].rho(0, 2, 3), atol=1e-6)
    box = canvas.stage()
    assert box["width"] / box["height"] == pytest.approx(320 / 224, rel=0.01)


def test_settings_are_reported_once_they_rest(show: Show) -> None:
    payload, _ = harness.make_payload(n=16)
    canvas = show(payload)
    canvas.page.evaluate(
        """() => {
          const slider = document.querySelector("[data-ref=opacity]");
          for (const value of ["0.7", "0.6", "0.5"]) {
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
          }
          document.querySelector("[data-ref=scale] input[value=absolute]").click();
        }"""
    )
    canvas.page.wait_for_function("() => window.views.length > 0")
    views = canvas.page.evaluate("() => window.views")
    assert len(views) == 1
    assert (views[0]["view"]["opacity"], views[0]["view"]["scale"]) == (0.5, "absolute")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1400, 1000), (800, 900), (1920, 1080), (390, 800)])
def test_nothing_spills_out_of_the_page(show: Show, scheme: str, size: tuple[int, int]) -> None:
    payload, _ = harness.make_payload(n=32)
    canvas = show(payload, size=size, scheme=scheme)
    canvas.hover(0.3, 0.3)
    assert canvas.page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
    assert canvas.page.evaluate("() => document.querySelector('[data-a2-root]').dataset.theme") == scheme


def test_only_tiles_in_sight_are_drawn(show: Show) -> None:
    payload, _ = harness.make_payload(n=256, strides=(32,))
    canvas = show(payload, size=(1000, 900))
    tiles = f"{harness.ROOT}.__canvas.gallery.tiles"
    count = f"() => {tiles}.filter((tile) => tile.drawn).length"
    canvas.page.locator(".a2c-grid").scroll_into_view_if_needed()
    canvas.page.wait_for_function(f"() => ({count})() > 0")
    assert canvas.page.evaluate(count) < 80
    waiting = f"() => {tiles}.filter((tile) => !tile.drawn).map((tile) => tile.img.naturalWidth)"
    assert set(canvas.page.evaluate(waiting)) == {1}, "plain until they are drawn, not broken"
    canvas.page.locator(".a2c-grid").evaluate("node => node.scrollTo(0, node.scrollHeight)")
    last = f"() => {tiles}.find((tile) => !tile.box.nextSibling).drawn"
    canvas.page.wait_for_function(last)


def test_three_hundred_random_acts_leave_no_error_no_garbage_and_nothing_stale(show: Show) -> None:
    payload, maps = harness.make_payload(n=64)
    canvas = show(payload)
    devtools = canvas.context.new_cdp_session(canvas.page)
    rng = np.random.default_rng(5)
    keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Enter", "[", "]", "Escape"]
    keys += ["Shift+ArrowRight", "Shift+ArrowDown", "p", "1", "2", "Delete", "d", "f"]

    def act(times: int) -> None:
        for _ in range(times):
            kind = rng.integers(0, 10)
            if kind < 5:
                canvas.page.mouse.move(*canvas.spot(*rng.uniform(-0.05, 1.05, 2)))
            elif kind < 6:
                canvas.page.mouse.move(*canvas.spot(*rng.uniform(0.01, 0.99, 2)))
                canvas.page.mouse.down()
                if rng.integers(0, 2):
                    canvas.page.mouse.move(*canvas.spot(*rng.uniform(0.01, 0.99, 2)))
                canvas.page.mouse.up()
            elif kind < 8:
                canvas.page.locator("[data-ref=stage]").focus()
                canvas.page.keyboard.press(str(rng.choice(keys)))
            elif kind < 9:
                inputs = [
                    "blocks.4",
                    "blocks.5",
                    "relative",
                    "absolute",
                    "gather",
                    "use",
                    "rho",
                    "change",
                    "to",
                ]
                refs = ["peel", "termsTop", "termsNone", "tour"]
                choices = [f"input[value='{name}']" for name in inputs] + [
                    f"[data-ref={ref}]" for ref in refs
                ]
                canvas.page.locator(str(rng.choice(choices))).first.evaluate("node => node.click()")
            else:
                width = int(rng.choice([800, 1100, 1400]))
                canvas.page.set_viewport_size({"width": width, "height": 900})
        canvas.settle()

    def heap() -> float:
        for kept in ("paints", "pins", "views"):  # the test's own notes
            canvas.page.evaluate(f"() => {{ window.{kept}.length = 0; }}")
        for _ in range(2):
            devtools.send("HeapProfiler.collectGarbage")
        return float(devtools.send("Runtime.getHeapUsage")["usedSize"])

    act(100)
    before = heap()
    act(300)
    assert heap() <= 1.2 * before

    # Whatever was left switched on: a view of another revision sets it back, and every number is right again.
    view = {
        "block": "blocks.5",
        "probe": [0, 3, 4],
        "primitive": 7,
        "direction": "from",
        "layer": "attention",
    }
    told = canvas.update(payload, {**view, "pins": [], "region": None, "presentation": False, "revision": 1})
    assert (told["block"], told["pins"], told["region"], told["primitive"]) == ("blocks.5", [], None, 7)
    canvas.page.mouse.move(*canvas.spot(0.5 / 14, 0.5 / 14))
    told = canvas.hover_cell(9, 2, (14, 14))
    seen = maps["blocks.5"]
    np.testing.assert_allclose(told["rho"], seen.rho(0, 9, 2), atol=1e-6)
    np.testing.assert_allclose(told["weights"], seen.rho(0, 9, 2), atol=1e-6)
    assert told["order"] == np.argsort(-seen.rho(0, 9, 2), kind="stable").tolist()
    assert "cell row 9, col 2" in canvas.page.locator("[data-ref=readout]").inner_text()
    assert sorted(told["gallery"]) == list(range(64))
    assert canvas.page.locator(".a2c-tile").count() == 64
    assert canvas.page.locator(".a2c-tip:visible, .a2c-stage .a2c-pin:visible").count() == 0


def test_a_report_about_a_picture_that_is_gone_is_not_sent(show: Show) -> None:
    payload, _ = harness.make_payload(n=8, strides=(16,))
    other, _ = harness.make_payload(n=8, strides=(16,), key="other")
    canvas = show(payload)
    # The first pin is told at once and the others wait for their turn; by then the picture is another.
    canvas.page.evaluate(
        """([other]) => {
          const canvas = document.querySelector("[data-a2-root]").__canvas;
          const { probe } = canvas;
          for (const x of [5, 100, 300]) probe.pin({ frame: 0, x, y: 50 });
          canvas.update(other, {});
          probe.pin({ frame: 0, x: 20, y: 20 });
        }""",
        [other],
    )
    canvas.page.wait_for_function("() => window.pins.at(-1)?.key === 'other'")
    assert [pin["key"] for pin in canvas.pins()] == ["synthetic", "other"]
    assert canvas.settle()["pins"] == [[0, 1, 1]]


def test_a_resize_while_hovering_keeps_the_cell_under_the_mark(show: Show) -> None:
    payload, _ = harness.make_payload(n=8, strides=(32,))
    canvas = show(payload)
    canvas.hover_cell(7, 3, (14, 14))
    for width in (800, 1920, 1100):
        canvas.page.set_viewport_size({"width": width, "height": 900})
        canvas.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        told = canvas.settle()
        place = told["cell"] if told["hovering"] else told["rest"]
        mark = "hover" if told["hovering"] else "rest"
        box = canvas.page.locator(f"[data-ref={mark}] b").bounding_box()
        assert box is not None
        left, top = canvas.spot(place["col"] / 14, place["row"] / 14)
        np.testing.assert_allclose([box["x"], box["y"]], [left, top], atol=0.6)


def test_a_clip_is_probed_at_the_frame_on_show(show: Show) -> None:
    rng = np.random.default_rng(8)
    shape = (12, 2, 6, 8)
    gather = harness.softmax(2 * rng.normal(size=shape), axis=(1, 2, 3))
    raw, maps = harness.block_payload(
        "blocks.4", "parts", gather, harness.softmax(2 * rng.normal(size=shape), axis=0)
    )
    frames = [harness.picture_url(np.full((96, 128, 3), 40 * f, np.uint8)) for f in range(4)]
    canvas = show(harness.envelope([raw], frames, (96, 128)))
    slider = canvas.page.locator("[data-ref=frame]")
    assert slider.is_visible()
    slider.fill("3")
    told = canvas.hover_cell(4, 7, (6, 8))
    assert told["cell"] == {"t": 1, "row": 4, "col": 7}
    expected = maps.attention(1, 4, 7)
    np.testing.assert_allclose(np.reshape(told["attention"], expected.shape), expected, rtol=1e-4, atol=1e-7)
