"""What stands round the lesson on its page, in words: pure.

What stands round its steps wherever they are, and what they say, is in `a2core/lesson/words`.
"""

from __future__ import annotations

from viz_app.ui import language

TRACING, WORKING_OUT = "Tracing the picture", "Working out the lesson"
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>Random weights.</strong> These blocks were never '
    "trained: every equation holds, but the maps mean nothing.</div>"
)

# While presenting.
TRAP = "The trap"

# Files.
ARRAYS, WORKSHEET = "The lesson’s arrays (NPZ)", "A worksheet to print (HTML)"
CHOSEN_ON_EXPLORE = (
    '<p class="a2-overlay-says">It begins with the picture and the cell chosen on Explore.</p>'
)


def formulas(all_of: list[str]) -> str:
    """The formulas of all steps, in Markdown."""
    return "\n\n".join(f"$$\n{formula}\n$$" for formula in all_of)


def heading(step: int, title: str, style: str) -> str:
    """The step's number and heading, with a style sheet in it."""
    return f'<div class="a2-step"><style>{style}</style><h1><b>{step}</b>{title}</h1></div>'


def sentence(said: str) -> str:
    """The sentence under the heading."""
    return f'<div class="a2-step"><p class="a2-said">{said}</p></div>'


language.in_each_language(__name__)
