"""What several steps of the lesson say."""

from __future__ import annotations

from a2core.spoken import in_each_language

CHOSEN_CELL = "chosen cell p"
VALUE, N_PRIMITIVES, M_CHANNELS, C_CHANNELS = "value", "n primitives →", "m channels →", "c channels →"
CELLS_IN_ORDER = "cells, in reading order →"
N_POSITIONS = "N positions →"
ERROR_LEFT = "error left"


def place(row: object, column: object, frame: object | None = None) -> str:
    """A cell, its row and column counted from 0 as NumPy does; of a clip with its frame."""
    cell = f"row {row}, column {column}"
    return cell if frame is None else f"frame {frame}, {cell}"


def positions(grid: str) -> str:
    """The axis of a table whose columns are the cells of `grid`, such as 12 × 18."""
    return f"N positions, {grid}, one after the other →"


def sum_in_channel(channel: object) -> str:
    """The sum so far, in one of its channels."""
    return f"the sum in channel {channel}"


def in_that_channel(symbol: str) -> str:
    """What the sum becomes, in the same channel: the one where it is farthest from zero."""
    return f"{symbol} in that channel, its largest"


in_each_language(__name__)
