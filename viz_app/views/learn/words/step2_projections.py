"""The words of step 2: three projections of the same features."""

from __future__ import annotations

NAME, TITLE = "Projections", "Three projections of the same features"
FORMULA = (
    r"A = W_\phi \hat X + b_\phi, \quad \Theta = W_\theta \hat X + b_\theta, "
    r"\quad R = W_\rho \hat X + b_\rho"
)
SENTENCE = (
    "Three linear maps read the same columns: φ says what a cell has to give, θ where each primitive should "
    "look, ρ what each cell asks for."
)


def overlay(primitive: object) -> str:
    """What lies over the picture."""
    return f"row {primitive} of Θ laid out as the picture"


def rows_down(count: str) -> str:
    """The axis of a table with `count` rows, "m" or "n"."""
    return f"{count} rows ↓"


def table(symbol: str) -> str:
    """A table, for who cannot see it."""
    return f"The table {symbol}, one row and one column marked"


def row(symbol: str) -> str:
    """A table's row, as a map."""
    return f"marked row of {symbol}"


def row_alt(symbol: str) -> str:
    """The same, for who cannot see it."""
    return f"The marked row of {symbol} as a map"


def crossing(letter: str, symbol: str) -> str:
    """The value that row and column have in common."""
    return f"{letter}<sub>ip</sub>, where the lines cross in {symbol}"
