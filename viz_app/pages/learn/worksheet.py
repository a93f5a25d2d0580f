"""A worksheet to print: questions on double attention with the numbers of one picture, and the answers.

Pure, like the lesson it belongs to. The page stands alone: the picture is inside, nothing is fetched.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np

from a2core import Lesson
from viz_app.pages.learn.lesson import Choice, fitted, softmax, weights_bytes

LEADERS = 3


@dataclass(frozen=True)
class Question:
    """A question and its answer, both HTML; `lines` is the room for writing."""

    asked: str
    answer: str
    lines: int = 2


def questions(lesson: Lesson, choice: Choice) -> list[Question]:
    """Ten questions about the lesson's block at the chosen cell and primitive, with worked answers."""
    choice = fitted(choice, lesson)
    i, at = choice.primitive, choice.position
    frames, rows, cols = lesson.grid
    c, m, n, count = lesson.c, lesson.m, lesson.n, lesson.positions
    theta = lesson.theta[i].astype(float).ravel()
    b = softmax(theta)
    heavy = np.argsort(-b, kind="stable")[:LEADERS]
    rho = lesson.rho[(slice(None), *at)].astype(float)
    v = softmax(rho)
    best = np.argsort(-v, kind="stable")[:LEADERS]
    a, bag = lesson.phi.reshape(m, -1).astype(float), lesson.primitives.astype(float)
    z = bag @ v
    k, q = int(np.argmax(np.abs(a @ b))), int(np.argmax(np.abs(z)))
    wrong = softmax(lesson.rho.reshape(n, -1).astype(float), axis=1).sum(axis=0)
    p = (at[0] * rows + at[1]) * cols + at[2]
    x = lesson.features[(slice(None), *at)].astype(float)
    delta = lesson.expand_weight.astype(float) @ lesson.output[(slice(None), *at)] + lesson.expand_bias
    full, factors = weights_bytes(count, n)
    grid = f"{rows} × {cols}" if frames == 1 else f"{frames} × {rows} × {cols}"
    twelve = softmax(theta, 2.0)
    best_rest = float(np.exp(rho - rho.max()).sum() - np.exp(rho[best] - rho.max()).sum())

    return [
        Question(
            f"The block is given c = {c} channels on a grid of {grid} cells. How many positions N are "
            "there, and "
            "how many numbers are in X?",
            f"N = {grid.replace('×', '·')} = {count:,}. X holds c · N = {c * count:,} numbers.",
        ),
        Question(
            f"φ is a linear map from {c} to m = {m} channels with a bias. How many weights does it have? "
            "Does that "
            "change with the size of the picture?",
            f"c · m + m = {c * m + m:,}. No: the same map reads every cell.",
        ),
        Question(
            f"Two cells have the logits {theta[heavy[0]]:#.4g} and {theta[heavy[2]]:#.4g} in the row of "
            "primitive "
            f"{i}. How many times more weight does softmax give the first? And at temperature 2?",
            f"exp({theta[heavy[0]]:#.4g} − {theta[heavy[2]]:#.4g}) = {b[heavy[0]] / b[heavy[2]]:#.4g} "
            "times; at "
            f"temperature 2 the square root of that, {twelve[heavy[0]] / twelve[heavy[2]]:#.4g} times.",
        ),
        Question(
            f"The heaviest cell of gather map {i} has the weight {b.max():#.4g}. How many times more is "
            "that than "
            "in a plain average? What would it be at temperature 0, and at a very large temperature?",
            f"b · N = {b.max() * count:#.4g} times. At temperature 0 its weight is 1 (the arg-max); at a "
            "very large "
            f"one 1/N = {1 / count:#.4g}.",
        ),
        Question(
            f"These are the three heaviest cells of primitive {i}, with their features in channel {k}. "
            "What do they "
            f"add to (g<sub>{i}</sub>)<sub>{k}</sub>, which is {float(a[k] @ b):#.4g} in all?"
            + _table(
                ("cell", "b", "a"), [(_cell(lesson, j), f"{b[j]:#.4g}", f"{a[k, j]:#.4g}") for j in heavy]
            ),
            " + ".join(f"{b[j]:#.4g} · {a[k, j]:#.4g}" for j in heavy)
            + f" = {float(a[k, heavy] @ b[heavy]):#.4g}, of {float(a[k] @ b):#.4g}.",
            3,
        ),
        Question(
            f"The marked cell has the logits {_listed(rho[best])} for primitives {_numbered(best)}; for "
            "all others "
            f"together, Σ exp(ρ − {rho.max():#.4g}) = {best_rest:#.4g}. What share does it take of primitive "
            f"{best[0]}?",
            "1 / (1 + "
            + " + ".join(f"{np.exp(rho[i_] - rho.max()):#.4g}" for i_ in best[1:])
            + f" + {best_rest:#.4g}) = {v[best[0]]:#.4g}.",
            3,
        ),
        Question(
            f"Put (z<sub>p</sub>)<sub>{q}</sub> together from the three largest shares. It is {z[q]:#.4g} "
            "in all: "
            "how much is missing?"
            + _table(
                ("primitive", "share v", f"value in channel {q}"),
                [(str(i_), f"{v[i_]:#.4g}", f"{bag[q, i_]:#.4g}") for i_ in best],
            ),
            " + ".join(f"{v[i_]:#.4g} · {bag[q, i_]:#.4g}" for i_ in best)
            + f" = {float(bag[q, best] @ v[best]):#.4g}; missing "
            f"{z[q] - float(bag[q, best] @ v[best]):#.4g}.",
            3,
        ),
        Question(
            "Somebody takes the softmax of ρ over positions. What do the shares of one cell then sum to, on "
            "average over cells? What is the trouble with that?",
            f"Each of the n rows sums to 1, so the mean column sums to n/N = {n / count:#.4g}; the marked "
            "cell’s to "
            f"{wrong[p]:#.4g}, others to anything from {wrong.min():#.4g} to {wrong.max():#.4g}. What a "
            "cell receives "
            "then depends on what the other cells ask for.",
            3,
        ),
        Question(
            "How many megabytes (10⁶ bytes) would the full N × N map take in float32, and how many the two "
            "factors "
            f"B and V? From which N on, with n = {n}, are the factors the smaller?",
            f"4 N² = {full / 1e6:,.2f} MB; 2 · 4 n N = {factors / 1e6:,.2f} MB. The factors are smaller when "
            f"N > 2 n = {2 * n}.",
        ),
        Question(
            f"The marked cell’s features have the length {np.linalg.norm(x):#.4g}; the block adds a vector "
            "of length "
            f"{np.linalg.norm(delta):#.4g}. By how much has the cell changed, in per cent of its length? "
            "Why is "
            "the input added at all?",
            f"{100 * np.linalg.norm(delta) / np.linalg.norm(x):.1f} %. The block only has to learn what is "
            "to be "
            "changed, and can start as no change at all.",
        ),
    ]


def _cell(lesson: Lesson, index: int) -> str:
    t, row, col = np.unravel_index(index, lesson.grid)
    return f"({row}, {col})" if lesson.grid[0] == 1 else f"({t}, {row}, {col})"


def _listed(values: np.ndarray) -> str:
    return ", ".join(f"{value:#.4g}" for value in values)


def _numbered(indices: np.ndarray) -> str:
    return ", ".join(map(str, indices))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def worksheet_html(lesson: Lesson, choice: Choice, *, picture_url: str, title: str) -> str:
    """The worksheet as one HTML page: the picture with the cell marked, questions, then answers overleaf."""
    choice = fitted(choice, lesson)
    asked = questions(lesson, choice)
    t, row, col = choice.position
    frames, rows, cols = lesson.grid
    mark = (
        f"left:{100 * col / cols:.3f}%;top:{100 * row / rows:.3f}%;"
        f"width:{100 / cols:.3f}%;height:{100 / rows:.3f}%"
    )
    where = f"frame {t}, row {row}, column {col}" if frames > 1 else f"row {row}, column {col}"
    name = html.escape(title)
    tasks = "".join(
        f"<li>{question.asked}<div class='lines' style='height:{question.lines * 8}mm'></div></li>"
        for question in asked
    )
    answers = "".join(f"<li>{question.answer}</li>" for question in asked)
    return _PAGE.format(
        title=name, picture=picture_url, mark=mark, where=where, block=html.escape(lesson.name),
        primitive=choice.primitive, tasks=tasks, answers=answers,
    )  # fmt: skip


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Double attention by hand: {title}</title>
<style>
@page {{ size: A4; margin: 16mm; }}
body {{ font: 15px/1.45 "Source Serif 4", Georgia, serif; color: #111; background: #fff; max-width: 178mm;
  margin: 0 auto; padding: 6mm 4mm; }}
h1 {{ font-size: 25px; line-height: 1.2; margin: 0 0 3mm; }}
h2 {{ font-size: 20px; margin: 0 0 4mm; break-before: page; }}
header {{ display: grid; grid-template-columns: 62mm 1fr; gap: 8mm; align-items: start; margin-bottom: 7mm; }}
.picture {{ position: relative; }}
.picture img {{ width: 100%; display: block; }}
.picture i {{ position: absolute; box-sizing: border-box; border: 2px solid #fff; outline: 2px solid #000; }}
ol {{ padding-left: 6mm; margin: 0; }}
li {{ margin-bottom: 4mm; padding-left: 1mm; break-inside: avoid; }}
.lines {{ margin-top: 1mm;
  background: repeating-linear-gradient(#fff 0 calc(8mm - 1px), #bbb calc(8mm - 1px) 8mm);
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
table {{ border-collapse: collapse; margin: 2mm 0; font-variant-numeric: tabular-nums; }}
th, td {{ border-bottom: 1px solid #999; padding: 0.6mm 6mm 0.6mm 0; text-align: left; font-weight: 400; }}
th {{ font-style: italic; }}
p {{ margin: 0 0 2mm; }}
.name {{ border-bottom: 1px solid #999; padding-top: 4mm; max-width: 80mm; }}
</style>
</head>
<body>
<header>
<div class="picture"><img src="{picture}" alt="{title}"><i style="{mark}"></i></div>
<div><h1>Double attention by hand</h1>
<p>{title}, block {block}. The marked cell p is {where}; the primitive is i = {primitive}. All numbers are the
network’s own.</p>
<p>Y = X + expand(Z), &ensp; Z = G V, &ensp; G = A Bᵀ; B: softmax of θ(X) over positions,
V: softmax of ρ(X) over primitives, A = φ(X).</p><p class="name">Name</p></div>
</header>
<ol>{tasks}</ol>
<h2>Answers</h2>
<ol>{answers}</ol>
</body>
</html>
"""
