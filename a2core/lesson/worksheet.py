"""A worksheet to print: questions on double attention with the numbers of one picture, and the answers.

Pure, like the lesson it belongs to. The page stands alone: the picture is inside, nothing is fetched. What it
says is in `words/worksheet.py`.
"""

from __future__ import annotations

import html
from pathlib import Path
from string import Template

import numpy as np

from a2core.languages import TAGS
from a2core.lesson.figures import table
from a2core.lesson.measures import weights_bytes
from a2core.lesson.steps.board import softmax
from a2core.lesson.steps.screen import Choice, fitted
from a2core.lesson.words import common
from a2core.lesson.words import worksheet as words
from a2core.lesson.words.worksheet import Question
from a2core.spoken import current
from a2core.tracing.lesson import Lesson

PAGE = Path(__file__).with_suffix(".html")
LEADERS = 3
LINE_MM = 8


def questions(lesson: Lesson, choice: Choice) -> list[Question]:
    """Ten questions about the lesson's block at the chosen cell and primitive, with worked answers."""
    choice = fitted(choice, lesson)
    return [
        *_about_the_map(lesson, choice),
        *_about_the_mixture(lesson, choice),
        *_about_the_whole(lesson, choice),
    ]


def _about_the_map(lesson: Lesson, choice: Choice) -> list[Question]:
    """What is projected, and how a primitive is gathered."""
    i, count = choice.primitive, lesson.positions
    logits = lesson.theta_logits[i].astype(float).ravel()
    theta, warmer = softmax(logits), softmax(logits, 2.0)
    heavy = np.argsort(-theta, kind="stable")[:LEADERS]
    first, last = heavy[0], heavy[-1]
    a = lesson.phi.reshape(lesson.m, -1).astype(float)
    k = int(np.argmax(np.abs(a @ theta)))
    cells = [(_cell(lesson, j), _four(theta[j]), _four(a[k, j])) for j in heavy]
    return [
        words.positions(c=lesson.c, grid=_grid(lesson), count=count),
        words.projection(c=lesson.c, m=lesson.m),
        words.two_logits(
            primitive=i,
            first=_four(logits[first]),
            second=_four(logits[last]),
            times=_four(theta[first] / theta[last]),
            times_warmer=_four(warmer[first] / warmer[last]),
        ),
        words.heaviest_cell(
            primitive=i, weight=_four(theta.max()), times=_four(theta.max() * count), even=_four(1 / count)
        ),
        words.gathered(
            primitive=i,
            channel=k,
            total=_four(float(a[k] @ theta)),
            cells=table(words.HEAVIEST_COLUMNS, cells),
            sum_of_three=_sum(theta[heavy], a[k, heavy]),
        ),
    ]


def _about_the_mixture(lesson: Lesson, choice: Choice) -> list[Question]:
    """What the chosen cell takes, and what becomes of it."""
    logits = lesson.rho_logits[(slice(None), *choice.position)].astype(float)
    rho = softmax(logits)
    best = np.argsort(-rho, kind="stable")[:LEADERS]
    bag = lesson.primitives.astype(float)
    z = bag @ rho
    k = int(np.argmax(np.abs(z)))
    powers = np.exp(logits - logits.max())
    rest = float(powers.sum() - powers[best].sum())
    over = " + ".join(_four(powers[i]) for i in best[1:])
    return [
        words.shares(
            logits=", ".join(map(_four, logits[best])),
            primitives=", ".join(map(str, best)),
            largest=_four(logits.max()),
            rest=_four(rest),
            best=int(best[0]),
            worked=f"1 / (1 + {over} + {_four(rest)}) = {_four(rho[best[0]])}.",
        ),
        words.mixed(
            channel=k,
            total=_four(z[k]),
            primitives=table(
                words.mixture_columns(k), [(str(i), _four(rho[i]), _four(bag[k, i])) for i in best]
            ),
            sum_of_three=_sum(rho[best], bag[k, best]),
            missing=_four(z[k] - float(bag[k, best] @ rho[best])),
        ),
    ]


def _about_the_whole(lesson: Lesson, choice: Choice) -> list[Question]:
    """The two traps, and what is added in the end."""
    n, count, at = lesson.n, lesson.positions, choice.position
    p = int(np.ravel_multi_index(at, lesson.grid))
    wrong = softmax(lesson.rho_logits.reshape(n, -1).astype(float), axis=1).sum(axis=0)
    full, factors = weights_bytes(count, n)
    x = lesson.features[(slice(None), *at)].astype(float)
    delta = lesson.expand_weight.astype(float) @ lesson.output[(slice(None), *at)] + lesson.expand_bias
    length, added = float(np.linalg.norm(x)), float(np.linalg.norm(delta))
    return [
        words.wrong_axis(
            mean=_four(n / count), marked=_four(wrong[p]), least=_four(wrong.min()), most=_four(wrong.max())
        ),
        words.full_map(n=n, full=f"{full / 1e6:,.2f}", factors=f"{factors / 1e6:,.2f}"),
        words.change(length=_four(length), added=_four(added), per_cent=f"{100 * added / length:.1f}"),
    ]


def _four(value: float) -> str:
    """To four significant digits."""
    return f"{value:#.4g}"


def _sum(weights: np.ndarray, values: np.ndarray) -> str:
    """A weighted sum written out, with its result."""
    terms = (f"{_four(weight)} · {_four(value)}" for weight, value in zip(weights, values, strict=True))
    return f"{' + '.join(terms)} = {_four(float(values @ weights))}"


def _grid(lesson: Lesson) -> str:
    frames, rows, cols = lesson.grid
    return f"{rows} × {cols}" if frames == 1 else f"{frames} × {rows} × {cols}"


def _cell(lesson: Lesson, index: int) -> str:
    t, row, col = np.unravel_index(index, lesson.grid)
    return common.place(row, col, t if lesson.grid[0] > 1 else None)


def worksheet_html(lesson: Lesson, choice: Choice, *, picture_url: str, title: str) -> str:
    """The worksheet as one HTML page: the picture with the cell marked, questions, then answers overleaf."""
    choice = fitted(choice, lesson)
    asked = questions(lesson, choice)
    t, row, col = choice.position
    frames, rows, cols = lesson.grid
    tasks = "".join(
        f"<li>{question.asked}<div class='lines' style='height:{question.lines * LINE_MM}mm'></div></li>"
        for question in asked
    )
    name = html.escape(title)
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        lang=TAGS[current()],
        heading=words.HEADING,
        title=name,
        picture=picture_url,
        mark=f"left:{100 * col / cols:.3f}%;top:{100 * row / rows:.3f}%;"
        f"width:{100 / cols:.3f}%;height:{100 / rows:.3f}%",
        about=words.about(
            title=name,
            block=html.escape(lesson.name),
            where=common.place(row, col, t if frames > 1 else None),
            primitive=choice.primitive,
        ),
        equations=words.EQUATIONS,
        name=words.NAME,
        answered=words.ANSWERED,
        tasks=tasks,
        answers="".join(f"<li>{question.answer}</li>" for question in asked),
    )
