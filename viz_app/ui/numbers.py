"""Numbers as they are printed: a `<data>` element says what each is, so that a test recomputes it; pure."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

from a2core.canvas import percent


@dataclass(frozen=True)
class Number:
    """A figure on the page: what it is (a name that a test knows), its value, and how it is printed."""

    what: str
    value: float
    text: str

    def __str__(self) -> str:
        return (
            f'<data class="a2-n" data-what="{html.escape(self.what)}" value="{self.value!r}">'
            f"{html.escape(self.text.replace('-', '−'))}</data>"
        )


def number(what: str, value: float) -> Number:
    """A figure to four significant digits, as `f"{value:#.4g}"` prints it."""
    return Number(what, float(value), f"{float(value):#.4g}")


def whole(what: str, value: int) -> Number:
    """A count or an index."""
    return Number(what, int(value), f"{int(value):,}")


def share(what: str, value: float) -> Number:
    """A share in per cent, as it reads everywhere."""
    return Number(what, float(value), percent(float(value)))


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


def megabytes(what: str, size_bytes: float) -> Number:
    """A size in MB (10⁶ bytes), to one decimal place below 100."""
    value = size_bytes / 1e6
    return Number(what, value, f"{value:,.1f} MB" if value < 100 else f"{value:,.0f} MB")
