"""A trace as plain numbers: the NPZ file that the shell and the app write, and a table of ρ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from a2core.errors import BlockError
from a2core.tracing.probe import Position, pixel_of_cell
from a2core.tracing.trace import Trace


def trace_arrays(trace: Trace) -> dict[str, np.ndarray]:
    """The arrays of a trace as they are written: `<block>/gather` and so on, `model_input`, `times_s`."""
    arrays = {"model_input": trace.model_input, "times_s": trace.clip.times_s}
    for name, block in trace.blocks.items():
        for key in ("primitives", "gather", "distribute", "output", "change"):
            arrays[f"{name}/{key}"] = getattr(block, key)
    return arrays


def write_npz(file: BinaryIO, trace: Trace) -> None:
    """Write `trace_arrays(trace)` into an open file, compressed; NumPy alone reads it."""
    np.savez_compressed(file, **trace_arrays(trace))  # type: ignore[arg-type]


def rho_csv(trace: Trace, block: str, positions: Sequence[Position]) -> str:
    """ρ at `positions` (t, row, col) of `block` as CSV: a row for each primitive, a column for each position.

    A column is called by the pixel in the middle of its cell, "x168y104", of a clip with its frame,
    "x168y104t3". Values have nine digits, which is every bit of a float32; each column sums to 1.

    Raises:
        BlockError: the trace has no such block, or a position lies outside its grid.
    """
    attended = trace.blocks.get(block)
    if attended is None:
        raise BlockError(f"The trace has no block {block!r}. It has {', '.join(trace.blocks)}.")
    frames, rows, cols = attended.grid
    names, columns = [], []
    for t, row, col in positions:
        if not (0 <= t < frames and 0 <= row < rows and 0 <= col < cols):
            raise BlockError(
                f"Position {(t, row, col)} lies outside the grid of {block}. "
                f"(t, row, col) must be below {attended.grid}."
            )
        x, y = pixel_of_cell(attended, trace.model_input.shape, row, col)
        names.append(f"x{int(x)}y{int(y)}" + (f"t{t}" if frames > 1 else ""))
        columns.append(attended.distribute[:, t, row, col])
    lines = [",".join(["primitive", *names])]
    for i in range(attended.n):
        lines.append(",".join([str(i), *(f"{column[i]:.9g}" for column in columns)]))
    return "\n".join(lines) + "\n"
