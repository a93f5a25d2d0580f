"""Step 3: softmax over positions makes a row of logits a map; from the arg-max to an even one."""

from __future__ import annotations

import numpy as np

from viz_app.ui.figures import SIGNED, bars
from viz_app.ui.measures import effective_count
from viz_app.ui.numbers import number, whole
from viz_app.views.learn.steps.board import Board, softmax
from viz_app.views.learn.steps.screen import Screen, printed
from viz_app.views.learn.words import step3_where_to_look as words

FLAT_FROM = 100.0  # a temperature at which softmax is as good as plain averaging
HEAVIEST = 60  # cells that have a bar


def screen(board: Board) -> Screen:
    """The chosen primitive's logits and its map at the chosen temperature, and how the weight is spread."""
    tau = board.choice.temperature
    logits = board.table("theta")[board.i]
    b = softmax(logits, tau)
    count, reach = board.lesson.positions, effective_count(b)
    subscript = board.of_primitive()
    maps = board.map(words.logits(subscript), logits, SIGNED, words.LOGITS_ALT)
    maps += board.map(words.shares(subscript), b, "gather", words.MAP_ALT)
    return Screen(
        sentence=_sentence(board, b),
        overlay=board.maps(b),
        shows="gather",
        overlay_says=words.overlay(subscript),
        figures=f'<div class="a2-pair">{maps}</div>{_heaviest(b)}',
        numbers=printed(
            (words.PEAK, number("peak", b.max())),
            (words.ONE_OVER_N, number("one_over_N", 1 / count)),
            (words.REACH, number("reach", reach)),
            (words.OF_CELLS, whole("N", count)),
            (words.SUM, number("sum_b", b.sum())),
        ),
        code=_code(board, tau),
        prints=f"{b.max():#.4g} {reach:#.4g} {b.sum():#.4g}",
    )


def _heaviest(b: np.ndarray) -> str:
    """The heaviest cells as bars, as shares of the peak, with plain averaging as a line."""
    most = np.sort(b)[::-1][:HEAVIEST]
    return bars(
        words.HEAVIEST,
        most / max(float(b.max()), 1e-300),
        axes=words.HEAVIEST_AXES,
        alt=words.HEAVIEST_ALT,
        outline=np.full(len(most), 1 / len(b) / float(b.max())),
        note=words.EVEN,
    )


def _sentence(board: Board, b: np.ndarray) -> str:
    """What the temperature does to the map `b`."""
    tau = board.choice.temperature
    place = board.place(board.unflat(int(np.argmax(b))), "peak_")
    winners = int((b == b.max()).sum())
    if tau == 0:
        return words.zero_shared(whole("winners", winners)) if winners > 1 else words.zero(place)
    if tau >= FLAT_FROM:
        return words.FLAT
    if tau == 1:
        return words.one(place)
    return words.colder(place) if tau < 1 else words.warmer(place)


def _code(board: Board, tau: float) -> str:
    b = f"np.exp((theta - theta.max()) / {tau!r})"
    if tau == 0:
        b = f"(theta == theta.max()).astype(float)  # {words.LIMIT}"
    return board.load(
        f"theta = {board.key('theta')}[{board.i}].ravel()",
        f"b = {b}",
        "b /= b.sum()",
        "reach = np.exp(-(b[b > 0] * np.log(b[b > 0])).sum())",
        'print(f"{b.max():#.4g} {reach:#.4g} {b.sum():#.4g}")',
    )
