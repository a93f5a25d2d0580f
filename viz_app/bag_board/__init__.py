"""The board of primitives: one tile each, to switch off, keep alone or scale.

The browser owns the factors while a person works on them and answers each touch at once; Python is
told all factors after each change and hands in others only with another `revision` (undo, reset,
another block). What Python sends stays the same in between, so the board is not sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from viz_app.component import component

__all__ = ["bag_board", "reported"]

_component = component("a2_bag_board", Path(__file__).parent / "assets" / "board")


def bag_board(
    *,
    identity: str,
    revision: int,
    factors: Sequence[float],
    largest: float,
    effects: Sequence[float],
    effect_of: str,
    cards: Sequence[str],
    sheet: str,
    columns: int,
    aspect: float,
    key: str,
) -> None:
    """Show the board; after each change the page runs again and `reported(key)` holds the new factors.

    Args:
        identity: what the board is about; reports carry it, so that a stale one can be told.
        revision: another one than before makes the board take `factors` over.
        factors: one for each primitive, 0 to `largest`.
        largest: the largest factor that can be set.
        effects: a number for each primitive, shown on its tile and sorted by.
        effect_of: the class that the effects are about.
        cards: one sentence for each primitive, "" for none.
        sheet: all thumbnails as one data URL.
        columns: how many of them stand in a row.
        aspect: of each, width / height.
        key: of the component.
    """
    _component(
        data={
            "identity": identity,
            "revision": revision,
            "factors": list(factors),
            "largest": largest,
            "effects": [float(value) for value in effects],
            "effectOf": effect_of,
            "cards": list(cards),
            "sheet": sheet,
            "columns": columns,
            "aspect": aspect,
        },
        key=key,
        on_asked_change=_nothing,
    )


def _nothing() -> None:
    """The report is read by the run that follows; no callback is needed."""


def reported(key: str) -> Any:
    """What the browser reported last, unchecked, or None; no two reports are equal."""
    state = st.session_state.get(key)
    return state.get("asked") if isinstance(state, Mapping) else None
