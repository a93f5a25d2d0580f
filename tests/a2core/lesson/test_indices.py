"""Every index that the lesson prints lies on the axis that it indexes, in every block of every checkpoint."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import a2core
from a2core import Lesson
from a2core.lesson import steps
from a2core.lesson.steps import board
from a2core.lesson.steps.screen import Choice
from tests.a2core.lesson.lessons import Figures
from viz_app.server import samples

pytestmark = pytest.mark.slow

SIZE_PX = 224
SHIPPED = Path(__file__).resolve().parents[3] / "checkpoints"
LESSONS = [(name, block) for name in ("a2-lite0", "a2-lite0-clips") for block in ("blocks.4", "blocks.5")]
# What an index is called on the page, by its end, and the axis that it is of.
AXES = {
    "a_channel": lambda of: of.m,
    "channel": lambda of: of.c,
    "k": lambda of: of.m,
    "primitive": lambda of: of.n,
    "frame": lambda of: of.grid[0],
    "row": lambda of: of.grid[1],
    "column": lambda of: of.grid[2],
}


@pytest.fixture(scope="module", params=LESSONS, ids=lambda pair: "-".join(pair))
def lesson(request) -> Lesson:
    name, block = request.param
    clip = samples.load_sample(samples.SAMPLES[0]).clip
    return a2core.take_lesson(a2core.load_model(SHIPPED / f"{name}.safetensors"), clip, block, SIZE_PX)


def axis_of(what: str, lesson: Lesson) -> int | None:
    if re.fullmatch(r"leader_\d+", what):
        return lesson.n
    for end, size in AXES.items():
        if what == end or (end != "k" and what.endswith(f"_{end}")):  # g_k is a value in channel k
            return int(size(lesson))
    return None


def choice_at(lesson: Lesson, *, last: bool) -> Choice:
    def edge(size: int) -> int:
        return size - 1 if last else 0

    t, row, col = (edge(size) for size in lesson.grid)
    return Choice(
        position=(t, row, col),
        primitive=edge(lesson.n),
        channel=edge(lesson.c),
        a_channel=edge(lesson.m),
        temperature=1.0,
        reached=edge(lesson.positions),
        terms=lesson.n if last else 1,
    )


@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
@pytest.mark.parametrize("step", range(1, 8))
def test_every_printed_index_lies_on_its_axis_and_is_the_one_that_was_chosen(lesson, step, last):
    choice = choice_at(lesson, last=last)
    screen = steps.screen(step, lesson, choice, board.tables_of(lesson), "lesson.npz")
    page = Figures(screen.sentence + screen.overlay_says + screen.figures + screen.numbers + screen.trap)
    chosen = {"primitive": choice.primitive, "channel": choice.channel, "a_channel": choice.a_channel}
    seen = 0
    for what, text in page.found:
        size = axis_of(what, lesson)
        if size is None:
            continue
        seen += 1
        index = int(text.replace(",", ""))
        assert 0 <= index < size, f"step {step}: {what} = {index} of {size}"
        assert index == chosen.get(what, index), f"step {step}: {what}"
    assert seen >= 2


def test_a_primitive_beyond_the_channels_is_itself_in_step_2():
    clip = samples.load_sample(samples.SAMPLES[0]).clip
    lesson = a2core.take_lesson(
        a2core.load_model(SHIPPED / "a2-lite0.safetensors"), clip, "blocks.5", SIZE_PX
    )
    assert lesson.n > lesson.m
    choice = choice_at(lesson, last=True)
    screen = steps.screen(2, lesson, choice, board.tables_of(lesson), "lesson.npz")
    at = [int(i) for i in re.findall(r"\b(\d+)\b", screen.code)]
    assert {choice.primitive, choice.a_channel} <= set(at), "the lines of NumPy take the same indices"
    x = lesson.normed[(slice(None), *choice.position)].astype(float)
    rows = ((lesson.phi_weight, lesson.phi_bias, choice.a_channel),)
    rows += ((lesson.theta_weight, lesson.theta_bias, choice.primitive),)
    rows += ((lesson.rho_weight, lesson.rho_bias, choice.primitive),)
    wanted = [float(weight[row].astype(float) @ x + bias[row]) for weight, bias, row in rows]
    assert np.allclose([float(line) for line in screen.prints.split()], wanted, rtol=1e-3, atol=1e-3)
