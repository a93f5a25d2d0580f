"""Tiles, one of which is opened by a click: primitives by their best exemplars, or exemplars themselves.

The tiles go as a parcel; which of them are shown, and in which order, is all that is sent when
somebody sorts or filters. How one looks: `a2core.canvas.tiles`, which the site without a server has too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st

from a2core.canvas import tiles as source
from viz_app.components.runtime import hand_over, latest, parcel, script

__all__ = ["Tile", "opened", "tile_board"]

_ASSETS = Path(__file__).parent / "assets"
_component = st.components.v2.component(
    "a2_tile_board",
    html=(_ASSETS / "tiles.html").read_text(encoding="utf-8"),
    css=source.style(),
    js=source.script() + script(_ASSETS / "tiles"),
)


class Tile(TypedDict):
    """What is on one tile: a data URL ("" for none), a title, a line below it, and what a hover says."""

    picture: str
    title: str
    said: str
    hint: str


def tile_board(
    tiles: Sequence[Tile],
    order: Sequence[int],
    *,
    identity: str,
    key: str,
    label: str,
    on_open: Callable[[], None],
    small: bool = False,
    chosen: int | None = None,
) -> None:
    """Show the tiles `order`, indices of `tiles`; `on_open` runs when one is clicked.

    `label` is what a screen reader calls the list; `small` tiles are as wide as a crop; `chosen` is the one
    that is looked at.

    `identity` says which tiles these are: with the same identity they are not sent again.
    """
    parcel({"tiles": list(tiles)}, identity=identity, key=f"{key}-tiles")
    hand_over(
        _component,
        {"tiles": identity, "order": list(order), "label": label, "small": small, "chosen": chosen},
        key=key,
        name="opened",
        identity=identity,
        on_change=on_open,
    )


def opened(key: str, identity: str, count: int) -> int | None:
    """In `on_open`: which of `count` tiles was clicked, or None when that does not fit."""
    return parse_opened(latest(key, "opened", identity), count)


def parse_opened(raw: Any, count: int) -> int | None:
    """`raw`, anything at all, as the index of one of `count` tiles, or None."""
    index = raw.get("index") if isinstance(raw, Mapping) else None
    fits = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < count
    return index if fits else None
