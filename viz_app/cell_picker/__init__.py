"""A picture with a grid in which one cell is chosen by dragging, tapping or the arrow keys.

The cell follows the pointer at once, in the browser; Python hears of it at most every tenth of a
second and sends back a new overlay. The probe canvas answers every hover by itself and is the right
thing to explore with; this one is for pages whose Python side works something out for the cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from viz_app.component import answered, component, told

__all__ = ["cell_picker"]

_component = component("a2_cell_picker", Path(__file__).parent / "assets" / "picker")


def cell_picker(
    picture: str,
    overlay: str,
    *,
    cell: tuple[int, int],
    grid: tuple[int, int],
    aspect: float,
    label: str,
    key: str,
    on_change: Callable[[], None],
) -> None:
    """Show `picture` under `overlay` (data URLs) with `cell` (row, col) of `grid` (rows, cols) framed.

    `on_change` runs when the visitor chose another cell; `picked(key, grid)` then says which.
    """
    row, col = cell
    rows, cols = grid
    _component(
        data={
            "picture": picture,
            "overlay": overlay,
            "row": row,
            "col": col,
            "rows": rows,
            "cols": cols,
            "aspect": aspect,
            "label": label,
            "answered": answered(key, "cell"),
        },
        key=key,
        on_cell_change=on_change,
    )


def picked(key: str, grid: tuple[int, int]) -> tuple[int, int] | None:
    """The cell (row, col) that the browser reported last, or None when it is malformed or outside."""
    return parse_cell(told(key, "cell"), grid)


def parse_cell(raw: Any, grid: tuple[int, int]) -> tuple[int, int] | None:
    """`raw`, anything at all, as a cell (row, col) of `grid` (rows, cols), or None."""
    if not isinstance(raw, Mapping):
        return None
    place = (raw.get("row"), raw.get("col"))
    for value, size in zip(place, grid, strict=True):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < size:
            return None
    return int(place[0]), int(place[1])  # type: ignore[arg-type]
