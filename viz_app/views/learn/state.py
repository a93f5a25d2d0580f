"""What a visitor's session remembers of the lesson: the step, and what was moved in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import streamlit as st

from a2core.lesson.steps import Choice, most_changed, opening
from viz_app.server.traces import Shown
from viz_app.ui import address, pixel
from viz_app.ui.selection import cell_was_marked, current_probe, mark, marked_cell
from viz_app.views.learn.service import Classroom


class Key(StrEnum):
    """Keys of `st.session_state` that this page uses; those of widgets name their place on the page."""

    STEP = "lesson-step"
    TRAP = "lesson-trap"  # widget, while presenting: whether the trap stands where the figures do
    MOVED = "lesson-moved"  # dict of what the visitor moved, with the trace and block it is about
    BAR = "lesson-bar"
    PICKER = "lesson-picker"
    FIGURES = "lesson-figures"
    FRAME = "lesson-frame"
    BLOCK = "lesson-block"
    PRIMITIVE = "lesson-primitive"
    CHANNEL = "lesson-channel"
    A_CHANNEL = "lesson-a-channel"
    TEMPERATURE = "lesson-temperature"
    REACHED = "lesson-reached"
    TERMS = "lesson-terms"
    CHECK = "lesson-check"


_MOVED_BY_SLIDERS = (
    Key.PRIMITIVE,
    Key.CHANNEL,
    Key.A_CHANNEL,
    Key.TEMPERATURE,
    Key.REACHED,
    Key.TERMS,
    Key.FRAME,
)
ADD = 7  # the step that shows what the block changed


def moved_by_visitor(shown: Shown, room: Classroom, block: str) -> dict[str, Any]:
    """What the visitor moved; begun afresh when the marked pixel, the picture or the block changes."""
    probe = current_probe(shown)
    about = (shown.key, block, probe)
    moved: dict[str, Any] | None = st.session_state.get(Key.MOVED)
    if moved is not None and moved["about"] == about:
        return moved
    position = marked_cell(shown, block)
    pinned = pixel.pinned_arrays(shown.trace.blocks[block], position, None)
    primitive = probe.primitive if probe.primitive is not None and block == probe.block else pinned.primitive
    lesson = room.lesson
    # Every step's address names a cell, chosen or not: only of the step itself it says which to open on.
    named = st.session_state[Key.STEP] == ADD and address.AT in st.query_params
    changed = position if named or cell_was_marked(shown) else most_changed(lesson)
    choice = opening(lesson, position, changed, primitive)
    moved = {
        "about": about,
        "position": choice.position,
        "opens_on": None if changed == position else (position, changed),
        Key.PRIMITIVE: choice.primitive,
        Key.CHANNEL: choice.channel,
        Key.A_CHANNEL: choice.a_channel,
        Key.TEMPERATURE: choice.temperature,
        Key.REACHED: choice.reached,
        Key.TERMS: choice.terms,
    }
    moved["chosen"] = _chosen(moved)
    st.session_state[Key.MOVED] = moved
    for key in _MOVED_BY_SLIDERS:
        st.session_state.pop(key, None)
    return moved


def arrive(step: int, moved: dict[str, Any]) -> None:
    """Open step 7, where nobody chose a cell, on the one that changed most; other steps as they were."""
    if moved["opens_on"] is None:
        return
    at_first, changed = moved["opens_on"]
    here, elsewhere = (changed, at_first) if step == ADD else (at_first, changed)
    if moved["position"] == elsewhere:
        moved["position"] = here
        moved["chosen"] = _chosen(moved)
        st.session_state.pop(Key.FRAME, None)


def choose(shown: Shown, block: str, moved: dict[str, Any]) -> None:
    """Have the cell and the primitive that the visitor moved to be what the other pages are about."""
    chosen = _chosen(moved)
    if chosen == moved["chosen"]:
        return
    if chosen[0] != moved["chosen"][0]:
        moved["opens_on"] = None  # the visitor's own choice, for all steps
    position, primitive = moved["chosen"] = chosen
    mark(shown, block=block, position=position, primitive=primitive)
    moved["about"] = (shown.key, block, current_probe(shown))


def _chosen(moved: dict[str, Any]) -> tuple[tuple[int, int, int], int]:
    t, row, col = moved["position"]
    return (int(t), int(row), int(col)), int(moved[Key.PRIMITIVE])


def choice_of(moved: dict[str, Any]) -> Choice:
    """What was moved, as the steps take it."""
    return Choice(
        position=moved["position"],
        primitive=moved[Key.PRIMITIVE],
        channel=moved[Key.CHANNEL],
        a_channel=moved[Key.A_CHANNEL],
        temperature=moved[Key.TEMPERATURE],
        reached=moved[Key.REACHED],
        terms=moved[Key.TERMS],
    )
