"""Cells of a block and spots of a picture, and where the first probe is put; pure.

A spot is (x, y) in fractions of the picture, so that it means the same in every block and at every size.
"""

from __future__ import annotations

import numpy as np

from a2core import AttentionTrace, BlockTrace, Trace
from a2core.canvas import ROLLOUT

Attending = BlockTrace | AttentionTrace

RIM = 0.15  # of a side of the picture


def attending(trace: Trace, name: str) -> Attending | None:
    """The block, or the layer of the network's own attention, that the canvas calls `name`.

    Rollout has the places of the last layer.
    """
    layers = trace.attention
    if name == ROLLOUT and layers:
        return list(layers.values())[-1]
    return trace.blocks.get(name) or layers.get(name)


def choices(trace: Trace, name: str) -> int:
    """How many primitives, or heads, can be chosen in what the canvas calls `name`; 0 of no block."""
    found = attending(trace, name)
    if found is None:
        return 0
    if isinstance(found, BlockTrace):
        return found.n
    return 1 if name == ROLLOUT else found.heads


def cell_at(block: Attending, spot: tuple[float, float]) -> tuple[int, int]:
    """The cell (row, col) under `spot`, given as (x, y) fractions of the picture."""
    _, rows, cols = block.grid
    x, y = spot
    return min(rows - 1, max(0, int(y * rows))), min(cols - 1, max(0, int(x * cols)))


def spot_of(block: Attending, position: tuple[int, int, int]) -> tuple[float, float]:
    """The centre of the cell at `position` (t, row, col), as (x, y) fractions of the picture."""
    _, rows, cols = block.grid
    _, row, col = position
    return (col + 0.5) / cols, (row + 0.5) / rows


def default_block(trace: Trace) -> BlockTrace:
    """The block that is shown first: the last but one, of parts that have names; or the only one."""
    return list(trace.blocks.values())[-2:][0]


def first_looked_at(trace: Trace) -> str:
    """What Explore shows first: blocks that were trained, else what the network was born with."""
    if trace.attention and not trace.trained:
        return list(trace.attention)[-1]
    return default_block(trace).name


def default_position(block: Attending, spot: tuple[float, float] | None) -> tuple[int, int, int]:
    """Where the first probe is put: at `spot`, or where the block changed its input the most inside.

    Not at the picture's rim: there a block changes much because there is less around, and the picture shows
    least of what it is of. Of a layer that changes nothing by itself, in the middle.
    """
    if spot is not None:
        return (0, *cell_at(block, spot))
    _, rows, cols = block.grid
    if not isinstance(block, BlockTrace):
        return 0, rows // 2, cols // 2
    change = np.full_like(block.change, -1.0)
    top, left = (round(RIM * size) for size in (rows, cols))
    inside = (slice(None), slice(top, rows - top), slice(left, cols - left))
    change[inside] = block.change[inside]
    t, row, col = np.unravel_index(int(np.argmax(change)), change.shape)
    return int(t), int(row), int(col)
