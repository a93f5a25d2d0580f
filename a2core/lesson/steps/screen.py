"""What a step is given and what it gives: a `Choice` of the visitor's, a `Screen` to be laid out; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a2core.lesson.numbers import Number
from a2core.tracing.lesson import Lesson

TEMPERATURES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1e6)


@dataclass(frozen=True)
class Choice:
    """What the visitor moved. Indices count from 0; a position is (t, row, col), in cells."""

    position: tuple[int, int, int]
    primitive: int  # i, a row of Θ̃ and of R̃
    channel: int  # k, a row of X, Δ and Y
    a_channel: int  # k, a row of A
    temperature: float
    reached: int  # the last cell of the running sum, in reading order
    terms: int  # how many primitives are put together, at least 1


@dataclass(frozen=True)
class Screen:
    """One step with the numbers of one picture; everything is HTML."""

    sentence: str
    overlay: np.ndarray  # (T, h, w), over the picture
    shows: str  # what the overlay is of, which is its colours
    overlay_says: str
    figures: str
    numbers: str
    code: str  # lines of NumPy that print `prints` from the lesson's NPZ file
    prints: str
    trap: str = ""


def fitted(choice: Choice, lesson: Lesson) -> Choice:
    """`choice` with every index brought inside the lesson's sizes."""
    frames, rows, cols = lesson.grid
    t, row, col = choice.position
    return Choice(
        position=(_inside(t, frames), _inside(row, rows), _inside(col, cols)),
        primitive=_inside(choice.primitive, lesson.n),
        channel=_inside(choice.channel, lesson.c),
        a_channel=_inside(choice.a_channel, lesson.m),
        temperature=choice.temperature,
        reached=_inside(choice.reached, lesson.positions),
        terms=_inside(choice.terms, lesson.n + 1) or 1,
    )


def _inside(index: int, size: int) -> int:
    return max(0, min(int(index), size - 1))


def printed(*lines: tuple[str, Number | str]) -> str:
    """What is printed at the side: terms in words, values to read."""
    return '<dl class="a2-numbers">' + "".join(f"<dt>{t}</dt><dd>{v}</dd>" for t, v in lines) + "</dl>"


def trap(title: str, words: str, shown: str) -> str:
    """A mistake that is often made, under the step that it belongs to."""
    return f"<h3>{title}</h3><p>{words}</p>{shown}"


def subscripted(letter: str, index: Number) -> str:
    """A letter with an index that is read back like every figure."""
    return f"{letter}<sub>{index}</sub>"
