"""Step 1: the table of features that the block is given, and the chosen cell's column of it."""

from __future__ import annotations

import numpy as np

from a2core.lesson.figures import SIGNED, bars, tensor
from a2core.lesson.numbers import number, whole
from a2core.lesson.steps.board import Board
from a2core.lesson.steps.screen import Screen, printed
from a2core.lesson.words import common
from a2core.lesson.words import step1_features as words


def screen(board: Board) -> Screen:
    """X as a table, the chosen channel of it over the picture, the chosen cell's column as bars."""
    k = board.choice.channel
    column = board.column("features")
    length = float(np.linalg.norm(column))
    return Screen(
        sentence=words.SENTENCE,
        overlay=board.maps(board.row("features", k)),
        shows=SIGNED,
        overlay_says=words.overlay(whole("channel", k)),
        figures=_table(board) + _column(column, k),
        numbers=printed(
            (common.CHOSEN_CELL, board.place()),
            (words.in_channel(whole("channel", k)), number("x_kp", column[k])),
            (words.LENGTH, number("length_x", length)),
        ),
        code=board.load(
            f"x = {board.key('features')}[:, {board.at}]",
            f'print(f"{{x[{k}]:#.4g}} {{np.linalg.norm(x):#.4g}}")',
        ),
        prints=f"{column[k]:#.4g} {length:#.4g}",
    )


def _table(board: Board) -> str:
    lesson = board.lesson
    return tensor(
        "X",
        board.tables["features"],
        shape=(whole("c", lesson.c), whole("N", lesson.positions)),
        axes=(words.CHANNELS_DOWN, board.positions_axis()),
        alt=words.TABLE,
        column=board.column_middle,
        row=(board.choice.channel + 0.5) / lesson.c,
    )


def _column(column: np.ndarray, k: int) -> str:
    return bars(words.COLUMN, column, axes=(common.VALUE, common.C_CHANNELS), chosen=k, alt=words.COLUMN_ALT)
