"""What one can ask of the canvas beyond a hover: the other direction, single terms, a box, pins, a layer.

As in test_canvas, the numbers are computed again here with NumPy from the maps that the page got.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.browser import canvas_harness as harness
from tests.browser.test_canvas import Show, offline, show  # noqa: F401  (fixtures)

pytestmark = pytest.mark.browser

GRID = (28, 28)


def ask(canvas: harness.CanvasPage, what: str) -> dict[str, Any]:
    canvas.page.locator(f"[data-ref=ask] input[value={what}]").check(force=True)
    return canvas.settle()


def text(canvas: harness.CanvasPage, ref: str) -> str:
    return str(canvas.page.locator(f"[data-ref={ref}]").inner_text())


def drag_cells(canvas: harness.CanvasPage, a: tuple[int, int], b: tuple[int, int]) -> dict[str, Any]:
    """A box from the middle of cell a to the middle of cell b, with the mouse."""
    (row0, col0), (row1, col1) = a, b
    canvas.page.mouse.move(*canvas.spot((col0 + 0.5) / GRID[1], (row0 + 0.5) / GRID[0]))
    canvas.page.mouse.down()
    canvas.page.mouse.move(*canvas.spot((col1 + 0.5) / GRID[1], (row1 + 0.5) / GRID[0]), steps=3)
    canvas.page.mouse.up()
    return canvas.settle()


def flat(maps: np.ndarray) -> np.ndarray:
    return maps.reshape(len(maps), -1)


def test_the_other_direction_is_the_column_of_vt_b(show: Show) -> None:  # noqa: F811
    payload, maps = harness.make_payload(n=48, seed=3, strides=(16,))
    seen = maps["blocks.4"]
    canvas = show(payload, view={"direction": "to"})
    effective = flat(seen.distribute).T @ flat(seen.gather)
    for row, col in [(0, 0), (0, 27), (27, 27), (14, 9)]:
        told = canvas.hover_cell(row, col, GRID)
        expected = effective[:, row * 28 + col]
        np.testing.assert_allclose(told["attention"], expected, atol=1e-4 * expected.max(), rtol=1e-4)
        carried = seen.gather[:, 0, row, col] * flat(seen.distribute).mean(axis=1)
        np.testing.assert_allclose(told["weights"], carried / carried.sum(), atol=1e-5)
        assert told["order"][0] == int(np.argmax(carried))


def test_nobody_mistakes_one_direction_for_the_other(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload)
    refs = ("what", "readout", "rankTitle", "colShare", "legendTitle", "legendText", "hint")
    labels = ("overlay", "rank")
    said = {}
    arrows = {}
    for direction in ("from", "to"):
        assert ask(canvas, direction)["direction"] == direction
        said[direction] = [text(canvas, ref) for ref in refs] + [
            canvas.page.locator(f"[data-ref={ref}]").get_attribute("aria-label") or "" for ref in labels
        ]
        arrows[direction] = canvas.page.evaluate(
            "() => getComputedStyle(document.querySelector('.a2c-arrow'), '::before').transform"
        )
    assert all(a != b for a, b in zip(said["from"], said["to"], strict=True)), said
    assert arrows["from"] != arrows["to"]
    assert "gathered from" in said["from"][0]
    assert "receives information from" in said["to"][0]
    canvas.page.locator("[data-ref=stage]").focus()
    canvas.page.keyboard.press("d")
    assert canvas.settle()["direction"] == "from"


def test_terms_can_be_peeled_off_and_the_rest_is_counted(show: Show) -> None:  # noqa: F811
    payload, maps = harness.make_payload(n=24, seed=6, strides=(16,))
    seen = maps["blocks.4"]
    canvas = show(payload, view={"probe": [0, 9, 17]})
    rho = seen.rho(0, 9, 17)
    order = np.argsort(-rho.astype(np.float32), kind="stable")
    canvas.page.locator("[data-ref=peel]").click()
    canvas.page.locator("[data-ref=termsTop]").click()
    told = canvas.settle()
    assert told["terms"]["count"] == 3
    assert told["terms"]["share"] == pytest.approx(rho[order[:3]].sum(), abs=1e-4)
    assert "3 of 24 terms" in text(canvas, "termsSaid")

    canvas.page.locator(".a2c-switch").nth(1).click()
    left = [order[0], order[2]]
    expected = sum(rho[i] * seen.gather[i] for i in left).ravel()
    told = canvas.settle()
    np.testing.assert_allclose(told["attention"], expected, atol=1e-4 * expected.max(), rtol=1e-4)
    assert canvas.page.locator(".a2c-switch").nth(1).get_attribute("aria-checked") == "false"

    canvas.page.locator("[data-ref=termsNone]").click()
    assert canvas.settle()["terms"] == {"count": 0, "share": 0}
    canvas.page.locator("[data-ref=termsAll]").click()
    assert canvas.settle()["terms"]["share"] == pytest.approx(1, abs=1e-3)
    canvas.page.locator("[data-ref=termsNone]").click()
    canvas.page.locator("[data-ref=peel]").click()
    told = canvas.settle()
    np.testing.assert_allclose(sum(told["attention"]), 1, atol=1e-3, err_msg="closing it shows the whole map")


@pytest.mark.parametrize("direction", ["from", "to"])
def test_a_box_shows_the_mean_of_its_cells_and_their_spread(show: Show, direction: str) -> None:  # noqa: F811
    payload, maps = harness.make_payload(n=24, seed=7, strides=(16,))
    seen = maps["blocks.4"]
    canvas = show(payload, view={"direction": direction})
    told = drag_cells(canvas, (12, 20), (8, 17))
    assert told["region"] == [0, 8, 17, 12, 20]
    assert canvas.pins() == [], "a drag is no click"
    rho = seen.distribute[:, 0, 8:13, 17:21].reshape(24, -1)
    np.testing.assert_allclose(told["rho"], rho.mean(axis=1), atol=1e-5)
    effective = flat(seen.distribute).T @ flat(seen.gather)
    cells = [row * 28 + col for row in range(8, 13) for col in range(17, 21)]
    if direction == "from":
        np.testing.assert_allclose(told["spread"], rho.std(axis=1), atol=1e-4)
        expected = effective[cells].mean(axis=0)
    else:
        expected = effective[:, cells].sum(axis=1)
    np.testing.assert_allclose(told["attention"], expected, atol=1e-4 * expected.max(), rtol=1e-3)
    assert "20 cells" in text(canvas, "readout")
    assert "±" in text(canvas, "readout")
    canvas.page.wait_for_function("() => window.views.length > 0")
    assert canvas.page.evaluate("() => window.views.at(-1).view.region") == [0, 8, 17, 12, 20]

    assert canvas.hover_cell(10, 18, GRID)["rho"] == told["rho"], "inside the box it is about the box"
    assert canvas.hover_cell(2, 2, GRID)["cell"] == {"t": 0, "row": 2, "col": 2}
    canvas.page.locator("[data-ref=stage]").focus()
    canvas.page.keyboard.press("Escape")
    assert canvas.settle()["region"] is None


def test_a_box_can_be_drawn_by_the_keyboard(show: Show) -> None:  # noqa: F811
    payload, maps = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload, view={"probe": [0, 5, 26]})
    canvas.page.locator("[data-ref=stage]").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        canvas.page.keyboard.press(f"Shift+{key}")
    assert canvas.settle()["region"] == [0, 5, 26, 7, 27], "the rim holds"
    assert "Box of 6 cells" in text(canvas, "live")
    rho = maps["blocks.4"].distribute[:, 0, 5:8, 26:28].reshape(16, -1).mean(axis=1)
    np.testing.assert_allclose(canvas.snapshot()["rho"], rho, atol=1e-5)
    canvas.page.keyboard.press("Shift+ArrowUp")
    assert canvas.settle()["region"] == [0, 5, 26, 6, 27]
    canvas.page.keyboard.press("Escape")
    assert canvas.settle()["region"] is None


@pytest.mark.parametrize(
    "bad", [[0, 3, 3, 2, 5], [0, 0, 0, 28, 3], [1, 0, 0, 1, 1], [0, 1, 2], "x", [0, 0, 0, 0.5, 1]]
)
def test_a_box_that_does_not_fit_is_ignored(show: Show, bad: Any) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, strides=(16,))
    assert show(payload, view={"region": bad}).snapshot()["region"] is None


def test_the_change_of_the_block_is_a_layer_with_its_own_legend(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, strides=(16,))
    change = np.linspace(0, 0.5, 784).reshape(1, 1, 28, 28)
    payload["blocks"][0]["change"], seen = harness.quantise(change)
    canvas = show(payload)
    assert ask(canvas, "change")["large"] == {"kind": "change", "i": 0}
    assert "|Y − X| / |X|" in text(canvas, "legendText")
    assert text(canvas, "top").startswith("50")
    canvas.hover_cell(14, 3, GRID)
    assert f"{100 * seen[0, 0, 14, 3]:.0f}\u202f%" in text(canvas, "readout")
    drag_cells(canvas, (4, 2), (7, 9))
    mean = seen[0, 0, 4:8, 2:10].mean()
    assert f"{100 * mean:.0f}\u202f% of its size on average" in text(canvas, "readout")
    assert ask(canvas, "from")["large"]["kind"] == "attention"
