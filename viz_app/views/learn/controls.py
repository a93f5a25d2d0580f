"""What a visitor moves in the lesson: sliders, and the cell in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from a2core.lesson import around, overlay_url
from a2core.lesson.steps import TEMPERATURES, Screen
from viz_app.components.cell_picker import cell_picker, picked
from viz_app.server.traces import Shown
from viz_app.ui import language, text
from viz_app.ui.guards import callback
from viz_app.views.learn.service import Classroom
from viz_app.views.learn.state import Key

# Which slider a step has, beside the picture.
_SLIDERS: dict[int, tuple[Key, ...]] = {
    1: (Key.CHANNEL,),
    2: (Key.A_CHANNEL, Key.PRIMITIVE),
    3: (Key.PRIMITIVE, Key.TEMPERATURE),
    4: (Key.PRIMITIVE, Key.REACHED),
    5: (Key.PRIMITIVE,),
    6: (Key.TERMS,),
    7: (Key.CHANNEL,),
}
_GATHER = 4  # the step whose picture chooses how far the sum has come, not the cell that receives


@dataclass(frozen=True)
class Slider:
    """A slider of the step, whose value `st.session_state` holds."""

    key: Key
    label: str
    least: int
    most: int

    def draw(self) -> None:
        """Show it.

        With its value as the one to begin with too: a browser that is behind by some runs may miss the
        message that sets it, and would show the least.
        """
        value = st.session_state[self.key]
        if self.key is Key.TEMPERATURE:
            st.select_slider(self.label, TEMPERATURES, value, lambda tau: f"{tau:,.10g}", key=self.key)
        else:
            st.slider(self.label, self.least, self.most, value, key=self.key)


def sliders_of(step: int, room: Classroom, moved: dict[str, Any]) -> list[Slider]:
    """The sliders of the step; what they say is noted in `moved`."""
    lesson = room.lesson
    frames, _, _ = lesson.grid
    all_of = {
        Key.FRAME: (around.FRAME, 0, frames - 1),
        Key.PRIMITIVE: (around.PRIMITIVE, 0, lesson.n - 1),
        Key.CHANNEL: (around.CHANNEL, 0, lesson.c - 1),
        Key.A_CHANNEL: (around.A_CHANNEL, 0, lesson.m - 1),
        Key.TEMPERATURE: (around.TEMPERATURE, 0, 0),
        Key.REACHED: (around.REACHED, 0, lesson.positions - 1),
        Key.TERMS: (around.TERMS, 1, lesson.n),
    }
    sliders = [Slider(key, *all_of[key]) for key in _SLIDERS[step]]
    if frames > 1 and step != _GATHER:
        sliders.insert(0, Slider(Key.FRAME, *all_of[Key.FRAME]))
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


def picture(
    step: int, shown: Shown, room: Classroom, moved: dict[str, Any], screen: Screen, meets: tuple[str, ...]
) -> None:
    """The picture with the step's map over it; dragging in it moves the cell that the step is about.

    The symbols `meets` are said in the same element as what lies over it: the style sheet puts them below the
    sliders, and a browser has an element less to go through again with every run.
    """
    grid = room.lesson.grid
    t, row, col = moved["position"]
    if step == _GATHER:
        t, row, col = map(int, np.unravel_index(moved[Key.REACHED], grid))
    what = around.THE_LAST_CELL if step == _GATHER else around.THE_CELL
    about = f"{shown.key}/{room.lesson.name}/{what}"
    cell_picker(
        room.frames[t],
        overlay_url(screen.overlay[t], screen.shows, high=float(abs(screen.overlay).max())),
        identity=about,
        cell=(row, col),
        grid=grid[1:],
        aspect=room.aspect,
        label=around.moves(language.told(shown.picture.alt), what),
        place=text.A_CELL,
        key=Key.PICKER,
        on_change=callback(lambda: _pick(about, step, room, moved, t)),
    )
    st.html(around.under_picture(screen.overlay_says, what) + around.definitions(meets))


def _pick(about: str, step: int, room: Classroom, moved: dict[str, Any], t: int) -> None:
    """Take over the cell that was picked in the browser; one that does not fit is dropped."""
    grid = room.lesson.grid
    cell = picked(Key.PICKER, about, grid[1:])
    if cell is None:
        return
    if step == _GATHER:
        moved[Key.REACHED] = st.session_state[Key.REACHED] = int(np.ravel_multi_index((t, *cell), grid))
    else:
        moved["position"] = (t, *cell)
