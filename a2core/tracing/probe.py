"""Pure questions on a trace: NumPy in, NumPy out; no network, no drawing.

A position p attends to position j with weight E(p, j) = Σ_i ρ_i(p) θ_i(j), a rank-n factorisation
of the N×N matrix that a non-local block writes out. Only the row or column asked for is computed:
O(n·N), never N×N.
"""

from __future__ import annotations

import numpy as np

from a2core.errors import BlockError
from a2core.tracing.pairs import AttentionTrace
from a2core.tracing.trace import BlockTrace

Position = tuple[int, int, int]  # (t, row, col), in cells
ROUNDING = 1e-6


def _weights_at(maps: np.ndarray, position: Position) -> np.ndarray:
    grid = maps.shape[1:]
    if len(position) != 3 or not all(0 <= i < size for i, size in zip(position, grid, strict=True)):
        raise BlockError(
            f"Position {tuple(position)} lies outside the block's grid. (t, row, col) must be below {grid}."
        )
    t, row, col = position
    return maps[:, t, row, col]


def _seen_from(block: BlockTrace, position: Position, maps: np.ndarray) -> np.ndarray:
    """`maps` (..., T, h, w), without the frames that `position` exchanges nothing with."""
    if not block.joint:
        maps[..., np.arange(block.grid[0]) != position[0], :, :] = 0
    return maps


def effective_attention(block: BlockTrace | AttentionTrace, position: Position) -> np.ndarray:
    """Where `position` (t, row, col) gets its information from: (T, h, w), sums to 1.

    The row E(p, ·) of RᵀΘ (in the paper VᵀB); of softmax attention the mean of its heads over the picture
    (`AttentionTrace.map`).

    Raises:
        BlockError: the position lies outside the grid.
    """
    if isinstance(block, AttentionTrace):
        return block.map(position)
    return _seen_from(block, position, np.tensordot(_weights_at(block.distribute, position), block.gather, 1))


def received_attention(block: BlockTrace | AttentionTrace, position: Position) -> np.ndarray:
    """Who receives from `position` (t, row, col): (T, h, w), the column E(·, j) of RᵀΘ.

    Each value is the share of that cell's attention which goes to `position`. The sum over cells
    says how much `position` is used in all: 1 on average over positions, and not 1 for each. Of softmax
    attention the mean of its heads (`AttentionTrace.received`).

    Raises:
        BlockError: the position lies outside the grid.
    """
    if isinstance(block, AttentionTrace):
        return block.received(position)
    return _seen_from(block, position, np.tensordot(_weights_at(block.gather, position), block.distribute, 1))


def attention_terms(block: BlockTrace, position: Position) -> np.ndarray:
    """The n terms ρ_i(p)·θ_i of `effective_attention`: (n, T, h, w); they add up to it exactly.

    Raises:
        BlockError: the position lies outside the grid.
    """
    terms = _weights_at(block.distribute, position)[:, None, None, None] * block.gather
    return _seen_from(block, position, terms)


def rank_primitives(block: BlockTrace, position: Position) -> np.ndarray:
    """Indices of the primitives by how much `position` receives of each, largest first; ties by index.

    Raises:
        BlockError: the position lies outside the grid.
    """
    return np.argsort(-_weights_at(block.distribute, position), kind="stable")


def half_area(maps: np.ndarray) -> np.ndarray:
    """The fewest cells that together hold half of each map: (n,) int64, from 1 to N, 0 for a map of nothing.

    `maps` is (n, ...), not negative; N/2 (rounded up) for a flat map. The highest-density region of 50 %: it
    agrees with the eye where `reach` counts a faint tail over the whole picture.
    """
    flat = np.sort(maps.reshape(len(maps), -1).astype(np.float64), axis=1)[:, ::-1]
    held = np.cumsum(flat, axis=1)
    # Halves of a flat map must not hang on how its sum is rounded.
    enough = held >= 0.5 * held[:, -1:] * (1 - ROUNDING)
    return np.where(held[:, -1] > 0, enough.argmax(axis=1) + 1, 0)


def reach(maps: np.ndarray) -> np.ndarray:
    """How many cells sharing equally would have the entropy of each map: its exp, (n,), from 1 to N.

    `maps` is (n, ...) with each map summing to 1. For losses and evaluations; what people read of a map is
    its `half_area`.
    """
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    entropy = -np.sum(flat * np.log(np.maximum(flat, 1e-300)), axis=1)
    return np.exp(entropy).astype(np.float32)


def cell_of_pixel(
    block: BlockTrace | AttentionTrace, model_input_shape: tuple[int, ...], x_px: float, y_px: float
) -> tuple[int, int]:
    """The cell (row, col) of `block` under pixel (x_px, y_px) of the model input (T, Hm, Wm, 3).

    Pixels count from the top left corner, the picture being Wm × Hm; cell (r, c) covers
    [c·Wm/w, (c+1)·Wm/w) × [r·Hm/h, (r+1)·Hm/h).

    Raises:
        BlockError: the pixel lies outside the picture.
    """
    height_px, width_px = model_input_shape[1:3]
    if not (0 <= x_px < width_px and 0 <= y_px < height_px):
        raise BlockError(
            f"Pixel ({x_px}, {y_px}) lies outside the picture of {width_px} × {height_px} pixels."
        )
    _, rows, cols = block.grid
    return int(y_px * rows // height_px), int(x_px * cols // width_px)


def pixel_of_cell(
    block: BlockTrace | AttentionTrace, model_input_shape: tuple[int, ...], row: int, col: int
) -> tuple[float, float]:
    """The centre (x_px, y_px) of cell (row, col) of `block`, in pixels of the model input (T, Hm, Wm, 3)."""
    height_px, width_px = model_input_shape[1:3]
    _, rows, cols = block.grid
    return (col + 0.5) * width_px / cols, (row + 0.5) * height_px / rows
