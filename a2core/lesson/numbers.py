"""Numbers as they are printed: a `<data>` element says what each is, so that a test recomputes it; pure."""

from __future__ import annotations

import html
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


def megabytes(what: str, size_bytes: float) -> Number:
    """A size in MB (10⁶ bytes), to one decimal place below 100."""
    value = size_bytes / 1e6
    return Number(what, value, f"{value:,.1f} MB" if value < 100 else f"{value:,.0f} MB")
