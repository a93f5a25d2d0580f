"""Learn as it is looked at on a desk, on a whole screen and on half of one. For a class: test_presenting."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenApp
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


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (800, 900)])
def test_what_can_be_moved_is_on_the_first_screen_and_nothing_is_cut_off_sideways(
    open_app: OpenApp, width: int, height: int
) -> None:
    app = open_lesson(open_app, "/learn?step=1", width=width, height=height)
    for step in range(1, STEPS + 1):
        if step > 1:
            turn(app, "PageDown", step)
        assert app.page.evaluate(PAGE_WIDTH) <= width, f"step {step}"
        picture = app.page.locator("[data-a2-picker]").bounding_box()
        assert picture["y"] >= 0, f"step {step}"
        assert picture["y"] + picture["height"] <= height, f"step {step}"
        for label in SLIDERS[step]:
            box = slider(app, label).bounding_box()
            assert box["y"] >= 0, f"step {step}, {label}"
            assert box["y"] + box["height"] <= height, f"step {step}, {label}"
