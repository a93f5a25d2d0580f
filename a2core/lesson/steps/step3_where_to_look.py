"""Step 3: softmax over positions makes a row of logits a map; from the arg-max to an even one."""

from __future__ import annotations

import numpy as np

from a2core.lesson.figures import SIGNED, bars
from a2core.lesson.numbers import number, whole
from a2core.lesson.steps.board import Board, softmax
from a2core.lesson.steps.screen import Screen, printed
from a2core.lesson.words import step3_where_to_look as words
from a2core.tracing.probe import half_area

FLAT_FROM = 100.0  # a temperature at which softmax is as good as plain averaging
HEAVIEST = 60  # cells that have a bar


def screen(board: Board) -> Screen:
    """The chosen primitive's logits and its map at the chosen temperature, and how the weight is spread."""
    tau = board.choice.temperature
    logits = board.row("theta_logits", board.i)
    theta = softmax(logits, tau)
    count, half = board.lesson.positions, int(half_area(theta[None])[0])
    subscript = board.of_primitive()
    maps = board.map(words.logits(subscript), logits, SIGNED, words.LOGITS_ALT)
    maps += board.map(words.shares(subscript), theta, "gather", words.MAP_ALT)
    return Screen(
        sentence=_sentence(board, theta),
        overlay=board.maps(theta),
        shows="gather",
        overlay_says=words.overlay(subscript),
        figures=f'<div class="a2-pair">{maps}</div>{_heaviest(theta)}',
        numbers=printed(
            (words.PEAK, number("peak", theta.max())),
            (words.ONE_OVER_N, number("one_over_N", 1 / count)),
            (words.HALF, whole("half", half)),
            (words.OF_CELLS, whole("N", count)),
            (words.SUM, number("sum_theta", theta.sum())),
        ),
        code=_code(board, tau),
        prints=f"{theta.max():#.4g} {half} {theta.sum():#.4g}",
    )


def _heaviest(theta: np.ndarray) -> str:
    """The heaviest cells as bars, as shares of the peak, with plain averaging as a line."""
    most = np.sort(theta)[::-1][:HEAVIEST]
    return bars(
        words.HEAVIEST,
        most / max(float(theta.max()), 1e-300),
        axes=words.HEAVIEST_AXES,
        alt=words.HEAVIEST_ALT,
        outline=np.full(len(most), 1 / len(theta) / float(theta.max())),
        note=words.EVEN,
    )


def _sentence(board: Board, theta: np.ndarray) -> str:
    """What the temperature does to the map `theta`."""
    tau = board.choice.temperature
    place = board.place(board.unflat(int(np.argmax(theta))), "peak_")
    winners = int((theta == theta.max()).sum())
    if tau == 0:
        return words.zero_shared(whole("winners", winners)) if winners > 1 else words.zero(place)
    if tau >= FLAT_FROM:
        return words.FLAT
    if tau == 1:
        return words.one(place)
    return words.colder(place) if tau < 1 else words.warmer(place)


def _code(board: Board, tau: float) -> str:
    powers = f"np.exp((logits - logits.max()) / {tau!r})"
    if tau == 0:
        powers = f"(logits == logits.max()).astype(float)  # {words.LIMIT}"
    return board.load(
        f"logits = {board.key('theta_logits')}[{board.i}].ravel()",
        f"theta = {powers}",
        "theta /= theta.sum()",
        "held = np.cumsum(np.sort(theta)[::-1])  # by the largest, the two largest, …",
        "half = (held < 0.5 * (1 - 1e-6)).sum() + 1",
        'print(f"{theta.max():#.4g} {half} {theta.sum():#.4g}")',
    )
