"""Step 4: a primitive is a weighted sum over all positions, here stopped at any cell of it."""

from __future__ import annotations

import numpy as np

from a2core.lesson.figures import bars, curve
from a2core.lesson.numbers import number, share, whole
from a2core.lesson.steps.board import Board, softmax
from a2core.lesson.steps.screen import Screen, printed
from a2core.lesson.words import common
from a2core.lesson.words import step4_gather as words


class _Sum:
    """The sum g_i = Σ θ_ij a_j of the chosen primitive, and how far it has come at cell `j`."""

    def __init__(self, board: Board) -> None:
        self.j = board.choice.reached
        a, self.theta = board.table("phi"), softmax(board.row("theta_logits", board.i))
        self.g, self.mean = a @ self.theta, a.mean(axis=1)
        self.so_far = a[:, : self.j + 1] @ self.theta[: self.j + 1]
        self.k = int(np.argmax(np.abs(self.g)))  # the channel whose numbers are printed
        self.collected = np.cumsum(self.theta)

    def missing(self, other: np.ndarray) -> float:
        """How far `other` is from the whole sum, as a share of it."""
        return float(np.linalg.norm(self.g - other) / np.linalg.norm(self.g))


def screen(board: Board) -> Screen:
    """The sum up to the chosen cell, beside the primitive that it becomes and the plain average."""
    of = _Sum(board)
    theta, j, k = of.theta, of.j, of.k
    return Screen(
        sentence=words.SENTENCE,
        overlay=board.maps(np.where(np.arange(len(theta)) <= j, theta, 0.0)),
        shows="gather",
        overlay_says=words.overlay(board.of_primitive()),
        figures=_figures(of, board.of_primitive("g")),
        numbers=printed(
            (words.LAST_CELL, board.place(board.unflat(j), "j_")),
            (words.ITS_WEIGHT, number("theta_ij", theta[j])),
            (words.WEIGHT_COLLECTED, share("collected", of.collected[j])),
            (common.sum_in_channel(whole("k", k)), number("sum_k", of.so_far[k])),
            (common.in_that_channel(board.of_primitive("g")), number("g_k", of.g[k])),
            (common.ERROR_LEFT, share("error_left", of.missing(of.so_far))),
            (words.AVERAGE_OFF, share("average_off", of.missing(of.mean))),
        ),
        code=board.load(
            f"logits, a = {board.key('theta_logits')}[{board.i}].ravel(), "
            f"{board.key('phi')}.reshape({board.lesson.m}, -1)",
            "theta = np.exp(logits - logits.max())",
            "theta /= theta.sum()",
            f"running = a[:, : {j} + 1] @ theta[: {j} + 1]",
            f'print(f"{{theta[{j}]:#.4g}} {{running[{k}]:#.4g}} {{(a @ theta)[{k}]:#.4g}}")',
        ),
        prints=f"{theta[j]:#.4g} {of.so_far[k]:#.4g} {of.g[k]:#.4g}",
    )


def _figures(of: _Sum, name: str) -> str:
    """The sum so far and the plain average, on one scale, and the weight collected over the cells."""
    reach = float(max(np.abs(of.g).max(), np.abs(of.mean).max(), np.abs(of.so_far).max()))
    axes = (common.VALUE, common.M_CHANNELS)
    running = bars(
        words.running(name),
        of.so_far,
        outline=of.g,
        reach=reach,
        chosen=of.k,
        axes=axes,
        alt=words.RUNNING_ALT,
    )
    average = bars(words.average(name), of.mean, outline=of.g, reach=reach, axes=axes, alt=words.AVERAGE_ALT)
    collected = curve(
        words.COLLECTED,
        of.collected,
        compare=np.arange(1, len(of.theta) + 1) / len(of.theta),
        at=of.j,
        axes=(words.COLLECTED_AXIS, common.CELLS_IN_ORDER),
        alt=words.COLLECTED_ALT,
        note=words.COLLECTED_NOTE,
    )
    return running + average + collected
