"""A tile of a list: a small picture, a title, a line; exemplars in the app and on the site."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from a2core.canvas.modules import join

_ASSETS = Path(__file__).parent


def style() -> str:
    """The style sheet of a list of tiles, `ol.tiles`, and of small ones, `ol.tiles.small`."""
    return (_ASSETS / "tiles.css").read_text(encoding="utf-8")


@cache
def script() -> str:
    """It defines `a2Tiles`, with a function `tileOf` that makes one."""
    return join(_ASSETS / "tiles.js", name="a2Tiles")
