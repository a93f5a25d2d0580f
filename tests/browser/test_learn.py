"""The Learn page in a real browser: by keyboard alone, every figure recomputed; and by dragging."""

from __future__ import annotations

import contextlib
import io
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.a2core.lesson.lesson_oracle import Moved, Oracle, agrees
from tests.browser.conftest import AppPage, OpenApp

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST_MS = 180_000  # the first page of a server loads torch and the network
# Text of the page with a digit in it that is no figure to read back, but for: the steps' own numbers, what
# the sliders say (it is what the figures are recomputed from), and the lines to check (which are run).
LOOSE_DIGITS = """() => {
    const apart = ["[data-what]", ".a2-step h1 b", ".st-key-lesson-block", ".katex", "style",
        "[data-testid=stSlider]", "details"].join();
    const texts = document.createTreeWalker(document.querySelector(".st-key-lesson"), NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) {
        const { data, parentElement } = texts.currentNode;
        if (/[0-9]/.test(data) && !parentElement.closest(apart)) found.push(data);
    }
    return found;
}"""

# Where the picture was in every frame; it may stand in a shadow tree.
WATCH_THE_PICTURE = """() => {
    const find = root => root.querySelector("[data-a2-picker]") || [...root.querySelectorAll("*")]
        .reduce((found, node) => found || (node.shadowRoot && find(node.shadowRoot)), null);
    const picker = find(document);
    window.tops = [];
    const look = () => {
        if (picker.isConnected) window.tops.push(picker.getBoundingClientRect().top);
        requestAnimationFrame(look);
    };
    look();
}"""


def open_lesson(open_app: OpenApp, address: str = "/learn", **options: Any) -> AppPage:
    app = open_app(address, traced=False, **options)
    app.page.locator(".a2-numbers").first.wait_for(timeout=FIRST_MS)
    app.page.locator("[data-a2-steps] [aria-current]").wait_for()
    app.wait_until_idle()
    return app


def step_shown(app: AppPage) -> int:
    return int(app.page.locator(".a2-step h1 b").inner_text())


def figures(app: AppPage) -> list[tuple[str, str]]:
    return [
        (what, text)
        for what, text in app.page.locator("[data-what]").evaluate_all(
            "nodes => nodes.map(node => [node.dataset.what, node.textContent])"
        )
    ]


def figure(app: AppPage, what: str) -> str:
    return str(app.page.locator(f"[data-what={what}]").first.text_content())


def picked_cell(app: AppPage) -> tuple[int, int]:
    said = app.page.locator("[data-a2-picker] .said").inner_text()
    row, col = re.fullmatch(r"row (\d+), column (\d+)", said).groups()
    return int(row), int(col)


def slider(app: AppPage, label: str) -> Any:
    return app.page.get_by_role("slider", name=re.compile(f"^{label}(?! of A)"))


def tab_to(app: AppPage, target: Any) -> None:
    """Walk there with the Tab key only."""
    for _ in range(80):
        if target.evaluate("node => node === node.getRootNode().activeElement"):
            return
        app.page.keyboard.press("Tab")
    pytest.fail("the Tab key does not lead there")


def turn(app: AppPage, key: str, to: int) -> None:
    app.page.keyboard.press(key)
    app.wait_until(lambda: step_shown(app) == to)
    app.wait_until_idle()


MOVED = {
    "Primitive i": "primitive",
    "Channel k": "channel",
    "Channel k of A": "a_channel",
    "Last cell": "reached",
    "Terms": "terms",
}
SLIDERS = {
    1: ("Channel k",),
    2: ("Channel k of A", "Primitive i"),
    3: ("Primitive i",),
    4: ("Primitive i", "Last cell"),
    5: ("Primitive i",),
    6: ("Terms",),
    7: ("Channel k",),
}


class Student:
    """Goes through the lesson by keyboard alone and keeps in mind what was moved where."""

    def __init__(self, app: AppPage) -> None:
        self.app = app
        with app.page.expect_download() as download:
            app.page.get_by_role("button", name="The lesson’s arrays").click()
        self.npz = Path(download.value.path()).read_bytes()
        self.file_name = download.value.suggested_filename
        self.oracle = Oracle(self.npz)
        self.checking = False
        self.moved = {"position": (0, *picked_cell(app)), "temperature": 1.0, "terms": 3}

    def note(self, step: int) -> None:
        """Read what the controls of this step say."""
        for label in SLIDERS[step]:  # each waited for: a page may be drawn a moment after its run
            self.moved[MOVED[label]] = int(slider(self.app, label).input_value())
        if slider(self.app, "Temperature").count():
            said = slider(self.app, "Temperature").get_attribute("aria-valuetext")
            self.moved["temperature"] = float(said.replace(",", ""))
        if step != 4:
            self.moved["position"] = (0, *picked_cell(self.app))

    def compare(self, step: int) -> int:
        """Hold every figure on the page against the oracle; how many there were."""
        self.note(step)
        moved = Moved(step=step, **{"reached": 0, "primitive": 0, "channel": 0, "a_channel": 0, **self.moved})
        expected = self.oracle.figures(moved)
        shown = figures(self.app)
        for what, text in shown:
            assert agrees(text, expected[what]), (
                f"step {step}: {what} is {expected[what]}, the page says {text}"
            )
        loose = self.app.page.evaluate(LOOSE_DIGITS)
        assert [text for text in loose if re.search(r"\d", re.sub(r"1/N|[cmn] × 1", "", text))] == [], step
        if self.checking:
            self.run_the_lines(dict(shown))
        return len(shown)

    def open_the_check(self) -> None:
        """By keyboard; it then stays open from step to step."""
        tab_to(self.app, self.app.page.locator("summary", has_text="Check it yourself"))
        self.app.page.keyboard.press("Enter")
        self.app.page.locator("details .a2-prints").wait_for()
        self.app.wait_until_idle()
        self.checking = True

    def run_the_lines(self, shown: dict[str, str]) -> None:
        """Copy the lines of NumPy from the page and run them: they print what stands below them and above."""
        code = str(self.app.page.locator("details [data-testid=stCode] code").text_content())
        said = str(self.app.page.locator("details .a2-prints").text_content())
        assert f'np.load("{self.file_name}")' in code
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code.replace(f'"{self.file_name}"', "npz"), {"npz": io.BytesIO(self.npz)})
        assert out.getvalue().split() == said.split()
        assert set(said.split()) <= {text.replace("−", "-") for text in shown.values()}

    def nudge(self, target: Any, key: str, what: str) -> None:
        """Press `key` on `target` until the figure `what` has changed on the page."""
        before = figure(self.app, what)
        tab_to(self.app, target)
        self.app.page.keyboard.press(key)
        self.app.wait_until(lambda: figure(self.app, what) != before)
        self.app.wait_until_idle()


def test_by_keyboard_alone_through_seven_steps_each_figure_being_what_numpy_gives(open_app: OpenApp) -> None:
    app = open_lesson(open_app)
    student = Student(app)
    picker = app.page.locator("[data-a2-picker]")
    student.open_the_check()
    seen = student.compare(1)
    student.nudge(slider(app, "Channel k"), "ArrowLeft", "channel")
    student.nudge(picker, "ArrowRight", "column")
    seen += student.compare(1)
    turn(app, "PageDown", 2)
    student.nudge(slider(app, "Primitive i"), "ArrowRight", "primitive")
    student.nudge(picker, "Shift+ArrowDown", "row")
    seen += student.compare(2)
    turn(app, "PageDown", 3)
    seen += student.compare(3)
    student.nudge(slider(app, "Temperature"), "ArrowLeft", "peak")
    app.page.keyboard.press("Home")  # to temperature zero
    app.page.locator(".a2-said", has_text="arg-max").wait_for()
    app.wait_until_idle()
    assert figure(app, "peak") == "1.000"
    seen += student.compare(3)
    tab_to(app, slider(app, "Temperature"))
    app.page.keyboard.press("End")
    app.page.locator(".a2-said", has_text="very large").wait_for()
    app.wait_until_idle()
    seen += student.compare(3)
    turn(app, "PageDown", 4)  # from a slider, which by itself would take the key
    student.nudge(slider(app, "Last cell"), "ArrowLeft", "theta_ij")
    seen += student.compare(4)
    student.nudge(picker, "ArrowUp", "j_row")
    seen += student.compare(4)
    turn(app, "PageDown", 5)
    student.nudge(picker, "ArrowLeft", "column")
    student.nudge(slider(app, "Primitive i"), "ArrowLeft", "rho_ip")
    seen += student.compare(5)
    turn(app, "PageDown", 6)
    student.nudge(slider(app, "Terms"), "ArrowRight", "terms")
    seen += student.compare(6)
    turn(app, "PageDown", 7)
    student.nudge(slider(app, "Channel k"), "ArrowLeft", "x_kp")
    seen += student.compare(7)
    turn(app, "PageUp", 6)
    assert figure(app, "terms") == "4"
    assert "step=6&picture=chelsea" in app.page.url
    cell = picked_cell(app)
    app.page.go_back()
    app.wait_until(lambda: step_shown(app) == 7)
    app.wait_until_idle()
    assert picked_cell(app) == cell
    assert "step=7&picture=chelsea" in app.page.url
    assert seen > 100


def test_a_cell_is_chosen_by_dragging_in_the_picture(open_app: OpenApp) -> None:
    app = open_lesson(open_app, "/learn?step=4")
    rows, cols = Student(app).oracle.grid[1:]
    app.page.evaluate("document.fonts.ready")
    app.page.evaluate(WATCH_THE_PICTURE)
    box = app.page.locator("[data-a2-picker]").bounding_box()
    app.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    app.page.mouse.down()
    for share in np.linspace(0.1, 0.9, 9):
        app.page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
    app.page.mouse.up()
    row, col = int(0.9 * rows), int(0.9 * cols)
    app.wait_until(lambda: [figure(app, "j_row"), figure(app, "j_column")] == [str(row), str(col)])
    reached = row * cols + col
    app.wait_until(lambda: slider(app, "Last cell").input_value() == str(reached))
    app.wait_until_idle()
    tops = app.page.evaluate("window.tops")
    assert max(tops) - min(tops) < 1, "the picture jumped under the pointer"


def test_keys_that_come_faster_than_the_page_are_all_counted(open_app: OpenApp) -> None:
    app = open_lesson(open_app, "/learn?step=1")
    for _ in range(5):
        app.page.keyboard.press("PageDown")
    assert app.page.locator("[data-a2-steps] [aria-current=step]").inner_text() == "6 Distribute"
    app.wait_until(lambda: step_shown(app) == 6)
    for _ in range(9):  # past the first
        app.page.keyboard.press("PageUp")
    app.wait_until(lambda: step_shown(app) == 1)
    app.wait_until_idle()
    assert step_shown(app) == 1
    assert app.page.locator("[data-a2-steps] .back").get_attribute("aria-disabled") == "true"


def test_a_step_is_a_place_to_go_back_to_and_a_move_within_it_is_not(open_app: OpenApp) -> None:
    app = open_lesson(open_app, "/learn?step=1&embed=true")
    turn(app, "PageDown", 2)
    entries = app.page.evaluate("history.length")
    picker = app.page.locator("[data-a2-picker]")
    at = picked_cell(app)
    for _ in range(3):
        picker.press("ArrowRight")
    app.wait_until(lambda: figure(app, "column") == str(at[1] + 3))
    app.wait_until_idle()
    assert app.page.evaluate("history.length") == entries
    turn(app, "PageDown", 3)
    assert app.page.evaluate("history.length") == entries + 1
    app.page.go_back()
    app.wait_until(lambda: step_shown(app) == 2)
    app.wait_until_idle()
    assert picked_cell(app) == (at[0], at[1] + 3)  # the address of the step had followed the moves
    app.page.go_back()
    app.wait_until(lambda: step_shown(app) == 1)
    app.page.go_forward()
    app.wait_until(lambda: step_shown(app) == 2)
    app.wait_until_idle()
    assert "embed=true" in app.page.url


def test_presentation_is_switched_in_the_header_and_is_in_the_link(open_app: OpenApp) -> None:
    app = open_lesson(open_app, "/learn?step=2")
    switch = app.page.locator("[data-a2-presenter] .present")
    app.page.get_by_role("button", name="lesson’s arrays").wait_for()
    switch.click()
    app.page.get_by_role("button", name="lesson’s arrays").wait_for(state="hidden")
    app.wait_until(lambda: "present=1" in app.page.url)
    switch.click()
    app.page.get_by_role("button", name="lesson’s arrays").wait_for()
    app.wait_until(lambda: "present=1" not in app.page.url)
    assert step_shown(app) == 2


def test_a_hurried_visitor_ends_up_where_the_keys_led(open_app: OpenApp) -> None:
    app = open_lesson(open_app, "/learn?step=1")
    picker = app.page.locator("[data-a2-picker]")
    hurry = random.Random(0)
    step = 1
    for _ in range(60):  # more questions on their way than Streamlit's browser keeps answers for by itself
        act = hurry.choice(["PageDown", "PageUp", "picker", "slider"])
        if act == "picker":
            picker.focus()
            app.page.keyboard.press(hurry.choice(["ArrowRight", "ArrowLeft", "ArrowDown"]))
        elif act == "slider":
            app.page.evaluate("document.querySelector('.stSlider input')?.focus()")
            app.page.keyboard.press(hurry.choice(["ArrowRight", "ArrowLeft"]))
        else:
            app.page.keyboard.press(act)
            step = min(7, max(1, step + (1 if act == "PageDown" else -1)))
    app.wait_until(lambda: step_shown(app) == step)
    app.wait_until_idle()
    app.wait_until(lambda: f"step={step}&" in app.page.url)
    assert step_shown(app) == step
    app.wait_until(lambda: matches(app, step))  # a slider is drawn a moment after its run
    assert Student(app).compare(step) >= 5


def matches(app: AppPage, step: int) -> bool:
    """Whether figures and controls of the page are of one moment; by somebody who saw no other."""
    try:
        Student(app).compare(step)
    except AssertionError:
        return False
    return True
