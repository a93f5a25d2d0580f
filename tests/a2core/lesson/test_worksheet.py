"""The worksheet stands alone, and its answers are right."""

from __future__ import annotations

import re

import numpy as np
import pytest

from a2core.lesson import worksheet
from a2core.lesson.figures import webp_url
from tests.a2core.lesson.lessons import CHOICE, made_up_lesson
from tests.conftest import softmax


@pytest.mark.parametrize("grid", [(1, 6, 9), (3, 2, 4)], ids=["picture", "clip"])
def test_the_worksheet_stands_alone_and_its_answers_are_right(grid):
    lesson = made_up_lesson(grid)
    picture = webp_url(np.zeros((8, 8, 3), np.uint8))
    page = worksheet.worksheet_html(lesson, CHOICE, picture_url=picture, title="<b>Cat</b>")
    assert page.count("<li>") == 20
    assert "<b>Cat</b>" not in page
    assert not re.search(r"https?://|<script", page)
    answers = page[page.index("<h2>Answers") :]
    theta = softmax(lesson.theta_logits[6].astype(float).ravel(), 0)
    assert f"{theta.max() * lesson.positions:#.3g}"[:3] in answers
    assert f"{4 * lesson.positions**2 / 1e6:,.2f} MB" in answers
    t, row, col = CHOICE.position
    x, d = (getattr(lesson, name)[:, t, row, col].astype(float) for name in ("features", "added"))
    assert f"{100 * np.linalg.norm(d) / np.linalg.norm(x):.1f} %" in answers
