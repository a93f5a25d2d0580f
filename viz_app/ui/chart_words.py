"""What stands on the axes of charts, and what pointing at them says; Plotly fills in the %{...}."""

from __future__ import annotations

from viz_app.ui import language

BY_RANK, BY_INDEX = "primitives, the most received first", "primitives, by index"
SHARE, CHANNELS, TIME = "share received, %", "channels", "time, s"
VALUE = "value"
EARLIEST = "primitives, the earliest on top"
FIRST_ORDER, TRUE_EFFECT = "first-order term, logit", "true effect of switching it off, logit"


def value_in(primitive: object) -> str:
    """What a primitive holds in a channel."""
    return f"value in g<sub>{primitive}</sub>"


def received(count: int) -> str:
    """A bar of one pixel's ρ."""
    return (
        "this pixel receives <b>%{y:.2f} %</b><br>from primitive %{customdata[0]}<br>its number "
        f"%{{customdata[1]}} of {count}<extra></extra>"
    )


EFFECT = (
    "primitive %{customdata}<br>first order <b>%{x:.4f}</b><br>true effect <b>%{y:.4f}</b><extra></extra>"
)
MOMENT = (
    "primitive %{customdata[0]} at %{customdata[2]:.2f} s<br><b>%{customdata[3]:.2f} %</b><extra></extra>"
)


language.in_each_language(__name__)
