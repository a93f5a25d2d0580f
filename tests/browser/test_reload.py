"""What a visitor brought survives a reload of the page; nobody else gets it by the address."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import AppPage, OpenApp
from tests.browser.test_app import photo
from tests.browser.test_links import on_canvas, path_of, query
from viz_app.ui import link_words

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Whatever is said on the page and whichever pictures, sizes and weights are chosen, however shortly.
WITNESS = """() => {
    window.told = new Set();
    window.chosen = new Set();
    const look = () => {
        for (const note of document.querySelectorAll('.a2-note')) told.add(note.textContent);
        const images = document.querySelectorAll('[role=radio][aria-checked=true] img');
        for (const image of images) chosen.add(image.closest('[role=radio]').textContent.trim());
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
# Each page that comes is loaded again so many milliseconds after it began, by itself: from outside, the
# browser may be asked for a page that it is just about to leave.
RELOADS = """() => {
    const delays_ms = [0, 30, 100, 300], done = Number(sessionStorage.getItem('test-reloads'));
    window.stays = done === delays_ms.length;
    if (window.stays) return;
    setTimeout(() => {
        sessionStorage.setItem('test-reloads', done + 1);
        location.reload();
    }, delays_ms[done]);
}"""
RELOADED = "() => window.stays"
NO_STORAGE = """Object.defineProperty(window, 'sessionStorage', {
    get() { throw new DOMException('The request was denied for this document.', 'SecurityError'); },
});"""
TICKET = "() => sessionStorage.getItem('a2-ticket')"
GONE = link_words.own_picture("").partition(".")[0]


@pytest.fixture
def brought(open_app: OpenApp) -> tuple[AppPage, dict[str, Any]]:
    """A page with a picture of the visitor's own and a pin in it; and what is on screen."""
    app = open_app(charts=False)
    assert app.page.evaluate(TICKET) is None, "who brings nothing is given nothing to keep"
    app.drop("mine.jpg", photo(640, 480, seed=11), "image/jpeg")
    app.page.get_by_role("radio", name="mine.jpg", exact=True, checked=True).wait_for()
    app.wait_until_traced(charts=False)
    app.pin(0.9, 0.8)
    app.wait_until(lambda: "pins" in query(app))
    return app, on_canvas(app)


def test_a_reload_finds_picture_and_pixel_and_shows_and_says_nothing_else_meanwhile(
    brought: tuple[AppPage, dict[str, Any]], open_app: OpenApp
) -> None:
    app, seen = brought
    app.page.add_init_script(f"({WITNESS})()")
    app.page.reload()
    app.wait_until_traced(charts=False)
    assert on_canvas(app) == seen
    assert app.page.evaluate("[[...chosen], [...told]]") == [["mine.jpg"], []]
    kept = app.page.evaluate(TICKET)
    assert len(kept) > 40
    assert kept not in app.page.url

    other = open_app(path_of(app), charts=False)
    assert GONE in other.page.locator(".a2-note").inner_text()
    assert other.page.get_by_role("radio", name="mine.jpg").count() == 0


def test_reloads_faster_than_the_page_comes_lose_nothing(brought: tuple[AppPage, dict[str, Any]]) -> None:
    app, seen = brought
    app.page.add_init_script(f"({RELOADS})()")
    app.page.evaluate("() => void setTimeout(() => location.reload())")
    app.page.wait_for_function(RELOADED)
    app.wait_until_traced(charts=False)
    assert on_canvas(app) == seen


def test_a_duplicated_tab_gets_nothing_while_its_original_is_there(
    brought: tuple[AppPage, dict[str, Any]],
) -> None:
    app, seen = brought
    with app.page.expect_popup() as opened:
        app.page.evaluate("() => void open(location.href)")  # it begins with a copy of what this tab stored
    twin = opened.value
    twin.locator(".a2-note").filter(has_text=GONE).wait_for()
    assert twin.evaluate(TICKET) == app.page.evaluate(TICKET)
    twin.close()
    app.page.reload()
    app.wait_until_traced(charts=False)
    assert on_canvas(app) == seen, "and takes nothing from it"


def test_a_reload_of_a_page_without_an_address_is_about_the_same_picture_and_pixel(
    brought: tuple[AppPage, dict[str, Any]],
) -> None:
    app, seen = brought
    app.page.get_by_role("link", name="Compare").click()
    row = app.page.locator(".st-key-compare-row")
    row.wait_for()
    app.wait_until_idle()
    app.page.reload()
    row.wait_for()
    app.wait_until_idle()
    app.page.get_by_role("link", name="Explore").click()
    app.wait_until_traced(charts=False)
    again = on_canvas(app)
    assert [again[name] for name in ("key", "block", "rest")] == [
        seen[name] for name in ("key", "block", "rest")
    ]


def test_where_the_browser_keeps_nothing_a_reload_is_told_to_bring_the_file_again(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    app.page.add_init_script(NO_STORAGE)
    app.page.reload()
    app.wait_until_traced(charts=False)
    app.drop("mine.jpg", photo(640, 480, seed=12), "image/jpeg")
    app.page.get_by_role("radio", name="mine.jpg", exact=True, checked=True).wait_for()
    app.wait_until_traced(charts=False)
    app.page.reload()
    app.page.locator(".a2-note").filter(has_text=GONE).wait_for()
    assert app.message.count() == 0
