"""Components by themselves, with a server that answers late: the step bar, the cell picker, the board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from viz_app.components import bag_board, cell_picker, step_bar
from viz_app.components.runtime import script

pytestmark = pytest.mark.browser

STEPS = Path(step_bar.__file__).parent / "assets" / "steps"
PICKER = Path(cell_picker.__file__).parent / "assets" / "picker"
BOARD = Path(bag_board.__file__).parent / "assets" / "board"
# What the component tells Python is kept in `told`; `answer(data)` is what Python sends, `anew()` puts the
# component up again in the place of itself.
MOUNT = """async ([js, html]) => {
    const url = URL.createObjectURL(new Blob([js], { type: "text/javascript" }));
    const { default: component } = await import(url);
    document.body.innerHTML = `<div class="st-key-lesson">${html}</div>`;
    window.told = [];
    const setStateValue = (name, value) => window.told.push(value);
    let leave;
    window.answer = (data) => {
        const parentElement = document.body.firstChild;
        leave = component({ data, parentElement, setStateValue, setTriggerValue: null });
    };
    window.anew = () => {
        leave();
        document.body.innerHTML = `<div class="st-key-lesson">${html}</div>`;
    };
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
    """The page with the step bar, at step 4 of 7; `step(number, revision)` there is Python's answer."""
    mount(page, STEPS)
    page.evaluate("""() => {
        window.step = (step, revision) => answer({
            names: [..."abcdefg"], step, address: null,
            key: "bar", identity: "bar", revision,
        });
        step(4, 1);
    }""")
    return page


def marked(bar: Any) -> int:
    return int(bar.locator("[aria-current=step]").get_attribute("data-step"))


def test_forth_back_and_forth_counts_each_key_whatever_is_answered_in_between(bar: Any) -> None:
    bar.keyboard.press("PageDown")
    bar.keyboard.press("PageUp")
    assert [question["step"] for question in told(bar)] == [5, 4]
    bar.evaluate("step(4, 1)")  # to a slider, from before both
    bar.evaluate("step(5, 1)")
    assert marked(bar) == 4, "the way back is still to come"
    bar.keyboard.press("PageDown")
    assert told(bar)[-1]["step"] == 5
    bar.evaluate("step(5, 1)")  # Python skips what was overtaken
    assert marked(bar) == 5
    bar.evaluate("step(2, 2)")  # gone back to by the browser's own button
    assert marked(bar) == 2
    bar.keyboard.press("PageDown")
    assert (told(bar)[-1]["step"], told(bar)[-1]["revision"]) == (3, 2)


def test_what_was_asked_for_outlives_a_bar_that_is_put_up_anew_before_the_answer(bar: Any) -> None:
    bar.keyboard.press("PageDown")
    bar.evaluate("anew()")
    bar.keyboard.press("PageDown")
    bar.evaluate("step(4, 1)")  # from before both
    assert marked(bar) == 6
    assert [question["step"] for question in told(bar)] == [5, 6]


def test_the_first_and_the_last_step_are_the_ends(bar: Any) -> None:
    for _ in range(5):
        bar.keyboard.press("PageDown")
    assert [question["step"] for question in told(bar)] == [5, 6, 7]
    bar.evaluate("step(7, 1)")
    bar.get_by_role("button", name="Next").click(force=True)  # Playwright waits for what is disabled
    assert len(told(bar)) == 3
    bar.keyboard.press("PageUp")
    assert told(bar)[-1]["step"] == 6


@pytest.fixture
def picker(page: Any) -> Any:
    """The page with a picker, at row 5, column 5; `cell(row, col, revision)` there is Python's answer."""
    mount(page, PICKER)
    page.evaluate("""() => {
        window.cell = (row, col, revision, identity = "one") => answer({
            picture: "data:,", overlay: "data:,", row, col, rows: 12, cols: 12, aspect: 1,
            label: "", place: "row {row}, column {col}", key: "picker", identity, revision,
        });
        cell(5, 5, 1);
    }""")
    page.locator("[data-a2-picker]").focus()
    return page


def framed(picker: Any) -> str:
    return str(picker.locator(".said").inner_text())


def test_the_frame_stays_ahead_of_older_answers_and_ends_where_python_is(picker: Any) -> None:
    picker.keyboard.press("ArrowRight")
    picker.wait_for_function("told.length === 1")
    picker.evaluate("cell(5, 5, 1)")  # to a slider, from before
    assert framed(picker) == "row 5, column 6"
    picker.keyboard.press("ArrowLeft")
    picker.wait_for_function("told.length === 2")
    picker.evaluate("cell(5, 6, 1)")
    assert framed(picker) == "row 5, column 5", "the way back is still to come"
    picker.keyboard.press("ArrowDown")
    picker.wait_for_function("told.length === 3")
    picker.evaluate("cell(5, 5, 1)")
    assert framed(picker) == "row 6, column 5"
    picker.evaluate("cell(6, 5, 1)")
    assert framed(picker) == "row 6, column 5"
    picker.evaluate("cell(2, 3, 2)")  # chosen elsewhere
    assert framed(picker) == "row 2, column 3"


def test_a_cell_not_told_yet_is_not_told_of_another_picture(picker: Any) -> None:
    # At once: the second is within the tenth of a second in which Python is not told again.
    picker.evaluate("""() => {
        const right = { key: "ArrowRight", bubbles: true, composed: true };
        for (const _ of [1, 2]) document.activeElement.dispatchEvent(new KeyboardEvent("keydown", right));
        cell(1, 1, 1, "two");
    }""")
    assert framed(picker) == "row 1, column 1"
    picker.keyboard.press("ArrowDown")
    picker.wait_for_function("told.length === 2")
    assert told(picker)[1] == {"row": 2, "col": 1, "identity": "two", "revision": 1}


@pytest.fixture
def board(page: Any) -> Any:
    """The page with a board of four primitives; `factors([…], revision)` there is Python's answer."""
    mount(page, BOARD)
    page.evaluate("""() => {
        a2Parcels.hold("looks", { sheet: "data:,", cards: ["", "", "", ""] });
        window.factors = (factors, revision) => answer({
            factors, largest: 3, effects: [4, 3, 2, 1], effectOf: "cat",
            looks: "looks", columns: 4, aspect: 1, key: "board", identity: "one", revision,
        });
        factors([0, 1, 1, 1], 1);
    }""")
    return page


def off(board: Any) -> list[int]:
    tiles = board.locator(".tile[aria-checked=false]")
    return sorted(int(i) for i in tiles.evaluate_all("nodes => nodes.map(node => node.dataset.i)"))


def test_a_tile_touched_before_the_board_hears_of_a_reset_says_what_it_is_of(board: Any) -> None:
    board.locator(".tile[data-i='2']").click()
    board.evaluate("factors([1, 1, 1, 1], 2)")  # the reset, on its way when the tile was touched
    assert told(board)[-1]["revision"] == 1
    assert off(board) == []
    board.locator(".tile[data-i='3']").click()
    assert (told(board)[-1]["factors"], told(board)[-1]["revision"]) == ([1, 1, 1, 0], 2)
    board.evaluate("factors([1, 1, 1, 1], 2)")  # an answer from before that
    assert off(board) == [3]


def test_a_board_that_is_put_up_anew_before_the_answer_shows_what_was_touched(board: Any) -> None:
    board.locator(".tile[data-i='2']").click()
    board.evaluate("anew()")
    board.evaluate("factors([0, 1, 1, 1], 1)")
    assert off(board) == [0, 2]
