"""What stands round the steps of the lesson, in words: pure. What a step says is in `words/`."""

from __future__ import annotations

from collections.abc import Mapping

from a2core.canvas.glossary import Symbol, symbols
from viz_app.ui import language

TRACING, WORKING_OUT = "Tracing the picture", "Working out the lesson"
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>Random weights.</strong> These blocks were never '
    "trained: every equation holds, but the maps mean nothing.</div>"
)

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

# While presenting.
TRAP = "The trap"

_ONE_PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

# Files.
ARRAYS, WORKSHEET = "The lesson’s arrays (NPZ)", "A worksheet to print (HTML)"
CHOSEN_ON_EXPLORE = (
    '<p class="a2-overlay-says">It begins with the picture and the cell chosen on Explore.</p>'
)


def formulas(all_of: list[str]) -> str:
    """The formulas of all steps, in Markdown."""
    return "\n\n".join(f"$$\n{formula}\n$$" for formula in all_of)


def heading(step: int, title: str, said: str, style: str) -> str:
    """The step's number and heading with the sentence under it, and a style sheet in it."""
    return (
        f'<div class="a2-step"><style>{style}</style><h1><b>{step}</b>{title}</h1>'
        f'<p class="a2-said">{said}</p></div>'
    )


def stand_in(table: str) -> str:
    """What stands in a step's HTML for a table of the block: a picture of one pixel, named as it is."""
    return f"{_ONE_PIXEL}#{table}"


def tables(urls: Mapping[str, str]) -> str:
    """A style sheet that shows the tables with these names where their stand-ins are."""
    rules = (f'img[src="{stand_in(name)}"] {{ content: url("{url}"); }}' for name, url in urls.items())
    return f"<style>{''.join(rules)}</style>"


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
    """The symbols of these names with what they are, their shape and the paper's own; "" for none."""
    if not names:
        return ""
    known = symbols()
    lines = "".join(f"<dt>{known[name].sign}</dt><dd>{_defined(known[name])}</dd>" for name in names)
    return f'<dl class="a2-where">{lines}</dl>'


def _defined(symbol: Symbol) -> str:
    shape = f" <span>{symbol.shape}</span>" if symbol.shape else ""
    other = symbol.paper and symbol.paper not in symbol.sign
    return f"{symbol.what}{shape}" + (f"; the paper’s {symbol.paper}" if other else "")


language.in_each_language(__name__)
