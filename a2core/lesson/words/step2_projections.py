"""The words of step 2: three projections of the same features."""

from __future__ import annotations

from a2core.spoken import in_each_language

MEETS = ("X̂", "W", "b", "A", "Θ̃", "R̃", "m", "n", "i")
NAME, TITLE = "Projections", "Three projections of the same features"
FORMULA = (
    r"A = W_\phi \hat X + b_\phi, \quad \tilde\Theta = W_\theta \hat X + b_\theta, "
    r"\quad \tilde R = W_\rho \hat X + b_\rho"
)
SENTENCE = (
    "Three linear maps read the same columns: A says what a cell has to give, Θ̃ where each primitive should "
    "look, R̃ what each cell asks for."
)
CHANNEL, PRIMITIVE = "channel", "primitive"  # what the rows of a table are


def overlay(primitive: object) -> str:
    """What lies over the picture."""
    return f"row {primitive} of Θ̃ laid out as the picture"


def rows_down(count: str, what: str) -> str:
    """The axis of a table with `count` rows, "m" or "n", each of them a channel or a primitive."""
    return f"{count} {what}s ↓"


def table(symbol: str) -> str:
    """A table, for who cannot see it."""
    return f"The table {symbol}, one row and one column marked"


def row(index: object, symbol: str, what: str) -> str:
    """A table's marked row, as a map."""
    return f"row {index} of {symbol}, a {what}"


def row_alt(symbol: str) -> str:
    """The same, for who cannot see it."""
    return f"The marked row of {symbol} as a map"


def crossing(letter: str, index: str, symbol: str) -> str:
    """The value that row `index`, "k" or "i", and column p have in common."""
    return f"{letter}<sub>{index}p</sub>, where the lines cross in {symbol}"


in_each_language(__name__)
