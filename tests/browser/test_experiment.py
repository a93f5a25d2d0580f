"""The Experiment page in a browser: hands and keys on the board, and an answer that is never stale."""

from __future__ import annotations

import re
from typing import Any

import pytest

import a2core
from tests.browser.conftest import AppPage, OpenApp
from tests.browser.streamlit_dom import PAGE_WIDTH
from viz_app.server import pictures, samples, traces

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def tile(app: AppPage, i: int) -> Any:
    return app.page.locator(f"[data-a2-board] .tile[data-i='{i}']")


def off_on_board(app: AppPage) -> set[int]:
    tiles = app.page.locator("[data-a2-board] .tile[aria-checked=false]")
    return {int(i) for i in tiles.evaluate_all("nodes => nodes.map(node => node.dataset.i)")}


def off_in_answer(app: AppPage) -> set[int]:
    said = app.page.locator(".a2-outcome").get_attribute("data-off") or ""
    return {int(i) for i in said.split(",") if i}


def settle(app: AppPage) -> set[int]:
    """Until the answer is about what the board shows; returns what is off."""
    app.wait_until(lambda: off_in_answer(app) == off_on_board(app))
    app.wait_until_idle()
    assert off_in_answer(app) == off_on_board(app)
    return off_on_board(app)


def assert_answer(app: AppPage, outcome: a2core.Outcome) -> None:
    """The table holds the classes of `outcome` with its probabilities, as far as they are printed."""
    said = app.page.locator(".a2-shifts tbody tr").evaluate_all(
        """rows => rows.map(row => ['th', '.a2-was', '.a2-now']
            .map(cell => row.querySelector(cell).textContent))"""
    )
    shifts = outcome.top(5)[:8]
    assert [name for name, _, _ in said] == [shift.label for shift in shifts]
    for (_, was, now), shift in zip(said, shifts, strict=True):
        # Another number of threads rounds the last digit otherwise.
        assert float(was.rstrip("%\xa0")) == pytest.approx(100 * shift.before, abs=0.011)
        assert float(now.rstrip("%\xa0")) == pytest.approx(100 * shift.after, abs=0.011)


def test_a_primitive_goes_to_explore_and_comes_back(open_app: OpenApp) -> None:
    app = open_app("/experiment", traced=False)
    page = app.page
    tile(app, 1).click()
    app.wait_until(lambda: off_on_board(app) == {1})
    settle(app)
    page.locator("[data-a2-board] .tile[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    current = page.locator("[data-a2-board] .tile[data-current]")
    wanted = int(current.get_attribute("data-i") or "")
    assert wanted != 1
    page.get_by_role("button", name=f"See g{wanted} on Explore").click()
    page.locator("[data-ref=pairTitle]", has_text=f"Primitive g{wanted}").wait_for()
    app.wait_until_idle()
    assert f"primitive={wanted}" in page.url

    # Another one is chosen there, and the experiment that was left begins at it.
    page.locator("[data-ref=unchoose]").click()
    row = page.locator("[data-ref=rows] .a2c-row").nth(2)
    other = int(row.locator(".a2c-name").inner_text()[1:])
    row.click()
    page.wait_for_url(re.compile(rf"primitive={other}\b"))
    app.wait_until_idle()
    page.get_by_role("link", name="Experiment").click()
    current.wait_for()
    assert settle(app) == {1}
    assert int(current.get_attribute("data-i") or "") == other


def test_a_visitor_experiments_by_hand_and_by_keyboard(open_app: OpenApp) -> None:
    app = open_app("/experiment", traced=False)
    page = app.page
    page.locator("[data-a2-board] .tile").first.wait_for()
    app.wait_until_idle()
    clip = a2core.read_media(samples.sample_path(samples.SAMPLES[0]), max_side_px=pictures.DECODED_SIDE_PX)
    replay = a2core.Replay(a2core.load_model("a2-lite0"), clip, size=traces.DEFAULT_SIZE_PX)
    block = replay.blocks[0]  # that Explore shows first

    # It opens with nothing off; the bar speaks of one tile, which a click switches off.
    assert settle(app) == set()
    opened = int(page.locator("[data-a2-board] .tile[data-current]").get_attribute("data-i") or "")
    tile(app, opened).click()
    app.wait_until(lambda: off_on_board(app) == {opened})
    assert settle(app) == {opened}
    assert_answer(app, replay.run(block, off=[opened]))
    headline = page.locator(".a2-headline").inner_text()
    assert re.match(rf"Without g{opened} the network says .* (more|less)\.", headline.replace("\n", ""))

    # Many clicks at once: runs that are overtaken are dropped, the last one counts.
    chosen = [i for i in range(12) if i != opened][:6]
    for i in chosen:
        tile(app, i).click(no_wait_after=True)
    assert settle(app) == {opened, *chosen}
    assert_answer(app, replay.run(block, off=[opened, *chosen]))

    # Undo and its key, reset.
    page.get_by_role("button", name="Undo").click()
    app.wait_until(lambda: len(off_on_board(app)) < 7)
    before = settle(app)
    assert before < {opened, *chosen}
    page.get_by_role("button", name="Reset").click()
    app.wait_until(lambda: not off_on_board(app))
    assert settle(app) == set()
    page.keyboard.press("Control+z")
    app.wait_until(lambda: off_on_board(app) == before)
    settle(app)

    # By keyboard alone: along the tiles in their order, keep only one, make it stronger.
    order = page.locator("[data-a2-board] .tile").evaluate_all("nodes => nodes.map(n => Number(n.dataset.i))")
    page.locator("[data-a2-board] .tile[tabindex='0']").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("o")
    for _ in range(2):
        page.keyboard.press("+")
    kept = order[1]
    assert settle(app) == set(range(len(order))) - {kept}
    app.wait_until(lambda: f"g{kept} × 1.5" in page.locator(".a2-headline").inner_text().replace("\n", ""))
    assert_answer(app, replay.run(block, only=[kept], scale={kept: 1.5}))
    page.keyboard.press(" ")
    assert settle(app) == set(range(len(order)))
    assert "Without this block" in page.locator(".a2-headline").inner_text()
    assert_answer(app, replay.run(block, off=order))

    # A bag from another picture: the tiles show where it was gathered.
    page.get_by_role("button", name="Reset").click()
    app.wait_until(lambda: not off_on_board(app))
    settle(app)
    shot = page.locator("[data-a2-board] .shot").first
    own = shot.evaluate("node => node.style.backgroundImage")
    app.choose("Astronaut")
    app.wait_until(lambda: "bag of Astronaut" in page.locator(".a2-headline").inner_text())
    app.wait_until(lambda: shot.evaluate("node => node.style.backgroundImage") != own)
    donor_clip = a2core.read_media(
        samples.sample_path(next(s for s in samples.SAMPLES if s.name == "astronaut")),
        max_side_px=pictures.DECODED_SIDE_PX,
    )
    donor = a2core.Replay(replay.model, donor_clip, size=traces.DEFAULT_SIZE_PX)
    assert_answer(app, replay.run(block, donor=donor))

    # The true effects, on demand.
    page.get_by_role("button", name="Measure all").click()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    said = page.locator(".a2-said").inner_text()
    found = float(re.search(r"correlation of the two is ([−\d.]+)", said).group(1).replace("−", "-"))
    assert found == pytest.approx(replay.attribute(block).rank_correlation, abs=0.01)
    assert app.message.count() == 0

    # What was set up is still there after a look at another page.
    page.get_by_role("link", name="About").click()
    page.get_by_role("heading", name="About this explorer").wait_for()
    page.get_by_role("link", name="Experiment").click()
    app.wait_until(lambda: "bag of Astronaut" in page.locator(".a2-headline").inner_text())

    # No width makes it scroll sideways, in front of a class neither.
    def wide() -> int:
        return int(page.evaluate(PAGE_WIDTH))

    for width in (390, 800, 1920):
        page.set_viewport_size({"width": width, "height": 1000})
        assert wide() <= width
    page.get_by_role("button", name="Present").click()
    page.locator("html[data-a2-presenting]").wait_for(state="attached")
    app.wait_until_idle()
    assert wide() <= 1920
    size = "node => parseFloat(getComputedStyle(node).fontSize) * node.currentCSSZoom"
    assert float(page.locator(".a2-headline").evaluate(size)) >= 24
    assert float(page.locator(".a2-shifts td").first.evaluate(size)) >= 24
