"""For everyone: what axe finds on the pages, in both themes, and the tour taken by keyboard alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.browser.conftest import AppPage, OpenApp
from tests.browser.streamlit_dom import APP

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def serious_faults(app: AppPage, *, of_colour: bool = False) -> list[str]:
    """What axe calls serious or critical on the page, or in its colours alone, one line each."""
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    if not app.page.evaluate("'axe' in window"):
        app.page.evaluate((Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    rules = ", runOnly: ['color-contrast', 'link-in-text-block']" if of_colour else ""
    # preload: style sheets and sounds read a second time, for rules about turned screens and sound.
    found = app.page.evaluate(f"axe.run(document, {{ resultTypes: ['violations'], preload: false{rules} }})")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
        if violation["impact"] in ("serious", "critical")
    ]


def turn_dark(app: AppPage) -> None:
    """As when the visitor's system changes its theme."""
    background = f"() => getComputedStyle(document.querySelector('{APP}')).backgroundColor"
    light = app.page.evaluate(background)
    app.page.emulate_media(color_scheme="dark")
    app.page.wait_for_function(f"light => ({background})() !== light", arg=light)
    app.wait_until_idle()


@pytest.mark.parametrize(
    "path", ["?picture=nessie", "?picture=made-clip", "/compare", "/experiment", "/learn", "/about"]
)
def test_axe_finds_nothing_serious_light_or_dark(open_app: OpenApp, path: str) -> None:
    app = open_app(path, traced=path.startswith("?"))
    if path == "?picture=nessie":
        app.page.get_by_text("The sum, number by number").click()
        app.page.get_by_test_id("stDataFrame").wait_for()
    app.page.locator("h1").first.wait_for()
    app.wait_until_idle()
    if path == "/experiment":
        app.page.locator("[data-a2-board] .tile").first.wait_for()
    if path == "/learn":
        app.page.locator("[data-a2-steps] [aria-current]").wait_for()
    assert serious_faults(app) == []
    turn_dark(app)
    assert serious_faults(app, of_colour=True) == []  # nothing else of the page has changed


def test_the_tour_is_taken_by_keyboard_alone_and_found_again(open_app: OpenApp) -> None:
    app = open_app()
    tour, card = app.page.locator("[data-ref=tour]"), app.page.get_by_role("dialog")
    for _ in range(60):
        app.page.keyboard.press("Tab")
        if tour.evaluate("node => node.getRootNode().activeElement === node"):
            break
    else:
        pytest.fail("Tab does not reach the tour")
    assert "Tour" in tour.inner_text()
    app.page.keyboard.press("Enter")
    titles = []
    for _ in range(3):
        card.wait_for()
        titles.append(card.locator("h3").inner_text())
        app.page.keyboard.press("Enter")
    assert [title[0] for title in titles] == ["1", "2", "3"]
    card.wait_for(state="hidden")
    assert tour.evaluate("node => node.getRootNode().activeElement === node"), "the focus comes back"
    assert tour.inner_text() == "?"
    app.page.keyboard.press("Enter")
    card.wait_for()
    app.page.keyboard.press("Escape")
    card.wait_for(state="hidden")
