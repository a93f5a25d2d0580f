"""Compare in a browser: five kinds, one pixel; each map is what the block's own weights give, by NumPy.

Works with whatever checkpoints are shipped: kinds without one must be flagged, and are held against
their random weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

import a2core
from a2core.canvas import read_vocabulary
from a2core.rival_networks import KINDS
from tests.browser.conftest import AppPage, OpenApp
from tests.browser.streamlit_dom import PAGE_WIDTH
from viz_app.server import pictures, samples, traces

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST_MS = 180_000
AMID_ANSWER_MS = 60
CHECKPOINT = "a2-lite0"
SAME = ("squeeze_excitation", "covariance_pooling")


class ByHand:
    """What one block does with the features that reach it, in float64 from its tensors by name."""

    def __init__(self, rival: a2core.Rival, clip: a2core.Clip, block: str) -> None:
        model = a2core.load_rival(rival)
        found: list[torch.Tensor] = []
        with model.blocks[block].register_forward_pre_hook(lambda _, args: found.append(args[0].clone())):
            model.trace(clip, size=traces.DEFAULT_SIZE_PX)
        state = model.blocks[block].state_dict()
        self.tensors = {name: value.double().numpy() for name, value in state.items()}
        self.settings = a2core.rival_settings(rival, block)
        _, channels, self.rows, self.cols = found[0].shape
        self.x = found[0].double().numpy().reshape(channels, -1)
        mean, variance = (self.tensors[f"input_norm.running_{name}"][:, None] for name in ("mean", "var"))
        self.read = (self.x - mean) / np.sqrt(variance + 1e-5)
        if self.settings.get("position_norm"):
            centred = self.read - self.read.mean(axis=1, keepdims=True)
            self.read = centred / np.sqrt((centred**2).mean(axis=0) + 1e-6)

    def projected(self, name: str) -> np.ndarray:
        weight = self.tensors[f"{name}.weight"]
        return weight.reshape(len(weight), -1) @ self.read + self.tensors[f"{name}.bias"][:, None]

    def row(self, cell: tuple[int, int]) -> np.ndarray:
        """Where `cell` gets its information from, (N,)."""
        p, kind = cell[0] * self.cols + cell[1], self.settings.get("kind", "double_attention")
        if kind in SAME:
            return np.full(self.x.shape[1], 1 / self.x.shape[1])
        if kind == "double_attention":
            return softmax(self.projected("rho")[:, p]) @ softmax(self.projected("theta"), axis=1)
        heads = self.settings.get("heads", 1)
        query, key = (self.projected(name).reshape(heads, -1, self.x.shape[1]) for name in ("query", "key"))
        scale = np.sqrt(query.shape[1]) if "heads" in self.settings else 1.0
        matrix = softmax(np.einsum("hdp,hdj->hpj", query, key) / scale, axis=2)
        return matrix[:, p].mean(axis=0)

    def handed(self) -> np.ndarray:
        """What every position is handed by a block that hands all the same: gates, or an addition."""
        if self.settings["kind"] == "squeeze_excitation":
            hidden = self.tensors["squeeze.weight"] @ self.read.mean(axis=1) + self.tensors["squeeze.bias"]
            return expit(self.tensors["excite.weight"] @ np.maximum(hidden, 0) + self.tensors["excite.bias"])
        phi = self.projected("phi")
        covariance = np.cov(phi, bias=True)
        return self.tensors["expand.weight"] @ covariance.ravel() + self.tensors["expand.bias"]


def figure(app: AppPage, what: str) -> str:
    return str(app.page.locator(f"[data-what={what}]").first.text_content())


def value(app: AppPage, what: str) -> float:
    return float(figure(app, what).replace("−", "-").replace(",", ""))


def snapshots(app: AppPage) -> dict[str, Any]:
    """What each canvas shows, by the block that it shows."""
    told = app.page.locator("[data-a2-root]").evaluate_all(
        """roots => roots.map(({ __canvas: canvas }) =>
            ({ ...canvas.snapshot(), top: canvas.probe.top('attention', 0) }))"""
    )
    return {each["block"]: each for each in told}


def cell_shown(app: AppPage) -> tuple[int, int] | None:
    """The cell that all canvases show, None while they do not show the same."""
    said = {(each["cell"]["row"], each["cell"]["col"]) for each in snapshots(app).values()}
    return said.pop() if len(said) == 1 else None


def opacity_at(app: AppPage, index: int, share: tuple[float, float]) -> int:
    """How opaque the map of canvas number `index` is at a place, (x, y) as shares of the picture."""
    return int(
        app.page.locator("[data-a2-root] [data-ref=overlay]")
        .nth(index)
        .evaluate(
            """(canvas, [x, y]) => canvas.getContext('2d').getImageData(
                Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data[3]""",
            list(share),
        )
    )


def assert_each_is_its_own(app: AppPage, by_hand: dict[str, ByHand]) -> None:
    """Rows are those of the blocks' own matrices, painted on one scale."""
    cell = cell_shown(app)
    assert cell is not None
    shown = snapshots(app)
    assert list(shown) == list(by_hand)
    rows = {kind: block.row(cell) for kind, block in by_hand.items()}
    top = max(max(row.max(), 2 / row.size) for row in rows.values())
    for index, (kind, row) in enumerate(rows.items()):
        assert row.sum() == pytest.approx(1)
        np.testing.assert_allclose(shown[kind]["attention"], row, atol=2e-4 * row.max(), err_msg=kind)
        assert shown[kind]["top"] == pytest.approx(top, rel=1e-3), kind
        at = divmod(int(row.argmax()), by_hand[kind].cols)
        place = ((at[1] + 0.5) / by_hand[kind].cols, (at[0] + 0.5) / by_hand[kind].rows)
        base, gain, power = read_vocabulary().cover
        wanted = (
            min(1, base + gain * (row.max() / top) ** power) * read_vocabulary().settings["opacity"].first
        )
        assert opacity_at(app, index, place) == pytest.approx(255 * wanted, abs=3), kind


def stand(app: AppPage, count: int) -> None:
    """Until so many canvases have drawn."""
    app.page.locator("[data-a2-root] [data-ref=stage]").nth(count - 1).wait_for(timeout=FIRST_MS)
    app.wait_until(lambda: all(each["ready"] for each in snapshots(app).values()))
    app.wait_until_idle()


def move(app: AppPage, index: int, x: float, y: float) -> None:
    """Put the mouse at fractions (x, y) of picture number `index`."""
    box = app.page.locator("[data-ref=stage]").nth(index).bounding_box()
    app.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_five_kinds_at_one_pixel_show_the_rows_of_their_own_matrices(open_app: OpenApp) -> None:
    app = open_app("/compare", traced=False)
    page = app.page
    stand(app, len(KINDS))
    clip = a2core.read_media(samples.sample_path(samples.SAMPLES[0]), max_side_px=pictures.DECODED_SIDE_PX)
    chosen = (
        page.get_by_role("radiogroup", name="Block", exact=True).locator("[aria-checked=true]").inner_text()
    )
    block = chosen.split("(")[1].rstrip(")")
    rivals: dict[str, Any] = {rival.kind: rival for rival in a2core.find_rivals(CHECKPOINT)}
    by_hand = {kind: ByHand(rivals[kind], clip, block) for kind in KINDS}

    assert len(KINDS) == 5
    assert_each_is_its_own(app, by_hand)

    # Untrained kinds are flagged, each where it stands; none else is.
    flags = page.locator("[data-a2-side] header:has(h2)").all_inner_texts()
    assert ["untrained" in flag for flag in flags] == [not rivals[kind].trained for kind in KINDS]
    assert page.locator(".a2-untrained").count() == int(any(not rival.trained for rival in rivals.values()))

    # Those that hand everybody the same say so, with the largest difference between any two positions.
    assert page.get_by_text("The same for every pixel.").count() == len(SAME)
    for kind in SAME:
        largest = np.abs(by_hand[kind].handed()).max()
        assert value(app, f"{kind}_scale") == pytest.approx(largest, rel=2e-3)
        assert value(app, f"{kind}_spread") < 1e-4 * largest
    for kind in set(KINDS) - set(SAME):
        assert value(app, f"{kind}_spread") > 1e-4

    # Another pixel, hovered in one picture, is another in all five, and nobody asks the server.
    sent, rows, cols = app.frames_sent, by_hand["non_local"].rows, by_hand["non_local"].cols
    move(app, 2, 0.8, 0.75)
    app.wait_until(lambda: cell_shown(app) == (int(0.75 * rows), int(0.8 * cols)))
    assert_each_is_its_own(app, by_hand)
    assert app.frames_sent == sent

    # Each on a scale of its own, when one likes that better.
    page.get_by_role("button", name="One scale for all").click()
    shown = snapshots(app)
    for kind, each in shown.items():
        assert each["top"] == pytest.approx(max(max(each["attention"]), 2 / len(each["attention"]))), kind
    page.get_by_role("button", name="One scale for all").click()

    # Two clicks, the second in another picture while the first is answered: the second is where it ends.
    move(app, 0, 0.2, 0.3)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_timeout(AMID_ANSWER_MS)
    move(app, 4, 0.6, 0.53)
    page.mouse.down()
    page.mouse.up()
    second = (int(0.53 * rows), int(0.6 * cols))
    app.wait_until_idle()
    page.mouse.move(2, 2)
    app.wait_until(lambda: cell_shown(app) == second)
    assert_each_is_its_own(app, by_hand)
    page.get_by_role("link", name="Explore").click()
    app.wait_until_traced()
    rest = page.locator("[data-a2-root]").evaluate("root => root.__canvas.snapshot().rest")
    assert (rest["row"], rest["col"]) == second, "on every page"
    page.get_by_role("link", name="Compare").click()
    stand(app, len(KINDS))

    # What each costs: parameters are those of its tensors; the rest was measured or counted.
    rows = page.locator(".a2-costs tbody tr").all()[: len(KINDS)]
    for row, kind in zip(rows, KINDS, strict=True):
        _, parameters, multiply_adds, memory, ms = row.locator("td").all_inner_texts()
        learned = [v.size for name, v in by_hand[kind].tensors.items() if not name.startswith("input_norm")]
        assert int(parameters.replace(",", "")) == sum(learned)
        assert float(multiply_adds.split()[0]) > 0
        assert float(ms.split()[0]) > 0
        assert memory.endswith("iB")

    # No width makes it scroll sideways.
    for width in (1920, 800, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(PAGE_WIDTH) <= width
        # Nor does a kind's name reach into the picture beside it.
        names = page.locator("[data-a2-side] h2")
        assert names.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0


def test_two_networks_under_one_pointer_each_with_its_own_blocks(open_app: OpenApp) -> None:
    app = open_app("/compare", traced=False)
    page = app.page
    stand(app, len(KINDS))
    page.get_by_text("Two networks", exact=True).click()
    app.wait_until(lambda: page.locator("[data-a2-root] [data-ref=stage]").count() == 2)
    stand(app, 2)
    roots = page.locator("[data-a2-root]")
    page.locator("[data-ref=blocks]").nth(1).get_by_role("radio", name="objects").check(force=True)
    app.wait_until_idle()
    page.locator("[data-ref=stage]").nth(0).scroll_into_view_if_needed()
    move(app, 0, 0.3, 0.2)

    def seen_now() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = roots.evaluate_all(
            "roots => roots.map(root => root.__canvas.snapshot())"
        )
        return told

    app.wait_until(lambda: all(each["hovering"] and each["ready"] for each in seen_now()))
    seen = seen_now()
    assert [each["block"] for each in seen] == ["blocks.4", "blocks.5"]
    grids = roots.evaluate_all(
        "roots => roots.map(({ __canvas: { probe } }) => [probe.state.block.h, probe.state.block.w])"
    )
    for each, (rows, cols) in zip(seen, grids, strict=True):
        assert (each["cell"]["row"], each["cell"]["col"]) == (int(0.2 * rows), int(0.3 * cols))
    names = page.locator("[data-a2-side] h2").all_inner_texts()
    assert len(set(names)) == 2
    clip = a2core.read_media(samples.sample_path(samples.SAMPLES[0]), max_side_px=pictures.DECODED_SIDE_PX)
    for name, each in zip(names, seen, strict=True):
        trace = a2core.load_model(name).trace(clip, size=traces.DEFAULT_SIZE_PX)
        cell = (0, each["cell"]["row"], each["cell"]["col"])
        row = a2core.effective_attention(trace.blocks[each["block"]], cell)
        np.testing.assert_allclose(each["attention"], row.ravel(), atol=1e-4 * row.max())
