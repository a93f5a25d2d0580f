"""The lesson on the site: its seven steps on the sample, in a page for each language.

A step stands in the page as `a2core.lesson` says and draws it for what the lesson opens on. The block's
tensors lie in a file beside it; the page's script works out from them what is moved (assets/lesson). Nothing
of it belongs to a first visit of the site.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from a2core import canvas
from a2core.canvas.modules import join
from a2core.languages import LANGUAGES
from a2core.lesson import style
from a2core.lesson.figures import overlay_url
from a2core.lesson.mathml import mathml
from a2core.lesson.numbers import whole
from a2core.lesson.steps import STEPS, TEMPERATURES, Choice, Screen, most_changed, opening, screen, tables_of
from a2core.lesson.words import around, common
from a2core.lesson.words import step3_where_to_look as looking
from a2core.lesson.worksheet import worksheet_html
from a2core.site.pages import asset, filled, named
from a2core.spoken import speaking
from a2core.tracing.lesson import Lesson

_SCRIPT = Path(__file__).parent / "assets" / "lesson" / "main.js"
PAGE, FOLDER = "lesson.html", "lesson/"
PICTURE = f"{FOLDER}picture.webp"
# In the order in which assets/lesson/lesson.js reads them.
ARRAYS = (
    "features",
    "normed",
    "phi",
    "theta_logits",
    "rho_logits",
    "primitives",
    "output",
    "phi_weight",
    "phi_bias",
    "theta_weight",
    "theta_bias",
    "rho_weight",
    "rho_bias",
    "expand_weight",
    "expand_bias",
)
# Which sliders a step has: what of the choice each moves.
SLIDERS = {
    1: ("channel",),
    2: ("a_channel", "primitive"),
    3: ("primitive", "temperature"),
    4: ("primitive", "reached"),
    5: ("primitive",),
    6: ("terms",),
    7: ("channel",),
}
_GATHER, _LOOK, _ADD = 4, 3, 7
Pack = Callable[[str, bytes], Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Classroom:
    """What the pages show.

    Attributes:
        lesson: of one block on one picture, not a clip.
        choice: what it opens on.
        changed: the cell that step 7 opens on.
        picture: WebP; `alt` says what it is, `title` its name, `credit` whose it is.
        network: whose the network is, by language.
        warning: of random weights, by language.
    """

    lesson: Lesson
    choice: Choice
    changed: tuple[int, int, int]
    picture: bytes
    alt: str
    title: str
    credit: str
    network: Mapping[str, str]
    warning: Mapping[str, str]


def classroom(lesson: Lesson, position: tuple[int, int, int], **about: Any) -> Classroom:
    """A lesson that opens at `position` (t, row, col), on the primitive that is handed out most there."""
    changed = most_changed(lesson)
    primitive = int(np.argmax(lesson.distribute[(slice(None), *position)]))
    return Classroom(lesson, opening(lesson, position, changed, primitive), changed, **about)


def is_lesson(name: str) -> bool:
    """Whether a file of the site is the lesson's."""
    return name.startswith((FOLDER, "lesson."))


def lesson_files(room: Classroom, pack: Pack) -> dict[str, bytes]:
    """All files of the lesson, but for its tensors, which `pack` writes under a name and tells of."""
    told = pack(f"{FOLDER}arrays.bin", arrays_of(room.lesson))
    about = html.escape(json.dumps(_about(room, told), separators=(",", ":")), quote=True)
    files = {PICTURE: room.picture, f"{FOLDER}lesson.css": _style(room).encode()}
    tables = tables_of(room.lesson)
    for language in LANGUAGES:
        with speaking(language):
            parts = "".join(_part(step, room, tables) for step in range(1, len(STEPS) + 1))
            steps = "".join(
                f'<li><a href="#step-{k}">{k} <span>{step.name}</span></a></li>'
                for k, step in enumerate(STEPS, 1)
            )
            sheet = worksheet_html(
                room.lesson, room.choice, picture_url=address_of(room.picture), title=room.title
            )
        script, worksheet = (named(f"{FOLDER}{name}", language) for name in ("lesson.js", "worksheet.html"))
        page = filled(
            PAGE,
            language,
            {
                "script": script,
                "home": named("index.html", language),
                "steps": steps,
                "about-lesson": about,
                "warning": room.warning[language],
                "parts": parts,
                "worksheet": worksheet,
                "credit": html.escape(room.credit),
                "network": room.network[language],
            },
        )
        files[named(PAGE, language)] = page.encode()
        files[worksheet] = sheet.encode()
        files[script] = join(_SCRIPT, name="a2Lesson", language=language).encode()
    return files


def address_of(picture: bytes) -> str:
    """A WebP picture as a data URL, for a page that may fetch nothing."""
    return f"data:image/webp;base64,{base64.b64encode(picture).decode('ascii')}"


def arrays_of(lesson: Lesson) -> bytes:
    """The tensors that the page's script works with, little-endian float32 one after the other."""
    return b"".join(getattr(lesson, name).astype("<f4").tobytes() for name in ARRAYS)


def choice_told(choice: Choice, grid: tuple[int, int, int]) -> dict[str, Any]:
    """A choice as the scripts have it: its position is one number, in reading order."""
    return asdict(choice) | {"position": int(np.ravel_multi_index(choice.position, grid))}


def _about(room: Classroom, told: Mapping[str, Any]) -> dict[str, Any]:
    lesson = room.lesson
    _, rows, cols = lesson.grid
    return {
        "sizes": {"c": lesson.c, "m": lesson.m, "n": lesson.n, "rows": rows, "cols": cols},
        "file": told,
        "opening": choice_told(room.choice, lesson.grid),
        "changed": int(np.ravel_multi_index(room.changed, lesson.grid)),
        "temperatures": TEMPERATURES,
    }


def _style(room: Classroom) -> str:
    _, rows, cols = room.lesson.grid
    shape = f".a2-lesson {{ --aspect: {cols / rows:.4f}; }}\n"
    return style("figures", "lesson") + asset("lesson/lesson.css") + shape


def _part(step: int, room: Classroom, tables: Mapping[str, str]) -> str:
    """A step as it stands in the page."""
    at = room.changed if step == _ADD else room.choice.position
    choice = replace(room.choice, position=at)
    shown, about = screen(step, room.lesson, choice, tables, ""), STEPS[step - 1]
    trap = f'<section class="a2-trap">{shown.trap}</section>' if shown.trap else ""
    return (
        f'<section class="l-part" id="step-{step}" data-step="{step}" aria-labelledby="title-{step}">'
        f'<div class="a2-step"><h2 id="title-{step}"><b>{step}</b>{about.title}</h2>{mathml(about.formula)}'
        f"{_sentences(step, shown)}</div>"
        f'<div class="l-both"><div class="l-left">{_picture(step, room, shown, choice)}'
        f"{_sliders(step, room)}{around.definitions(about.meets)}</div>"
        f'<div class="l-right"><div class="a2-figs">{shown.figures}</div>{shown.numbers}</div></div>'
        f"{trap}</section>"
    )


def sayings() -> dict[str, str]:
    """All that step 3 may say, by names that assets/lesson/steps.js chooses among and fills in."""
    place = common.place(whole("peak_row", 0), whole("peak_column", 0))
    return {
        "zero_shared": looking.zero_shared(whole("winners", 0)),
        "zero": looking.zero(place),
        "colder": looking.colder(place),
        "one": looking.one(place),
        "warmer": looking.warmer(place),
        "flat": looking.FLAT,
    }


def _sentences(step: int, shown: Screen) -> str:
    """What a step says; of step 3 all that it may say, of which the temperature chooses."""
    if step != _LOOK:
        return f'<p class="a2-said">{shown.sentence}</p>'
    said = sayings() | {"one": shown.sentence}
    return "".join(
        f'<p class="a2-said" data-when="{when}"{"" if when == "one" else " hidden"}>{text}</p>'
        for when, text in said.items()
    )


def _picture(step: int, room: Classroom, shown: Screen, choice: Choice) -> str:
    """The picture with the step's map over it and the cell that is moved."""
    lesson = room.lesson
    _, rows, cols = lesson.grid
    what = around.THE_LAST_CELL if step == _GATHER else around.THE_CELL
    _, row, col = np.unravel_index(choice.reached, lesson.grid) if step == _GATHER else choice.position
    over = overlay_url(shown.overlay[0], shown.shows, high=float(abs(shown.overlay).max()))
    sides = {"left": col / cols, "top": row / rows, "width": 1 / cols, "height": 1 / rows}
    frame = ";".join(f"{side}:{100 * share:.3f}%" for side, share in sides.items())
    label = html.escape(around.moves(room.alt, what), quote=True)
    place = html.escape(str(common.place("{row}", "{column}")), quote=True)
    return (
        f'<div class="l-pick" role="application" aria-label="{label}" data-place="{place}">'
        f'<img class="l-base" src="{PICTURE}" alt="" draggable="false">'
        f'<img class="l-over" src="{over}" alt="" draggable="false">'
        f'<div class="l-cell" style="{frame}"></div><span class="l-said" role="status"></span></div>'
        f"{around.under_picture(shown.overlay_says, what)}"
    )


def _sliders(step: int, room: Classroom) -> str:
    lesson = room.lesson
    of = {
        "primitive": (around.PRIMITIVE, 0, lesson.n - 1),
        "channel": (around.CHANNEL, 0, lesson.c - 1),
        "a_channel": (around.A_CHANNEL, 0, lesson.m - 1),
        "temperature": (around.TEMPERATURE, 0, len(TEMPERATURES) - 1),
        "reached": (around.REACHED, 0, lesson.positions - 1),
        "terms": (around.TERMS, 1, lesson.n),
    }
    drawn = ""
    for name in SLIDERS[step]:
        label, least, most = of[name]
        value = getattr(room.choice, name)
        at = TEMPERATURES.index(value) if name == "temperature" else value
        drawn += (
            f'<label class="l-slider">{label} <output>{value:,.10g}</output><input type="range" '
            f'data-moves="{name}" min="{least}" max="{most}" value="{at}" disabled></label>'
        )
    return drawn


def warnings(trained: bool) -> dict[str, str]:
    """What is said of random weights, by language."""
    return {each: "" if trained else canvas.untrained_warning(each) for each in LANGUAGES}
