"""The Learn page: double attention in seven steps, on the picture that the visitor chose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import streamlit as st

from a2core import canvas
from viz_app.components.cell_picker import cell_picker, picked
from viz_app.components.step_bar import step_asked, step_bar
from viz_app.pages.learn import lesson as steps
from viz_app.pages.learn import service as teaching
from viz_app.pages.learn.lesson import STEPS, TEMPERATURES, Choice, Screen
from viz_app.pages.learn.service import Classroom
from viz_app.pages.learn.worksheet import worksheet_html
from viz_app.server import models, samples, traces
from viz_app.server.traces import Shown
from viz_app.ui import address, pixel, places
from viz_app.ui.figures import overlay_url
from viz_app.ui.guards import callback, fragment
from viz_app.ui.shell import STYLES, follow, styled, tell_link, waiting
from viz_app.ui.state import Key as AppKey
from viz_app.ui.state import Probe, came_by_history

LESSON_STYLE = STYLES / "lesson.css"
PRESENTING_STYLE = (STYLES / "lesson_presenting.css").read_text(encoding="utf-8")
STEP_PARAM, PRESENT_PARAM = OWN_PARAMS = "step", "present"


class Key(StrEnum):
    """Keys of `st.session_state` that this page uses; those of widgets name their place on the page."""

    STEP = "lesson-step"
    PRESENT = "lesson-present"
    MOVED = "lesson-moved"  # dict of what the visitor moved, with the trace and block it is about
    BAR = "lesson-bar"
    PICKER = "lesson-picker"
    FRAME = "lesson-frame"
    BLOCK = "lesson-block"
    PRIMITIVE = "lesson-primitive"
    CHANNEL = "lesson-channel"
    TEMPERATURE = "lesson-temperature"
    REACHED = "lesson-reached"
    TERMS = "lesson-terms"
    CHECK = "lesson-check"


# Which slider a step has, beside the picture.
_SLIDERS: dict[int, tuple[Key, ...]] = {
    1: (Key.CHANNEL,),
    2: (Key.PRIMITIVE,),
    3: (Key.PRIMITIVE, Key.TEMPERATURE),
    4: (Key.PRIMITIVE, Key.REACHED),
    5: (Key.PRIMITIVE,),
    6: (Key.TERMS,),
    7: (Key.CHANNEL,),
}
_GATHER = 4  # the step whose picture chooses how far the sum has come, not the cell that receives


def render() -> None:
    """Draw the page."""
    styled()
    st.html(LESSON_STYLE)
    if remarks := _open_link():
        tell_link(st.container(key="notices"), remarks)
    with waiting("Tracing the picture") as look:
        shown = traces.current_shown(look=look)
    if not shown.trace.trained:
        st.html(
            '<div class="a2-untrained" role="status"><strong>Random weights.</strong> These blocks were '
            "never "
            "trained: every equation holds, but the maps mean nothing.</div>"
        )
    block = _block(shown)
    with waiting("Working out the lesson") as look:
        teaching.classroom(shown, block, look=look)
    with st.container(key="lesson"), st.container(key="lesson-steps"):
        # What stays from step to step is drawn once: a browser works longer on a formula than on all the
        # figures of a step. The style sheet shows the step's, and puts everything in its place.
        with st.container(key="lesson-formulas", gap=None):
            st.markdown("\n\n".join(f"$$\n{about.formula}\n$$" for about in STEPS))
            if len(shown.trace.blocks) > 1:
                _choose_block(shown)
        _page(shown, block)
        with st.container(key="lesson-files", horizontal=True, vertical_alignment="center"):
            _files(shown, block)


@fragment()
def _page(shown: Shown, block: str) -> None:
    """All that changes with a step or a slider; reruns alone.

    Everything is worked out before anything is drawn: what reaches a browser together, it draws together.
    """
    came_back = _read_address()
    step: int = st.session_state[Key.STEP]
    presenting: bool = st.session_state[Key.PRESENT]
    room = teaching.classroom(shown, block)
    moved = _moved(shown, room, block)
    if came_back:
        _move_back(shown, block, moved)
    sliders = _sliders(step, room, moved)
    choice = _choice(moved)
    screen = steps.screen(step, room.lesson, choice, room.tables, teaching.lesson_file(shown, block))
    about = STEPS[step - 1]

    step_bar(
        [about.name for about in STEPS],
        step=step,
        presenting=presenting,
        address=None if came_back else _address(shown, block, choice),
        key=Key.BAR,
        on_change=_turn,
    )
    style = f".st-key-lesson .katex-display:nth-child({step}) {{ display: block; }}"
    if presenting:
        style += PRESENTING_STYLE
    # Within the heading: a style sheet of its own would stay when a fragment leaves it out.
    st.html(f'<div class="a2-step"><style>{style}</style><h1><b>{step}</b>{about.title}</h1></div>')
    st.html(f'<div class="a2-step"><p class="a2-said">{screen.sentence}</p></div>')
    left, right = st.columns([5, 9], gap="large")
    with left:
        _picture(step, shown, room, moved, screen)
        for slider in sliders:
            slider.draw()
    right.html(f'<div class="a2-figs">{screen.figures}</div>{screen.numbers}')
    if screen.trap:
        st.html(f'<section class="a2-trap">{screen.trap}</section>')
    if not presenting:
        _check(screen)


def _open_link() -> list[str]:
    """Where a visit begins with a link to a step: have its picture and its pixel; what could not be had."""
    asked = st.query_params.to_dict()
    if AppKey.SHOWN in st.session_state or address.PICTURE not in asked:
        return []
    link, remarks = follow(asked)
    chosen: str = st.session_state[AppKey.SAMPLE]
    usable, _ = models.list_weights()
    weights = {weights.label: weights for weights in usable}.get(st.session_state[AppKey.CHECKPOINT])
    if not usable or link is None:
        return remarks
    sample = next((sample for sample in samples.SAMPLES if sample.name == chosen), None)
    picture = samples.sample_clip() if sample is None else samples.load_sample(sample)
    shown = traces.show(picture, weights or usable[0], st.session_state[AppKey.SIZE])
    view, faults = address.followed(link, shown.trace, places.default_block(shown.trace))
    block = shown.trace.blocks[view["block"]]
    t, row, col = view.get("probe") or places.default_position(block, picture.spot)
    st.session_state[AppKey.SHOWN] = shown
    st.session_state[AppKey.PROBE] = Probe(shown.key, block.name, t, row, col, view["primitive"])
    explore = st.session_state.get(AppKey.AWAITED, link)  # there the picture it is about can be brought
    st.session_state[AppKey.ADDRESS] = {name: explore[name] for name in explore if name not in OWN_PARAMS}
    return remarks + faults


def _read_address() -> bool:
    """Take the step from an address that was opened or gone back to; whether it was gone back to."""
    if Key.STEP in st.session_state and not came_by_history():
        return False
    asked = st.query_params.get(STEP_PARAM, "")
    st.session_state[Key.STEP] = int(asked) if asked in {str(k + 1) for k in range(len(STEPS))} else 1
    st.session_state[Key.PRESENT] = st.query_params.get(PRESENT_PARAM) == "1"
    return came_by_history()


def _move_back(shown: Shown, block: str, moved: dict[str, Any]) -> None:
    """The cell and the primitive of the address that was gone back to, if it is about this picture."""
    link = st.query_params.to_dict()
    if link.get(address.PICTURE) != shown.picture.id or link.get("block") != block:
        return
    view, _ = address.followed(link, shown.trace, shown.trace.blocks[block])
    if "probe" in view:
        moved["position"] = tuple(view["probe"])
    if view["primitive"] is not None:
        moved[Key.PRIMITIVE] = view["primitive"]
        st.session_state.pop(Key.PRIMITIVE, None)


def _address(shown: Shown, block: str, choice: Choice) -> dict[str, str]:
    """The step, the picture, the cell and the primitive, as a link that others can open."""
    probe = Probe(shown.key, block, *choice.position, choice.primitive)
    return {
        STEP_PARAM: str(st.session_state[Key.STEP]),
        **({PRESENT_PARAM: "1"} if st.session_state[Key.PRESENT] else {}),
        address.PICTURE: shown.picture.id,
        address.WEIGHTS: shown.weights.label,
        address.SIZE: str(shown.size_px),
        **address.written(probe, {}, shown.trace),
    }


@callback
def _turn() -> None:
    """Go to the step that was asked for; what is malformed is dropped."""
    asked = step_asked(Key.BAR, len(STEPS))
    if asked is not None:
        st.session_state[Key.STEP], st.session_state[Key.PRESENT] = asked


def _block(shown: Shown) -> str:
    """The block that the lesson is about: the one that was looked at last, or another."""
    if st.session_state.get(Key.BLOCK) not in shown.trace.blocks:
        st.session_state[Key.BLOCK] = traces.current_probe(shown).block
    block: str = st.session_state[Key.BLOCK]
    return block


def _choose_block(shown: Shown) -> None:
    words = {
        name: f"{canvas.block_word(block, shown.trace, shown.card)} ({name})"
        for name, block in shown.trace.blocks.items()
    }
    st.segmented_control(
        "Block",
        list(words),
        format_func=words.__getitem__,
        required=True,
        key=Key.BLOCK,
        label_visibility="collapsed",
        persist_state="session",
    )


def _moved(shown: Shown, room: Classroom, block: str) -> dict[str, Any]:
    """What the visitor moved; begun afresh when the marked pixel, the picture or the block changes."""
    probe = traces.current_probe(shown)
    about = (shown.key, block, probe)
    moved: dict[str, Any] | None = st.session_state.get(Key.MOVED)
    if moved is not None and moved["about"] == about:
        return moved
    position = probe.position
    if block != probe.block:
        spot = places.spot_of(shown.trace.blocks[probe.block], probe.position)
        position = (probe.t, *places.cell_at(shown.trace.blocks[block], spot))
    pinned = pixel.pinned_arrays(shown.trace.blocks[block], position, None)
    primitive = probe.primitive if probe.primitive is not None and block == probe.block else pinned.primitive
    moved = {
        "about": about,
        "position": position,
        Key.PRIMITIVE: primitive,
        Key.CHANNEL: int(abs(room.lesson.added[(slice(None), *position)]).argmax()),
        Key.TEMPERATURE: 1.0,
        Key.REACHED: room.lesson.positions // 2,
        Key.TERMS: 3,
    }
    st.session_state[Key.MOVED] = moved
    for key in (Key.PRIMITIVE, Key.CHANNEL, Key.TEMPERATURE, Key.REACHED, Key.TERMS, Key.FRAME):
        st.session_state.pop(key, None)
    return moved


def _choice(moved: dict[str, Any]) -> Choice:
    return Choice(
        position=moved["position"],
        primitive=moved[Key.PRIMITIVE],
        channel=moved[Key.CHANNEL],
        temperature=moved[Key.TEMPERATURE],
        reached=moved[Key.REACHED],
        terms=moved[Key.TERMS],
    )


@dataclass(frozen=True)
class _Slider:
    """A slider of the step, whose value `st.session_state` holds."""

    key: Key
    label: str
    least: int
    most: int

    def draw(self) -> None:
        if self.key is Key.TEMPERATURE:
            st.select_slider(self.label, TEMPERATURES, format_func=lambda tau: f"{tau:,.10g}", key=self.key)
        else:
            st.slider(self.label, self.least, self.most, key=self.key)


def _sliders(step: int, room: Classroom, moved: dict[str, Any]) -> list[_Slider]:
    """The sliders of the step; what they say is noted in `moved`."""
    lesson = room.lesson
    frames, _, _ = lesson.grid
    all_of = {
        Key.FRAME: ("Frame", 0, frames - 1),
        Key.PRIMITIVE: ("Primitive i", 0, lesson.n - 1),
        Key.CHANNEL: ("Channel k", 0, lesson.c - 1),
        Key.TEMPERATURE: ("Temperature τ", 0, 0),
        Key.REACHED: ("Last cell in the sum, j, in reading order", 0, lesson.positions - 1),
        Key.TERMS: ("Terms in the sum, largest first", 1, lesson.n),
    }
    sliders = [_Slider(key, *all_of[key]) for key in _SLIDERS[step]]
    if frames > 1 and step != _GATHER:
        sliders.insert(0, _Slider(Key.FRAME, *all_of[Key.FRAME]))
        t, row, col = moved["position"]
        moved["position"] = (st.session_state.setdefault(Key.FRAME, t), row, col)
    for slider in sliders:
        key = slider.key
        if key is Key.TEMPERATURE:
            moved[key] = st.session_state.setdefault(key, moved[key])
        elif key is not Key.FRAME:
            fits = max(slider.least, min(moved[key], slider.most))
            moved[key] = int(st.session_state.setdefault(key, fits))
    return sliders


def _picture(step: int, shown: Shown, room: Classroom, moved: dict[str, Any], screen: Screen) -> None:
    """The picture with the step's map over it; dragging in it moves the cell that the step is about."""
    _, rows, cols = room.lesson.grid
    t, row, col = moved["position"]
    if step == _GATHER:
        t, row, col = _unflat(moved[Key.REACHED], rows, cols)
    overlay = overlay_url(screen.overlay[t], screen.colours, high=float(abs(screen.overlay).max()))
    what = "the last cell of the sum" if step == _GATHER else "the cell"
    about = f"{shown.key}/{room.lesson.name}/{what}"
    cell_picker(
        room.frames[t],
        overlay,
        identity=about,
        cell=(row, col),
        grid=(rows, cols),
        aspect=room.aspect,
        label=f"{shown.picture.alt}. Arrow keys move {what}.",
        key=Key.PICKER,
        on_change=callback(lambda: _pick(about, step, room, moved, t)),
    )
    st.html(
        f'<p class="a2-overlay-says">{screen.overlay_says}. <span>Drag in the picture to move '
        f"{what}.</span></p>"
    )


def _unflat(index: int, rows: int, cols: int) -> tuple[int, int, int]:
    t, rest = divmod(index, rows * cols)
    return (t, *divmod(rest, cols))


def _pick(about: str, step: int, room: Classroom, moved: dict[str, Any], t: int) -> None:
    """Take over the cell that was picked in the browser; one that does not fit is dropped."""
    _, rows, cols = room.lesson.grid
    cell = picked(Key.PICKER, about, (rows, cols))
    if cell is None:
        return
    if step == _GATHER:
        moved[Key.REACHED] = st.session_state[Key.REACHED] = (t * rows + cell[0]) * cols + cell[1]
    else:
        moved["position"] = (t, *cell)


def _check(screen: Screen) -> None:
    check = st.expander(
        "Check it yourself", icon=":material/function:", key=Key.CHECK, on_change="rerun"
    )  # closed, nothing of it is drawn: colouring the lines takes a browser as long as all the rest
    if check.open:
        with check:
            st.html(
                "<p>These lines of NumPy print values of this page, from the file with the lesson’s "
                "arrays.</p>"
            )
            st.code(screen.code, language="python")
            st.html(f'<p>They print</p><pre class="a2-prints">{screen.prints}</pre>')


def _files(shown: Shown, block: str) -> None:
    """What can be taken away: the files are made when they are asked for."""
    room = teaching.classroom(shown, block)
    moved = _moved(shown, room, block)

    def worksheet() -> str:
        choice = _choice(moved)
        url = room.frames[choice.position[0]]
        return worksheet_html(room.lesson, choice, picture_url=url, title=shown.picture.title)

    st.download_button(
        "The lesson’s arrays (NPZ)",
        room.lesson.to_npz,
        file_name=teaching.lesson_file(shown, block),
        mime="application/octet-stream",
        on_click="ignore",
        icon=":material/download:",
    )
    st.download_button(
        "A worksheet to print (HTML)",
        worksheet,
        file_name=teaching.lesson_file(shown, block)
        .replace("a2-lesson", "a2-worksheet")
        .replace(".npz", ".html"),
        mime="text/html",
        on_click="ignore",
        icon=":material/print:",
    )
    st.html('<p class="a2-overlay-says">The picture and the cell are those chosen on Explore.</p>')
