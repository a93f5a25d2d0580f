"""The lesson without a browser: every figure, the lines that check it, temperatures, the worksheet."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from a2core import Lesson
from tests.conftest import softmax
from tests.viz_app.pages.lesson_oracle import Moved, Oracle, agrees
from viz_app.components.cell_picker import parse_cell
from viz_app.pages.learn import steps, worksheet
from viz_app.pages.learn.steps import board
from viz_app.pages.learn.steps.screen import Choice, fitted
from viz_app.ui import figures as lesson_pictures

FILE = "lesson.npz"


def made_up_lesson(grid: tuple[int, int, int] = (1, 6, 9), *, c: int = 11, m: int = 5, n: int = 7) -> Lesson:
    """A lesson that satisfies the equations, of random features and weights, in float32."""
    rng = np.random.default_rng(4)
    count = int(np.prod(grid))
    x = rng.normal(size=(c, count)).astype(np.float32)
    weights = {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in {"phi": (m, c), "theta": (n, c), "rho": (n, c), "expand": (c, m)}.items()
    }
    biases = {name: rng.normal(size=len(weight)).astype(np.float32) for name, weight in weights.items()}
    made = {name: weights[name] @ x + biases[name][:, None] for name in ("phi", "theta", "rho")}
    gather, distribute = softmax(made["theta"], 1), softmax(made["rho"], 0)
    bag = made["phi"] @ gather.T
    output = bag @ distribute
    maps = {
        "features": x, "normed": x, **made, "gather": gather, "distribute": distribute, "output": output,
        "added": weights["expand"] @ output + biases["expand"][:, None],
    }  # fmt: skip
    return Lesson(
        name="blocks.4",
        primitives=bag,
        **{name: value.reshape(len(value), *grid) for name, value in maps.items()},
        **{f"{name}_weight": weight for name, weight in weights.items()},
        **{f"{name}_bias": bias for name, bias in biases.items()},
    )


@pytest.fixture(scope="module", params=[(1, 6, 9), (3, 2, 4)], ids=["picture", "clip"])
def lesson(request) -> Lesson:
    return made_up_lesson(request.param)


CHOICE = Choice(position=(0, 1, 3), primitive=6, channel=4, temperature=1.0, reached=13, terms=2)
CHOICES = [
    CHOICE,
    dataclasses.replace(CHOICE, position=(0, 0, 0), primitive=0, temperature=0.0, reached=0, terms=1),
    dataclasses.replace(CHOICE, position=(9, 9, 9), primitive=99, temperature=1e6, reached=9999, terms=99),
    dataclasses.replace(CHOICE, channel=10, temperature=0.2),
]


class Figures(HTMLParser):
    """Every <data data-what> of a page, and the text that stands outside of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.rest = ""
        self.what = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "data":
            self.what = dict(attrs)["data-what"]

    def handle_endtag(self, tag):
        if tag == "data":
            self.what = ""

    def handle_data(self, data):
        if self.what:
            self.found.append((self.what, data))
        else:
            self.rest += data


def screen_of(lesson: Lesson, step: int, choice: Choice) -> steps.Screen:
    return steps.screen(step, lesson, choice, board.tables_of(lesson), FILE)


def whole_page(screen: steps.Screen) -> str:
    return screen.sentence + screen.overlay_says + screen.figures + screen.numbers + screen.trap


@pytest.mark.parametrize("choice", CHOICES, ids=["plain", "zero", "beyond", "cold"])
@pytest.mark.parametrize("step", range(1, 8))
def test_every_figure_on_every_screen_is_what_numpy_gives_from_the_file(lesson, step, choice):
    inside = fitted(choice, lesson)
    moved = Moved(step=step, **dataclasses.asdict(inside))
    expected = Oracle(lesson.to_npz()).figures(moved)
    page = Figures(whole_page(screen_of(lesson, step, choice)))
    assert len(page.found) >= 5
    for what, text in page.found:
        assert agrees(text, expected[what]), f"step {step}: {what} is {expected[what]}, not {text}"
    assert not re.search(r"\d", page.rest.replace("1/N", "").replace("2 n N", "")), page.rest


@pytest.mark.parametrize("choice", CHOICES, ids=["plain", "zero", "beyond", "cold"])
@pytest.mark.parametrize("step", range(1, 8))
def test_the_lines_under_a_step_print_what_they_are_said_to(lesson, step, choice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_bytes(lesson.to_npz())
    screen = screen_of(lesson, step, choice)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(screen.code, "check", "exec"), {})
    assert out.getvalue().strip() == screen.prints
    printed = [text.replace("−", "-") for _, text in Figures(whole_page(screen)).found]
    assert set(screen.prints.split()) <= set(printed)


def test_at_temperature_zero_the_largest_logit_takes_all_and_words_say_where(lesson):
    screen = screen_of(lesson, 3, dataclasses.replace(CHOICE, temperature=0.0))
    best = np.unravel_index(lesson.theta[6].argmax(), lesson.grid)
    assert screen.overlay[best] == 1
    assert screen.overlay.sum() == 1
    assert "arg-max" in screen.sentence


def test_equal_logits_share_at_temperature_zero(lesson):
    tied = dataclasses.replace(lesson, theta=np.zeros_like(lesson.theta))
    screen = screen_of(tied, 3, dataclasses.replace(CHOICE, temperature=0.0))
    np.testing.assert_allclose(screen.overlay, 1 / lesson.positions)
    assert "share the whole weight equally" in screen.sentence


def test_a_very_large_temperature_is_plain_averaging_and_is_called_so(lesson):
    screen = screen_of(lesson, 3, dataclasses.replace(CHOICE, temperature=1e6))
    np.testing.assert_allclose(screen.overlay, 1 / lesson.positions, rtol=1e-4)
    assert "plain averaging" in screen.sentence


def test_softmax_at_extreme_logits_stays_finite_and_sums_to_one():
    for temperature in (0.0, 1e-3, 1.0, 1e6):
        shares = board.softmax(np.array([-1e4, 0.0, 1e4, 1e4]), temperature)
        assert np.isfinite(shares).all()
        assert shares.sum() == pytest.approx(1)


def test_the_running_sum_ends_at_the_primitive_and_all_terms_at_the_mixture(lesson):
    full = dataclasses.replace(CHOICE, reached=lesson.positions - 1, terms=lesson.n)
    for step, whole, part in ((4, "g_k", "sum_k"), (6, "z_k", "sum_k")):
        figures = dict(Figures(screen_of(lesson, step, full).numbers).found)
        assert figures[whole] == figures[part]
        assert figures["error_left"] == "0.0 %"


def test_the_overlay_of_all_terms_is_the_effective_attention_of_the_cell(lesson):
    full = dataclasses.replace(CHOICE, terms=lesson.n)
    overlay = screen_of(lesson, 6, full).overlay
    t, row, col = CHOICE.position
    by_hand = np.einsum("i,ithw->thw", lesson.distribute[:, t, row, col], lesson.gather)
    np.testing.assert_allclose(overlay, by_hand, atol=1e-6)
    assert overlay.sum() == pytest.approx(1, abs=1e-5)


def test_the_worksheet_stands_alone_and_its_answers_are_right(lesson):
    picture = lesson_pictures.webp_url(np.zeros((8, 8, 3), np.uint8))
    page = worksheet.worksheet_html(lesson, CHOICE, picture_url=picture, title="<b>Cat</b>")
    assert page.count("<li>") == 20
    assert "<b>Cat</b>" not in page
    assert not re.search(r"https?://|<script", page)
    answers = page[page.index("<h2>Answers") :]
    b = softmax(lesson.theta[6].astype(float).ravel(), 0)
    assert f"{b.max() * lesson.positions:#.3g}"[:3] in answers
    assert f"{4 * lesson.positions**2 / 1e6:,.2f} MB" in answers
    t, row, col = CHOICE.position
    x, d = (getattr(lesson, name)[:, t, row, col].astype(float) for name in ("features", "added"))
    assert f"{100 * np.linalg.norm(d) / np.linalg.norm(x):.1f} %" in answers


def test_a_map_is_drawn_a_pixel_a_cell_brightest_at_its_peak():
    values = np.zeros((3, 4))
    values[2, 1] = 5
    url = lesson_pictures.map_url(values, "magma")

    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))
    assert pixels.shape == (3, 4, 3)
    assert np.unravel_index(pixels.sum(axis=2).argmax(), (3, 4)) == (2, 1)
    assert pixels[0, 0].sum() < 20


def test_a_very_wide_table_is_averaged_down_not_cut():
    values = np.concatenate([np.zeros((2, 3000)), np.ones((2, 3000))], axis=1)
    url = lesson_pictures.table_url(values, "magma")

    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L"))
    assert pixels.shape == (2, lesson_pictures.WIDEST_CELLS)
    assert pixels[0, 100] < 30 < 200 < pixels[0, -100]


@pytest.mark.parametrize(
    "raw", [None, 3, {}, {"row": 1}, {"row": 1, "col": 4}, {"row": -1, "col": 0}, {"row": True, "col": 0},
            {"row": 1.0, "col": 0}, {"row": "1", "col": 0}]
)  # fmt: skip
def test_a_cell_from_the_browser_that_does_not_fit_is_dropped(raw):
    assert parse_cell(raw, (3, 4)) is None


def test_a_cell_from_the_browser_that_fits_is_taken():
    assert parse_cell({"row": 2, "col": 3}, (3, 4)) == (2, 3)
