"""Components by themselves, with a server that answers late: the lesson's step bar, the cell picker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from viz_app import cell_picker, step_bar
from viz_app.component import script

pytestmark = pytest.mark.browser

STEPS = Path(step_bar.__file__).parent / "assets" / "steps"
PICKER = Path(cell_picker.__file__).parent / "assets" / "picker"
# What the component tells Python is kept in `told`; `answer(data)` is what Python sends.
MOUNT = """async ([js, html]) => {
    const url = URL.createObjectURL(new Blob([js], { type: "text/javascript" }));
    const { default: component } = await import(url);
    document.body.innerHTML = `<div class="st-key-lesson">${html}</div>`;
    window.told = [];
    const setStateValue = (name, value) => window.told.push(value);
    const parentElement = document.body.firstChild;
    window.answer = (data) => void component({ data, parentElement, setStateValue, setTriggerValue: null });
}"""


@pytest.fixture
def page(chromium: Any) -> Any:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def mount(page: Any, stem: Path) -> None:
    page.evaluate(MOUNT, [script(stem), stem.with_suffix(".html").read_text(encoding="utf-8")])


def told(page: Any) -> list[dict[str, Any]]:
    return list(page.evaluate("told"))


@pytest.fixture
def bar(page: Any) -> Any:
    """The page with the step bar, at step 4 of 7; `step(number, answered)` there is Python's answer."""
    mount(page, STEPS)
    page.evaluate("""() => {
        window.step = (step, answered) =>
            answer({ names: [..."abcdefg"], step, presenting: false, answered, address: null });
        step(4, 0);
    }""")
    return page


def marked(bar: Any) -> int:
    return int(bar.locator("[aria-current=step]").get_attribute("data-step"))


def test_forth_back_and_forth_counts_each_key_whatever_is_answered_in_between(bar: Any) -> None:
    bar.keyboard.press("PageDown")
    bar.keyboard.press("PageUp")
    assert [question["step"] for question in told(bar)] == [5, 4]
    bar.evaluate("step(4, 0)")  # to a slider, from before both
    bar.evaluate("step(5, told[0].at)")
    assert marked(bar) == 4, "the way back is still to come"
    bar.keyboard.press("PageDown")
    assert told(bar)[-1]["step"] == 5
    bar.evaluate("step(5, told[2].at)")  # Python skips what was overtaken
    assert marked(bar) == 5
    bar.evaluate("step(2, told[2].at)")  # gone back to by the browser's own button
    assert marked(bar) == 2
    bar.keyboard.press("PageDown")
    assert told(bar)[-1]["step"] == 3


def test_a_step_asked_for_right_after_presentation_mode_keeps_it(bar: Any) -> None:
    bar.get_by_role("switch", name="Present").click()
    bar.keyboard.press("PageDown")
    assert [(question["step"], question["presenting"]) for question in told(bar)] == [(4, True), (5, True)]
    assert bar.get_by_role("switch", name="Present").get_attribute("aria-checked") == "true"
    times = [question["at"] for question in told(bar)]
    assert times[0] < times[1]


def test_the_first_and_the_last_step_are_the_ends(bar: Any) -> None:
    for _ in range(5):
        bar.keyboard.press("PageDown")
    assert [question["step"] for question in told(bar)] == [5, 6, 7]
    bar.evaluate("step(7, told[2].at)")
    bar.get_by_role("button", name="Next").click(force=True)  # Playwright waits for what is disabled
    assert len(told(bar)) == 3
    bar.keyboard.press("PageUp")
    assert told(bar)[-1]["step"] == 6


@pytest.fixture
def picker(page: Any) -> Any:
    """The page with a picker, at row 5, column 5; `cell(row, col, answered)` there is Python's answer."""
    mount(page, PICKER)
    page.evaluate("""() => {
        window.cell = (row, col, answered) => answer({
            picture: "data:,", overlay: "data:,", row, col, rows: 12, cols: 12, aspect: 1,
            label: "", answered,
        });
        cell(5, 5, 0);
    }""")
    page.locator("[data-a2-picker]").focus()
    return page


def framed(picker: Any) -> str:
    return str(picker.locator(".said").inner_text())


def test_the_frame_stays_ahead_of_older_answers_and_ends_where_python_is(picker: Any) -> None:
    picker.keyboard.press("ArrowRight")
    picker.wait_for_function("told.length === 1")
    picker.evaluate("cell(5, 5, 0)")  # to a slider, from before
    assert framed(picker) == "row 5, column 6"
    picker.keyboard.press("ArrowLeft")
    picker.wait_for_function("told.length === 2")
    picker.evaluate("cell(5, 6, told[0].at)")
    assert framed(picker) == "row 5, column 5", "the way back is still to come"
    picker.keyboard.press("ArrowDown")
    picker.wait_for_function("told.length === 3")
    picker.evaluate("cell(5, 5, told[1].at)")
    assert framed(picker) == "row 6, column 5"
    picker.evaluate("cell(6, 5, told[2].at)")
    assert framed(picker) == "row 6, column 5"
    picker.evaluate("cell(2, 3, told[2].at)")  # chosen elsewhere
    assert framed(picker) == "row 2, column 3"
