"""Cells of a block and spots of a picture, and where the first probe is put; pure.

A spot is (x, y) in fractions of the picture, so that it means the same in every block and at every size.
"""

from __future__ import annotations

import numpy as np

from a2core import BlockTrace, Trace

RIM = 0.15  # of a side of the picture


def cell_at(block: BlockTrace, spot: tuple[float, float]) -> tuple[int, int]:
    """The cell (row, col) under `spot`, given as (x, y) fractions of the picture."""
    _, rows, cols = block.grid
    x, y = spot
    return min(rows - 1, max(0, int(y * rows))), min(cols - 1, max(0, int(x * cols)))


def spot_of(block: BlockTrace, position: tuple[int, int, int]) -> tuple[float, float]:
    """The centre of the cell at `position` (t, row, col), as (x, y) fractions of the picture."""
    _, rows, cols = block.grid
    _, row, col = position
    return (col + 0.5) / cols, (row + 0.5) / rows


def default_block(trace: Trace) -> BlockTrace:
    """The block that is shown first: the last but one, of parts that have names; or the only one."""
    return list(trace.blocks.values())[-2:][0]


def default_position(block: BlockTrace, spot: tuple[float, float] | None) -> tuple[int, int, int]:
    """Where the first probe is put: at `spot`, or where the block changed its input the most inside.

    Not at the picture's rim: there a block changes much because there is less around, and the picture shows
    least of what it is of.
    """
    if spot is not None:
        return (0, *cell_at(block, spot))
    _, rows, cols = block.grid
    change = np.full_like(block.change, -1.0)
    top, left = (round(RIM * size) for size in (rows, cols))
    inside = (slice(None), slice(top, rows - top), slice(left, cols - left))
    change[inside] = block.change[inside]
    t, row, col = np.unravel_index(int(np.argmax(change)), change.shape)
    return int(t), int(row), int(col)
