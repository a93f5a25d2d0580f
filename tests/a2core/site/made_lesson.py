"""A small lesson that Python and the scripts work out alike; run as a module it is written anew."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from a2core.lesson import overlay_url
from a2core.lesson.steps import Choice, Screen, screen, tables_of
from a2core.site.lesson import arrays_of, choice_told, sayings
from tests.a2core.lesson.lessons import CHOICE, Figures, made_up_lesson

AGREED = Path(__file__).parent / "agreed_lesson.json"
OTHER = replace(CHOICE, position=(0, 5, 0), primitive=0, channel=9, a_channel=0, reached=0, terms=7)
CASES = (
    *((step, CHOICE) for step in range(1, 8)),
    *((step, OTHER) for step in range(1, 8)),
    *((3, replace(CHOICE, temperature=tau)) for tau in (0.0, 0.05, 2.0, 1e6)),
    (4, replace(CHOICE, reached=53)),
)


def pixels(url: str, mode: str) -> list[int]:
    data = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode)).ravel().tolist()


def marks(url: str) -> str:
    """What is drawn in a plot, but for its style."""
    drawing = base64.b64decode(url.partition(",")[2]).decode()
    return drawing.partition("</style>")[2].removesuffix("</svg>")


def without_figures(said: str) -> str:
    return re.sub(r"<data[^>]*>[^<]*</data>", "", said)


def case(step: int, choice: Choice, drawn: Screen, grid: tuple[int, int, int]) -> dict[str, Any]:
    page = drawn.figures + drawn.trap
    maps = re.findall(r'class="a2-map".*?<img src="([^"]+)"', page) + re.findall(
        r'<li class="a2-(?:in|out)"><img src="([^"]+)"', page
    )
    plots = re.findall(r'<img src="(data:image/svg[^"]+)"', page)
    all_of = drawn.sentence + drawn.overlay_says + page + drawn.numbers
    over = overlay_url(drawn.overlay[0], drawn.shows, high=float(abs(drawn.overlay).max()))
    said = without_figures(drawn.sentence)
    names = [when for when, one in sayings().items() if without_figures(one) == said]
    return {
        "step": step,
        "choice": choice_told(choice, grid),
        "numbers": {what: html.unescape(text) for what, text in Figures(all_of).found},
        "says": names[0] if names else None,
        "inSum": page.count('class="a2-in"'),
        "overlay": pixels(over, "RGBA"),
        "maps": [pixels(url, "RGB") for url in maps],
        "plots": [marks(url) for url in plots],
    }


def worked_out() -> dict[str, Any]:
    """What went in and what Python makes of it."""
    lesson = made_up_lesson()
    tables, (_, rows, cols) = tables_of(lesson), lesson.grid
    return {
        "sizes": {"c": lesson.c, "m": lesson.m, "n": lesson.n, "rows": rows, "cols": cols},
        "arrays": base64.b64encode(arrays_of(lesson)).decode("ascii"),
        "cases": [
            case(step, choice, screen(step, lesson, choice, tables, ""), lesson.grid)
            for step, choice in CASES
        ],
    }


if __name__ == "__main__":
    AGREED.write_text(
        json.dumps(worked_out(), separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8"
    )
