"""A picture with a grid in which one cell is chosen by dragging, tapping or the arrow keys.

The cell follows the pointer at once, in the browser; Python hears of it at most every tenth of a
second and sends back a new overlay. The probe canvas answers every hover by itself and is the right
thing to explore with; this one is for pages whose Python side works something out for the cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from viz_app.components.runtime import component, hand_over, latest

__all__ = ["cell_picker"]

_component = component("a2_cell_picker", Path(__file__).parent / "assets" / "picker")


def cell_picker(
    picture: str,
    overlay: str,
    *,
    identity: str,
    cell: tuple[int, int],
    grid: tuple[int, int],
    aspect: float,
    label: str,
    place: str,
    key: str,
    on_change: Callable[[], None],
) -> None:
    """Show `picture` under `overlay` (data URLs) with `cell` (row, col) of `grid` (rows, cols) framed.

    `label` says what it is; `place` how a cell is called, with {row} and {col} in it.
    `identity` says what the cell is of; one that was picked of anything else is dropped.
    `on_change` runs when the visitor chose another cell; `picked(key, identity, grid)` then says which.
    """
    row, col = cell
    rows, cols = grid
    hand_over(
        _component,
        {
            "picture": picture,
            "overlay": overlay,
            "row": row,
            "col": col,
            "rows": rows,
            "cols": cols,
            "aspect": aspect,
            "label": label,
            "place": place,
        },
        key=key,
        name="cell",
        identity=identity,
        follows=("row", "col"),
        on_change=on_change,
    )


def picked(key: str, identity: str, grid: tuple[int, int]) -> tuple[int, int] | None:
    """In `on_change`: the cell (row, col) that the visitor chose, or None when that does not fit.

    It may have been chosen before the picture showed what was done elsewhere: it is what was done last.
    """
    return parse_cell(latest(key, "cell", identity), grid)


def parse_cell(raw: Any, grid: tuple[int, int]) -> tuple[int, int] | None:
    """`raw`, anything at all, as a cell (row, col) of `grid` (rows, cols), or None."""
    if not isinstance(raw, Mapping):
        return None
    place = (raw.get("row"), raw.get("col"))
    for value, size in zip(place, grid, strict=True):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < size:
            return None
    return int(place[0]), int(place[1])  # type: ignore[arg-type]
