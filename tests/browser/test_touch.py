"""Fingers on a phone, 390 × 844: on the picture they probe and mark, everywhere else the page scrolls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser import canvas_harness as harness
from tests.browser.conftest import AppPage
from tests.browser.streamlit_dom import IDLE, MAIN
from tests.browser.tabs import single_tab
from tests.browser.test_accessible import serious_faults
from tests.browser.test_canvas import Show, offline, touched  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}
ONE = "/primitives?block=blocks.4&primitive=4"
PAGES = [
    "/",
    *(f"/learn?step={step}" for step in range(1, 8)),
    *("/compare", "/experiment", "/primitives", ONE, "/about"),
]
LOOKED_AT_BY_AXE = {"/", "/learn?step=3", "/compare", "/experiment", "/about"}
SNAPSHOT = f"{harness.ROOT}.__canvas.snapshot()"  # browsers hand on moves once a frame
Touch = Callable[..., None]
# Whatever is pressed, in shadow trees too: what it is, how large it is to a finger. What is read out only is
# no target. A link in running text is as high as its line, and has no neighbour to be taken for.
TARGETS = """() => {
    const found = [];
    const PRESSED = "a[href], button, summary, select, label:has(> input), [role=radio], [role=switch],"
        + " [role=slider], input:not([type=radio], [type=checkbox], [type=file], [type=hidden])";
    const running = (node) => node.matches("a") && getComputedStyle(node).display === "inline"
        && node.parentElement.textContent.trim().length > node.textContent.trim().length;
    const walk = (root) => {
        for (const node of root.querySelectorAll("*")) {
            if (node.shadowRoot) walk(node.shadowRoot);
            if (!node.matches(PRESSED) || node.closest("[hidden]") || running(node)) continue;
            if (!node.checkVisibility({ visibilityProperty: true })) continue;
            const { width, height, right } = node.getBoundingClientRect();
            if (right <= 0) continue;  // of a menu that is closed, beside the page
            if (width > 1 && height > 1 && Math.min(width, height) < 39.5) {
                const said = node.ariaLabel || node.textContent.trim();
                found.push(`${node.className} ${said.slice(0, 20)}: ${width} × ${height}`);
            }
        }
    };
    walk(document.body);
    return found;
}"""

MENU = "(document.querySelector('[data-testid=stSidebar]')?.getBoundingClientRect() ?? { left: 0, right: 0 })"
MENU_STANDS, MENU_GONE = f"{MENU}.left === 0 && {MENU}.right > 200", f"{MENU}.right <= 1"


def fingers(page: Any) -> Touch:
    """Sends touches: what happens, then where each finger is."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *spots: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(spots)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return touch


def along(a: tuple[float, float], b: tuple[float, float]) -> list[tuple[float, float]]:
    return [(a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])) for part in (0.1, 0.3, 0.6, 1.0)]


@pytest.fixture
def canvas(touched: Show) -> harness.CanvasPage:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16,))
    return touched(payload, height=600)


def test_the_first_tap_marks(canvas: harness.CanvasPage) -> None:
    canvas.page.touchscreen.tap(*canvas.spot(0.3, 0.4))
    told = canvas.settle()
    assert told["cell"] == {"t": 0, "row": 11, "col": 8}
    assert told["pinned"]


def test_a_finger_probes_while_it_moves_with_a_loupe_over_it_and_marks_nothing(
    canvas: harness.CanvasPage,
) -> None:
    touch = fingers(canvas.page)
    loupe = canvas.page.locator(".a2c-loupe")
    bottom, top = canvas.spot(8.5 / 28, 24.5 / 28), canvas.spot(8.5 / 28, 6.5 / 28)
    touch("touchStart", bottom)
    for spot in along(bottom, top):
        touch("touchMove", spot)
    canvas.page.wait_for_function(f"() => {SNAPSHOT}.cell.row === 6 && {SNAPSHOT}.ready")
    assert loupe.is_visible()
    box = loupe.bounding_box() or {}
    assert abs(box["x"] + box["width"] / 2 - top[0]) < 2
    assert box["y"] > top[1] or box["y"] + box["height"] < top[1], "beside the finger, not under it"
    touch("touchEnd")
    told = canvas.settle()
    assert not loupe.is_visible()
    assert told["cell"] == {"t": 0, "row": 6, "col": 8}, "what was shown last stays"
    assert not told["pinned"]
    assert canvas.page.evaluate("() => scrollY") == 0


def test_a_long_press_begins_a_box(canvas: harness.CanvasPage) -> None:
    touch = fingers(canvas.page)
    a, b = canvas.spot(4.5 / 28, 4.5 / 28), canvas.spot(8.5 / 28, 10.5 / 28)
    touch("touchStart", a)
    canvas.page.wait_for_function(f"() => {harness.ROOT}.__canvas.pointer.touch.pressed?.box")
    for spot in along(a, b):
        touch("touchMove", spot)
    canvas.page.wait_for_function(f"() => {SNAPSHOT}.region?.[4] === 8")
    touch("touchEnd")
    assert canvas.settle()["region"] == [0, 4, 4, 10, 8]
    canvas.page.locator("[data-ref=unbox]").click()
    assert canvas.settle()["region"] is None


def test_two_fingers_change_nothing(canvas: harness.CanvasPage) -> None:
    canvas.page.touchscreen.tap(*canvas.spot(0.3, 0.4))
    before = canvas.settle()
    touch = fingers(canvas.page)
    a, b = canvas.spot(0.6, 0.6), canvas.spot(0.8, 0.8)
    touch("touchStart", a)
    touch("touchStart", a, b)
    for spot in along(a, canvas.spot(0.2, 0.2)):
        touch("touchMove", spot, b)
    touch("touchEnd")
    told = canvas.settle()
    assert (told["pins"], told["region"], told["rest"]) == (before["pins"], None, before["rest"])
    assert not canvas.page.locator(".a2c-loupe").is_visible()


def test_a_turned_phone_in_the_middle_of_a_drag_leaves_no_loupe_and_no_mark(
    canvas: harness.CanvasPage,
) -> None:
    touch = fingers(canvas.page)
    a = canvas.spot(0.3, 0.3)
    touch("touchStart", a)
    for spot in along(a, canvas.spot(0.6, 0.6)):
        touch("touchMove", spot)
    canvas.page.set_viewport_size({"width": 844, "height": 390})
    touch("touchCancel")
    told = canvas.settle()
    assert not told["pinned"]
    assert not canvas.page.locator(".a2c-loupe").is_visible()
    canvas.page.touchscreen.tap(*canvas.spot(0.3, 0.4))
    assert canvas.settle()["pinned"]


@pytest.fixture(scope="module")
def phone(chromium: Any, app_url: str) -> Iterator[AppPage]:
    tab = single_tab(chromium, **PHONE)
    app = AppPage(tab, app_url)
    yield app
    app.close()


def go(app: AppPage, path: str) -> None:
    app.page.goto(app.page.url.split("/", 3)[0] + "//" + app.page.url.split("/", 3)[2] + path)
    app.page.locator(IDLE).wait_for()
    app.page.locator(f"{MAIN} :is(h1, .a2-about)").first.wait_for()
    app.wait_until_idle()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_phone_whatever_is_pressed_is_large_enough_and_axe_finds_nothing_serious(
    phone: AppPage, path: str
) -> None:
    go(phone, path)
    assert phone.page.locator(MAIN).evaluate("main => main.scrollWidth") <= 390
    if path == "/experiment":  # its table has the last column in sight
        box = phone.page.locator(".a2-shifts-box")
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert phone.page.evaluate(TARGETS) == []
    if path in LOOKED_AT_BY_AXE:
        assert serious_faults(phone) == []


def test_on_a_phone_the_picture_comes_first_and_stays_in_sight(phone: AppPage) -> None:
    go(phone, "/")
    phone.stage.wait_for()
    top = "stage => stage.getBoundingClientRect().top"
    assert phone.stage.evaluate(top) < 300
    phone.page.locator(MAIN).evaluate("main => main.scrollTo(0, 600)")
    assert 0 <= phone.stage.evaluate(top) < 80, "over the list that tells of it"


def test_scrolling_past_the_picture_of_the_lesson_moves_no_cell_and_a_tap_does(phone: AppPage) -> None:
    go(phone, "/learn?step=5")
    picker = phone.page.locator("[data-a2-picker]")
    said = picker.locator(".said")
    phone.wait_until(lambda: bool(said.text_content()))
    before = said.text_content()
    box = picker.bounding_box() or {}
    touch = fingers(phone.page)
    a = (box["x"] + 0.8 * box["width"], box["y"] + 0.9 * box["height"])
    touch("touchStart", a)
    for spot in along(a, (a[0], a[1] - 160)):
        touch("touchMove", spot)
    touch("touchEnd")
    phone.page.wait_for_function(f"document.querySelector('{MAIN}').scrollTop > 40")
    assert said.text_content() == before
    picker.tap(position={"x": 0.8 * box["width"], "y": 0.9 * box["height"]})  # when it stands still
    phone.wait_until(lambda: said.text_content() != before)
    phone.wait_until_idle()


def test_what_is_opened_by_a_finger_is_large_enough_too(phone: AppPage) -> None:
    go(phone, "/")
    page = phone.page
    page.get_by_role("button", name="Symbols").tap()
    close = page.locator("[data-a2-glossary] dialog").get_by_role("button", name="Close")
    close.wait_for()
    assert page.evaluate(TARGETS) == []
    close.tap()
    page.get_by_role("button", name="photo_camera").tap()
    page.locator("[data-testid=stCameraInput]").wait_for()
    phone.wait_until_idle()
    assert page.evaluate(TARGETS) == []
    page.keyboard.press("Escape")
    page.locator("[data-testid=stExpandSidebarButton]").tap()
    close = page.locator("[data-testid=stSidebarCollapseButton] button")
    close.wait_for()
    page.wait_for_function(MENU_STANDS)
    assert page.evaluate(TARGETS) == []
    close.tap()  # which our own buttons in the header must not cover
    page.wait_for_function(MENU_GONE)


def test_the_menu_closes_over_the_page_that_was_chosen_in_it(phone: AppPage) -> None:
    go(phone, "/")
    phone.page.locator("[data-testid=stExpandSidebarButton]").tap()
    link = phone.page.locator("[data-testid=stSidebarNavLink]", has_text="About")
    link.wait_for()
    link.tap()
    phone.page.locator(".a2-about").wait_for()
    phone.page.wait_for_function(MENU_GONE)
