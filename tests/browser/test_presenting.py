"""In front of a class: the switch, what fills the screen, the link, the list, the map hidden for guessing."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from tests.browser.conftest import AppPage, OpenApp
from tests.browser.streamlit_dom import IDLE, MAIN
from tests.viz_app.explorer import png

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST_MS = 180_000  # the first page of a server loads torch and the network
PROJECTORS = [(1920, 1080), (1280, 720)]
# A page, and what is on it when it stands.
PAGES = {
    "/": "[data-ref=rows] li .a2c-share",
    **{f"/learn?step={step}": ".st-key-lesson-picker [data-a2-picker] .cell" for step in range(1, 8)},
    "/compare": "[data-a2-side] .a2s-foot p",
    "/experiment": ".a2-changed figcaption",
    "/about": ".a2-about",
    "/primitives": "ol.tiles img",
    "/primitives?primitive=3": "ol.tiles img",
}
SCROLLS = {address for address in PAGES if address.startswith(("/about", "/primitives"))}  # they are read
# Every piece of text that can be seen, in shadow trees too: its letters in CSS pixels, and whether it is cut
# off, by the window or by an element round it that does not scroll. Last where its lines are, which nothing
# may lie on: none for what a scroller holds and for pieces of a formula.
TEXTS = r"""() => {
    const found = [], FREE = "free";
    const up = (node) => node.parentElement ?? node.getRootNode().host;
    const state = (node, box) => {
        let cut = false, free = false;  // free: within a scroller, which the reader can move
        for (let at = node; at; at = up(at)) {
            const style = getComputedStyle(at);
            if (style.display === "none" || style.visibility === "hidden") return null;
            const own = at.getBoundingClientRect();
            if (style.overflow !== "visible" && (own.width <= 1 || own.height <= 1)) return null;
            if (style.clip !== "auto" && own.width <= 1) return null;
            if (free || style.display === "contents" || style.display === "inline") continue;
            const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY);
            if (scrolls && !at.matches("[data-testid=stMain], .a2c")) free = true;
            else if (style.overflow !== "visible" && style.textOverflow !== "ellipsis")
                cut ||= box.right > own.right + 2 || box.bottom > own.bottom + 2 || box.left < own.left - 2;
        }
        const wide = box.left < -1 || box.right > innerWidth + 1;
        const high = box.top < -1 || box.bottom > innerHeight + 1;
        return free ? FREE : cut || wide || high;
    };
    const walk = (root) => {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const node = texts.currentNode;
            const parent = node.parentElement;
            const blank = !node.data.replace(/\u200b/g, "").trim();  // KaTeX holds its boxes open with those
            if (blank || !parent || parent.closest("style, script, noscript")) continue;
            const range = document.createRange();
            range.selectNodeContents(node);
            const box = range.getBoundingClientRect();
            const cut = state(parent, box);
            if (cut === null || !box.width) continue;
            const apart = cut === FREE || parent.closest(".katex, sub, sup, .a2c-hint, .badge");
            const edges = ({ left, top, right, bottom }) => [left, top, right, bottom];
            const lines = apart ? [] : [...range.getClientRects()].map(edges);
            const px = parseFloat(getComputedStyle(parent).fontSize) * parent.currentCSSZoom;
            found.push([node.data.trim().slice(0, 40), px, cut === true, lines]);
        }
        for (const node of root.querySelectorAll("*")) if (node.shadowRoot) walk(node.shadowRoot);
    };
    walk(document.body);
    return found;
}"""

# Two frames, after which whatever watches its own size has drawn.
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
STYLED = "getComputedStyle(document.documentElement).getPropertyValue('--a2-bar-type') !== ''"
FITS = "node => node.scrollHeight <= node.clientHeight && node.scrollWidth <= node.clientWidth"


def presenting(address: str) -> str:
    return address + ("&" if "?" in address else "?") + "present=1"


def present(open_app: OpenApp, address: str = "/", **options: Any) -> AppPage:
    """A page that presents, when it stands."""
    options = {"width": 1280, "height": 720} | options
    app = open_app(presenting(address), traced=False, **options)
    stands(app, address)
    return app


def stands(app: AppPage, address: str) -> None:
    app.page.locator(PAGES[address]).first.wait_for(timeout=FIRST_MS, state="attached")
    app.page.locator("html[data-a2-presenting]").wait_for(state="attached")
    app.page.wait_for_function(
        STYLED
    )  # a busy browser may be idle for Streamlit before it has the style sheet
    app.wait_until_idle()


def overlapping(texts: list[list[Any]]) -> list[tuple[str, str]]:
    """Pairs of texts that lie on one another."""
    boxes = [(text, line) for text, _, _, lines in texts for line in lines]
    return [
        (one, other)
        for k, (one, a) in enumerate(boxes)
        for other, b in boxes[:k]
        if min(a[2], b[2]) - max(a[0], b[0]) > 4 and min(a[3], b[3]) - max(a[1], b[1]) > 12
    ]


def switch(app: AppPage) -> Any:
    return app.page.locator("[data-a2-presenter] .present")


def assert_it_can_be_read(app: AppPage, address: str) -> None:
    """Large letters, nothing cut, nothing on anything else, and no more than the window holds."""
    where = (address, app.page.viewport_size)
    texts = app.page.evaluate(TEXTS)
    assert len(texts) > 8, where
    assert [(text, px) for text, px, *_ in texts if px < 24] == [], where
    if address in SCROLLS:
        return
    assert [text for text, _, cut, _ in texts if cut] == [], where
    assert overlapping(texts) == [], where
    for scroller in app.page.locator(f"{MAIN}, .a2c").all():
        assert scroller.evaluate(FITS), where


def test_every_page_can_be_read_from_the_last_row_and_nothing_is_cut(open_app: OpenApp) -> None:
    app = present(open_app, "/", scheme="dark")  # colours move no letter
    for address in PAGES:
        go_on(app, address)
        for width, height in PROJECTORS:
            app.page.set_viewport_size({"width": width, "height": height})
            app.page.evaluate(SETTLED)
            assert_it_can_be_read(app, address)
        # Formulas, with what is raised and lowered in them, were among what was looked at.
        assert ("/learn" in address) == (app.page.locator(".katex-html .msupsub").count() > 0), address


def go_on(app: AppPage, address: str) -> None:
    """To the next page of the walk, as somebody with a remote and a mouse goes there."""
    path, _, query = address.partition("?")
    if query.startswith("step=") and query != "step=1":
        app.page.keyboard.press("PageDown")
        app.page.locator(f".a2-step h1 b:text-is('{query[5:]}')").wait_for()
    elif query.startswith("primitive="):
        app.page.locator("ol.tiles a, ol.tiles button").nth(3).click()
    elif path != "/":
        app.page.get_by_role("link", name=path[1:].capitalize(), exact=True).click()
    stands(app, address)


@pytest.mark.parametrize(("name", "size"), [("tall.png", (400, 900)), ("wide.png", (1500, 500))])
def test_a_picture_of_any_shape_fits_beside_its_words(
    open_app: OpenApp, name: str, size: tuple[int, int]
) -> None:
    app = open_app("/", width=1280, height=720, traced=False)
    app.stage.wait_for(timeout=FIRST_MS)
    before = app.trace_key()
    app.drop(name, png((30, 90, 200), size), "image/png")
    app.wait_until(lambda: app.trace_key() != before)
    app.wait_until_idle()
    switch(app).click()
    stands(app, "/")
    assert_it_can_be_read(app, "/")
    for page, address in [("Learn", "/learn?step=1"), ("Compare", "/compare"), ("Experiment", "/experiment")]:
        app.page.get_by_role("link", name=page).click()
        stands(app, address)
        assert_it_can_be_read(app, address)


def test_the_switch_stands_at_the_same_place_on_every_page_and_is_kept_until_escape(
    open_app: OpenApp,
) -> None:
    app = open_app("/", width=1280, height=720, traced=False)
    app.stage.wait_for(timeout=FIRST_MS)
    switch(app).click()
    stands(app, "/")
    places = []
    for name, address in [("Compare", "/compare"), ("Experiment", "/experiment"), ("About", "/about")]:
        app.page.get_by_role("link", name=name).click()
        stands(app, address)
        places.append(switch(app).bounding_box())
    assert places == [places[0]] * 3
    app.page.get_by_role("link", name="Learn").click()
    stands(app, "/learn?step=1")
    app.wait_until(lambda: "present=1" in app.page.url)
    app.page.keyboard.press("PageDown")
    app.page.get_by_role("heading", name="Three projections").wait_for()
    app.page.keyboard.press("Escape")
    app.page.locator("html:not([data-a2-presenting])").wait_for(state="attached")
    app.wait_until(lambda: "present=1" not in app.page.url)
    app.page.get_by_role("link", name="Explore").click()
    app.stage.wait_for()
    app.wait_until_idle()
    assert not app.page.evaluate("document.documentElement.hasAttribute('data-a2-presenting')")
    # By the canvas's own key and button too.
    app.stage.focus()
    app.page.keyboard.press("f")
    stands(app, "/")
    app.page.locator(".a2c[data-present=yes]").wait_for()
    switch(app).click()
    app.page.locator(".a2c:not([data-present=yes])").wait_for()


def test_a_trap_of_the_lesson_takes_the_place_of_the_figures(open_app: OpenApp) -> None:
    app = present(open_app, "/learn?step=6")
    app.page.get_by_text("The trap").click()
    app.page.locator(".a2-trap").wait_for()
    app.wait_until_idle()
    assert app.page.locator(".a2-chips").count() == 0
    texts = app.page.evaluate(TEXTS)
    assert [entry for entry in texts if entry[1] < 24 or entry[2]] == []
    assert overlapping(texts) == []


def test_the_link_is_shown_with_a_code_that_a_phone_reads_and_escape_closes_only_that(
    open_app: OpenApp,
) -> None:
    app = present(open_app, "/learn?step=3")
    app.wait_until(lambda: "step=3" in app.page.url and "picture=" in app.page.url)
    app.page.locator("[data-a2-presenter] .link").click()
    code = app.page.locator(".a2-link img")
    code.wait_for()
    said = app.page.locator(".a2-link a").inner_text()
    assert said == app.page.url.replace("&present=1", "")
    shot = cv2.imdecode(np.frombuffer(code.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert cv2.QRCodeDetector().detectAndDecode(shot)[0] == said
    assert "machine itself" in app.page.locator(".a2-link").inner_text()
    assert [text for text, px, *_ in app.page.evaluate(TEXTS) if px < 24] == []
    app.page.keyboard.press("Escape")
    code.wait_for(state="detached")
    assert app.page.evaluate("document.documentElement.hasAttribute('data-a2-presenting')")


def test_a_pin_that_is_set_while_presenting_is_counted_at_once(open_app: OpenApp) -> None:
    app = open_app("/", width=1280, height=720, traced=False)
    app.stage.wait_for(timeout=FIRST_MS)
    app.wait_until_idle()
    switch(app).click()
    where = app.page.locator("[data-a2-presenter] .stop")
    app.wait_until(lambda: where.inner_text() == "Nothing kept yet")
    app.page.locator(".a2c[data-present=yes]").wait_for()  # the picture has moved, and moves no more
    app.wait_until_idle()
    app.pin(0.3, 0.3)
    app.wait_until(lambda: where.inner_text() == "1 / 1 Cat", within_s=30)
    app.page.locator("[data-ref=overlay]").wait_for()
    assert "pins=" in app.page.url


def test_a_remote_steps_through_pins_and_own_pictures_with_the_map_hidden_until_it_is_revealed(
    open_app: OpenApp,
) -> None:
    app = open_app("/", width=1280, height=720, traced=False)
    app.stage.wait_for(timeout=FIRST_MS)
    app.wait_until_idle()
    app.pin(0.3, 0.3)
    app.wait_until(lambda: "pins=" in app.page.url)
    first = app.trace_key()
    app.drop("mine.png", png((30, 90, 200)), "image/png")
    app.wait_until(lambda: app.trace_key() != first)
    mine = app.trace_key()
    app.wait_until_idle()
    switch(app).click()
    where = app.page.locator("[data-a2-presenter] .stop")
    app.wait_until(lambda: where.inner_text() == "2 / 2 mine.png")
    app.page.keyboard.press("h")
    veiled = app.page.locator(".a2c[data-veiled=yes]")
    veiled.wait_for()
    app.page.keyboard.press("PageUp")
    app.wait_until(lambda: app.trace_key() == first)
    app.wait_until(lambda: where.inner_text().startswith("1 / 2"))
    assert "x" in app.page.url.split("pins=")[1]
    # The mark is there to ask about, nothing that answers.
    veiled.wait_for()
    for answer in ("overlay", "readout", "legend", "rank"):
        assert not app.page.locator(f"[data-ref={answer}]").is_visible(), answer
    assert app.page.locator("[data-ref=rest]").is_visible()
    assert "Guess" in app.page.locator("[data-ref=what]").inner_text()
    app.page.locator("[data-ref=guess]").click()
    app.page.locator("[data-ref=overlay]").wait_for()
    assert app.page.locator("[data-ref=rank]").is_visible()
    app.page.get_by_role("button", name="The next picture").click()
    app.wait_until(lambda: app.trace_key() == mine)
    app.page.locator(IDLE).wait_for()
    # The list goes with the switch to other pages, whose link says what is on screen.
    app.page.get_by_role("link", name="Compare").click()
    stands(app, "/compare")
    app.page.keyboard.press("PageUp")
    app.wait_until(lambda: where.inner_text().startswith("1 / 2"))
    app.wait_until_idle()
    app.page.locator("[data-a2-presenter] .link").click()
    said = app.page.locator(".a2-link a").inner_text()
    assert "/compare?picture=chelsea&" in said
    assert "&pins=x" in said
