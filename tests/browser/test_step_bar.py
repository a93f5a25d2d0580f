"""The lesson's step bar by itself, with a server that answers late and out of turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from viz_app import step_bar
from viz_app.component import script

pytestmark = pytest.mark.browser

STEM = Path(step_bar.__file__).parent / "assets" / "steps"
MOUNT = """async ([js, html]) => {
    const url = URL.createObjectURL(new Blob([js], { type: "text/javascript" }));
    const { default: component } = await import(url);
    document.body.innerHTML = `<div class="st-key-lesson">${html}</div>`;
    window.asked = [];
    const setStateValue = (name, value) => window.asked.push(value);
    const parentElement = document.body.firstChild;
    window.answer = (step, answered, presenting = false) => {
        const names = [..."abcdefg"];
        const data = { names, step, presenting, answered, address: null };
        component({ data, parentElement, setStateValue, setTriggerValue: null });
    };
}"""


@pytest.fixture
def bar(chromium: Any) -> Any:
    """The page, at step 4 of 7; `answer(step, answered)` there is what Python sends."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.evaluate(MOUNT, [script(STEM), STEM.with_suffix(".html").read_text(encoding="utf-8")])
    page.evaluate("answer(4, 0)")
    yield page
    context.close()


def marked(bar: Any) -> int:
    return int(bar.locator("[aria-current=step]").get_attribute("data-step"))


def asked(bar: Any) -> list[dict[str, Any]]:
    return list(bar.evaluate("asked"))


def test_forth_back_and_forth_counts_each_key_whatever_is_answered_in_between(bar: Any) -> None:
    bar.keyboard.press("PageDown")
    bar.keyboard.press("PageUp")
    assert [question["step"] for question in asked(bar)] == [5, 4]
    bar.evaluate("answer(4, 0)")  # to a slider, from before both
    bar.evaluate("answer(5, asked[0].at)")
    assert marked(bar) == 4, "the way back is still to come"
    bar.keyboard.press("PageDown")
    assert asked(bar)[-1]["step"] == 5
    bar.evaluate("answer(5, asked[2].at)")  # Python skips what was overtaken
    assert marked(bar) == 5
    bar.evaluate("answer(2, asked[2].at)")  # gone back to by the browser's own button
    assert marked(bar) == 2
    bar.keyboard.press("PageDown")
    assert asked(bar)[-1]["step"] == 3


def test_a_step_asked_for_right_after_presentation_mode_keeps_it(bar: Any) -> None:
    bar.get_by_role("switch", name="Present").click()
    bar.keyboard.press("PageDown")
    assert [(question["step"], question["presenting"]) for question in asked(bar)] == [(4, True), (5, True)]
    assert bar.get_by_role("switch", name="Present").get_attribute("aria-checked") == "true"
    times = [question["at"] for question in asked(bar)]
    assert times[0] < times[1]


def test_the_first_and_the_last_step_are_the_ends(bar: Any) -> None:
    for _ in range(5):
        bar.keyboard.press("PageDown")
    assert [question["step"] for question in asked(bar)] == [5, 6, 7]
    bar.evaluate("answer(7, asked[2].at)")
    bar.get_by_role("button", name="Next").click(force=True)  # Playwright waits for what is disabled
    assert len(asked(bar)) == 3
    bar.keyboard.press("PageUp")
    assert asked(bar)[-1]["step"] == 6
