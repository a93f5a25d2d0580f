"""The board of primitives: one tile each, to switch off, keep alone or scale.

The browser answers each touch at once, and Python is told all factors after each change. What is large, the
thumbnails and the sentences, goes as a parcel: a touch does not send it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viz_app.components.runtime import component, fresh, hand_over, parcel

__all__ = ["bag_board", "reported"]

_component = component("a2_bag_board", Path(__file__).parent / "assets" / "board")


def bag_board(
    *,
    identity: str,
    first: int,
    chosen: bool,
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

    Where somebody asks to see a primitive on Explore it also holds "opened", the primitive's index.

    Args:
        identity: what the board is about.
        first: the primitive that it begins at, while none is changed.
        chosen: whether somebody chose `first`: then it begins there, whatever is changed.
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
    looks = hashlib.sha256("\n".join([sheet, *cards]).encode()).hexdigest()[:16]
    parcel({"sheet": sheet, "cards": list(cards)}, identity=f"{identity}/{looks}", key=f"{key}-looks")
    hand_over(
        _component,
        {
            "first": first,
            "chosen": chosen,
            "factors": list(factors),
            "largest": largest,
            "effects": [float(value) for value in effects],
            "effectOf": effect_of,
            "looks": f"{identity}/{looks}",
            "columns": columns,
            "aspect": aspect,
        },
        key=key,
        name="asked",
        identity=identity,
        follows=("factors",),
    )


def reported(key: str, identity: str) -> Any:
    """What a person set on the board `identity`, unchecked; None for nothing since Python decided last."""
    return fresh(key, "asked", identity)
