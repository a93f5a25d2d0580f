"""The Primitives page over the shipped atlas: there and back, by keyboard, for everyone, by link."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import AppPage, OpenApp
from tests.browser.streamlit_dom import PAGE_WIDTH
from tests.browser.test_accessible import serious_faults, turn_dark
from viz_app.views.atlas import words

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ONE = "/primitives?block=blocks.5&primitive=175"


def query(app: AppPage) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(app.page.url).query).items()}


def exemplars(app: AppPage, order: str = "peak") -> Any:
    """The tiles of one order, on the page of a primitive."""
    return app.page.get_by_role("list", name=words.ORDERS[order]).get_by_role("button")


def opened(app: AppPage) -> AppPage:
    """`app`, when the exemplars of every order stand."""
    for order in words.ORDERS:
        exemplars(app, order).first.wait_for()
    app.wait_until_idle()
    return app


def test_from_a_pixel_to_exemplars_to_one_picture_and_back(open_app: OpenApp) -> None:
    app = open_app()
    strongest = app.page.get_by_role("link", name="Where else?")
    asked = parse_qs(urlsplit(strongest.get_attribute("href")).query)
    strongest.click()
    opened(app)
    assert query(app) == {"block": asked["block"][0], "primitive": asked["primitive"][0], "atlas": "a2-lite0"}
    tile = exemplars(app).first
    assert "Photo by" in tile.get_attribute("title")
    tile.hover()  # who dwells on it sees its maps, traced then
    beside = app.page.locator(".glance:popover-open")
    beside.locator("img").nth(3).wait_for()
    assert "Traced now from the small copy" in beside.inner_text()
    tile.click()
    app.page.locator(".a2-again img").first.wait_for()
    assert "photo" in query(app)
    panel = app.page.locator(".st-key-atlas-photo")
    assert panel.get_by_role("link").count() >= 1  # the author's, or the licence's
    app.page.get_by_role("list", name=words.ORDERS["peak"]).locator("[aria-current=true]").wait_for()
    app.wait_until_idle()
    app.page.go_back()
    panel.wait_for(state="detached")
    assert query(app)["primitive"] == asked["primitive"][0]
    app.page.go_back()
    app.stage.wait_for()
    assert "primitive" not in query(app)


def test_all_of_it_is_reached_by_keyboard(open_app: OpenApp) -> None:
    app = open_app("/primitives?block=blocks.5&sort=use", traced=False)
    tiles = app.page.get_by_role("list", name=words.PRIMITIVES).get_by_role("button")
    tiles.first.wait_for()
    app.wait_until_idle()
    tiles.first.focus()
    app.page.keyboard.press("Tab")
    second = tiles.nth(1).locator("strong").inner_text()
    app.page.keyboard.press("Enter")
    opened(app)
    assert f"g{query(app)['primitive']}" == second
    exemplars(app).first.focus()
    app.page.keyboard.press("Enter")
    app.page.locator(".a2-again img").first.wait_for()
    app.wait_until_idle()
    app.page.get_by_role("button", name=words.CLOSE).press("Enter")
    app.page.locator(".a2-again").wait_for(state="detached")
    app.page.get_by_role("button", name=words.BACK).press("Enter")
    tiles.first.wait_for()
    assert query(app)["sort"] == "use"  # as it was


def test_a_link_opens_the_same_view_in_another_browser(open_app: OpenApp) -> None:
    first = opened(open_app(ONE, traced=False))
    exemplars(first, "effect").nth(2).click()
    first.page.locator(".a2-again img").first.wait_for()
    first.wait_until_idle()
    _, _, path, parameters, _ = urlsplit(first.page.url)
    second = open_app(f"{path}?{parameters}", traced=False)
    second.page.locator(".a2-again img").first.wait_for()
    opened(second)
    for part in (".a2-primitive", ".st-key-atlas-photo h3"):
        assert second.page.locator(part).inner_text() == first.page.locator(part).inner_text()
    chosen = exemplars(second, "effect").nth(2)
    second.page.get_by_role("list", name=words.ORDERS["effect"]).locator("[aria-current=true]").wait_for()
    assert chosen.inner_text() == exemplars(first, "effect").nth(2).inner_text()


@pytest.mark.parametrize("path", ["/primitives?block=blocks.5", f"{ONE}&photo=700"])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_screen(open_app: OpenApp, path: str) -> None:
    app = open_app(path, traced=False)
    app.page.locator("ol.tiles img").first.wait_for()
    app.wait_until_idle()
    assert serious_faults(app) == []
    for width in (800, 390):
        app.page.set_viewport_size({"width": width, "height": 900})
        app.wait_until(lambda width=width: app.page.evaluate(PAGE_WIDTH) <= width, within_s=10)
    turn_dark(app)
    assert serious_faults(app, of_colour=True) == []


def test_what_one_visitor_calls_a_primitive_no_other_sees(open_app: OpenApp) -> None:
    first = opened(open_app(ONE, traced=False))
    first.page.get_by_label(words.NAME, exact=True).fill("front of a car")
    first.page.get_by_role("button", name=words.KEEP).click()
    first.page.locator(".a2-primitive", has_text="front of a car").wait_for()
    first.page.get_by_role("link", name="Explore").click()  # whose canvas says it too
    first.wait_until_traced()
    first.page.get_by_role("radio", name="objects").click()
    first.page.get_by_label("Filter the primitives").fill("front of a car")
    first.page.locator(".a2c-tile[title^='front of a car']").wait_for()
    second = opened(open_app(ONE, traced=False))
    assert "front" not in second.page.locator(".a2-primitive").inner_text()
