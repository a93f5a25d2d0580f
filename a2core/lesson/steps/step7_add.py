"""Step 7: the mixture is brought back to all channels, and added to what was there."""

from __future__ import annotations

import numpy as np

from a2core.lesson.figures import SIGNED, bars
from a2core.lesson.numbers import number, share, whole
from a2core.lesson.steps.board import Board
from a2core.lesson.steps.screen import Screen, printed
from a2core.lesson.words import common
from a2core.lesson.words import step7_add as words
from a2core.tracing.lesson import Lesson


def screen(board: Board) -> Screen:
    """The chosen channel before, what is added and after; what the chosen cell is given; the changes."""
    k, p = board.choice.channel, board.p
    x, output = board.table("features"), board.table("output")
    added = board.array("expand_weight") @ output + board.array("expand_bias")[:, None]
    change = np.linalg.norm(added, axis=0) / np.maximum(np.linalg.norm(x, axis=0), 1e-12)
    most = int(np.argmax(change))
    y = x + added
    own = float(np.linalg.norm(added[:, p])) / float(np.linalg.norm(x[:, p]))
    return Screen(
        sentence=words.SENTENCE,
        overlay=board.maps(change),
        shows="change",
        overlay_says=words.OVERLAY,
        figures=_equation(board, x[k], added[k], y[k]) + _given(added[:, p], k),
        numbers=printed(
            (common.CHOSEN_CELL, board.place()),
            (words.before(whole("channel", k)), number("x_kp", x[k, p])),
            (words.PLUS_DELTA, number("d_kp", added[k, p])),
            (words.EQUALS_Y, number("y_kp", y[k, p])),
            (words.CHANGE, share("change", own)),
            (words.MOST_CHANGE, share("most_change", change[most])),
            (words.MOST_CHANGED, board.place(board.unflat(most), "most_")),
        ),
        code=board.load(
            f'x, z = (d[f"{board.lesson.name}/{{name}}"][:, {board.at}].astype(float) '
            'for name in ("features", "output"))',
            f"added = {board.key('expand_weight')} @ z + {board.key('expand_bias')}",
            f'print(f"{{x[{k}]:#.4g}} {{added[{k}]:#.4g}} {{x[{k}] + added[{k}]:#.4g}}")',
        ),
        prints=f"{x[k, p]:#.4g} {added[k, p]:#.4g} {y[k, p]:#.4g}",
    )


def most_changed(lesson: Lesson) -> tuple[int, int, int]:
    """The cell (t, row, col) where |Δ| / |x| is largest."""
    change = np.linalg.norm(lesson.added, axis=0) / np.maximum(np.linalg.norm(lesson.features, axis=0), 1e-12)
    t, row, col = np.unravel_index(int(np.argmax(change)), change.shape)
    return int(t), int(row), int(col)


def plainest_channel(lesson: Lesson, position: tuple[int, int, int]) -> int:
    """The channel in which X and Y, drawn on one scale, differ most to the eye in the cell at `position`."""
    before, after = lesson.features, lesson.features + lesson.added
    scale = np.maximum(abs(before), abs(after)).max(axis=(1, 2, 3))
    added = abs(lesson.added[(slice(None), *position)])
    return int(np.argmax(added / np.maximum(scale, 1e-12)))


def _equation(board: Board, before: np.ndarray, added: np.ndarray, after: np.ndarray) -> str:
    """X + Δ = Y as maps of one channel, (N,) each; X and Y on one scale."""
    scale = float(np.abs(np.concatenate([before, after])).max())
    return (
        '<div class="a2-sum">'
        + board.map(words.BEFORE, before, SIGNED, words.BEFORE_ALT, high=scale)
        + "<span>+</span>"
        + board.map(words.ADDED, added, SIGNED, words.ADDED_ALT)
        + "<span>=</span>"
        + board.map(words.AFTER, after, SIGNED, words.AFTER_ALT, high=scale)
        + "</div>"
    )


def _given(added: np.ndarray, k: int) -> str:
    return bars(words.GIVEN, added, chosen=k, axes=(common.VALUE, common.C_CHANNELS), alt=words.GIVEN_ALT)
