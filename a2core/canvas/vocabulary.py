"""What Python and the browser must agree on: settings, limits, colours, the opacity curve, shares in words.

Read from vocabulary.json, which the scripts read too. Not in here: what things are called for people
(`assets/words.js`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "Setting",
    "Vocabulary",
    "bar_top",
    "colour_table",
    "cover",
    "map_top",
    "percent",
    "read_vocabulary",
]

VOCABULARY = Path(__file__).parent / "vocabulary.json"
THIN = "\u202f"  # a narrow space at which no line breaks


@dataclass(frozen=True)
class Setting:
    """What one setting of the canvas may be: one of `words`, or a number from 0 to 1 where there are none."""

    first: Any
    words: tuple[Any, ...]

    def takes(self, value: Any) -> bool:
        """Whether `value`, anything at all, is one that the setting may have."""
        if self.words:
            return any(type(value) is type(word) and value == word for word in self.words)
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


@dataclass(frozen=True)
class Vocabulary:
    """vocabulary.json, typed."""

    version: int  # of the payload
    levels: int  # of a map's quantisation
    signed_levels: int  # of what may be negative, to each side
    max_pins: int
    settings: Mapping[str, Setting]
    colours: Mapping[str, np.ndarray]  # by name, 256 RGB entries (256, 3) uint8, dark to bright; read-only
    colour_of: Mapping[str, str]  # what kind of map has which colours
    cover: tuple[float, float, float]  # base, gain and power of the opacity curve
    flat: float  # what is painted brightest is no less than this many times what a flat map would hold
    bars: tuple[float, ...]  # what a full bar may stand for, rising to 1


@cache
def read_vocabulary() -> Vocabulary:
    """What vocabulary.json says; read at the first call."""
    raw = json.loads(VOCABULARY.read_text(encoding="utf-8"))
    settings = {
        name: Setting(entry["first"], tuple(entry.get("words", ())))
        for name, entry in raw["settings"].items()
    }
    return Vocabulary(
        version=raw["version"],
        levels=raw["levels"],
        signed_levels=raw["signed_levels"],
        max_pins=raw["limits"]["pins"],
        settings=settings,
        colours={name: _table(bytes.fromhex("".join(stops))) for name, stops in raw["colours"].items()},
        colour_of=raw["colour_of"],
        cover=(raw["cover"]["base"], raw["cover"]["gain"], raw["cover"]["power"]),
        flat=raw["flat"],
        bars=tuple(raw["bars"]),
    )


def colour_table(name: str) -> np.ndarray:
    """256 RGB entries (256, 3) uint8 of the colour map `name`, dark to bright; read-only."""
    return read_vocabulary().colours[name]


def _table(rgb: bytes) -> np.ndarray:
    """The entries of a colour map whose stops are `rgb`, one after the other, linear in between."""
    stops = np.frombuffer(rgb, np.uint8).reshape(-1, 3)
    at = np.arange(256) / 255 * (len(stops) - 1)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    table = np.floor(np.stack(channels, axis=1) + 0.5).astype(np.uint8)
    table.flags.writeable = False
    return table


def cover(values: np.ndarray, opacity: float) -> np.ndarray:
    """How opaque values of 0..1 are painted: low ones let the picture through, so that it stays the hero."""
    base, gain, power = read_vocabulary().cover
    return opacity * np.minimum(1.0, base + gain * np.asarray(values) ** power)


def map_top(peak: float, even: float | None) -> float:
    """What is painted brightest of a map: its peak, but of one nearly flat more, so that it looks flat.

    `even` is what every cell of a flat map would hold; None where that says nothing.
    """
    return peak if even is None else max(peak, read_vocabulary().flat * even)


def bar_top(share: float) -> float:
    """How much a full bar stands for where `share` must fit: a round share, the least that there is."""
    return next((top for top in read_vocabulary().bars if share <= top), 1.0)


def percent(share: float) -> str:
    """A share in words that read well at any size: "42 %", "3.1 %", "0.04 %", "<0.01 %"."""
    value = 100 * share
    for least, digits in ((9.95, 0), (0.995, 1), (0.01, 2)):
        if value >= least:
            return f"{value:.{digits}f}{THIN}%"
    return f"<{THIN}0.01{THIN}%" if value > 0 else f"0{THIN}%"
