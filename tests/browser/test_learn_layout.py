"""Learn as it is looked at: from six metres, and on half a screen."""

from __future__ import annotations

import pytest

from tests.browser.conftest import AppPage, OpenApp
from tests.browser.streamlit_dom import PAGE_WIDTH
from tests.browser.test_learn import open_lesson, slider, turn

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STEPS = 7
SLIDERS = {
    1: ["Channel k"],
    2: ["Primitive i"],
    3: ["Primitive i", "Temperature"],
    4: ["Primitive i", "Last cell"],
    5: ["Primitive i"],
    6: ["Terms"],
    7: ["Channel k"],
}
# Every piece of text that can be seen, in shadow trees too, with the size of its letters in CSS pixels.
LETTERING = r"""() => {
    const found = [];
    const seen = (node) => {
        for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
            const style = getComputedStyle(at);
            if (style.display === "none" || style.visibility === "hidden") return false;
            const box = at.getBoundingClientRect();
            if (style.overflow !== "visible" && (box.width <= 1 || box.height <= 1)) return false;
            if (style.clip !== "auto" && box.width <= 1) return false;
        }
        return true;
    };
    const walk = (root) => {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const { data, parentElement: parent } = texts.currentNode;
            const blank = !data.replace(/\u200b/g, "").trim();  // KaTeX holds its boxes open with those
            const apart = parent?.closest("style, script, noscript");
            if (blank || !parent || apart || !seen(parent)) continue;
            const px = parseFloat(getComputedStyle(parent).fontSize) * parent.currentCSSZoom;
            found.push([data.trim().slice(0, 40), px]);
        }
        for (const node of root.querySelectorAll("*")) if (node.shadowRoot) walk(node.shadowRoot);
    };
    walk(document.body);
    return found;
}"""
WIDTH = PAGE_WIDTH


def lettering(app: AppPage) -> list[tuple[str, float]]:
    return [(text, float(px)) for text, px in app.page.evaluate(LETTERING)]


def bottom(app: AppPage, selector: str) -> float:
    """The lower edge of the lowest element in the page, in pixels from the top of the window."""
    return float(
        app.page.locator(selector).evaluate_all(
            "nodes => Math.max(0, ...nodes.map(node => node.getBoundingClientRect().bottom))"
        )
    )


def test_every_step_can_be_read_from_six_metres_and_fits_the_screen(open_app: OpenApp) -> None:
    app = open_lesson(open_app, "/learn?step=1&present=1", width=1920, height=1080)
    for step in range(1, STEPS + 1):
        if step > 1:
            turn(app, "PageDown", step)
        letters = lettering(app)
        small = [(text, px) for text, px in letters if px < 24]
        assert small == [], f"step {step}"
        # The formula, its sub- and superscripts, and the numbers were among what was looked at.
        assert len(letters) > 25
        assert app.page.locator(".katex-html .msupsub").count() > 0
        assert app.page.evaluate(WIDTH) <= 1920, f"step {step}"
        assert bottom(app, ".a2-numbers, .st-key-lesson [data-testid=stColumn], .a2-trap") <= 1080, (
            f"step {step}"
        )


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (800, 900)])
def test_what_can_be_moved_is_on_the_first_screen_and_nothing_is_cut_off_sideways(
    open_app: OpenApp, width: int, height: int
) -> None:
    app = open_lesson(open_app, "/learn?step=1", width=width, height=height)
    for step in range(1, STEPS + 1):
        if step > 1:
            turn(app, "PageDown", step)
        assert app.page.evaluate(WIDTH) <= width, f"step {step}"
        picture = app.page.locator("[data-a2-picker]").bounding_box()
        assert picture["y"] >= 0, f"step {step}"
        assert picture["y"] + picture["height"] <= height, f"step {step}"
        for label in SLIDERS[step]:
            box = slider(app, label).bounding_box()
            assert box["y"] >= 0, f"step {step}, {label}"
            assert box["y"] + box["height"] <= height, f"step {step}, {label}"
