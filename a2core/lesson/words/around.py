"""What stands round the steps, wherever the lesson is: what is moved, the symbols, checking by hand."""

from __future__ import annotations

from a2core.canvas.glossary import Symbol, symbols
from a2core.spoken import in_each_language

# Sliders.
FRAME, PRIMITIVE, TEMPERATURE = "Frame", "Primitive i", "Temperature τ"
CHANNEL, A_CHANNEL = "Channel k", "Channel k of A"
REACHED = "Last cell in the sum, j, in reading order"
TERMS = "Terms in the sum, largest first"

# What is moved in the picture.
THE_CELL, THE_LAST_CELL = "the cell", "the last cell of the sum"

# Checking by hand.
CHECK = "Check it yourself"
LINES = "<p>These lines of NumPy print values of this page, from the file with the lesson’s arrays.</p>"
PRINTED = "They print"


def moves(alt: str, what: str) -> str:
    """What the picture is, for who cannot see it, and how `what` is moved in it."""
    return f"{alt}. Arrow keys move {what}."


def under_picture(overlay: str, what: str) -> str:
    """What lies over the picture, and how `what` is moved in it."""
    return f'<p class="a2-overlay-says">{overlay}. <span>Drag in the picture to move {what}.</span></p>'


def prints(lines: str) -> str:
    """What the lines of NumPy print."""
    return f'<p>{PRINTED}</p><pre class="a2-prints">{lines}</pre>'


def definitions(names: tuple[str, ...]) -> str:
    """The symbols of these names with what they are, their shape and how the paper writes them."""
    known = symbols()
    lines = "".join(f"<dt>{known[name].sign}</dt><dd>{_defined(known[name])}</dd>" for name in names)
    return f'<dl class="a2-where">{lines}</dl>'


def _defined(symbol: Symbol) -> str:
    shape = f" <span>{symbol.shape}</span>" if symbol.shape else ""
    other = symbol.paper and symbol.paper not in symbol.sign
    return f"{symbol.what}{shape}" + (f"; the paper’s {symbol.paper}" if other else "")


in_each_language(__name__)
