"""A lesson on double attention: the equations of one block on one picture, in seven steps, and a worksheet.

Pure: a `Lesson` (the block's tensors, `a2core.take_lesson`) and a `Choice` (what somebody moved) go in, HTML
comes out. The app and the site are frames round it; what it says is in `words`, in each language.
"""

from pathlib import Path

from a2core.lesson.figures import opaque, overlay_url, painted, table, webp_url
from a2core.lesson.measures import effective_count, weights_bytes
from a2core.lesson.numbers import Number, megabytes, number, share, whole
from a2core.lesson.words import around
from a2core.lesson.worksheet import worksheet_html

__all__ = [
    "Number",
    "around",
    "effective_count",
    "megabytes",
    "number",
    "opaque",
    "overlay_url",
    "painted",
    "share",
    "style",
    "table",
    "webp_url",
    "weights_bytes",
    "whole",
    "worksheet_html",
]

_ASSETS = Path(__file__).parent / "assets"


def style(*sheets: str, within: str = ".a2-lesson") -> str:
    """Style sheets of the lesson ("figures", "lesson"); the element round it is `within`, a selector."""
    texts = ((_ASSETS / f"{sheet}.css").read_text(encoding="utf-8") for sheet in sheets)
    return "".join(texts).replace(".a2-lesson", within)
