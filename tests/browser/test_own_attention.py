"""The attention that a network was born with, in a browser, against matrices that plain torch works out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image

import a2core
from a2core import Clip
from tests.browser import own_networks
from tests.browser.conftest import AppPage, Server, running_app
from tests.browser.tabs import single_tab
from tests.browser.test_downloads import take
from viz_app.server import pictures, samples

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME = "tests.browser.own_networks:vit"
SIZE_PX, CELLS = 224, (9, 14)


def matrices(network: torch.nn.Module, layers: list[Any], x: torch.Tensor) -> list[np.ndarray]:
    """Of each attention module its softmax, (…, heads, n, n), as it works it out where nothing is fused."""
    seen: list[np.ndarray] = []
    for layer in layers:
        layer.fused_attn = False
        layer.attn_drop.register_forward_hook(lambda _, __, out: seen.append(out.detach().numpy().copy()))
    with torch.no_grad():
        network(x)
    return seen


@pytest.fixture(scope="module")
def by_hand() -> list[np.ndarray]:
    """(heads, tokens, tokens) of each layer of the ViT on the first sample."""
    path = samples.sample_path(samples.SAMPLES[0])
    clip = a2core.read_media(path, max_side_px=pictures.DECODED_SIDE_PX)
    model = a2core.load_model(NAME)
    x = model.preprocess(model.trace(clip, size=SIZE_PX).model_input)
    network = own_networks.vit()
    return [matrix[0] for matrix in matrices(network, [block.attn for block in network.blocks], x)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_app(tmp_path_factory.mktemp("own") / "log", environment={"A2_NETWORKS": NAME}) as running:
        yield running


@pytest.fixture
def open_own(server: Server, chromium: Any) -> Iterator[Callable[[str], AppPage]]:
    opened: list[AppPage] = []

    def open_page(address: str) -> AppPage:
        app = AppPage(single_tab(chromium, width=1400, height=1400), server.url + address)
        opened.append(app)
        app.stage.wait_for(timeout=120_000)
        app.wait_until(lambda: shown(app)["ready"])
        app.wait_until_idle()
        return app

    yield open_page
    for app in opened:
        app.close()


def shown(app: AppPage) -> dict[str, Any]:
    told: dict[str, Any] = app.page.locator("[data-a2-root]").evaluate("root => root.__canvas.snapshot()")
    return told


def over_picture(row: np.ndarray) -> np.ndarray:
    return row[1:] / row[1:].sum()


def choose(app: AppPage, layer: str) -> None:
    """Another layer, once it has come: until then its map is empty, under whatever was said before it."""
    app.page.locator("[data-ref=layers]").get_by_role("radio", name=layer, exact=True).check(force=True)
    name = f"blocks.{layer}.attn" if layer.isdigit() else layer
    app.wait_until(lambda: shown(app)["block"] == name and max(shown(app)["attention"]) > 0)
    app.wait_until_idle()


def test_layers_heads_tokens_and_rollout_are_those_of_the_network(
    open_own: Callable[[str], AppPage], by_hand: list[np.ndarray], tmp_path: Path
) -> None:
    app = open_own(f"/?weights={NAME}&size={SIZE_PX}")
    page = app.page
    assert shown(app)["block"] == "blocks.2.attn", "what was trained comes first, and here no block was"

    def token() -> int:
        cell = shown(app)["cell"]
        return int(1 + cell["row"] * CELLS[1] + cell["col"])

    def agrees(wanted: np.ndarray) -> None:
        app.wait_until(lambda: shown(app)["ready"])
        seen = np.array(shown(app)["attention"])
        np.testing.assert_allclose(seen, wanted, atol=2e-4 * wanted.max())

    agrees(over_picture(by_hand[2].mean(axis=0)[token()]))
    choose(app, "0")
    app.pin(0.7, 0.6)
    app.wait_until_idle()
    page.mouse.move(2, 2)
    agrees(over_picture(by_hand[0].mean(axis=0)[token()]))
    assert shown(app)["beside"] == pytest.approx(by_hand[0].mean(axis=0)[token(), 0], abs=1e-4)

    page.get_by_role("button", name="Head 1", exact=True).click()
    page.mouse.move(2, 2)
    agrees(over_picture(by_hand[0][1][token()]))
    page.locator("[data-ref=tokens]").get_by_role("radio", name="class token").check(force=True)
    agrees(over_picture(by_hand[0][1][0]))
    assert "class token" in page.locator("[data-ref=readout]").inner_text()
    page.locator("[data-ref=ask]").get_by_role("radio", name="Gives to").check(force=True)
    agrees(by_hand[0][1][1:, 0])
    app.wait_until(lambda: "direction=to" in page.url)
    app.wait_until_idle()

    again = open_own("/?" + page.url.partition("?")[2])
    app.wait_until(lambda: shown(again)["block"] == "blocks.0.attn" and shown(again)["ready"])
    for name in ("token", "primitive", "direction", "rest"):
        assert shown(again)[name] == shown(app)[name], name
    np.testing.assert_allclose(shown(again)["attention"], shown(app)["attention"], atol=1e-7)

    with Image.open(take(app, "PNG", tmp_path)) as figure:
        assert figure.width == 1800
    assert "blocks.0.attn" in take(app, "HTML", tmp_path).read_text(encoding="utf-8")

    page.locator("[data-ref=ask]").get_by_role("radio", name="Gathers from").check(force=True)
    choose(app, "rollout")
    mixed = np.eye(len(by_hand[0][0]))
    for matrix in by_hand:
        mixed = (0.5 * np.eye(len(mixed)) + 0.5 * matrix.mean(axis=0)) @ mixed
    agrees(over_picture(mixed[0] if shown(app)["token"] == 0 else mixed[token()]))
    page.get_by_role("link", name="Compare", exact=True).click()
    roots = page.locator("[data-a2-side] [data-a2-root]")
    app.wait_until(lambda: roots.count() == 2)

    def two() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = roots.evaluate_all(
            "all => all.map(root => root.__canvas?.snapshot() ?? {})"
        )
        return told

    app.wait_until(lambda: all(each.get("ready") for each in two()))
    app.wait_until_idle()
    page.locator("[data-ref=layers]").first.get_by_role("radio", name="1", exact=True).check(force=True)
    app.wait_until(lambda: two()[0]["block"] == "blocks.1.attn" and max(two()[0]["attention"]) > 0)
    app.wait_until_idle()
    page.locator("[data-ref=stage]").first.scroll_into_view_if_needed()
    box = page.locator("[data-ref=stage]").first.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.2 * box["height"])
    app.wait_until(lambda: all(each["hovering"] and each["ready"] for each in two()))
    left, right = two()
    cell = left["cell"]
    assert (cell["row"], cell["col"]) == (int(0.2 * CELLS[0]), int(0.4 * CELLS[1]))
    row = by_hand[1].mean(axis=0)[1 + cell["row"] * CELLS[1] + cell["col"]]
    np.testing.assert_allclose(left["attention"], over_picture(row), atol=2e-4 * over_picture(row).max())
    assert right["block"] in ("blocks.4", "blocks.5"), "another network, under the same pointer"

    for name in ("Learn", "Experiment", "Explore"):
        page.get_by_role("link", name=name, exact=True).click()
        app.wait_until_idle()
        assert app.message.count() == 0, name
    assert app.complaints == []


def test_in_windows_a_pixel_attends_within_its_own(chromium: Any, tmp_path: Path) -> None:
    network = own_networks.swin()
    pixels = np.random.default_rng(0).integers(0, 255, (1, 224, 224, 3), dtype=np.uint8)
    model = a2core.model_of(network)
    trace = model.trace(Clip(pixels, np.zeros(1), "image", "", ()), size=224)
    first = network.layers[0].blocks
    # Windows one after the other, row by row; the second layer's begin three cells further in.
    x = model.preprocess(trace.model_input)
    plain, shifted = matrices(network, [block.attn for block in first], x)[:2]
    path = tmp_path / "page.html"
    path.write_text(trace.to_html(), encoding="utf-8")
    tab = single_tab(chromium, width=1400, height=1000)
    tab.goto(path.as_uri())
    root = tab.locator("[data-a2-root]")
    tab.wait_for_function("() => document.querySelector('[data-a2-root]').__canvas?.snapshot().ready")
    for name, at, matrix in (("layers.0.blocks.0.attn", 0, plain), ("layers.0.blocks.1.attn", 3, shifted)):
        assert name in trace.attention
        root.evaluate(
            "(root, name) => { const { probe } = root.__canvas; probe.setBlock(probe.model.block(name)); }",
            name,
        )
        row, col = 20, 33
        root.evaluate(
            """(root, [row, col]) => { const { probe } = root.__canvas;
                probe.pin(probe.model.pointOf({ t: 0, row, col }, probe.state.block)); }""",
            [row, col],
        )
        tab.wait_for_function("() => document.querySelector('[data-a2-root]').__canvas.snapshot().ready")
        seen = np.array(root.evaluate("root => root.__canvas.snapshot().attention")).reshape(56, 56)
        # Rolled back by `at`, the cell lies in this window, at this place in it.
        r, c = (row - at) % 56, (col - at) % 56
        window, slot = (r // 7) * 8 + c // 7, (r % 7) * 7 + c % 7
        wanted = np.zeros((56, 56))
        wanted[(r // 7) * 7 : (r // 7) * 7 + 7, (c // 7) * 7 : (c // 7) * 7 + 7] = (
            matrix[window].mean(axis=0)[slot].reshape(7, 7)
        )
        wanted = np.roll(wanted, (at, at), axis=(0, 1))
        np.testing.assert_allclose(seen, wanted, atol=2e-4 * wanted.max(), err_msg=name)
        assert not seen[wanted == 0].any(), "nothing outside of the window"
    tab.close()


def test_where_queries_are_coarser_than_keys_each_cell_has_what_goes_to_all_keys_in_it(
    chromium: Any, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = timm.create_model("levit_128s", num_classes=5).eval()
    pixels = np.random.default_rng(0).integers(0, 255, (1, 224, 224, 3), dtype=np.uint8)
    trace = a2core.model_of(network).trace(Clip(pixels, np.zeros(1), "image", "", ()), size=224)
    layer = next(each for each in trace.attention.values() if each.cells != each.key_cells)
    (rows, cols), (key_rows, key_cols) = layer.cells, layer.key_cells
    assert key_rows > rows
    cell_of = [int((k + 0.5) * rows / key_rows) for k in range(key_rows)]
    path = tmp_path / "page.html"
    path.write_text(trace.to_html(view={"block": layer.name, "probe": [0, 1, 2]}), encoding="utf-8")
    tab = single_tab(chromium, width=1400, height=1000)
    tab.goto(path.as_uri())
    root = tab.locator("[data-a2-root]")
    tab.wait_for_function("() => document.querySelector('[data-a2-root]').__canvas?.snapshot().ready")
    assert root.evaluate("root => root.__canvas.snapshot().block") == layer.name
    seen = np.array(root.evaluate("root => root.__canvas.snapshot().attention")).reshape(rows, cols)
    wanted = np.zeros((rows, cols))
    np.add.at(wanted, np.ix_(cell_of, cell_of), layer.map((0, 1, 2))[0])
    np.testing.assert_allclose(seen, wanted, atol=1e-5)

    root.evaluate("({ __canvas: { probe } }) => probe.setting({ direction: 'to' })")
    tab.wait_for_function("() => document.querySelector('[data-a2-root]').__canvas.snapshot().ready")
    seen = np.array(root.evaluate("root => root.__canvas.snapshot().attention")).reshape(rows, cols)
    keys = [(r, c) for r in range(key_rows) for c in range(key_cols) if (cell_of[r], cell_of[c]) == (1, 2)]
    assert len(keys) > 1
    wanted = sum(layer.received((0, r, c))[0] for r, c in keys)
    np.testing.assert_allclose(seen, wanted, atol=1e-5)
    tab.close()
