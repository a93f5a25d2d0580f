"""Numbers with a sign, as they are printed; pure."""

from __future__ import annotations

import math


def decimal(value: float, places: int = 2) -> str:
    """A number that may be negative, with a true minus, and without one where nothing is left of it."""
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float) -> str:
    """A number with its sign, to two significant digits, of which the first may be the sixth decimal."""
    if abs(value) < 5e-7:
        return "0"
    places = min(6, max(2, 1 - math.floor(math.log10(abs(value)))))
    return f"{value:+.{places}f}".replace("-", "−")
