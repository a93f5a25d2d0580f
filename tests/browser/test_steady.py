"""Nothing on screen is lost between a click and its answer: every frame that is painted is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import AppPage, OpenApp
from tests.browser.streamlit_dom import COLUMN, ELEMENT, HEADER, MAIN

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Counts what is visible in each part of the page, in every frame, after its layout and before it is painted:
# a box whose size changes in each frame brings a ResizeObserver there. An element that another takes the
# place of within one frame leaves the count as it is, and nobody sees it.
WATCH = """() => {
    const SEEN = 'h1, h2, h3, p, li, td, th, table, canvas, img, svg, button, input, label, figure, ' +
        'section, [role=combobox], ELEMENT, COLUMN, ' +
        '.js-plotly-plot, .js-plotly-plot :is(.bars, image, .xtitle, .ytitle)';
    const PARTS = '[data-ref], [class*=st-key-], HEADER';
    const visible = (node, opacities) => {
        const { width, height } = node.getBoundingClientRect();
        if (!(width > 0 && height > 0) || getComputedStyle(node).visibility !== 'visible') return false;
        return opacityOf(node, opacities) >= 0.9;
    };
    const opacityOf = (node, opacities) => {  // what is left of it after all that it stands in
        if (!node || node === document) return 1;
        if (!opacities.has(node)) {
            const parent = node.assignedSlot || node.parentElement || node.getRootNode().host;
            opacities.set(node, Number(getComputedStyle(node).opacity) * opacityOf(parent, opacities));
        }
        return opacities.get(node);
    };
    const partOf = node => {
        const part = node.closest(PARTS);
        if (!part) return node.getRootNode().host ? partOf(node.getRootNode().host) : 'page';
        return part.dataset.ref || part.className.match?.(/st-key-([\\w-]+)/)?.[1] || 'header';
    };
    const look = () => {
        const counts = {}, opacities = new Map();
        const into = root => {
            for (const node of root.querySelectorAll(SEEN)) {
                if (!visible(node, opacities)) continue;
                const kind = node.dataset.testid || node.classList[0] || node.tagName.toLowerCase();
                const name = `${partOf(node)}: ${kind}`;
                counts[name] = (counts[name] || 0) + 1;
            }
            for (const node of root.querySelectorAll('*')) if (node.shadowRoot) into(node.shadowRoot);
        };
        into(document.querySelector('MAIN'));
        return counts;
    };
    const box = document.body.appendChild(document.createElement('div'));
    box.style = 'position: fixed; height: 1px; width: 1px; visibility: hidden';
    const tops = () => ['.st-key-canvas', '.st-key-charts'].map(
        place => Math.round(document.querySelector(place).getBoundingClientRect().top));
    const watch = window.watched = { first: null, lost: {}, frames: 0, tops: [] };
    const observer = new ResizeObserver(() => {
        const now = look();
        watch.frames += 1;
        watch.first ??= now;
        if (`${tops()}` !== `${watch.tops.at(-1)}`) watch.tops.push(tops());
        for (const [name, count] of Object.entries(watch.first)) {
            const least = Math.min(count, now[name] || 0);
            if (least < count) watch.lost[name] = [count, Math.min(least, watch.lost[name]?.[1] ?? least)];
        }
    });
    observer.observe(box);
    const frame = () => {
        box.style.width = `${1 + watch.frames % 2}px`;
        watch.next = requestAnimationFrame(frame);
    };
    frame();
    watch.stop = () => { cancelAnimationFrame(watch.next); observer.disconnect(); box.remove(); };
}"""
for name, selector in {"ELEMENT": ELEMENT, "COLUMN": COLUMN, "HEADER": HEADER, "MAIN": MAIN}.items():
    WATCH = WATCH.replace(name, selector)
FIGURE = "name => JSON.stringify(document.querySelector(`.st-key-${name} .js-plotly-plot`)?.data?.[0])"


def lost_during(app: AppPage, act: Callable[[], Any], chart: str) -> dict[str, Any]:
    """What was missing in any frame between `act` and the change of `chart`: [how many there were, left]."""
    before = app.page.evaluate(FIGURE, chart)
    app.page.evaluate(WATCH)
    app.wait_until(lambda: bool(app.page.evaluate("watched.first !== null")))
    act()
    app.wait_until(lambda: app.page.evaluate(FIGURE, chart) not in (before, None))
    app.wait_until_idle()
    app.page.evaluate("watched.last = watched.frames + 3")  # what the end of the run takes away
    app.wait_until(lambda: bool(app.page.evaluate("watched.frames >= watched.last")))
    app.page.evaluate("watched.stop()")
    seen: dict[str, Any] = app.page.evaluate("watched")
    assert {"canvas: a2c", "rho: trace", "bag: image", "vector: trace", "sum: canvas"} <= seen["first"].keys()
    tops = seen["tops"]
    assert all(top in (tops[0], tops[-1]) for top in tops), f"the page jumped: {tops}"
    return seen["lost"]


def test_between_a_click_and_its_charts_nothing_disappears_in_any_frame(open_app: OpenApp) -> None:
    app = open_app(height=2600)  # all of the page is in sight
    app.page.get_by_text("The sum, number by number").click()
    app.page.get_by_test_id("stDataFrame").wait_for()
    before = app.pinned.inner_text()
    app.pin(0.3, 0.3)  # the hint over the picture leaves with the first click, and is meant to
    app.wait_until(lambda: app.pinned.inner_text() != before)
    app.wait_until_idle()
    assert lost_during(app, lambda: app.pin(0.7, 0.6), "rho") == {}
    row = app.page.locator("[data-ref=rows] li").nth(3)
    row.hover()
    assert lost_during(app, row.click, "vector") == {}


def test_the_picture_stays_in_every_frame_while_a_clip_is_traced(open_app: OpenApp) -> None:
    app = open_app("?size=224")
    app.stage.evaluate("stage => { stage.dataset.markedByTest = 'yes' }")
    before = app.trace_key()
    app.page.evaluate(WATCH)
    app.wait_until(lambda: bool(app.page.evaluate("watched.first !== null")))
    app.choose("Made clip")
    app.page.locator("[data-ref=play]").wait_for()
    app.page.evaluate("watched.stop()")
    assert app.trace_key() != before
    assert app.stage.get_attribute("data-marked-by-test") == "yes", "the canvas was remounted"
    assert app.page.evaluate("watched.lost['canvas: a2c'] || watched.lost['base: a2c-base']") is None
