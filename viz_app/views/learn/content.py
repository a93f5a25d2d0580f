"""What stands round the lesson on its page, in words: pure.

What stands round its steps wherever they are, and what they say, is in `a2core/lesson/words`.
"""

from __future__ import annotations

from collections.abc import Mapping

from viz_app.ui import language

TRACING, WORKING_OUT = "Tracing the picture", "Working out the lesson"
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>Random weights.</strong> These blocks were never '
    "trained: every equation holds, but the maps mean nothing.</div>"
)

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


language.in_each_language(__name__)
