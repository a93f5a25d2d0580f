"""The lesson without a browser: every figure, the lines that check it, temperatures."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re

import numpy as np
import pytest

from a2core import Lesson
from a2core.lesson import steps
from a2core.lesson.steps import board
from a2core.lesson.steps.screen import Choice, fitted
from tests.a2core.lesson.lesson_oracle import Moved, Oracle, agrees
from tests.a2core.lesson.lessons import CHOICE, Figures, made_up_lesson

FILE = "lesson.npz"


@pytest.fixture(scope="module", params=[(1, 6, 9), (3, 2, 4)], ids=["picture", "clip"])
def lesson(request) -> Lesson:
    return made_up_lesson(request.param)


CHOICES = [
    CHOICE,
    dataclasses.replace(
        CHOICE, position=(0, 0, 0), primitive=0, a_channel=0, temperature=0.0, reached=0, terms=1
    ),
    dataclasses.replace(
        CHOICE, position=(9, 9, 9), primitive=99, a_channel=99, temperature=1e6, reached=9999, terms=99
    ),
    dataclasses.replace(CHOICE, channel=10, temperature=0.2),
]


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
    best = np.unravel_index(lesson.theta_logits[6].argmax(), lesson.grid)
    assert screen.overlay[best] == 1
    assert screen.overlay.sum() == 1
    assert "arg-max" in screen.sentence


def test_equal_logits_share_at_temperature_zero(lesson):
    tied = dataclasses.replace(lesson, theta_logits=np.zeros_like(lesson.theta_logits))
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
        assert figures["error_left"] in ("0\u202f%", "<\u202f0.01\u202f%")


def test_the_overlay_of_step_5_is_what_softmax_over_primitives_gives_the_chosen_one(lesson):
    powers = np.exp(lesson.rho_logits.astype(float))
    by_hand = (powers / powers.sum(axis=0))[CHOICE.primitive]
    np.testing.assert_allclose(screen_of(lesson, 5, CHOICE).overlay, by_hand, atol=1e-6)


def test_the_overlay_of_all_terms_is_the_effective_attention_of_the_cell(lesson):
    full = dataclasses.replace(CHOICE, terms=lesson.n)
    overlay = screen_of(lesson, 6, full).overlay
    t, row, col = CHOICE.position
    by_hand = np.einsum("i,ithw->thw", lesson.distribute[:, t, row, col], lesson.gather)
    np.testing.assert_allclose(overlay, by_hand, atol=1e-6)
    assert overlay.sum() == pytest.approx(1, abs=1e-5)
