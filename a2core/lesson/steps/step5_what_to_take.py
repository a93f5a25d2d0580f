"""Step 5: softmax over primitives makes each cell's shares; and the trap of the wrong axis."""

from __future__ import annotations

import numpy as np

from a2core.lesson.figures import bars
from a2core.lesson.measures import effective_count
from a2core.lesson.numbers import number, whole
from a2core.lesson.steps.board import Board, softmax
from a2core.lesson.steps.screen import Screen, printed, trap
from a2core.lesson.words import common
from a2core.lesson.words import step5_what_to_take as words


def screen(board: Board) -> Screen:
    """The chosen cell's logits and shares over the primitives, and who else takes of the chosen one."""
    i, logits = board.i, board.column("rho_logits")
    rho = softmax(logits)
    rank = int(np.flatnonzero(np.argsort(-rho, kind="stable") == i)[0]) + 1
    return Screen(
        sentence=words.SENTENCE,
        overlay=board.lesson.distribute[i],
        shows="distribute",
        overlay_says=words.overlay(board.of_primitive("g"), board.of_primitive()),
        figures=_figures(logits, rho, i),
        numbers=printed(
            (common.CHOSEN_CELL, board.place()),
            (words.share_of(board.of_primitive("g")), number("rho_ip", rho[i])),
            (words.RANK, whole("rank", rank)),
            (words.OF_PRIMITIVES, whole("n", board.lesson.n)),
            (words.EFFECTIVE, number("effective", effective_count(rho))),
            (words.SUM, number("sum_rho", rho.sum())),
        ),
        code=board.load(
            f"logits = {board.key('rho_logits')}[:, {board.at}]",
            "rho = np.exp(logits - logits.max())",
            "rho /= rho.sum()",
            "effective = np.exp(-(rho * np.log(rho)).sum())",
            f'print(f"{{rho[{i}]:#.4g}} {{effective:#.4g}} {{rho.sum():#.4g}}")',
        ),
        prints=f"{rho[i]:#.4g} {effective_count(rho):#.4g} {rho.sum():#.4g}",
        trap=_wrong_axis(board, rho),
    )


def _figures(logits: np.ndarray, rho: np.ndarray, i: int) -> str:
    return bars(
        words.LOGITS,
        logits,
        chosen=i,
        axes=(words.LOGITS_AXIS, common.N_PRIMITIVES),
        alt=words.LOGITS_ALT,
    ) + bars(words.SHARES, rho, chosen=i, axes=(words.SHARES_AXIS, common.N_PRIMITIVES), alt=words.SHARES_ALT)


def _wrong_axis(board: Board, rho: np.ndarray) -> str:
    """What the commonest mistake does to the sums: softmax of R̃ over positions."""
    sums = softmax(board.table("rho_logits"), axis=1).sum(axis=0)
    figure = board.map(words.TRAP_MAP, sums, "distribute", words.TRAP_MAP_ALT)
    lines = printed(
        (words.RIGHT_SUM, number("right_sum", rho.sum())),
        (words.WRONG_SUM, number("wrong_sum", sums[board.p])),
        (words.WRONG_LEAST, number("wrong_least", sums.min())),
        (words.WRONG_LARGEST, number("wrong_largest", sums.max())),
    )
    return trap(words.TRAP_TITLE, words.TRAP, f'<div class="a2-trap-row">{figure}{lines}</div>')
