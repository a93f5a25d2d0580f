"""Tiles, one of which is opened by a click: primitives by their best exemplars, or exemplars themselves.

The tiles go as a parcel; which of them are shown, and in which order, is all that is sent when
somebody sorts or filters. How one looks: `a2core.canvas.tiles`, which the site without a server has too. With
`asks`, a tile that somebody dwells on is asked about: what Python hands back stands beside it, and the
browser keeps it for the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st

from a2core.canvas import tiles as source
from viz_app.components.runtime import hand_over, latest, parcel, script

__all__ = ["Figure", "Glance", "Tile", "asked", "opened", "send_tiles", "tile_board"]

_ASSETS = Path(__file__).parent / "assets"
_component = st.components.v2.component(
    "a2_tile_board",
    html=(_ASSETS / "tiles.html").read_text(encoding="utf-8"),
    css=source.style() + (_ASSETS / "tiles.css").read_text(encoding="utf-8"),
    js=source.script() + script(_ASSETS / "tiles"),
)


class Tile(TypedDict):
    """What is on one tile: a data URL ("" for none), a title, a line below it, and what a hover says."""

    picture: str
    title: str
    said: str
    hint: str


class Figure(TypedDict):
    """A picture and a map over it, data URLs ("" for none), a ring at shares of its sides, a line below."""

    picture: str
    veil: str
    mark: tuple[float, float] | None
    said: str


class Glance(TypedDict):
    """What stands beside the tile `index` while somebody dwells on it."""

    index: int
    figures: list[Figure]
    said: str


def send_tiles(tiles: Sequence[Tile], *, identity: str, key: str) -> None:
    """Send the tiles that a `tile_board` in a fragment shows: from outside of it they go once."""
    parcel({"tiles": list(tiles)}, identity=identity, key=f"{key}-tiles")


def tile_board(
    tiles: Sequence[Tile] | None,
    order: Sequence[int],
    *,
    identity: str,
    key: str,
    label: str,
    on_open: Callable[[], None],
    small: bool = False,
    chosen: int | None = None,
    asks: bool = False,
    glance: Glance | None = None,
) -> None:
    """Show the tiles `order`, indices of `tiles` (None: `send_tiles` has sent them).

    `on_open` runs when one is clicked and, with `asks`, when somebody dwells on one; `glance` answers that.
    `label` is what a screen reader calls the list; `small` tiles are as wide as a crop; `chosen` is the one
    that is looked at.

    `identity` says which tiles these are: with the same identity they are not sent again.
    """
    if tiles is not None:
        send_tiles(tiles, identity=identity, key=key)
    hand_over(
        _component,
        {
            "tiles": identity,
            "order": list(order),
            "label": label,
            "small": small,
            "chosen": chosen,
            "asks": asks,
            "glance": glance,
        },
        key=key,
        name="opened",
        identity=identity,
        on_change=on_open,
    )


def opened(key: str, identity: str, count: int) -> int | None:
    """In `on_open`: which of `count` tiles was clicked, or None when that does not fit."""
    return parse_opened(latest(key, "opened", identity), count)


def asked(key: str, identity: str, count: int) -> int | None:
    """In `on_open`: which of `count` tiles somebody dwells on, or None when it is no such question."""
    return parse_asked(latest(key, "opened", identity), count)


def parse_asked(raw: Any, count: int) -> int | None:
    """`raw`, anything at all, as the index of one of `count` tiles that is asked about, or None."""
    asks = isinstance(raw, Mapping) and raw.get("glance") is True
    return _index(raw, count) if asks else None


def parse_opened(raw: Any, count: int) -> int | None:
    """`raw`, anything at all, as the index of one of `count` tiles that is opened, or None."""
    asks = isinstance(raw, Mapping) and "glance" in raw
    return None if asks else _index(raw, count)


def _index(raw: Any, count: int) -> int | None:
    index = raw.get("index") if isinstance(raw, Mapping) else None
    fits = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < count
    return index if fits else None
