"""Compare in a browser: five kinds, one pixel; each map is what the block's own weights give, by NumPy.

Works with whatever checkpoints are shipped: kinds without one must be flagged, and are held against
their random weights.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import expit, softmax

import a2core
from a2core.canvas import read_vocabulary
from a2core.rival_networks import KINDS
from tests.browser.conftest import AppPage, OpenApp
from tests.browser.streamlit_dom import PAGE_WIDTH
from tests.viz_app.views.learn.lesson_oracle import agrees
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


def cells(app: AppPage) -> list[str]:
    return [str(said) for said in app.page.locator("[data-a2-picker] .said").all_text_contents()]


def cell_shown(app: AppPage) -> tuple[int, int] | None:
    """The cell that all pictures say they show, None while they do not say the same."""
    said = set(cells(app))
    if len(said) != 1:
        return None
    row, col = (int(word.split()[1]) for word in said.pop().split(", "))
    return row, col


def map_drawn(app: AppPage, index: int) -> np.ndarray:
    """The map over the picture number `index`, as a share of the brightest that it can be, (h, w).

    Opacity rises to all that there is a little before that: what is beyond is 1.
    """
    url = app.page.locator("[data-a2-picker] .over").nth(index).get_attribute("src")
    alpha = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))[..., 3] / 255
    base, gain, power = read_vocabulary().cover
    seen = alpha / read_vocabulary().settings["opacity"].first
    return np.where(seen > 0.995, 1, np.maximum((seen - base) / gain, 0) ** (1 / power))


def assert_each_is_its_own(app: AppPage, by_hand: dict[str, ByHand]) -> None:
    cell = cell_shown(app)
    assert cell is not None
    for index, (kind, block) in enumerate(by_hand.items()):
        row = block.row(cell)
        assert row.sum() == pytest.approx(1)
        assert agrees(figure(app, f"{kind}_peak"), row.max()), kind
        half = 1 + int((np.cumsum(-np.sort(-row)) < 0.5 - 1e-6).sum())
        assert agrees(figure(app, f"{kind}_half"), half / row.size), kind
        drawn, wanted = map_drawn(app, index).ravel(), row / max(row.max(), 2 / row.size)
        np.testing.assert_allclose(drawn[drawn < 1], wanted[drawn < 1], atol=0.015, err_msg=kind)
        assert (wanted[drawn == 1] > 0.8).all(), kind


def test_five_kinds_at_one_pixel_show_the_rows_of_their_own_matrices(open_app: OpenApp) -> None:
    app = open_app("/compare", traced=False)
    page = app.page
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=FIRST_MS)
    app.wait_until_idle()
    clip = a2core.read_media(samples.sample_path(samples.SAMPLES[0]), max_side_px=pictures.DECODED_SIDE_PX)
    chosen = page.get_by_role("radiogroup", name="Block").locator("[aria-checked=true]").inner_text()
    block = chosen.split("(")[1].rstrip(")")
    rivals: dict[str, Any] = {rival.kind: rival for rival in a2core.find_rivals(CHECKPOINT)}
    by_hand = {kind: ByHand(rivals[kind], clip, block) for kind in KINDS}

    assert page.locator("[data-a2-picker]").count() == len(KINDS) == 5
    assert_each_is_its_own(app, by_hand)
    before = cell_shown(app)

    # Untrained kinds are flagged, each where it stands; none else is.
    flags = page.locator(".a2-compare:has(h2)").all_inner_texts()
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

    # Another pixel, clicked in one picture, is another in all five.
    peaks = [figure(app, f"{kind}_peak") for kind in KINDS if kind not in SAME]
    box = page.locator("[data-a2-picker]").nth(2).bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.75 * box["height"])
    app.wait_until(lambda: cell_shown(app) not in (None, before))
    app.wait_until(lambda: [figure(app, f"{kind}_peak") for kind in KINDS if kind not in SAME] != peaks)
    app.wait_until_idle()
    assert cell_shown(app) == (int(0.75 * by_hand["non_local"].rows), int(0.8 * by_hand["non_local"].cols))
    assert_each_is_its_own(app, by_hand)

    # Two clicks, the second in another picture while the first is answered: the second is where it ends.
    left, right = (page.locator("[data-a2-picker]").nth(index).bounding_box() for index in (0, 4))
    page.mouse.click(left["x"] + 0.2 * left["width"], left["y"] + 0.3 * left["height"])
    page.wait_for_timeout(AMID_ANSWER_MS)
    page.mouse.click(right["x"] + 0.6 * right["width"], right["y"] + 0.5 * right["height"])
    second = (int(0.5 * by_hand["non_local"].rows), int(0.6 * by_hand["non_local"].cols))
    app.wait_until(lambda: cell_shown(app) == second)
    app.wait_until_idle()
    assert cell_shown(app) == second
    assert_each_is_its_own(app, by_hand)

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
        names = page.locator(".a2-compare h2")
        assert names.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length") == 0
